import json
from typing import Any

import pytest

from chat.errors import ApiError
from chat.inference.asked import REFUSED, Asked, read
from tests.chat.inference.conftest import HELLO


def asked(**fields: Any) -> Asked:
    return read(json.dumps({"model": "pindesk", "messages": HELLO} | fields).encode())


def refused(**fields: Any) -> ApiError:
    with pytest.raises(ApiError) as fault:
        asked(**fields)
    assert fault.value.status == 400
    return fault.value


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named_with_the_reason(name: str) -> None:
    error = refused(**{name: "x"})
    assert (error.code, error.field) == ("field_refused", name)
    assert REFUSED[name] in error.detail


@pytest.mark.parametrize("kind", ["json_object", "json_schema"])
def test_a_response_format_is_a_grammar(kind: str) -> None:
    error = refused(response_format={"type": kind})
    assert (error.code, error.field) == ("field_refused", "response_format")


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"n": 5}, "invalid_field", "n"),
        ({"n": True}, "invalid_field", "n"),
        ({"temperature": "0"}, "invalid_field", "temperature"),
        ({"max_tokens": 0}, "invalid_field", "max_tokens"),
        ({"temperature": float("nan")}, "invalid_field", "temperature"),
        ({"stop": [1]}, "invalid_field", "stop"),
        ({"wibble": 1}, "unknown_field", "wibble"),
        ({"model": None}, "invalid_field", "model"),
        ({"messages": []}, "invalid_field", "messages"),
        ({"messages": "hi"}, "invalid_field", "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "invalid_field", "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "missing_field", "messages.0.content"),
        ({"messages": [{"role": "user", "content": "x", "tool_calls": [1]}]}, "unknown_field", "messages.0.tool_calls"),
        (
            {"stream_options": {"continuous_usage_stats": True}},
            "unknown_field",
            "stream_options.continuous_usage_stats",
        ),
    ],
)
def test_what_cannot_be_used_is_named(fields: dict[str, Any], code: str, field: str) -> None:
    error = refused(**fields)
    assert (error.code, error.field) == (code, field)


def test_an_image_is_refused() -> None:
    part = {"type": "image_url", "image_url": {"url": "http://127.0.0.1/secret"}}
    assert refused(messages=[{"role": "user", "content": [part]}]).field == "messages.0.content"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b"\xff", "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"seed": ' + b"1" * 10_000 + b"}", "invalid_json"),
        (b'{"user": "\\ud800"}', "invalid_json"),
        (b"[]", "invalid_body"),
    ],
)
def test_what_is_no_request_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(ApiError) as fault:
        read(body)
    assert fault.value.code == code


def test_nobodys_text_is_repeated() -> None:
    error = refused(messages=[{"role": "user", "content": 4111111111111111}])
    assert "4111" not in error.detail


def test_what_means_nothing_is_no_reason_to_refuse() -> None:
    assert asked(tools=None, n=None, response_format={"type": "text"}, user="u", metadata={"a": "b"}).options == {}


def test_a_reply_may_be_sent_back_as_it_came() -> None:
    reply = {"role": "assistant", "content": "Hi", "refusal": None, "tool_calls": [], "audio": None}
    assert asked(messages=[*HELLO, reply]).messages[-1] == {"role": "assistant", "content": "Hi"}


def test_the_opening_ends_with_the_first_message_of_the_user() -> None:
    grown = [*HELLO, {"role": "assistant", "content": "Hi"}, {"role": "user", "content": "and?"}]
    assert asked().opening == asked(messages=grown).opening
    assert asked().opening != asked(messages=[HELLO[0], {"role": "user", "content": "bye"}]).opening
    assert asked().opening != asked(messages=HELLO[1:]).opening


def test_a_brand_is_how_its_system_prompt_reads() -> None:
    parts = [
        {"role": "system", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}]},
        HELLO[1],
    ]
    assert asked().system == "Be brief."
    assert asked(messages=parts).system == "Be\nbrief."
    assert asked(messages=HELLO[1:]).system == ""


def test_sizes_are_near_the_truth() -> None:
    prompt = [{"role": "system", "content": "You answer customers of a shop. " * 40}, HELLO[1]]
    system, whole = asked(messages=prompt).sizes
    assert 280 < system < whole < 900
