"""The `web` process: `python -m chat.web`.

On SIGTERM or Ctrl-C readiness turns 503 and event streams end at once. The turns of this process get ten seconds to
end while the server still answers; what is left goes back to the queue for whoever is alive. A second Ctrl-C stops at
once.
"""

import asyncio
import gc
import os
import socket
import sys
from contextlib import suppress

# Before LiteLLM is imported: its import otherwise asks the network for a price list.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import uvicorn

from chat.app import create_app
from chat.keys import ensure_keys
from chat.prepare import prepare
from chat.services import Services
from chat.settings import Settings, SettingsError, get_settings
from prompts import LookupConfigError, PackError
from sessions import Unavailable
from telemetry.logs import configure_logs

GRACE_S = 10.0
CONFIG_ERRORS = (SettingsError, PackError, LookupConfigError, OSError, ValueError)


class Server(uvicorn.Server):
    """uvicorn's server with our order of stopping."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._services.streams.close()
        stopping = asyncio.create_task(self._services.runner.stop(GRACE_S))
        while not stopping.done() and not self.force_exit:
            await asyncio.wait([stopping], timeout=0.1)
        stopping.cancel()
        await super().shutdown(sockets)


def bind(settings: Settings) -> socket.socket:
    """The listening socket; raises OSError that names the address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise OSError(f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}") from error
    return listening


def make_server(settings: Settings) -> Server:
    """The server over a prepared database. Raises one of CONFIG_ERRORS for a configuration that cannot work."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        # Longer than proxies keep theirs: whoever closes first must not be us, or a reused connection fails.
        timeout_keep_alive=75,
        # Gradio's own streams do not hear of our stopping.
        timeout_graceful_shutdown=3,
    )
    return Server(config, app.state.services)


def keep_for_good() -> None:
    """Spare the garbage collector what is here: 640,000 objects of libraries, which it looks through for 0.4 s of CPU
    each time, and nobody is answered meanwhile."""
    gc.collect()
    gc.freeze()


def main() -> int:
    try:
        settings = ensure_keys(get_settings())
        configure_logs(settings.log_level)
        listening = bind(settings)
        asyncio.run(prepare(settings))
        server = make_server(settings)
        keep_for_good()
    except Unavailable as error:
        print(f"web: the database cannot be used: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    except CONFIG_ERRORS as error:
        print(f"web: {error}", file=sys.stderr)
        return 1
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
