import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from telemetry.logs import MAX_FRAMES, configure_logs

CANARY = "my card is 4111 1111 1111 1111"


class Lines:
    """What was logged, read back."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def last(self) -> dict[str, Any]:
        return self.read()[-1]


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    lines = Lines()
    configure_logs("info", lines.stream)
    yield lines
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def test_one_line_an_event(lines: Lines) -> None:
    structlog.get_logger("chat.turns").info("turn_done", turn_id="trn_1", total_ms=412)

    (line,) = lines.read()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "turn_done",
        "turn_id": "trn_1",
        "total_ms": 412,
        "level": "info",
        "logger": "chat.turns",
    }


def test_the_current_spans_trace_is_named(lines: Lines) -> None:
    tracer = TracerProvider().get_tracer("test")

    with structlog.contextvars.bound_contextvars(trace_id="the request's"):
        structlog.get_logger("chat").info("outside")
        with tracer.start_as_current_span("turn") as span:
            structlog.get_logger("chat").info("inside")

    outside, inside = lines.read()
    assert outside["trace_id"] == "the request's"
    assert inside["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_an_exception_is_named_and_placed_but_not_quoted(lines: Lines) -> None:
    try:
        int(CANARY)
    except ValueError:
        structlog.get_logger("chat.turns").exception("turn_failed")

    line = lines.last()
    assert CANARY not in lines.stream.getvalue()
    assert (line["level"], line["error_type"]) == ("error", "ValueError")
    assert line["error_at"][-1].endswith("test_an_exception_is_named_and_placed_but_not_quoted")


def test_an_exception_may_be_handed_over(lines: Lines) -> None:
    structlog.get_logger("chat").error("request_failed", exc_info=KeyError(CANARY))

    assert lines.last()["error_type"] == "KeyError"
    assert CANARY not in lines.stream.getvalue()


def test_a_deep_traceback_is_cut_to_its_end(lines: Lines) -> None:
    def deep(levels: int) -> None:
        if levels == 0:
            raise ValueError
        deep(levels - 1)

    try:
        deep(50)
    except ValueError:
        structlog.get_logger("chat").exception("deep")

    assert len(lines.last()["error_at"]) == MAX_FRAMES


def test_other_libraries_messages_are_withheld(lines: Lines) -> None:
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("LiteLLM").warning("prompt was %s", CANARY, exc_info=True)

    line = lines.last()
    assert CANARY not in lines.stream.getvalue()
    assert line["event"] == "message_withheld"
    assert line["at"].startswith("test_logs:")
    assert (line["logger"], line["level"], line["error_type"]) == ("LiteLLM", "warning", "ValueError")


def test_known_libraries_may_speak(lines: Lines) -> None:
    # Not `uvicorn.error` itself: a server that ran in this process may have set its level.
    logging.getLogger("uvicorn.lifespan").info("Started server process [%d]", 7)

    assert lines.last()["event"] == "Started server process [7]"


@pytest.mark.parametrize("logger", ["chat", "uvicorn.lifespan", "somebody"])
def test_what_lies_below_the_level_is_not_written(lines: Lines, logger: str) -> None:
    structlog.get_logger("chat").debug("small")
    logging.getLogger(logger).debug("small")

    assert lines.read() == []


def test_a_logger_that_was_made_before_the_configuration_follows_it(lines: Lines) -> None:
    early = structlog.get_logger("early")

    configure_logs("error", lines.stream)
    early.info("small")
    early.error("large")

    assert [line["event"] for line in lines.read()] == ["large"]
