"""The endpoint as OpenAI's client and a bare HTTP client see it."""

import asyncio
import json
import secrets

import openai
import pytest

from sessions import Scope
from tests.chat.inference.conftest import HELLO, PIECES, Shop
from tests.scripted_engine import MODEL, Fault, Script

pytestmark = pytest.mark.asyncio(loop_scope="module")

WELL = Script(PIECES, prompt_tokens=120, cached_tokens=96)


async def test_a_whole_reply_is_put_together_from_the_engines_stream(shop: Shop) -> None:
    shop.always(WELL)
    answer = await shop.client().chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    reply = answer.parse()
    assert (reply.object, reply.model, reply.id) == ("chat.completion", MODEL, "chatcmpl-1")
    assert reply.choices[0].message.content == "Hello wörld"
    assert (reply.choices[0].message.role, reply.choices[0].finish_reason) == ("assistant", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.prompt_tokens_details.cached_tokens) == (120, 96)
    assert answer.headers["x-replica"] in shop.engines
    assert answer.headers["x-placement"] == "placed"


async def test_a_streamed_reply_arrives_chunk_by_chunk(shop: Shop) -> None:
    shop.always(WELL)
    stream = await shop.client().chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    chunks = [chunk async for chunk in stream]
    assert [chunk.choices[0].delta.content for chunk in chunks] == [*PIECES, ""]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert stream.response.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("asked", [True, False])
async def test_the_usage_is_streamed_to_whom_asks_for_it(asked: bool, shop: Shop) -> None:
    shop.always(WELL)
    options = {"stream_options": {"include_usage": True}} if asked else {}
    answer = await shop.post(stream=True, **options)
    *events, done = [line[6:] for line in answer.text.split("\n") if line]
    assert done == "[DONE]"
    usages = [json.loads(event).get("usage") for event in events]
    assert [usage["prompt_tokens"] for usage in usages if usage] == ([120] if asked else [])


async def test_the_engine_gets_what_was_asked_and_what_is_the_servers(shop: Shop) -> None:
    shop.always(WELL)
    options = {"temperature": 0.3, "max_completion_tokens": 9, "stop": ["x"], "top_k": 4, "ignore_eos": True, "n": 2}
    await shop.post(**options, user="u1", metadata={"a": "b"}, response_format={"type": "text"})
    (call,) = shop.calls
    salt, priority = call.body.pop("cache_salt"), call.body.pop("priority")
    assert len(salt) == 43 and priority > 0
    streaming = {"stream": True, "stream_options": {"include_usage": True}}
    assert call.body == {"model": MODEL, "messages": HELLO} | options | streaming


async def test_models_are_those_that_the_replicas_serve(shop: Shop) -> None:
    models = [model async for model in shop.client().models.list()]
    assert [(model.id, model.object) for model in models] == [(MODEL, "model")]
    assert (await shop.client().models.retrieve(MODEL)).id == MODEL
    with pytest.raises(openai.NotFoundError) as refused:
        await shop.client().models.retrieve("gpt-9")
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("key", "kind", "code"),
    [
        ("pdk_nobody", openai.AuthenticationError, "unauthorized"),
        ("agent", openai.PermissionDeniedError, "forbidden"),
        ("operator", openai.PermissionDeniedError, "forbidden"),
        ("both", openai.BadRequestError, "site_required"),
        ("closed", openai.NotFoundError, "unknown_site"),
    ],
)
async def test_keys_without_the_right_are_refused_in_openais_shape(
    key: str, kind: type[openai.APIStatusError], code: str, shop: Shop
) -> None:
    for call in (
        shop.client(key).models.list(),
        shop.client(key).chat.completions.create(model=MODEL, messages=HELLO),
    ):
        with pytest.raises(kind) as refused:
            await call
        assert refused.value.code == code
        assert set(refused.value.body) == {"message", "type", "param", "code"}
    assert shop.calls == []


async def test_no_credential_is_401(shop: Shop) -> None:
    answer = await shop.api.client.post("/v1/chat/completions", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("GET", "/v1/chat/completions", 405)]
)
async def test_what_is_not_there_is_refused_in_openais_shape(method: str, path: str, status: int, shop: Shop) -> None:
    answer = await shop.api.client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_a_body_that_is_too_large_is_refused_in_openais_shape(shop: Shop) -> None:
    answer = await shop.post(messages=[{"role": "user", "content": "x" * 3_000_000}])
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "invalid_request_error")


async def test_sites_have_caches_of_their_own(shop: Shop) -> None:
    shop.always(WELL)
    salts = []
    for key, headers in [
        ("demo", {}),
        ("other", {}),
        ("every", {}),
        ("every", {"X-Site": "demo"}),
        ("both", {"X-Site": "other"}),
    ]:
        await shop.post(key, headers=headers)
    salts = [call.body["cache_salt"] for call in sorted(shop.calls, key=lambda call: call.at)]
    assert salts[3:] == salts[:2] and len(set(salts)) == 3


async def test_a_site_that_is_not_the_keys_does_not_exist_for_it(shop: Shop) -> None:
    for key, site in [("demo", "other"), ("both", "closed"), ("every", "nowhere")]:
        answer = await shop.post(key, headers={"X-Site": site})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_site")


