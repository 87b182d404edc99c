"""What the engine saw and wrote in one turn is, token for token, the beginning of what it sees in the next."""

import httpx
import pytest

from backend.engine import Attempt, Engine, Text
from backend.replicas import Replicas
from prompts import Line, LineRole, assemble, load_pack, prompt_form, turn_schema
from tests.parts import ROOT

CONVERSATION = (
    "hello there",
    "where is my order 10234?",
    "and order LL-20480, when does that one come?",
    "the lamp arrived broken, I want my 49.90 EUR back",
    "no wait, it was order 10235",
    "ok thanks, bye",
)


@pytest.mark.engine
@pytest.mark.timeout(300)
async def test_six_turns_each_begin_with_the_tokens_of_the_one_before(engine_urls: list[str]) -> None:
    pack = load_pack(ROOT / "prompts" / "packs" / "demo-shop")
    schema, history, seen = turn_schema(pack, [prompt_form(text) for text in CONVERSATION]), [], []
    async with Replicas(engine_urls[:1]) as replicas, httpx.AsyncClient(base_url=engine_urls[0], timeout=60) as http:
        await replicas.wait_ready(60)
        for text in CONVERSATION:
            history.append(Line(LineRole.CUSTOMER, prompt_form(text)))
            prompt, written, raw = await _generate(http, assemble(pack, history), schema)
            assert prompt[: len(seen)] == seen
            seen = prompt + written
            history.append(Line(LineRole.ASSISTANT, raw))
        await _same_through_the_router(replicas, assemble(pack, history[:1]), schema, history[1].text)


async def _generate(
    http: httpx.AsyncClient, messages: list[dict[str, str]], schema: dict[str, object]
) -> tuple[list[int], list[int], str]:
    """Prompt tokens, output tokens and text of one guided reply."""
    body = {
        "model": "pindesk",
        "messages": messages,
        "temperature": 0,
        "max_tokens": 220,
        "structured_outputs": {"json": schema},
        "return_token_ids": True,
    }
    answer = (await http.post("/v1/chat/completions", json=body)).raise_for_status().json()
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "stop"
    return answer["prompt_token_ids"], choice["token_ids"], choice["message"]["content"]


async def _same_through_the_router(
    replicas: Replicas, messages: list[dict[str, str]], schema: dict[str, object], raw: str
) -> None:
    """The product's own way to the engine gets the same text that was compared here."""
    engine = Engine(replicas)
    pieces = [piece async for piece in engine.stream(Attempt("r0", messages, schema, max_tokens=220))]
    await engine.close()
    assert "".join(piece.text for piece in pieces if isinstance(piece, Text)) == raw
