"""Going through conversations with one arm, several customers at once, and what each turn took."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import httpx
from httpx_sse import aconnect_sse

from backend.training.evaluation.cases import Case
from backend.training.evaluation.exam import Marked, Question, as_served, marked
from benchmarks.quality.arms import Arm
from prompts import Line, LineRole, prompt_form
from prompts.reply_stream import ReplyStream

MAX_TOKENS = 160
TIMEOUT_S = 120


@dataclass(frozen=True)
class Turn:
    """One answer: the mark, and the time until the customer could read all of it."""

    mark: Marked
    took_ms: float


class Asker:
    """Asks the servers of one arm. What is cached under one `salt` helps no other: runs do not warm each other."""

    def __init__(self, http: httpx.AsyncClient, arm: Arm, urls: Sequence[str], model: str, salt: str) -> None:
        self._http, self._arm, self._urls, self._model, self._salt = http, arm, urls, model, salt
        self._turns = count()

    async def all(self, cases: Sequence[Case], customers: int) -> list[list[Turn]]:
        """Every case turn by turn, at most `customers` at once; the model's own answers are the history."""
        waiting = list(enumerate(cases))[::-1]
        answers: list[list[Turn]] = [[] for _ in cases]

        async def customer() -> None:
            while waiting:
                at, case = waiting.pop()
                answers[at] = await self.conversation(at, case)

        await asyncio.gather(*(customer() for _ in range(customers)))
        return answers

    async def conversation(self, number: int, case: Case) -> list[Turn]:
        """One case."""
        lines, turns = list(case.history), []
        for asked in case.turns:
            lines.append(Line(LineRole.CUSTOMER, prompt_form(asked.text)))
            url = self._urls[(number if self._arm.is_pinned else next(self._turns)) % len(self._urls)]
            question = Question(case.pack, tuple(lines))
            raw, took_ms = await self._answer(url, question)
            turns.append(Turn(marked(asked, raw, case.pack, " ".join(question.texts)), took_ms))
            lines.append(Line(LineRole.ASSISTANT, raw))
        return turns

    async def _answer(self, url: str, question: Question) -> tuple[str, float]:
        """The raw reply, and the ms until it could be read. Raises httpx.HTTPError."""
        body = {"model": self._model, "messages": question.messages, "temperature": 0, "max_tokens": MAX_TOKENS}
        body |= {"cache_salt": self._salt}
        began, address = time.perf_counter(), f"{url}/v1/chat/completions"
        if not self._arm.is_guided:
            answer = (await self._http.post(address, json=body)).raise_for_status().json()
            return answer["choices"][0]["message"]["content"] or "", _since(began)
        body |= {"structured_outputs": {"json": as_served(question)}, "stream": True}
        stream, text, took_ms = ReplyStream(), "", None
        async with aconnect_sse(self._http, "POST", address, json=body) as source:
            source.response.raise_for_status()
            async for event in source.aiter_sse():
                if event.data == "[DONE]":
                    break
                piece = "".join(c["delta"].get("content") or "" for c in json.loads(event.data)["choices"])
                text += piece
                stream.feed(piece)
                if stream.head_closed and took_ms is None:
                    took_ms = _since(began)
        return text, took_ms or _since(began)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
