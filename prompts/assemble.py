"""From a conversation's lines to the engine's messages: append-only, so that the cached prefix always holds."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from prompts.catalogue import system_prompt
from prompts.characters import one_line
from prompts.pack import Pack
from prompts.tokens import head_of

PROMPT_FORM_MAX_CHARS = 2000
PROMPT_FORM_MAX_TOKENS = 2600
"""Estimated. Binds only for scripts that most vocabularies spell out by the byte, and for pictures."""

_OUR_MARKS = re.compile(r"\[(?=\s*(?:agent|note|facts|summary|fold|/?inst)\s*\])", re.IGNORECASE)
# U+FF5C, the full-width bar, stands in the special tokens of some models.
_SPECIAL_OPEN = re.compile(r"<(?=[|\uff5c/A-Za-z_])")
_SPECIAL_CLOSE = re.compile(r"(?<=[|\uff5c])>")


class LineRole(StrEnum):
    """Who wrote a line of the history.

    `note` is an agent's hand-back note, `system` a notice that we showed, `summary` stands for folded lines.
    """

    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    AGENT = "agent"
    NOTE = "note"
    SUMMARY = "summary"
    SYSTEM = "system"


@dataclass(frozen=True)
class Line:
    """One line as the engine reads it: a customer's in `prompt_form`, an assistant's as its raw JSON."""

    role: LineRole | str
    text: str


def assemble(pack: Pack, history: Sequence[Line]) -> list[dict[str, str]]:
    """OpenAI chat messages for the next reply; `history` is in order and ends with the customer's line.

    Nothing that was sent before is changed by what comes later. Neighbouring lines of the customer's side
    (customer, agent, note, summary) become one user message; notices are not part of the prompt.
    """
    spoken = [line for line in history if line.role != LineRole.SYSTEM]
    messages = [{"role": "system", "content": system_prompt(pack)}]
    for is_assistant, lines in groupby(spoken, key=lambda line: line.role == LineRole.ASSISTANT):
        if is_assistant:
            messages += [{"role": "assistant", "content": line.text} for line in lines]
        else:
            messages.append({"role": "user", "content": "\n".join(map(_user_line, lines))})
    return messages


def _user_line(line: Line) -> str:
    """A line of the user message; only ours can carry a mark, see `prompt_form`."""
    if line.role == LineRole.CUSTOMER:
        return line.text
    return f"[{LineRole(line.role).value}] {prompt_form(line.text)}"


def prompt_form(text: str, *, facts: Mapping[str, str] | None = None) -> str:
    """Customer's or agent's text made safe for the engine: one line of visible characters, at most 2,000 of them.

    Control, bidi, private-use and unassigned characters out; NFC; what delimits special tokens (`<|`, `|>`,
    `</`, `<s>`, `[INST]`) broken up; marks that we write ourselves (`[agent]`) defused. Applying it twice
    changes nothing. `facts` of this turn are added once, on a line of their own: `[facts] name: value; ...`.
    """
    clean = _SPECIAL_CLOSE.sub(" >", _SPECIAL_OPEN.sub("< ", _OUR_MARKS.sub("(", one_line(text))))
    clean = head_of(clean[:PROMPT_FORM_MAX_CHARS], PROMPT_FORM_MAX_TOKENS).strip()
    if not facts:
        return clean
    told = "; ".join(f"{name}: {prompt_form(str(value))}" for name, value in facts.items())
    return f"{clean}\n[facts] {told}"


def compact(reply: Mapping[str, object]) -> str:
    """A reply in the engine's own bytes: guided decoding writes no blank between tokens of JSON."""
    return json.dumps(reply, separators=(",", ":"), ensure_ascii=False)
