"""Servers that answer as a scripted model would, guided or not, and remember what they were asked."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from prompts import compact


def said(template: str, action: str = "reply", **slots: str | None) -> str:
    told = {"action": action, "template": template, "slots": slots, "demand": "Wants it", "sentiment": "neutral"}
    return compact(told | {"action_reason": "answered"})


class Engine:
    """One server; `reply` makes the answer from the messages."""

    def __init__(self, reply: Callable[[list[dict[str, str]]], str]) -> None:
        self.reply = reply
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        text = self.reply(body["messages"])
        if not body.get("stream"):
            return web.json_response({"choices": [{"message": {"content": text}}]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for at in range(0, len(text), 7):
            piece = {"choices": [{"delta": {"content": text[at : at + 7]}}]}
            await response.write(f"data: {json.dumps(piece)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response


@asynccontextmanager
async def serve(*engines: Engine) -> AsyncIterator[list[str]]:
    """HTTP roots of running engines."""
    runners = []
    for engine in engines:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", engine.answer)
        app.router.add_get("/health", lambda _: web.Response())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        runners.append(runner)
    try:
        yield [engine.url for engine in engines]
    finally:
        for runner in runners:
            await runner.cleanup()
