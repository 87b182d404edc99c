"""OpenAI's client against real replicas."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest

from sessions import Scope
from tests.chat.conftest import Api, listening, make_settings

pytestmark = pytest.mark.engine

MODEL = "pindesk"


@pytest.fixture
async def api(engine_urls: list[str], otlp_port: int, tmp_path: Path) -> AsyncIterator[Api]:
    settings = make_settings(tmp_path, replicas=engine_urls, otlp_port=otlp_port, first_token_timeout="60s")
    async with listening(settings) as (api, _):
        await api.services.replicas.wait_ready(60)
        async with api.services.store.begin() as repo:
            for site in ("demo", "other"):
                api.keys[f"{site} program"] = await repo.sites.add_key(Scope.INFERENCE, [site], site)
        yield api


def client(api: Api, site: str = "demo") -> openai.AsyncOpenAI:
    url, key = f"{api.client.base_url}/v1".replace("//v1", "/v1"), api.keys[f"{site} program"]
    return openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0)


def lines() -> list[dict[str, str]]:
    return [
        {"role": "system", "content": f"{secrets.token_hex(8)} " + "You answer customers of a shop. " * 40},
        {"role": "user", "content": "Where is my order 10234?"},
    ]


async def test_a_conversation_stays_with_its_prefix(api: Api) -> None:
    said, replicas, cached = lines(), set(), []
    for _ in range(3):
        answer = await client(api).chat.completions.with_raw_response.create(
            model=MODEL, messages=said, max_tokens=16, temperature=0
        )
        reply = answer.parse()
        replicas.add(answer.headers["x-replica"])
        cached.append(reply.usage.prompt_tokens_details.cached_tokens / reply.usage.prompt_tokens)
        said += [reply.choices[0].message, {"role": "user", "content": "and my other order 10235?"}]
    assert len(replicas) == 1
    assert cached[0] == 0 and min(cached[1:]) > 0.7


async def test_streamed_and_whole_say_the_same(api: Api) -> None:
    asked = {"model": MODEL, "messages": lines(), "max_tokens": 24, "temperature": 0, "logprobs": True}
    whole = await client(api).chat.completions.create(**asked)
    stream = await client(api).chat.completions.create(**asked, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    logprobs = [token for chunk in chunks if chunk.choices[0].logprobs for token in chunk.choices[0].logprobs.content]
    assert [token.token for token in logprobs] == [token.token for token in whole.choices[0].logprobs.content]


async def test_two_sites_with_the_same_prompt_share_nothing(api: Api) -> None:
    said, cached = lines(), []
    for site in ("demo", "demo", "other", "other"):
        asked = {"extra_headers": {"X-Session-Id": "the same"}, "max_tokens": 2}
        reply = await client(api, site).chat.completions.create(model=MODEL, messages=said, **asked)
        cached.append(reply.usage.prompt_tokens_details.cached_tokens)
    assert cached[0] == cached[2] == 0
    assert cached[1] == cached[3] > 0


async def test_several_choices(api: Api) -> None:
    reply = await client(api).chat.completions.create(
        model=MODEL, messages=lines(), n=3, max_tokens=8, temperature=1, seed=7
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert all(choice.message.content and choice.finish_reason for choice in reply.choices)


async def test_a_prompt_beyond_the_context_is_a_400(api: Api) -> None:
    endless = [{"role": "user", "content": "order " * 20_000}]
    with pytest.raises(openai.BadRequestError) as refused:
        await client(api).chat.completions.create(model=MODEL, messages=endless)
    assert refused.value.code == "refused_by_engine"
