"""A model served by transformers alone: the same calls as vLLM's, one at a time, greedy, nothing kept between calls.

Runs in the engine's environment: `python -m benchmarks.quality.transformers_server MODEL PORT`.
"""

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


class Generator:
    """One model; callers wait for each other."""

    def __init__(self, folder: str) -> None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).to(device).eval()
        self._lock = Lock()

    @torch.inference_mode()
    def __call__(self, messages: list[dict[str, str]], max_tokens: int) -> str:
        with self._lock:
            text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            given = self._tokenizer(
                text, return_tensors="pt", add_special_tokens=False, return_token_type_ids=False
            ).to(self._model.device)
            made = self._model.generate(**given, max_new_tokens=max_tokens, do_sample=False)
            return self._tokenizer.decode(made[0, given["input_ids"].shape[1] :], skip_special_tokens=True)


class Handler(BaseHTTPRequestHandler):
    """`GET /health` and `POST /v1/chat/completions`, as far as the benchmark uses them."""

    protocol_version = "HTTP/1.1"
    generate: Generator

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = self.generate(body["messages"], body["max_tokens"])
        self._answer({"choices": [{"message": {"role": "assistant", "content": text}}]})

    def log_message(self, *_: object) -> None:
        """Nobody's text in a log."""

    def _answer(self, body: dict[str, object]) -> None:
        told = json.dumps(body).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)


def main() -> None:
    folder, port = sys.argv[1], int(sys.argv[2])
    Handler.generate = Generator(folder)
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
