"""Near the context limit the engine reads a summary; people never do."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chat.turns.folding import Past
from prompts import Line, LineRole, Pack, compact
from prompts.folding import ASK, fold_schema
from sessions import Fold, Told
from tests.chat.conftest import Opened, make_settings, serving
from tests.chat.turns.test_answering import CANCEL, QUICK, Desk, reply, script
from tests.scripted_engine import Fault, Script, ScriptedEngine

CONTEXT = 3000
LONG = 2500
"""Prompt tokens that leave no room for another turn."""

TEXTS = ["please cancel order 10234", "and order 20481 too", "is it done?", "thanks", "bye"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """One replica with a small context."""
    async with (
        ScriptedEngine() as engine,
        serving(make_settings(tmp_path, replicas=[engine.url], max_model_len=CONTEXT, **QUICK)) as api,
    ):
        await api.services.replicas.wait_ready(10)
        yield Desk(api, {"r0": engine})


async def grown(desk: Desk) -> Opened:
    """A conversation of four answered turns whose prompt is about to be too long."""
    opened = await desk.api.open()
    for at, text in enumerate(TEXTS[:4]):
        filled = script("cancel_order", CANCEL) if at == 0 else script("thanks")
        desk.everywhere(Script(filled.pieces, prompt_tokens=LONG if at == 3 else 900))
        await desk.settled(await desk.say(opened, text, f"t{at}"))
    return opened


async def asked(desk: Desk, opened: Opened, text: str, turn: str, *scripts: Script) -> list[dict[str, Any]]:
    """The bodies of the engine's calls for one more turn."""
    engine = desk.engines["r0"]
    before = len(engine.calls)
    engine.enqueue(*scripts)
    await desk.settled(await desk.say(opened, text, turn))
    return [call.body for call in engine.calls[before:]]


async def fold_of(desk: Desk, opened: Opened) -> Fold | None:
    async with desk.api.services.store.read() as repo:
        return await repo.folds.of(opened.id)


SUMMARY = {"facts": ["order 20481"], "open_demands": ["cancel order 10234"], "promises_made": []}


async def test_the_engine_folds_what_it_holds_once_and_reads_it_unchanged(desk: Desk) -> None:
    opened = await grown(desk)
    last = desk.engines["r0"].calls[-1].body["messages"]
    fold, turn = await asked(
        desk, opened, "bye", "t4", Script([compact(SUMMARY)]), script("goodbye", prompt_tokens=950)
    )

    assert fold["structured_outputs"] == {"json": fold_schema()}
    assert fold["messages"][:-1] == last[: len(fold["messages"]) - 1], "the cached beginning"
    assert fold["messages"][-1] == {"role": "user", "content": ASK}
    assert fold["cache_salt"] == turn["cache_salt"]
    summary = (
        "[summary] facts: order 20481; order_id: 10234. open demands: cancel order 10234. "
        "promises made: answered with cancel_order; answered with thanks"
    )
    assert turn["messages"][0] == last[0]
    assert turn["messages"][1]["content"] == f"{summary}\nis it done?"
    assert [line["role"] for line in turn["messages"]] == ["system", "user", "assistant", "user", "assistant", "user"]

    (later,) = await asked(desk, opened, "bye again", "t5", script("goodbye", prompt_tokens=980))
    assert later["messages"][: len(turn["messages"])] == turn["messages"]


async def test_people_read_the_messages_and_the_export_tells_of_the_fold(desk: Desk) -> None:
    opened = await grown(desk)
    before = await desk.lines(opened)
    await asked(desk, opened, "bye", "t4", Script([compact(SUMMARY)]), script("goodbye"))
    assert (await desk.lines(opened))[: len(before)] == before
    exported = (await desk.api.call("GET", f"/conversations/{opened.id}/export", opened.token)).json()
    assert exported["fold"]["by_engine"] is True


async def test_copied_values_of_folded_messages_stay_lawful(desk: Desk) -> None:
    opened = await grown(desk)
    await asked(desk, opened, "bye", "t4", Script([compact(SUMMARY)]), script("cancel_order", {"order_id": "10234"}))
    assert "10234" in (await desk.lines(opened))[-1]["content"]


@pytest.mark.parametrize(
    "answer",
    [
        Script(['{"facts":["order 99999"],"open_demands":[],"promises_made":[]}']),
        Script(['{"facts":["ord']),
        Script([reply("thanks")]),
        Script(fault=Fault.CRASHED),
        Script(["{"], fault=Fault.HANG),
    ],
)
async def test_without_a_summary_of_its_own_the_certain_one_is_read(desk: Desk, answer: Script) -> None:
    opened = await grown(desk)
    *_, turn = await asked(desk, opened, "bye", "t4", answer, script("goodbye"), script("goodbye"))
    assert turn["messages"][1]["content"].startswith("[summary] facts: order_id: 10234. open demands: Wants help. ")
    fold = await fold_of(desk, opened)
    assert fold is not None
    assert (fold.by_engine, fold.lines, fold.answered) == (False, 4, 4)


async def test_a_folded_conversation_is_folded_again_when_it_has_grown_again(desk: Desk) -> None:
    opened = await grown(desk)
    await asked(desk, opened, "bye", "t4", Script([compact(SUMMARY)]), script("goodbye", prompt_tokens=LONG))
    fold, turn = await asked(
        desk, opened, "hello again", "t5", Script([compact(SUMMARY)]), script("greeting", {"name": None})
    )
    assert fold["messages"][1]["content"].startswith("[summary] facts: order 20481")
    assert turn["messages"][1]["content"].count("[summary]") == 1
    assert turn["messages"][1]["content"].endswith("\nthanks")
    again = await fold_of(desk, opened)
    assert again is not None
    assert again.lines == 6


async def test_a_short_conversation_is_left_alone(desk: Desk) -> None:
    opened = await desk.api.open()
    (turn,) = await asked(desk, opened, "hello", "t0", script("greeting", {"name": None}))
    assert len(turn["messages"]) == 2
    assert await fold_of(desk, opened) is None


def told(prompt_tokens: int | None) -> Told:
    return Told("wants help", "thanks", {}, prompt_tokens, prompt_tokens and 20)


@pytest.mark.parametrize(
    ("counts", "fold_after", "least", "most"),
    [
        ([900, 950], None, 970, 985),
        ([900, None], None, 930, 1000),
        ([900, 2000], 2, 500, 2000),
        ([None, None], None, 500, 2000),
    ],
)
def test_what_is_held_is_counted_by_the_engine_where_it_told(
    demo: Pack, counts: list[int | None], fold_after: int | None, least: int, most: int
) -> None:
    lines = [
        Line(role, "hello there")
        for _ in counts
        for role in (LineRole.CUSTOMER, LineRole.ASSISTANT)
    ]  # fmt: skip
    fold = fold_after and Fold(conversation_id="c", lines=2, answered=fold_after, text="facts: a", by_engine=True)
    past = Past([*lines, Line(LineRole.NOTE, "call back")], fold or None, [told(count) for count in counts])
    assert least <= past.held_tokens(demo) <= most
