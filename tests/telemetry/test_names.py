import pytest

from telemetry import names
from telemetry.names import ALLOWED_ATTRIBUTES, ENGINE_ATTRIBUTES, chat_span, is_chat_span

CONTENT_KEYS = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "exception.message",
    "exception.stacktrace",
)


@pytest.mark.parametrize("key", CONTENT_KEYS)
def test_keys_that_carry_text_are_not_allowed(key: str) -> None:
    assert key not in ALLOWED_ATTRIBUTES


def test_every_attribute_that_has_a_name_is_allowed() -> None:
    named = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str) and "." in value}

    assert named <= ALLOWED_ATTRIBUTES
    assert len(named) > 40


def test_the_engines_latencies_are_allowed() -> None:
    assert {"gen_ai.latency.time_in_queue", "gen_ai.latency.time_to_first_token"} <= ENGINE_ATTRIBUTES


@pytest.mark.parametrize(
    ("name", "is_attempt"), [("chat", True), ("chat pindesk", True), ("chatter", False), ("turn", False)]
)
def test_attempts_are_known_by_their_name(name: str, is_attempt: bool) -> None:
    assert is_chat_span(name) is is_attempt


def test_an_attempt_is_named_after_operation_and_model() -> None:
    assert chat_span("pindesk") == "chat pindesk"
