"""The whole system under the page: a real `web` process over one scripted replica."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from prompts import compact
from sessions import Repository, Store
from tests.processes import free_port
from tests.scripted_engine import Script, ScriptedEngine
from tests.system import System, start_system

Answer = TypeVar("Answer")

REPLY = {
    "action": "reply",
    "template": "check_payment_methods",
    "slots": {},
    "demand": "Asks how to pay",
    "sentiment": "neutral",
    "action_reason": "answered",
}


class Shop:
    """`engine` runs on a loop of its own, so that tests may block; the store is the one that `web` writes."""

    def __init__(self, stack: ExitStack, var_dir: Path, **settings: str) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        stack.callback(thread.join, 5)
        stack.callback(self._loop.call_soon_threadsafe, self._loop.stop)
        self.engine = ScriptedEngine(port=free_port())
        self.on_loop(self.engine.start())
        stack.callback(lambda: self.on_loop(self.engine.stop()))
        self.system: System = start_system(stack, [self.engine.url], var_dir, 0, **settings)
        self._database_url = f"sqlite:///{var_dir}/pindesk.db"

    @property
    def url(self) -> str:
        return self.system.url + "/"

    def on_loop(self, work: Awaitable[Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def write(self, act: Callable[[Repository], Awaitable[Answer]]) -> Answer:
        """One transaction beside `web`, as an agent's desk would make it."""
        store = Store(self._database_url)
        await store.open()
        try:
            async with store.begin() as repo:
                return await act(repo)
        finally:
            await store.close()


def written(reply: dict[str, Any] = REPLY, *, delay_s: float = 0.0) -> Script:
    """A reply as the engine writes it, in pieces of a few letters."""
    text = compact(reply)
    return Script([text[start : start + 4] for start in range(0, len(text), 4)], delay_s=delay_s)


def slowly_written(reply: dict[str, Any], pause_s: float = 4.0) -> Script:
    """A reply that waits before its slots are known and before it ends: time to do something in its middle."""
    text = compact(reply)
    slots, end = text.index('"slots":{') + 10, text.index('"demand"')
    return Script([text[:slots], text[slots:end], text[end:]], delay_s=pause_s)
