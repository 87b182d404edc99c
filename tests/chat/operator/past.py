"""Days that a desk has had, written into the store as they would stand there."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sessions import (
    Conversation,
    ConversationState,
    Event,
    EventKind,
    Feedback,
    Message,
    Rating,
    Repository,
    Role,
    Suggestion,
    Turn,
    TurnState,
)
from sessions.identifiers import CONVERSATION, MESSAGE, SUGGESTION, TURN, digest, new_id, new_secret
from sessions.models import Base

TEMPLATES = {
    "track_order": 34, "delivery_period": 16, "check_payment_methods": 12, "cancel_order": 9, "get_refund": 8,
    "change_shipping_address": 6, "handoff": 5, "order_late": 5, "clarify": 4, "complaint": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Past:
    """One conversation that was: each of `templates` made a reply, the thumbs are for the last one."""

    at: datetime
    templates: tuple[str, ...]
    first_ms: float = 300.0
    prompt: int = 1000
    cached: int = 900
    handed_off: bool = False
    failed: bool = False
    closed: bool = True
    score: int | None = None
    thumbs: str | None = None
    site: str = "demo"


async def write(repo: Repository, pasts: Iterable[Past], suggestions: Iterable[Suggestion] = ()) -> None:
    """Store them, parents before their children."""
    rows: list[list[Base]] = [[], [], []]
    for past in pasts:
        for level, row in _rows(past):
            rows[level].append(row)
    rows[1] += list(suggestions)
    for level in rows:
        repo.tx.session.add_all(level)
        await repo.tx.session.flush()


def _rows(past: Past) -> Iterator[tuple[int, Base]]:
    key, last = new_id(CONVERSATION), past.at + timedelta(minutes=len(past.templates))
    yield 0, Conversation(
        id=key, site_key=past.site, token_hash=digest(new_secret("t")), locale="en", pack="demo-shop",
        pack_version="v1", state=ConversationState.CLOSED if past.closed else ConversationState.BOT, last_seq=99,
        created_at=past.at, updated_at=last,
    )  # fmt: skip
    line = ""
    for number, template in enumerate(past.templates):
        turn, line, at = new_id(TURN), new_id(MESSAGE), past.at + timedelta(minutes=number)
        asked, said = {"seq": 3 * number + 1, "role": Role.CUSTOMER}, {"seq": 3 * number + 2, "role": Role.ASSISTANT}
        for each, its_id in ((asked, new_id(MESSAGE)), (said, line)):
            yield 1, Message(id=its_id, conversation_id=key, turn_id=turn, content="…", created_at=at, **each)
        yield 1, Turn(
            id=turn, conversation_id=key, client_turn_id=turn, body_hash="", seq=asked["seq"], template=template,
            state=TurnState.FAILED if past.failed else TurnState.DONE, reply_message_id=line, created_at=at,
            prompt_tokens=past.prompt, cached_tokens=past.cached, completion_tokens=20, ttfv_ms=past.first_ms,
        )  # fmt: skip
    if past.handed_off:
        yield (
            1,
            Event(conversation_id=key, seq=98, kind=EventKind.HANDOFF, payload={"state": "waiting"}, created_at=last),
        )
    if past.score:
        yield 1, Rating(conversation_id=key, score=past.score)
    if past.thumbs:
        yield 2, Feedback(message_id=line, value=past.thumbs)


def busy_days(until: datetime, days: int, seed: int = 7) -> Iterator[Past]:
    """A shop's days up to now: more at noon and in the evening, one slow afternoon hour a day."""
    dice = random.Random(seed)
    first = (until - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for hour in range(days * 24):
        begins = first + timedelta(hours=hour)
        many = (1, 0, 0, 0, 0, 0, 1, 2, 4, 6, 7, 6, 8, 7, 6, 5, 5, 6, 7, 8, 6, 4, 2, 1)[hour % 24]
        for _ in range(max(0, many + dice.randint(-1, 1))):
            at = begins + timedelta(minutes=dice.uniform(0, 60))
            if at < until - timedelta(minutes=5):
                yield _made_up(dice, at, slow=hour % 24 == 15)


def _made_up(dice: random.Random, at: datetime, *, slow: bool) -> Past:
    templates = tuple(dice.choices(list(TEMPLATES), TEMPLATES.values(), k=dice.choice((1, 2, 2, 3, 4))))
    handed_off = "handoff" in templates or dice.random() < 0.05
    first = dice.lognormvariate(5.6, 0.35) * (1.9 if slow else 1.0)
    prompt = 900 + 120 * len(templates)
    return Past(
        at, templates, first, prompt, int(prompt * dice.uniform(0.93, 0.99)), handed_off, dice.random() < 0.004,
        dice.random() < 0.8, dice.choice((None, None, None, 5, 5, 4, 4, 3, 2 if handed_off else 4)),
        dice.choices(("up", "down", None), (5, 1, 14))[0],
    )  # fmt: skip


def suggested(until: datetime, seed: int = 3) -> Iterator[Suggestion]:
    """What agents were shown today and what they made of it."""
    dice = random.Random(seed)
    outcomes = (("accepted", "edited", "rejected", "withdrawn"), (8, 4, 5, 2))
    for template in dice.choices([name for name in TEMPLATES if name != "handoff"], k=60):
        yield suggestion(template, dice.choices(*outcomes)[0], until - timedelta(minutes=dice.uniform(1, 10)))


def suggestion(template: str, outcome: str | None, at: datetime) -> Suggestion:
    made = {"pack": "demo-shop", "pack_version": "v1", "slots": {}, "content": "…", "base_seq": 1}
    return Suggestion(id=new_id(SUGGESTION), site_key="demo", template=template, outcome=outcome, created_at=at, **made)
