"""`python -m chat.start`: check the machine, start everything, say what is awaited, end when told to."""

import sys
from pathlib import Path

from chat.keys import ensure_keys, keys_file, missing_keys
from chat.settings import Settings, SettingsError, get_settings
from chat.start.errors import StartError
from chat.start.launcher import Launcher
from chat.start.preflight import check_machine
from chat.start.procfile import Process, read_procfile, select_processes
from chat.start.supervisor import Supervisor
from chat.start.supervisord_conf import render_conf, socket_path


def main() -> int:
    try:
        settings = get_settings()
        processes = select_processes(read_procfile(Path("Procfile")), settings)
        check_machine(settings)
        settings = _with_keys(settings)
        Launcher(settings, processes, _supervisor(settings, processes)).run()
    except SettingsError as error:
        print(f"Bad setting: {error}.", file=sys.stderr)
        return 1
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _with_keys(settings: Settings) -> Settings:
    if not missing_keys(settings):
        return settings
    print(f"Keys for agents, operators and programs: {keys_file(settings)}", flush=True)
    return ensure_keys(settings)


def _supervisor(settings: Settings, processes: list[Process]) -> Supervisor:
    (settings.var_dir / "log").mkdir(parents=True, exist_ok=True)
    conf = settings.var_dir / "supervisord.conf"
    conf.write_text(render_conf(processes, settings, Path.cwd()))
    return Supervisor(conf, socket_path(settings))


if __name__ == "__main__":
    raise SystemExit(main())
