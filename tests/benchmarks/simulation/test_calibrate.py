import pytest

from benchmarks.simulation import calibrate
from tests.scripted_engine import Script, ScriptedEngine


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, values in {"NEW_WORDS": (20,), "CACHED_WORDS": (0, 320), "CROWDS": (1, 2)}.items():
        monkeypatch.setattr(calibrate, name, values)


async def test_each_replica_is_measured_alone_and_beside_the_other() -> None:
    reply = Script(["word"] * 40, delay_s=0.004, first_delay_s=0.02, prompt_tokens=400, cached_tokens=320)
    async with ScriptedEngine() as one, ScriptedEngine() as other:
        one.always = other.always = reply
        samples, paces = await calibrate.measure([one.url, other.url], "pindesk")
        calls = len(one.calls), len(other.calls)
    assert len(samples) == 2 * 2 * (2 * 2 + 2 * 2)
    assert sum(s.beside for s in samples) == len(samples) / 2 and sum(p.beside for p in paces) == len(paces) / 2
    assert all((s.new_tokens, s.cached_tokens) == (80, 320) and s.ttft_ms >= 20 for s in samples)
    assert {p.decoding for p in paces} == {1, 2} and all(2 <= p.token_ms < 60 for p in paces)
    assert min(calls) > len(samples), "the other one is kept busy"


async def test_one_replica_has_nobody_beside_it() -> None:
    async with ScriptedEngine() as engine:
        engine.always = Script(["word"] * 40, delay_s=0.001)
        samples, paces = await calibrate.measure([engine.url], "pindesk")
    assert samples and paces and not any(each.beside for each in (*samples, *paces))


async def test_a_replica_that_fails_is_named() -> None:
    async with ScriptedEngine() as engine:
        with pytest.raises(RuntimeError, match=engine.url):
            await calibrate.measure([engine.url], "pindesk")
