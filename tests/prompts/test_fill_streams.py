"""However the engine's text arrives, the customer reads the same, and nothing is taken back."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from prompts import Fill, InvalidReply, LookupOutcome, SlotType, load_pack
from tests.prompts.conftest import DEMO
from tests.prompts.engine_text import SHIPPED, play, reply

PACK = load_pack(DEMO)
SAMPLES = {"order_id": "AB-10234", "email": "jo@example.com", "amount": "$49.90", "date": "last Monday"}
TEXTS = ["I'm Jo from Ülm-Süd, order AB-10234, jo@example.com, $49.90, last Monday, a blue “lamp” 灯 with pro"]
WORDS = {"product": "blue “lamp” 灯", "city": "Ülm-Süd", "name": "Jo", "account_type": "pro"}


@st.composite
def lawful_replies(draw: st.DrawFn) -> str:
    """Any offered template with any lawful slots, with or without escapes."""
    template = draw(st.sampled_from(PACK.offered))
    slots = {
        slot.name: None if slot.optional and draw(st.booleans()) else (SAMPLES | WORDS)[slot.name]
        for slot in template.asked
    }
    demand = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    raw = reply(template.id, slots, action=template.action, demand=demand)
    return raw if draw(st.booleans()) else raw.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00")


def cut(raw: str, cuts: Sequence[int]) -> list[str]:
    """`raw` cut at the given places."""
    edges = [0, *sorted(at % (len(raw) + 1) for at in cuts), len(raw)]
    return [raw[start:end] for start, end in pairwise(edges)]


@settings(max_examples=300)
@given(
    raw=lawful_replies(),
    cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=60),
    outcome=st.sampled_from(LookupOutcome),
    wait=st.integers(min_value=0, max_value=70),
)
def test_chunks_and_the_lookups_delay_never_change_the_text_and_it_only_grows(
    raw: str, cuts: Sequence[int], outcome: LookupOutcome, wait: int
) -> None:
    whole = Fill(PACK, "en", TEXTS)
    play(whole, [raw], outcome)
    fill, due, seen = Fill(PACK, "en", TEXTS), wait, ""
    for chunk in [*cut(raw, cuts), *[""] * wait, ""]:
        fill.feed(chunk)
        if fill.needs_lookup and fill.reply is None and due == 0:
            fill.provide(outcome, SHIPPED)
        due -= fill.needs_lookup is not None
        assert fill.visible.startswith(seen)
        seen = fill.visible
    if fill.needs_lookup and fill.reply is None:
        fill.provide(outcome, SHIPPED)
    assert fill.reply == whole.reply
    assert fill.visible == whole.visible == fill.reply.text
    assert fill.annotation == whole.annotation


@settings(max_examples=300)
@given(raw=lawful_replies(), at=st.integers(min_value=0), junk=st.text(max_size=6), size=st.integers(1, 9))
def test_spoilt_output_is_refused_or_still_an_approved_text(raw: str, at: int, junk: str, size: int) -> None:
    at %= len(raw)
    spoilt = raw[:at] + junk + raw[at + len(junk) :]
    fill = Fill(PACK, "en", TEXTS)
    try:
        play(fill, [spoilt[i : i + size] for i in range(0, len(spoilt), size)])
    except InvalidReply:
        assert fill.reply is None
        return
    assert fill.reply is not None
    said = letters(TEXTS[0])
    copied = [slot.value for slot in fill.reply.slots.values() if slot.source is SlotType.COPIED]
    assert all(letters(str(value)) in said for value in copied if value is not None)


def letters(text: str) -> str:
    """Letters and digits only: all that a copy's spelling may not change."""
    return "".join(c for c in text.casefold() if c.isalnum())
