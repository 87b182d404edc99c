from datetime import UTC, datetime
from typing import Any

from chat.webhooks.payload import body_of
from sessions import Due, WebhookKind


def due(data: dict[str, Any], *, masked: bool = True) -> Due:
    slots = (
        {"full_name": {"value": "Ada Byron", "source": "copied"}, "order": {"value": "10234", "source": "copied"}},
        {"name": {"value": None, "source": "copied"}},
    )
    at = datetime(2026, 11, 26, 12, tzinfo=UTC)
    kind = WebhookKind.REPLY_DONE
    return Due("whd_1", 1, 1, "whe_1", "https://shop.example", ("whsec_c2VjcmV0",), masked, kind, data, at, slots)


def test_names_that_were_slots_are_masked_and_ids_and_times_are_not() -> None:
    # An id that happens to look like a card, a time with the digits of a telephone number.
    ids = {"conversation_id": "cnv_4111 1111 1111 1111", "created_at": "2026-11-26T12:00:00.123456Z", "seq": 7}
    message = ids | {"content": "Hello ada byron, order 10234 is on its way.", "quick_replies": ["I am Ada Byron"]}
    assert body_of(due(ids | {"message": message})) == (
        '{"type":"reply.done","timestamp":"2026-11-26T12:00:00Z","data":{"conversation_id":"cnv_4111 1111 1111 1111",'
        '"created_at":"2026-11-26T12:00:00.123456Z","seq":7,"message":{"conversation_id":"cnv_4111 1111 1111 1111",'
        '"created_at":"2026-11-26T12:00:00.123456Z","seq":7,"content":"Hello [name], order 10234 is on its way.",'
        '"quick_replies":["I am [name]"]}}}'
    )


def test_a_site_may_have_it_as_it_was_written() -> None:
    assert "Ada Byron" in body_of(due({"comment": "I am Ada Byron"}, masked=False))
