"""Answers by a running engine, guided as a turn of Pindesk is: what customers would really get."""

import json
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from backend.training.evaluation.exam import Question, Schemas, as_served

MAX_TOKENS = 256
TIMEOUT_S = 120


class Guided:
    """An OpenAI-shaped server as a function from questions to raw replies."""

    def __init__(self, root: str, model: str = "pindesk", at_once: int = 8, schemas: Schemas = as_served) -> None:
        self.url, self.model, self.at_once, self._schemas = f"{root}/v1/chat/completions", model, at_once, schemas

    def __call__(self, asked: Sequence[Question]) -> list[str]:
        with ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(self._one, asked))

    def _one(self, question: Question) -> str:
        body = {
            "model": self.model,
            "messages": question.messages,
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "structured_outputs": {"json": self._schemas(question)},
        }
        request = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return json.load(response)["choices"][0]["message"]["content"] or ""
