import os

import psutil

from benchmarks.live.arms import Front
from benchmarks.live.load import drive
from benchmarks.live.script import Writer
from benchmarks.traffic import Shape
from tests.scripted_engine import Fault, Script, ScriptedEngine

SHAPE = Shape(6.0, 1.0, brands=2, brand_tokens=60, think_median_s=0.1, replies_reused=False, reply_tokens=2)


def front(*engines: ScriptedEngine) -> Front:
    """As if each engine were a process of the arm."""
    return Front("random", [engine.url for engine in engines], [psutil.Process(os.getpid())])


async def test_every_turn_is_sent_when_due_with_its_bytes_and_its_session() -> None:
    scripts = Writer().scripts(SHAPE, 1)
    async with ScriptedEngine() as engine:
        engine.always = Script(["a", "b"], prompt_tokens=70, cached_tokens=32)
        driven = await drive(scripts, front(engine))
    turns = [(script, index) for script in scripts for index in range(len(script.prompts))]
    assert len(driven.rows) == len(turns) == len(engine.calls)
    sent = {(call.headers["X-Session-Id"], len(call.body["messages"])): call.body["messages"] for call in engine.calls}
    assert all(sent[script.session, 2 * index + 2] == script.prompts[index] for script, index in turns)
    due = {(script.talk.id, index + 1): script.talk.due_s[index] for script, index in turns}
    assert all(row.due_s >= due[row.conversation, row.index] for row in driven.rows)
    assert all(row.cached_tokens == 32 and not row.failed for row in driven.rows)
    assert 0 < driven.generator_cpu < 2


async def test_a_turn_that_fails_is_a_row_and_the_conversation_goes_on() -> None:
    scripts = [script for script in Writer().scripts(SHAPE, 1) if len(script.prompts) > 1][:1]
    async with ScriptedEngine() as engine:
        engine.enqueue(Script(fault=Fault.CRASHED))
        engine.always = Script(["a"])
        driven = await drive(scripts, front(engine))
    assert [row.failed for row in driven.rows] == [True, *[False] * (len(scripts[0].prompts) - 1)]
    assert driven.rows[0].reason == "HTTP 500"


async def test_turns_alternate_between_processes_and_one_that_was_answered_elsewhere_has_moved() -> None:
    scripts = Writer().scripts(SHAPE, 1)
    async with ScriptedEngine() as one, ScriptedEngine() as other:
        for name, engine in (("r0", one), ("r1", other)):
            engine.always = Script(["a", "b"], fingerprint=name)
        driven = await drive(scripts, front(one, other))
    where = {(row.conversation, row.index): row.replica for row in driven.rows}
    assert all(where[talk, index] == f"r{(talk + index - 1) % 2}" for talk, index in where)
    assert all(row.moved == (row.index > 1) for row in driven.rows)
    assert {row.replica for row in driven.rows if row.index == 1} == {"r0", "r1"}
