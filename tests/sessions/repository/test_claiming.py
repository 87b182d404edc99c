import asyncio
from datetime import timedelta

from sessions import Annotation, Claim, Store, TurnState
from sessions.columns import now
from tests.sessions.shop import NO_LEASE_S, Chat, answer, claim, claimed, finish, open_chat, show


async def test_nothing_to_do(store: Store) -> None:
    assert await claim(store) is None


async def test_a_claim_holds_what_its_owner_needs(chat: Chat) -> None:
    posted = await chat.post("Where is it?")
    held = await claimed(chat.store, "web-7")
    assert (held.turn_id, held.conversation_id, held.owner) == (posted.turn_id, chat.id, "web-7")
    assert (held.site_key, held.locale, held.pack, held.pack_version) == ("demo", "en", "demo-shop", "v1")
    assert (held.attempt, held.attempts, held.seq) == (1, 1, posted.seq)
    assert (held.text, held.prompt_text, held.shown) == ("Where is it?", "Where is it?", "")
    assert (held.pin, held.pin_version, held.stop_requested) == (None, 0, False)


async def test_turns_that_nobody_has_claimed_are_counted(store: Store, chat: Chat) -> None:
    await chat.post()
    await chat.post()
    await claimed(store, "web-7")
    async with store.read() as repo:
        assert await repo.turns.waiting() == 1


async def test_two_runners_race_for_one_turn(store: Store, second: Store, chat: Chat) -> None:
    for _ in range(10):
        posted = await chat.post()
        claims = await asyncio.gather(*(claim(at, f"web-{n}") for n, at in enumerate([store, second] * 4)))
        (won,) = [found for found in claims if found]
        assert won.turn_id == posted.turn_id
        await answer(store, won)


async def test_many_runners_share_many_turns(store: Store, second: Store) -> None:
    chats = [await open_chat(store) for _ in range(12)]
    posted = {(await chat.post()).turn_id for chat in chats}
    claims: list[Claim] = []

    async def work(at: Store, owner: str) -> None:
        while found := await claim(at, owner):
            claims.append(found)

    await asyncio.gather(*(work(at, f"web-{n}") for n, at in enumerate([store, second] * 3)))
    assert sorted(found.turn_id for found in claims) == sorted(posted)


async def test_a_conversations_turns_are_answered_in_order_one_at_a_time(store: Store, chat: Chat) -> None:
    posted = [(await chat.post(f"{n}")).turn_id for n in range(3)]
    for turn_id in posted:
        held = await claimed(store)
        assert held.turn_id == turn_id
        assert await claim(store, "web-2") is None
        await finish(store, held)
        assert await claim(store, "web-2") is None, "a turn runs until it is annotated"
        async with store.begin() as repo:
            await repo.turns.annotate(held, Annotation())
    assert await claim(store) is None


async def test_a_busy_conversation_does_not_hold_up_others(store: Store, chat: Chat) -> None:
    await chat.post()
    await chat.post()
    other = await open_chat(store)
    waiting = await other.post()
    await claimed(store)
    assert (await claimed(store)).turn_id == waiting.turn_id


async def test_a_live_lease_is_respected(store: Store, chat: Chat) -> None:
    await chat.post()
    await claimed(store)
    assert await claim(store, "web-2") is None


async def test_a_dead_owners_turn_is_taken_over_with_what_was_shown(store: Store, chat: Chat) -> None:
    await chat.post()
    dead = await claimed(store, "web-1", NO_LEASE_S)
    await show(store, dead, "It is ")
    await show(store, dead, "on its")
    taken = await claimed(store, "web-2")
    assert (taken.turn_id, taken.owner, taken.attempt, taken.attempts) == (dead.turn_id, "web-2", 2, 2)
    assert taken.shown == "It is on its"
    assert taken.prompt_seq == dead.prompt_seq


