"""Answers by a running engine, guided by the pack's schema: what customers would really get."""

import json
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from backend.training.evaluation.exam import Messages
from prompts import Pack, reply_schema

MAX_TOKENS = 256
TIMEOUT_S = 120


class Guided:
    """An OpenAI-shaped server as a function from messages to raw replies."""

    def __init__(self, root: str, model: str = "pindesk", at_once: int = 8) -> None:
        self.url, self.model, self.at_once = f"{root}/v1/chat/completions", model, at_once

    def __call__(self, asked: Sequence[tuple[Messages, Pack]]) -> list[str]:
        with ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(lambda each: self._one(*each), asked))

    def _one(self, messages: Messages, pack: Pack) -> str:
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "structured_outputs": {"json": reply_schema(pack)},
        }
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return json.load(response)["choices"][0]["message"]["content"] or ""
