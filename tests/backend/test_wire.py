import json
from typing import Any

import pytest

from backend.errors import EngineAborted, StreamBroken
from backend.wire import Wire


def chunk(*choices: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"choices": list(choices), **members}).encode()


def said(text: str, index: int = 0) -> dict[str, Any]:
    return {"index": index, "delta": {"content": text}, "finish_reason": None}


def ended(index: int = 0, reason: str = "stop") -> dict[str, Any]:
    return {"index": index, "delta": {}, "finish_reason": reason}


def read(*events: bytes) -> Wire:
    wire = Wire("r0")
    for event in events:
        wire.read(event)
    return wire


def test_only_the_first_choice_is_the_text() -> None:
    event = Wire("r0").read(chunk(said("a"), said("b", 1)))
    assert event is not None and event.text == "a"


@pytest.mark.parametrize(
    ("choice", "speaks"),
    [
        ({"delta": {"role": "assistant", "content": ""}}, False),
        ({"delta": {"role": "assistant", "content": None}}, False),
        ({"delta": None}, False),
        ({"delta": {"content": " "}}, True),
        ({"delta": {"reasoning": "hm"}}, True),
        ({"delta": {}, "finish_reason": "stop"}, True),
    ],
)
def test_a_role_alone_is_no_output(choice: dict[str, Any], speaks: bool) -> None:
    event = Wire("r0").read(chunk(choice))
    assert event is not None and event.speaks is speaks


def test_every_choice_has_to_end() -> None:
    wire = read(chunk(said("a")), chunk(said("b", 1)), chunk(ended()))
    with pytest.raises(StreamBroken):
        wire.finished()
    assert read(chunk(said("a")), chunk(said("b", 1)), chunk(ended()), chunk(ended(1, "length"))).finished() == "length"


def test_neither_an_end_nor_a_usage_is_made_up() -> None:
    wire = read(chunk(said("a")), b"[DONE]")
    assert wire.usage is None
    with pytest.raises(StreamBroken):
        wire.finished()


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_an_abort_is_no_end(reason: str) -> None:
    with pytest.raises(EngineAborted):
        read(chunk(ended(reason=reason)))


def test_the_first_fault_is_the_attempts_error() -> None:
    wire = Wire("r0")
    with pytest.raises(StreamBroken) as first:
        wire.read(b"{")
    assert wire.fail(EngineAborted("r0")) is first.value
