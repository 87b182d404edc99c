"""What a turn's owner holds while it answers, and what it hands to the store."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sessions.pin import Pin
from sessions.vocabulary import Action, HistoryRole, Sentiment


@dataclass(frozen=True)
class Claim:
    """A running turn in the hands of `owner`. (`turn_id`, `attempt`, `owner`) is what every write is fenced by.

    `attempts` counts from 1 since the turn was last queued. `shown` is the text that the customer has read of it
    so far, by this owner or by one before. `prompt_text` is the customer's message as the engine reads it, and
    `prompt_seq` where it stands in the history. `pin` and `pin_version` are those of the moment of claiming.
    """

    turn_id: str
    conversation_id: str
    site_key: str
    owner: str
    attempt: int
    attempts: int
    seq: int
    prompt_seq: int
    text: str
    prompt_text: str
    shown: str
    locale: str
    pack: str
    pack_version: str
    pin: Pin | None
    pin_version: int
    traceparent: str | None
    trace_id: str | None
    stop_requested: bool
    created_at: datetime


@dataclass(frozen=True)
class Accepted:
    """A customer's message is stored. `replay` says that it already was."""

    turn_id: str
    seq: int
    replay: bool


@dataclass(frozen=True)
class Delta:
    """More visible text of a running reply."""

    conversation_id: str
    turn_id: str
    attempt: int
    owner: str
    text: str


@dataclass(frozen=True)
class Reply:
    """A reply that the customer may read. `prompt_text` is the assistant's JSON as later prompts replay it.

    `slots` is {name: {value, source}}, `lookup` {name, outcome}.
    """

    text: str
    prompt_text: str
    action: Action
    template: str
    slots: dict[str, Any] = field(default_factory=dict)
    quick_replies: list[str] = field(default_factory=list)
    lookup: dict[str, Any] | None = None
    ttfv_ms: float | None = None
    total_ms: float | None = None


@dataclass(frozen=True)
class Annotation:
    """What the engine wrote for the staff after the reply; all None when that was cut off.

    `prompt_text` replaces the reply's, now that the JSON is whole.
    """

    demand: str | None = None
    sentiment: Sentiment | None = None
    action_reason: str | None = None
    prompt_text: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    total_ms: float | None = None


@dataclass(frozen=True)
class HistoryItem:
    """One line of what the engine reads."""

    role: HistoryRole
    text: str