async def test_a_revoked_key_ends_within_seconds(shop: Shop) -> None:
    shop.always(WELL)
    services = shop.api.services
    async with services.store.begin() as repo:
        raw = await repo.sites.add_key(Scope.INFERENCE, ["demo"], "short-lived")
        listed = {key.label: key.id for key in await repo.sites.keys()}
    assert (await shop.post(raw)).status_code == 200
    async with services.store.begin() as repo:
        await repo.sites.revoke(listed["short-lived"])
    async with asyncio.timeout(10):
        while (await shop.post(raw)).status_code != 401:
            await asyncio.sleep(0.2)


async def test_a_named_session_stays_where_it_is(shop: Shop) -> None:
    shop.always(WELL)
    client = shop.client(X_Session_Id=secrets.token_hex(8))
    seen = []
    for turn in range(4):
        lines = [*HELLO, {"role": "user", "content": f"turn {turn}"}]
        answer = await client.chat.completions.with_raw_response.create(model=MODEL, messages=lines)
        seen.append((answer.headers["x-replica"], answer.headers["x-placement"]))
        await shop.post("other")  # somebody else's, so that the least recently chosen is another one each time
    assert {replica for replica, _ in seen} == {seen[0][0]}
    assert [placement for _, placement in seen] == ["placed", "pinned", "pinned", "pinned"]


async def test_without_a_name_a_session_is_how_it_begins(shop: Shop) -> None:
    shop.always(WELL)
    begun = [{"role": "system", "content": secrets.token_hex(8)}, HELLO[1]]
    grown = [*begun, {"role": "assistant", "content": "Hello wörld"}, {"role": "user", "content": "and?"}]
    other = [begun[0], {"role": "user", "content": "something else"}]
    placements = [(await shop.post(messages=lines)).headers["x-placement"] for lines in (begun, grown, other)]
    assert placements == ["placed", "pinned", "placed"]


async def test_a_session_belongs_to_its_key_and_site(shop: Shop) -> None:
    shop.always(WELL)
    name = {"X-Session-Id": secrets.token_hex(8)}
    placements = [
        (await shop.post(key, headers=name | site)).headers["x-placement"]
        for key, site in [("demo", {}), ("other", {}), ("every", {}), ("every", {"X-Site": "demo"}), ("demo", {})]
    ]
    assert placements == ["placed", "placed", "placed", "placed", "pinned"]


async def test_the_callers_trace_is_continued_and_the_engines_span_hangs_under_ours(shop: Shop) -> None:
    shop.always(WELL)
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    answer = await shop.post(headers={"traceparent": f"00-{trace_id}-{span_id}-01"}, stream=True)
    assert answer.headers["x-request-id"] == trace_id
    (span,) = await shop.spans(trace_id)
    assert (span.name, span.parent_id) == (f"chat {MODEL}", span_id)
    assert shop.calls[0].headers["traceparent"] == f"00-{trace_id}-{span.span_id}-01"
    attributes = span.attributes
    assert attributes["pindesk.site"] == "demo" and attributes["pindesk.replica.id"] == answer.headers["x-replica"]
    assert attributes["pindesk.attempt.outcome"] == "finished"
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 96
    assert attributes["pindesk.placement.predicted_cached_tokens"] >= 0
    assert "hello" not in str(span)


async def test_a_strangers_trace_is_not_continued(shop: Shop) -> None:
    trace_id = secrets.token_hex(16)
    traceparent = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    answer = await shop.post("pdk_nobody", headers=traceparent)
    assert answer.status_code == 401 and answer.headers["x-request-id"] != trace_id


async def test_requests_and_tokens_are_counted(shop: Shop) -> None:
    shop.always(WELL)
    name = {"X-Session-Id": secrets.token_hex(8)}

    def counts() -> list[float]:
        return [
            shop.metric("inference_requests_total", outcome="done"),
            shop.metric("inference_prompt_tokens_total"),
            shop.metric("inference_cached_prompt_tokens_total"),
            shop.metric("placement_predicted_cached_tokens_total", reason="pinned"),
            shop.metric("placement_cached_tokens_total", reason="pinned"),
        ]

    await shop.post(headers=name)
    before = counts()
    await shop.post(headers=name)
    # The first left its prompt of 120 tokens and 4 of its own there: three blocks of 32.
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 120, 96, 96, 96]


async def test_what_is_refused_is_counted_and_reaches_no_engine(shop: Shop) -> None:
    answer = await shop.post(cache_salt="mine")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "cache_salt")
    assert (await shop.post(model="gpt-9")).status_code == 404
    assert shop.calls == []


async def test_several_choices_are_kept_apart(shop: Shop) -> None:
    shop.always(Script(["a", "b"], choices=2))
    reply = await shop.client().chat.completions.create(model=MODEL, messages=HELLO, n=2)
    assert [(choice.index, choice.message.content) for choice in reply.choices] == [(0, "ab"), (1, "ab")]


async def test_the_engines_refusal_is_the_clients_400(shop: Shop) -> None:
    shop.everywhere(Script(fault=Fault.BAD_REQUEST))
    with pytest.raises(openai.BadRequestError) as refused:
        await shop.client().chat.completions.create(model=MODEL, messages=HELLO)
    assert refused.value.code == "refused_by_engine" and len(shop.calls) == 1
