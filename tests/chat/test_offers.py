"""When the bot offers a human."""

import pytest

from chat.handoff import OfferReason, offer_reason
from chat.packs import FOLDER
from prompts import Notice, Pack, load_pack
from prompts.rules import mistakes
from sessions import Replied


def replied(*moods: str, template: str = "t", text: str = "T", action: str = "reply") -> list[Replied]:
    return [Replied(template, text, action, mood) for mood in moods]


def knowing(*known: str) -> list[Replied]:
    """Replies by one template that knew more or less."""
    return [reply for text in known for reply in replied("neutral", text=text)]


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        ([], None),
        (replied("angry"), OfferReason.ANGER),
        (replied("angry", action="handoff"), None),
        (replied("neutral", "neutral"), None),
        (replied("neutral", "neutral", "neutral"), OfferReason.LOOP),
        (replied("negative", "negative", action="clarify"), OfferReason.ANGER),
        (replied("negative", "negative"), None),
        ([*replied("neutral"), *replied("neutral", template="u"), *replied("neutral")], None),
        (knowing("Your number?", "Order 1", "Order 2"), None),
        (knowing("Your number?", "Order 1", "Order 1"), OfferReason.LOOP),
        (knowing("Order 1", "Order 1", "Order 2"), None),
        ([*replied("angry"), *replied("positive", template="u")], None),
        (replied(None, None), None),
    ],
)
def test_human_is_offered_for_anger_and_loops(course: list[Replied], reason: OfferReason | None) -> None:
    assert offer_reason(course) is reason


def test_pack_may_do_without_offers(demo: Pack) -> None:
    lean = demo.model_copy(update={"templates": {k: v for k, v in demo.templates.items() if k != Notice.HANDOFF_OFFER}})
    assert demo.has_notice(Notice.HANDOFF_OFFER) and not lean.has_notice(Notice.HANDOFF_OFFER)
    assert list(mistakes(lean)) == []


@pytest.fixture(scope="module")
def demo() -> Pack:
    return load_pack(FOLDER / "demo-shop")
