"""Whatever customers, owners, agents and crashes do in whatever order: the store keeps its promises."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sessions import Annotation, Claim, Repository, Role
from tests.postgres import own_database
from tests.sessions.shop import AGENT, LEASE_S, NO_LEASE_S, Chat, reply
from tests.sessions.turn_machine import OPEN, Driver, ModelTurn, Stored

ENDS = {"reply.done", "turn.stopped", "turn.failed"}

crashes = st.sampled_from([False, False, False, True])
owners = st.sampled_from(["web-1", "web-2"])
numbers = st.integers(0, 1000)


class TurnMachine(RuleBasedStateMachine):
    """Every step is done to the store and to the model, which have to agree on what came of it."""

    urls: Iterator[str]

    def __init__(self) -> None:
        super().__init__()
        self.at = Driver(next(self.urls))
        self.model = self.at.model

    def teardown(self) -> None:
        self.at.close()

    def _chat(self, number: int) -> Chat:
        return self.model.chats[number % len(self.model.chats)]

    def _claim(self, number: int) -> Claim:
        """Mostly one of the newest, sometimes one that is long lost."""
        newest_first = self.model.claims[::-1]
        return newest_first[number % min(len(newest_first), 4)]

    @rule(number=numbers, crash=crashes)
    def post(self, number: int, crash: bool) -> None:
        chat, name = self._chat(number), f"c{next(self.at.numbers)}"
        outcome, accepted = self.at.write(
            lambda repo: repo.turns.accept(chat.customer, chat.id, name, name, name, name), crash
        )
        if outcome == "done":
            self.model.turns.append(ModelTurn(accepted.turn_id, chat))

    @rule(owner=owners, alive=st.booleans(), crash=crashes)
    def claim(self, owner: str, alive: bool, crash: bool) -> None:
        outcome, claim = self.at.write(lambda repo: repo.turns.claim(owner, LEASE_S if alive else NO_LEASE_S), crash)
        if outcome == "crashed":
            return
        self.model.settle()
        claimable = self.model.claimable()
        assert (claim.turn_id in claimable) if claim else not claimable
        if claim:
            turn = self.model.turn(claim.turn_id)
            turn.state, turn.owner, turn.attempt, turn.left = "running", owner, turn.attempt + 1, not alive
            assert claim.attempt == turn.attempt
            self._given(turn.chat, claim)
            self.model.claims.append(claim)

    def _given(self, chat: Chat, claim: Claim) -> None:
        """What the engine is given begins with what it was given before and wrote then."""
        prompt = [*self.at.loop.run(chat.history(claim)), ("customer", claim.prompt_text)]
        before = self.model.prompts.get(chat.id, [])
        assert prompt[: len(before)] == before

    @precondition(lambda self: self.model.claims)
    @rule(number=numbers, crash=crashes)
    def finish_reply(self, number: int, crash: bool) -> None:
        claim = self._claim(number)
        words = reply(f"reply {next(self.at.numbers)}")
        turn = self.model.turn(claim.turn_id)
        prompt = [*self.at.loop.run(turn.chat.history(claim)), ("customer", claim.prompt_text)]
        work = lambda repo: repo.turns.finish_reply(claim, words)  # noqa: E731
        if self.at.fenced(claim, work, crash, also=not turn.replied):
            turn.replied = True
            self.model.prompts[turn.chat.id] = [*prompt, ("assistant", words.prompt_text)]

    @precondition(lambda self: self.model.claims)
    @rule(number=numbers, crash=crashes)
    def annotate(self, number: int, crash: bool) -> None:
        claim = self._claim(number)
        turn = self.model.turn(claim.turn_id)
        if self.at.fenced(claim, lambda repo: repo.turns.annotate(claim, Annotation()), crash, also=turn.replied):
            turn.state = "done"

    @precondition(lambda self: self.model.claims)
    @rule(number=numbers, crash=crashes, end=st.sampled_from(["fail", "stopped"]))
    def end_without_reply(self, number: int, crash: bool, end: str) -> None:
        claim = self._claim(number)
        more = ("no_replica", "Sorry.") if end == "fail" else ()
        if turn := self.at.fenced(claim, lambda repo: getattr(repo.turns, end)(claim, *more), crash):
            turn.state = "done" if turn.replied else {"fail": "failed", "stopped": "stopped"}[end]

    @precondition(lambda self: self.model.claims)
    @rule(number=numbers, crash=crashes)
    def try_again_elsewhere(self, number: int, crash: bool) -> None:
        claim = self._claim(number)
        if turn := self.at.fenced(claim, lambda repo: repo.turns.next_attempt(claim), crash):
            turn.attempt += 1

    @precondition(lambda self: self.model.claims)
    @rule(number=numbers, crash=crashes)
    def show(self, number: int, crash: bool) -> None:
        claim = self._claim(number)
        self.at.fenced(claim, lambda repo: repo.turns.reset(claim), crash)

    @precondition(lambda self: self.model.turns)
    @rule(number=numbers, crash=crashes)
    def stop(self, number: int, crash: bool) -> None:
        turn = self.model.turns[number % len(self.model.turns)]
        chat = turn.chat
        outcome, state = self.at.write(lambda repo: repo.turns.stop(chat.customer, chat.id, turn.id), crash)
        if outcome == "done":
            turn.state = "stopped" if turn.state == "queued" else turn.state
            assert state == turn.state

    @precondition(lambda self: self.model.turns)
    @rule(number=numbers, crash=crashes)
    def retry(self, number: int, crash: bool) -> None:
        turn = self.model.turns[number % len(self.model.turns)]
        chat = turn.chat
        lawful = turn.state in ("failed", "stopped") and self.model.of(chat)[-1] is turn
        outcome, _ = self.at.write(lambda repo: repo.turns.retry(chat.customer, chat.id, turn.id), crash)
        assert outcome == (("crashed" if crash else "done") if lawful else "refused")
        if outcome == "done":
            turn.state, turn.owner, turn.left = "queued", None, False

    @rule(number=numbers, crash=crashes)
    def an_agent_looks_in(self, number: int, crash: bool) -> None:
        chat = self._chat(number)

        async def take_speak_and_hand_back(repo: Repository) -> None:
            await repo.conversations.takeover(AGENT, chat.id, "Ada")
            await repo.conversations.say(AGENT, chat.id, Role.AGENT, "Ada here")
            await repo.conversations.handback(AGENT, chat.id, "be kind")

        outcome, _ = self.at.write(take_speak_and_hand_back, crash)
        if outcome == "done":
            for turn in self.model.of(chat):
                if turn.state in OPEN and not turn.replied:
                    turn.state = "stopped"

    @invariant()
    def the_store_holds_what_happened(self) -> None:
        for chat in self.model.chats:
            stored, turns = self.at.look(chat), self.model.of(chat)
            assert [event.seq for event in stored.events] == list(range(1, stored.row.last_seq + 1))
            assert sum(turn.state == "running" for turn in turns) <= 1
            assert sum(message.role == Role.CUSTOMER for message in stored.messages) == len(turns)
            for turn in turns:
                _check(turn, stored)


def _check(turn: ModelTurn, stored: Stored) -> None:
    kinds = [event.kind for event in stored.events if event.turn_id == turn.id]
    row = stored.turns[turn.id]
    assert (row.state, row.attempt) == (turn.state, turn.attempt)
    ended = turn.state not in OPEN or turn.replied
    assert sum(kind in ENDS for kind in kinds) == kinds.count("turn.started") - (0 if ended else 1)
    assert kinds.count("reply.done") == int(turn.replied) == int(row.reply_message_id is not None)
    assert kinds.count("turn.annotated") == int(turn.state == "done")


@pytest.mark.timeout(300)
def test_turns_keep_their_promises_in_any_order(migrated_file: Path, tmp_path: Path) -> None:
    def urls() -> Iterator[str]:
        for number in count():
            path = tmp_path / f"{number}.db"
            shutil.copy(migrated_file, path)
            yield f"sqlite:///{path}"

    _run(urls(), examples=15)


@pytest.mark.timeout(300)
@pytest.mark.postgres
def test_turns_keep_their_promises_in_any_order_on_postgresql(request: pytest.FixtureRequest) -> None:
    server, template = map(request.getfixturevalue, ("postgres_server", "migrated_template"))
    with own_database(server, template) as url:
        _run((url for _ in count()), examples=6)


def _run(urls: Iterator[str], examples: int) -> None:
    machine = type("Machine", (TurnMachine,), {"urls": urls})
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=slow, database=None
        ),
    )