async def test_a_lease_runs_out_by_the_databases_clock(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store, "web-1", 0.2)
    assert await claim(store, "web-2") is None
    await asyncio.sleep(0.3)
    async with store.begin() as repo:
        await repo.turns.renew(held, 30)
    assert await claim(store, "web-2") is None, "renewed in time, although the lease was over for a moment"
    async with store.begin() as repo:
        await repo.turns.renew(held, 0.05)
    await asyncio.sleep(0.1)
    assert (await claimed(store, "web-2")).attempt == 2


async def test_both_owners_of_a_stolen_turn_write_at_once_and_one_reply_stands(store: Store, second: Store) -> None:
    for _ in range(15):
        chat = await open_chat(store)
        await chat.post()
        old = await claimed(store, "web-1", NO_LEASE_S)

        async def finish_old(old: Claim = old) -> None:
            await finish(store, old, "from the old owner")

        async def steal_and_finish() -> None:
            if new := await claim(second, "web-2"):
                await finish(second, new, "from the new owner")

        await asyncio.gather(finish_old(), steal_and_finish(), return_exceptions=True)
        assert (await chat.kinds()).count("reply.done") == 1


async def test_renew_all_tells_which_turns_are_still_ours(store: Store) -> None:
    chats = [await open_chat(store) for _ in range(3)]
    for chat in chats:
        await chat.post()
    kept, done = await claimed(store, "web-1"), await claimed(store, "web-1")
    lost = await claimed(store, "web-1", NO_LEASE_S)
    await answer(store, done)
    assert (await claimed(store, "web-2")).turn_id == lost.turn_id
    async with store.begin() as repo:
        assert await repo.turns.renew_all("web-1", 30) == {kept.turn_id: False}
        assert await repo.turns.renew_all("web-3", 30) == {}


async def test_a_released_turn_goes_on_elsewhere_as_if_it_had_not_been_tried(store: Store, chat: Chat) -> None:
    await chat.post()
    held = await claimed(store, "web-1")
    await show(store, held, "It is")
    async with store.begin() as repo:
        await repo.turns.release(held)
    taken = await claimed(store, "web-2")
    assert (taken.turn_id, taken.attempt, taken.attempts, taken.shown) == (held.turn_id, 2, 1, "It is")


async def test_a_reply_whose_owner_died_before_the_annotation_stands(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    dead = await claimed(store, "web-1", NO_LEASE_S)
    await finish(store, dead)
    following = await chat.post()
    assert (await claimed(store, "web-2")).turn_id == following.turn_id
    turn = await chat.turn(posted.turn_id)
    assert (turn.state, turn.demand, turn.owner) == (TurnState.DONE, None, "web-1")
    assert (await chat.kinds()).count("reply.done") == 1
    assert (await chat.events())[-1].kind == "turn.annotated"


async def test_who_ends_another_owners_turn_is_told_of_it(store: Store, chat: Chat) -> None:
    told: list[str] = []
    store.on_ended = lambda turn: told.append(turn.id)
    posted = await chat.post()
    await finish(store, await claimed(store, "web-1", NO_LEASE_S))
    assert told == [], "its owner may still tell of it"
    await claim(store, "web-2")
    assert told == [posted.turn_id]


async def test_the_turns_that_ended_lately_are_found(store: Store, chat: Chat) -> None:
    began = now()
    done, waiting = await chat.post(), await chat.post()
    await answer(store, await claimed(store))
    async with store.read() as repo:
        assert [turn.id for turn in await repo.turns.ended_between(began, now())] == [done.turn_id]
        assert await repo.turns.ended_between(began - timedelta(hours=1), began) == []
    assert (await chat.turn(waiting.turn_id)).state == TurnState.QUEUED


async def test_an_attempt_keeps_where_it_went(store: Store, chat: Chat) -> None:
    posted = await chat.post()
    held = await claimed(store)
    async with store.begin() as repo:
        await repo.turns.note_attempt(held, replica="r1", placement="failover", trace_id="ab" * 16)
        await repo.turns.note_attempt(held, replica="r2", placement="failover")
    turn = await chat.turn(posted.turn_id)
    assert (turn.replica, turn.placement, turn.trace_id) == ("r2", "failover", "ab" * 16)
