"""As much of vLLM's OpenAI server as an author's command asks, in a thread of its own."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self


class StubReplica:
    """Answers every completion with the template that `choose` names for the customer's text."""

    def __init__(self, choose: Callable[[str], str]) -> None:
        self.choose = choose
        self.bodies: list[dict[str, Any]] = []
        self.max_model_len = 4096
        self.refuses: str | None = None  # a template whose schema it does not compile
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer({"data": [{"id": "pindesk", "max_model_len": stub.max_model_len}]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/tokenize":
                    self._answer({"count": len(body["prompt"]) // 4})
                elif stub.refuses and f'"{stub.refuses}"' in json.dumps(body["structured_outputs"]):
                    self._answer({"error": {"message": "the grammar is too large"}}, 400)
                else:
                    stub.bodies.append(body)
                    self._answer({"choices": [{"message": {"content": stub.reply(body)}}]})

            def _answer(self, content: dict[str, Any], status: int = 200) -> None:
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Tests need no access log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def reply(self, body: dict[str, Any]) -> str:
        """The JSON that the grammar would admit for the chosen template."""
        return json.dumps({"action": "reply", "template": self.choose(body["messages"][-1]["content"])})

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
