"""What a program is sent, as Standard Webhooks (standardwebhooks.com) has it: body, id, timestamp, signatures."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from sessions import Due
from sessions.columns import iso
from telemetry.masking import mask_values

_TEXTS = frozenset({"content", "quick_replies", "comment", "subject"})
"""The members that people's words get into; ids and dates are not taken for telephone numbers."""


def body_of(due: Due) -> str:
    """`{type, timestamp, data}`; without personal data where the endpoint wants it so."""
    data = masked(due.data, set(names_in(due.slots))) if due.masked else due.data
    told = {"type": due.kind, "timestamp": iso(due.created_at), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def headers_of(due: Due, body: str) -> dict[str, str]:
    """The delivery's id, the same at every try, the time of this try, and a signature by each secret."""
    at = datetime.now(UTC)
    signatures = [Webhook(secret).sign(due.id, at, body) for secret in due.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Pindesk",
        "webhook-id": due.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def masked(data: Any, names: set[str]) -> Any:
    """The data with people's words masked, however deep they are in it."""
    if not isinstance(data, dict):
        return data
    return {
        key: mask_values(value, names=names) if key in _TEXTS else masked(value, names) for key, value in data.items()
    }


def names_in(slots: Iterable[Mapping[str, Any]]) -> list[str]:
    """The values of those slots whose own name says that they hold a name: `name`, `full_name`, `maiden_name`."""
    return [
        str(slot["value"])
        for filled in slots
        for name, slot in filled.items()
        if slot.get("value") and (name == "name" or name.endswith("_name"))
    ]
