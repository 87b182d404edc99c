"""A customer of a running Pindesk, over the HTTP contract, for benchmarks."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import aconnect_sse

ENDS = frozenset({"reply.done", "turn.stopped", "turn.failed"})


class Customer:
    """One conversation on one site: posts turns and reads the event stream."""

    def __init__(self, http: httpx.AsyncClient, conversation_id: str, token: str) -> None:
        self.http = http
        self.conversation_id = conversation_id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.seen = 0

    @classmethod
    async def open(cls, http: httpx.AsyncClient, site: str = "demo") -> "Customer":
        """Open a conversation. Raises httpx.HTTPStatusError when the site refuses it."""
        while (answer := await http.post("/api/v1/conversations", json={"site": site})).status_code == 429:
            await asyncio.sleep(int(answer.headers["Retry-After"]))
        answer.raise_for_status()
        body = answer.json()
        return cls(http, body["id"], body["token"])

    @property
    def path(self) -> str:
        return f"/api/v1/conversations/{self.conversation_id}"

    async def ask(self, text: str) -> "Heard":
        """Post one turn and read until it has ended; times are seen from here, in ms."""
        turn = {"text": text, "client_turn_id": uuid.uuid4().hex}
        started, answer = await self.accepted(turn)
        heard = Heard(turn_id=answer.json()["turn_id"])
        async for kind, data in self.events():
            if data.get("turn_id") != heard.turn_id:
                continue
            heard.take(kind, data, elapsed_ms=(time.perf_counter() - started) * 1000)
            if kind in ENDS:
                break
        return heard

    async def accepted(self, turn: dict[str, str]) -> tuple[float, httpx.Response]:
        """Post until the site's limits let it through; the time of the post that did, and its answer."""
        while True:
            started = time.perf_counter()
            answer = await self.http.post(f"{self.path}/turns", json=turn, headers=self.headers)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return started, answer.raise_for_status()
            await asyncio.sleep(int(answer.headers["Retry-After"]))

    async def events(self) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The event stream from the last event seen on."""
        address = f"{self.path}/events?after={self.seen}"
        async with aconnect_sse(self.http, "GET", address, headers=self.headers) as source:
            source.response.raise_for_status()
            async for event in source.aiter_sse():
                if event.id:
                    self.seen = int(event.id)
                if event.data:
                    yield event.event, event.json()


@dataclass
class Heard:
    """What a customer heard of one turn."""

    turn_id: str
    text: str = ""
    ended: str = ""
    code: str | None = None
    first_text_ms: float | None = None
    total_ms: float | None = None
    message: dict[str, Any] = field(default_factory=dict)

    def take(self, kind: str, data: dict[str, Any], elapsed_ms: float) -> None:
        """Apply one event of this turn."""
        match kind:
            case "reply.delta":
                self.text += data["text"]
            case "reply.reset":
                self.text = ""
            case "reply.done":
                self.message = data["message"]
                self.text = self.message["content"]
            case "turn.failed":
                self.code = data["code"]
        if self.text and self.first_text_ms is None:
            self.first_text_ms = elapsed_ms
        if kind in ENDS:
            self.ended, self.total_ms = kind, elapsed_ms
