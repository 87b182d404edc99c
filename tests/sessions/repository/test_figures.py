"""The operator's figures, counted from the store by both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from sessions import (
    Conversation,
    FeedbackValue,
    Replies,
    Scope,
    Span,
    Staff,
    Store,
    Suggestion,
    Talks,
    TemplateReplies,
    Times,
    Turn,
    TurnState,
)
from sessions.columns import now
from sessions.models import Base
from tests.sessions.repository.test_plans import _plan, listening
from tests.sessions.shop import AGENT, OPERATOR, Chat, answer, claimed, open_chat

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = Span(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
HOURS = [Span(DAY.begins + timedelta(hours=n), DAY.begins + timedelta(hours=n + 1)) for n in range(24)]
OF_OTHER = Staff("Ole", frozenset({Scope.OPERATOR}), frozenset({"other"}))


async def talk(store: Store, at: datetime = NOON, site: str = "demo", *, ended: bool = True) -> Chat:
    """A conversation of that moment in which the customer was answered."""
    chat = await open_chat(store, site)
    await chat.post()
    await answer(store, await claimed(store))
    await turn(store, chat, created_at=at)
    await changed(store, chat, at if ended else now(), created_at=at)
    return chat


async def changed(store: Store, chat: Chat, last: datetime = NOON, **values: object) -> None:
    """The conversation was touched last at that moment."""
    async with store.begin() as repo:
        row = update(Conversation).where(Conversation.id == chat.id)
        await repo.tx.session.execute(row.values(updated_at=last, **values))


async def turn(store: Store, chat: Chat, **values: object) -> None:
    async with store.begin() as repo:
        await repo.tx.session.execute(update(Turn).where(Turn.conversation_id == chat.id).values(**values))


async def talks(store: Store, staff: Staff = OPERATOR, site: str | None = None) -> Talks:
    async with store.read() as repo:
        [found] = await repo.figures.talks(staff, [DAY], site=site)
        return found


async def test_a_day_without_conversations_is_zero(store: Store) -> None:
    assert await talks(store) == Talks()
    async with store.read() as repo:
        assert await repo.figures.first_text(OPERATOR, HOURS) == [None] * 24
        assert await repo.figures.replies(OPERATOR, DAY) == Replies(0, 0, 0, 0)
        assert await repo.figures.templates(OPERATOR, DAY) == []


async def test_only_conversations_of_the_period_in_which_something_was_said_count(store: Store) -> None:
    await changed(store, await open_chat(store), created_at=NOON)
    for at in (
        DAY.begins - timedelta(microseconds=1),
        DAY.begins,
        NOON,
        DAY.ends - timedelta(microseconds=1),
        DAY.ends,
    ):
        await talk(store, at)
    assert await talks(store) == Talks(conversations=3, ended=3, resolved=3)
    async with store.read() as repo:
        hours = await repo.figures.talks(OPERATOR, HOURS)
    assert [each.conversations for each in hours] == [1, *[0] * 11, 1, *[0] * 10, 1]
    assert sum(hours, Talks()) == await talks(store)


@pytest.mark.parametrize(
    ("handed_off", "failed", "score", "resolved"),
    [
        (False, False, None, True),
        (False, False, 3, True),
        (False, False, 2, False),
        (False, True, None, False),
        (False, True, 4, True),
        (True, False, None, False),
        (True, False, 3, False),
        (True, False, 4, True),
        (True, True, 5, True),
    ],
)
async def test_resolved_is_what_the_docstring_says(
    store: Store, handed_off: bool, failed: bool, score: int | None, resolved: bool
) -> None:
    chat = await talk(store)
    async with store.begin() as repo:
        if handed_off:
            await repo.conversations.request_handoff(chat.customer, chat.id)
        if score is not None:
            await repo.conversations.rate(chat.customer, chat.id, score)
    if failed:
        await turn(store, chat, state=TurnState.FAILED)
    await changed(store, chat)
    assert await talks(store) == Talks(1, handed_off, 1, resolved)


async def test_what_goes_on_is_not_resolved_yet_and_what_was_closed_is_over(store: Store) -> None:
    chat = await talk(store, ended=False)
    assert await talks(store) == Talks(conversations=1)
    async with store.begin() as repo:
        await repo.conversations.close(chat.customer, chat.id)
    assert await talks(store) == Talks(conversations=1, ended=1, resolved=1)


async def test_a_human_who_takes_over_or_is_left_a_message_is_a_handoff(store: Store) -> None:
    taken, left = await talk(store), await talk(store)
    async with store.begin() as repo:
        await repo.conversations.takeover(AGENT, taken.id, "Ada")
        await repo.conversations.handback(AGENT, taken.id)
        await repo.conversations.leave(left.customer, left.id, "Call me", "Call me", None)
    assert (await talks(store)).handed_off == 2


async def test_percentiles_are_of_replies_by_nearest_rank(store: Store) -> None:
    for number in range(1, 21):
        await turn(store, await talk(store), ttfv_ms=number * 10.0)
    await turn(store, await talk(store), ttfv_ms=9000.0, state=TurnState.FAILED)
    await turn(store, await talk(store), ttfv_ms=None)
    await turn(store, await talk(store, NOON + timedelta(hours=1)), ttfv_ms=7.0)
    async with store.read() as repo:
        [day] = await repo.figures.first_text(OPERATOR, [DAY])
        hours = await repo.figures.first_text(OPERATOR, HOURS)
    assert day == Times(21, median_ms=100.0, p95_ms=190.0)
    assert (hours[12], hours[13], hours[14]) == (Times(20, 100.0, 190.0), Times(1, 7.0, 7.0), None)


async def test_tokens_count_where_the_engine_counted_them(store: Store) -> None:
    await turn(store, await talk(store), prompt_tokens=1000, cached_tokens=900)
    await turn(store, await talk(store), prompt_tokens=200, cached_tokens=0)
    await turn(store, await talk(store), prompt_tokens=5000, cached_tokens=None)
    await turn(store, await talk(store), prompt_tokens=7000, cached_tokens=1, state=TurnState.FAILED)
    async with store.read() as repo:
        assert await repo.figures.replies(OPERATOR, DAY) == Replies(3, 1, 1200, 900)


async def test_thumbs_belong_to_the_template_of_their_reply(store: Store) -> None:
    for template, value in (("track_order", FeedbackValue.UP), ("track_order", FeedbackValue.DOWN), ("late", None)):
        chat = await talk(store)
        await turn(store, chat, template=template)
        if value is not None:
            async with store.begin() as repo:
                [_, line] = await repo.messages.list(chat.customer, chat.id)
                await repo.conversations.feedback(chat.customer, line.id, value)
    await talk(store, site="other")
    async with store.read() as repo:
        assert await repo.figures.templates(OPERATOR, DAY) == [
            TemplateReplies("demo", "track_order", 2, 1, 1),
            TemplateReplies("demo", "late", 1, 0, 0),
            TemplateReplies("other", "track_order", 1, 0, 0),
        ]


async def test_suggestions_of_a_period(store: Store, chat: Chat) -> None:
    async with store.begin() as repo:
        for number, at in enumerate((DAY.begins, DAY.ends)):
            kept = {"pack": "demo-shop", "pack_version": "v1", "slots": {}, "content": "x", "base_seq": 0}
            row = Suggestion(id=f"s{number}", site_key="demo", template="late", created_at=at, outcome="edited", **kept)
            repo.tx.session.add(row)
    async with store.read() as repo:
        [during], [ever] = [await repo.suggestions.by_template(OPERATOR, span=span) for span in (DAY, None)]
    assert (during.shown, during.edited, ever.shown) == (1, 1, 2)


async def test_operators_see_their_own_sites_and_agents_none(store: Store) -> None:
    await talk(store)
    await talk(store, site="other")
    assert (await talks(store)).conversations == 2
    assert (await talks(store, site="demo")).conversations == 1
    assert (await talks(store, OF_OTHER)).conversations == 1
    assert await talks(store, OF_OTHER, "demo") == Talks()
    assert await talks(store, AGENT) == Talks()
    async with store.read() as repo:
        assert (await repo.figures.replies(OF_OTHER, DAY)).done == 1
        assert (await repo.figures.first_text(AGENT, [DAY])) == [None]
        assert [each.site for each in await repo.figures.templates(OF_OTHER, DAY)] == ["other"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_figures_read_the_periods_rows_only(store: Store) -> None:
    """By an index on the time: no table is scanned."""
    await talk(store)
    async with listening(store) as asked, store.read() as repo:
        await repo.figures.talks(OPERATOR, HOURS)
        await repo.figures.first_text(OPERATOR, HOURS)
        await repo.figures.replies(OPERATOR, DAY)
        await repo.figures.templates(OPERATOR, DAY)
    assert len(asked) == 4
    for statement, parameters in asked:
        steps = await _plan(store, statement, parameters)
        scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
        assert not scanned & Base.metadata.tables.keys(), steps
        assert any("_created_at" in step for step in steps), steps
