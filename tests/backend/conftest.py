"""Scripted replicas, the set that watches them, and an engine with deadlines that tests can wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from backend.engine import Engine, Timeouts
from backend.probe import Probe
from backend.replicas import Replicas
from tests.scripted_engine import ScriptedEngine

INTERVAL_S = 0.02

# Far above what the machine needs, far below what a test can wait for.
QUICK = Timeouts(
    connect=timedelta(seconds=1),
    first_token=timedelta(seconds=1.5),
    stall=timedelta(seconds=1),
    prefill=timedelta(seconds=30),
)


def quick_probe() -> Probe:
    return Probe(timeout_s=1, proof_timeout_s=1)


async def until(condition: Callable[[], Any], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # what is waited for has no event
            await asyncio.sleep(0.005)


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedEngine]:
    async with ScriptedEngine() as engine:
        yield engine


@pytest.fixture
async def pair() -> AsyncIterator[tuple[ScriptedEngine, ScriptedEngine]]:
    async with ScriptedEngine() as first, ScriptedEngine() as second:
        yield first, second


@pytest.fixture
async def replicas(scripted: ScriptedEngine) -> AsyncIterator[Replicas]:
    """A set of one, ready."""
    async with Replicas([scripted.url], interval_s=INTERVAL_S, probe=quick_probe()) as replicas:
        await replicas.wait_ready(20)
        yield replicas


@pytest.fixture
async def engine(replicas: Replicas) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        engine = Engine(replicas, QUICK)
        stack.push_async_callback(engine.close)
        # LiteLLM imports much of itself at its first call: not on a test's clock.
        await engine.prefill("r0", [{"role": "user", "content": "hi"}])
        yield engine
