import httpx
import pytest

from backend.training.catalogues import shop
from backend.training.evaluation.cases import Asked, Case
from benchmarks.quality.arms import ARMS
from benchmarks.quality.asking import Asker, Turn
from prompts import Line, LineRole, turn_schema
from tests.benchmarks.quality.engines import Engine, said, serve

PACK = shop().pack
TALK = [
    Asked("where is it", frozenset({"track_order"}), {"order_id": None}, frozenset({"order_id"})),
    Asked("10234", frozenset({"track_order"}), {"order_id": "10234"}, frozenset({"order_id"})),
]


def reply(messages: list[dict[str, str]]) -> str:
    last = messages[-1]["content"]
    return said("track_order", order_id=last if last.isdigit() else None)


async def ask(arm: str, cases: list[Case], customers: int, *engines: Engine) -> list[list[Turn]]:
    async with serve(*engines) as urls, httpx.AsyncClient() as http:
        return await Asker(http, ARMS[arm], urls, "pindesk", "salt").all(cases, customers)


@pytest.mark.parametrize("arm", ["plain", "ours"])
async def test_turns_are_judged_with_the_models_own_replies_as_history(arm: str) -> None:
    engine = Engine(reply)
    [turns] = await ask(arm, [Case(TALK, PACK)], 1, engine)
    assert [turn.mark.is_right for turn in turns] == [True, True]
    assert engine.asked[1]["messages"][1:] == [
        {"role": "user", "content": "where is it"},
        {"role": "assistant", "content": said("track_order", order_id=None)},
        {"role": "user", "content": "10234"},
    ]


async def test_what_went_before_a_case_comes_first() -> None:
    engine = Engine(reply)
    history = (Line(LineRole.CUSTOMER, "hello"), Line(LineRole.ASSISTANT, said("greeting", name=None)))
    await ask("plain", [Case(TALK[:1], PACK, history)], 1, engine)
    assert [message["role"] for message in engine.asked[0]["messages"]] == ["system", "user", "assistant", "user"]


async def test_only_our_arm_is_guided() -> None:
    free, guided = Engine(reply), Engine(reply)
    await ask("prefix", [Case(TALK[:1], PACK)], 1, free)
    await ask("ours", [Case(TALK[:1], PACK)], 1, guided)
    assert "structured_outputs" not in free.asked[0]
    assert guided.asked[0]["structured_outputs"] == {"json": turn_schema(PACK, [TALK[0].text])}


@pytest.mark.parametrize(("arm", "spread"), [("ours", [4, 0]), ("prefix", [2, 2])])
async def test_a_conversation_stays_where_it_is_only_if_the_arm_is_pinned(arm: str, spread: list[int]) -> None:
    engines = [Engine(reply), Engine(reply)]
    await ask(arm, [Case(TALK * 2, PACK)], 1, *engines)
    assert [len(engine.asked) for engine in engines] == spread


async def test_every_case_is_answered_in_its_place_however_many_ask_at_once() -> None:
    cases = [Case([Asked(str(10_000 + number), frozenset({"track_order"}))], PACK) for number in range(9)]
    answers = await ask("ours", cases, 4, Engine(reply), Engine(reply))
    assert [turns[0].mark.asked.text for turns in answers] == [str(10_000 + number) for number in range(9)]
    assert all(turns[0].took_ms > 0 for turns in answers)


async def test_a_server_that_fails_ends_the_measurement() -> None:
    def broken(_: list[dict[str, str]]) -> str:
        raise RuntimeError

    with pytest.raises(httpx.HTTPError):
        await ask("plain", [Case(TALK, PACK)], 1, Engine(broken))
