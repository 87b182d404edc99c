"""Folding a history that has grown too long for the engine's context into a short summary.

The engine writes the summary under its own schema: facts, open demands, promises made. It is taken only as far as the
conversation bears it out; what is missing is filled in from what the turns' rows say, which is structured and certain.
A folded history is append-only again: the summary stands where the folded lines stood, as `[summary] ...`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prompts.assemble import Line, LineRole, assemble
from prompts.characters import folded as comparable
from prompts.characters import one_line
from prompts.pack import Pack
from prompts.schema import Schema
from prompts.tokens import estimated_prompt, estimated_tokens

SUMMARY_TOKENS = 220
"""Longest summary that the engine may write."""

FOLD_ROOM = 320
"""Tokens kept free beside the reply: for the request to fold and for its answer."""

KEPT_REPLIES = 2
"""The last exchanges stay as they were said."""

ASK = (
    "[fold] Sum up this conversation for the assistant who continues it: facts that the customer gave, "
    "demands that are still open, promises that were made. Use the words of the conversation."
)

ITEM_MAX_CHARS = 160
LIST_MAX_ITEMS = 8
SUMMARY_MAX_CHARS = 1200

_TITLES = {"facts": "facts", "open_demands": "open demands", "promises_made": "promises made"}
_NUMBER = re.compile(r"\d{3,}")
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Summary:
    """What is kept of folded lines."""

    facts: tuple[str, ...] = ()
    open_demands: tuple[str, ...] = ()
    promises_made: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToldTurn:
    """What is known for certain of an answered turn. `slots` are values by name, null ones left out."""

    demand: str | None
    template: str
    slots: Mapping[str, str]


def fold_schema() -> Schema:
    """The schema of a summary."""
    texts = {"type": "array", "items": {"type": "string"}}
    return {
        "type": "object",
        "properties": dict.fromkeys(_TITLES, texts),
        "required": list(_TITLES),
        "additionalProperties": False,
    }


def is_too_long(held_tokens: int, new_tokens: int, *, context_tokens: int, reply_tokens: int) -> bool:
    """True if a prompt that held so many tokens with its reply has no room for what is new, a reply and a fold."""
    return held_tokens + new_tokens + reply_tokens + FOLD_ROOM > context_tokens


def cut(pack: Pack, history: Sequence[Line], *, room_tokens: int) -> int:
    """How many lines to fold, so that the rest takes half of what system prompt and summary leave of `room_tokens`.

    The cut is behind a reply, where the engine's cache has one too; all lines if not even the last exchange fits.
    """
    free = room_tokens - estimated_prompt(assemble(pack, [])) - SUMMARY_TOKENS
    replies = [at + 1 for at, line in enumerate(history) if line.role == LineRole.ASSISTANT]
    for end in replies[-KEPT_REPLIES - 1 : -1]:
        kept = sum(estimated_tokens(line.text) for line in history[end:])
        if 2 * kept <= free:
            return end
    return len(history)


def folded_history(history: Sequence[Line], lines: int, text: str) -> list[Line]:
    """The history as the engine reads it: the summary in place of the first `lines`."""
    return [Line(LineRole.SUMMARY, text), *history[lines:]]


def read_summary(raw: str, history: Sequence[Line]) -> Summary | None:
    """What the engine wrote, as far as `history` bears it out; None if that says nothing.

    A line stays if every number in it stands in the history, and half of its longer words do.
    """
    try:
        members = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(members, dict) or tuple(members) != tuple(_TITLES):
        return None
    source = comparable(" ".join(line.text for line in history))
    words, numbers = set(_WORD.findall(source)), set(_NUMBER.findall(source))
    lists = {name: _kept(members[name], words, numbers) for name in _TITLES}
    summary = Summary(**lists)
    return summary if summary.facts or summary.open_demands else None


def certain_summary(told: Sequence[ToldTurn], history: Sequence[Line]) -> Summary:
    """The summary that needs no engine: slot values, the staff's demand lines, what was answered, agents' lines."""
    agents = [f"{line.role}: {line.text}" for line in history if line.role in (LineRole.AGENT, LineRole.NOTE)]
    return Summary(
        facts=_listed(_slot_facts(told)),
        open_demands=_listed(turn.demand or turn.template for turn in told),
        promises_made=_listed([*(f"answered with {turn.template}" for turn in told), *agents]),
    )


def joined(written: Summary | None, certain: Summary) -> Summary:
    """The engine's summary with every slot value that it left out; without one, what is certain."""
    if written is None:
        return certain
    said = comparable(" ".join(written.facts))
    missing = [fact for fact in certain.facts if comparable(fact.partition(": ")[2]) not in said]
    return Summary(
        facts=_listed([*written.facts, *missing]),
        open_demands=written.open_demands or certain.open_demands,
        promises_made=written.promises_made or certain.promises_made,
    )


def summary_text(summary: Summary) -> str:
    """The summary as the engine reads it, on one line."""
    parts = ((title, getattr(summary, name)) for name, title in _TITLES.items())
    return one_line(". ".join(f"{title}: {'; '.join(items)}" for title, items in parts if items))[:SUMMARY_MAX_CHARS]


def _kept(items: object, words: set[str], numbers: set[str]) -> tuple[str, ...]:
    """The lines that the conversation bears out."""
    texts = [item for item in items if isinstance(item, str)] if isinstance(items, list) else []
    return _listed(text for text in texts if _borne_out(comparable(text), words, numbers))


def _borne_out(text: str, words: set[str], numbers: set[str]) -> bool:
    used = _WORD.findall(text)
    return set(_NUMBER.findall(text)) <= numbers and sum(word in words for word in used) * 2 >= max(1, len(used))


def _slot_facts(told: Iterable[ToldTurn]) -> list[str]:
    return [f"{name}: {value}" for turn in told for name, value in turn.slots.items()]


def _listed(items: Iterable[str]) -> tuple[str, ...]:
    """The newest items, each once, each short."""
    clean = [one_line(item)[:ITEM_MAX_CHARS].rstrip(".; ") for item in items]
    newest_last = list(dict.fromkeys(item for item in reversed(clean) if item))[::-1]
    return tuple(newest_last[-LIST_MAX_ITEMS:])
