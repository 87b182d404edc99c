"""Structured logs: one JSON line an event, the trace id on each, and no customer's text.

Our own events carry ids and figures. Other libraries' messages and every exception's message may quote what a customer
wrote, so the first are withheld unless the library is known, and of the second only type and place are kept.
"""

import logging
import sys
from types import TracebackType
from typing import Any, TextIO

import structlog
from opentelemetry.trace import get_current_span
from structlog.types import EventDict, Processor

TRUSTED_LOGGERS = ("telemetry", "chat", "backend", "sessions", "prompts", "uvicorn", "alembic")
MAX_FRAMES = 8

# Their lines repeat what ours say, a line or more for each request.
_QUIET_LOGGERS = ("uvicorn.access", "httpx", "httpcore", "LiteLLM", "LiteLLM Router", "alembic", "opentelemetry")


def configure_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records as JSON lines to `stream` (default: standard output)."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        add_trace_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        name_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_level(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _replace_root_handler(_json_handler(shared, stream or sys.stdout), _level(level))


def add_trace_id(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put the current span's trace id on the line; without a span, one that was bound stays."""
    context = get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event


def name_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the exception's type and place; its message may quote a customer."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    error = raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error_type"] = type(error).__name__
        event["error_at"] = _frames(error.__traceback__)
    return event


def withhold_foreign(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace the message of a library that is not known to keep text out of its log by the place of the call."""
    record = event.get("_record")
    if record is None or record.name.split(".")[0] in TRUSTED_LOGGERS:
        return event
    event["event"] = "message_withheld"
    event["at"] = f"{record.module}:{record.lineno} {record.funcName}"
    return event


def _json_handler(shared: list[Processor], stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, withhold_foreign],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    return handler


def _replace_root_handler(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        module = traceback.tb_frame.f_globals.get("__name__", "?")
        frames.append(f"{module}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-MAX_FRAMES:]
