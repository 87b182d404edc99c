"""supervisord's configuration, written from the Procfile."""

import hashlib
import shlex
import sys
import tempfile
from pathlib import Path

from chat.settings import Settings
from chat.start.procfile import Process

# A Unix socket's path has at most 107 bytes, and supervisord binds it under a longer name first.
_LONGEST_SOCKET_PATH = 96

_SERVER = """\
; Written by `make run` from the Procfile at every start; edits are lost.
[supervisord]
nodaemon = true
silent = true
directory = {root}
logfile = {log_dir}/supervisord.log
logfile_maxbytes = 10MB
logfile_backups = 3
pidfile = {var_dir}/supervisord.pid

[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{socket}
"""

# startsecs: what dies within 10 s of its start waits one second longer before each further start. A replica that dies
# later than that needs no wait, because loading alone takes tens of seconds.
_PROGRAM = """
[program:{name}]
command = {command}
autorestart = true
startsecs = 10
startretries = 1000
stopwaitsecs = {stop_wait_s}
stopsignal = TERM
stopasgroup = {stop_group}
killasgroup = true
priority = {priority}
redirect_stderr = true
stdout_logfile = {log_dir}/{name}.log
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 3
environment = PYTHONUNBUFFERED="1"
"""


def socket_path(settings: Settings) -> Path:
    """Where supervisord listens: in the var folder, or in the temporary folder where that path is too long."""
    path = settings.var_dir.absolute() / "supervisor.sock"
    if len(bytes(path)) <= _LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.gettempdir()) / f"pindesk-{hashlib.sha256(bytes(path)).hexdigest()[:16]}.sock"


def log_file(settings: Settings, name: str) -> Path:
    return settings.var_dir / "log" / f"{name}.log"


def render_conf(processes: list[Process], settings: Settings, root: Path) -> str:
    """Return the text of `supervisord.conf` for processes whose commands run in the folder `root`."""
    var_dir = settings.var_dir.absolute()
    places = {"root": root, "var_dir": var_dir, "log_dir": var_dir / "log", "socket": socket_path(settings)}
    escaped = {name: _escape(str(path)) for name, path in places.items()}
    programs = (_render_program(process, settings, escaped["log_dir"]) for process in processes)
    return _SERVER.format(**escaped) + "".join(programs)


def _render_program(process: Process, settings: Settings, log_dir: str) -> str:
    tied = [sys.executable, "-m", "chat.start.tie", *shlex.split(process.command)]
    is_replica = process.replica is not None
    return _PROGRAM.format(
        name=process.name,
        command=_escape(shlex.join(tied)),
        log_dir=log_dir,
        stop_wait_s=int(settings.turn_timeout.total_seconds()) + 10,
        stop_group=str(not is_replica).lower(),
        priority=100 if is_replica else 200,
    )


def _escape(text: str) -> str:
    return text.replace("%", "%%")
