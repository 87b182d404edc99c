"""A loopback HTTP server in a thread of its own, so that reading spans never delays the application's event loop."""

import socket
import threading

import uvicorn
from starlette.types import ASGIApp


class PortTaken(Exception):
    """Another process listens on the port."""


class Listener:
    """Serves `app` on `host`:`port` from `start` to `stop`; port 0 takes a free one."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._address = (host, port)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = port

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Bind and serve; raises `PortTaken`."""
        listening = _bound(self._address)
        self.port = listening.getsockname()[1]
        # Without its own log configuration: what uvicorn says goes to the application's log.
        config = uvicorn.Config(self._app, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=75)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="otlp-receiver", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the server; open exports may finish."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout_s)


def _bound(address: tuple[str, int]) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise PortTaken(f"{address[0]}:{address[1]}") from error
    return listening
