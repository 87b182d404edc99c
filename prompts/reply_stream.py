"""The engine's JSON while it arrives: what can be relied on after each chunk."""

import json
from typing import Any

from pydantic_core import from_json

from prompts.errors import InvalidReply
from prompts.schema import HEAD, TAIL


class ReplyStream:
    """Collects the raw text and knows where the head (`action`, `template`, `slots`) and the whole object end.

    `head_closed` is True once `slots` has closed, `closed` once the object has.
    """

    def __init__(self) -> None:
        self.text = ""
        self._depth = 0
        self._in_string = self._escaped = False
        self._head_end: int | None = None
        self._end: int | None = None

    @property
    def head_closed(self) -> bool:
        return self._head_end is not None

    @property
    def closed(self) -> bool:
        return self._end is not None

    @property
    def head_text(self) -> str:
        """The text up to the end of `slots`, or all of it before that."""
        return self.text[: self._head_end]

    def feed(self, chunk: str) -> None:
        """Takes the next piece of the engine's text."""
        for at, char in enumerate(chunk, start=len(self.text) + 1):
            if self._in_string:
                self._in_string = self._escaped or char != '"'
                self._escaped = char == "\\" and not self._escaped
            elif self._end is None:
                self._scan(char, at)
        self.text += chunk

    def _scan(self, char: str, end: int) -> None:
        """Follows the nesting outside of strings; `end` is the offset after `char`."""
        if char == '"':
            self._in_string = True
        elif char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
            if self._depth == 1 and self._head_end is None:
                self._head_end = end
            elif self._depth == 0:
                self._end = end

    def head(self) -> dict[str, Any]:
        """The members of the head whose values have closed; all three once `head_closed`. A string counts when
        its closing quote has come. Raises `InvalidReply` for what cannot become a lawful reply any more.
        """
        try:
            members = from_json(self.head_text, allow_partial=True) if self.text.strip() else {}
        except ValueError as error:
            raise InvalidReply("The output is not JSON.") from error
        if not isinstance(members, dict) or tuple(members) != HEAD[: len(members)]:
            raise InvalidReply("The members are not action, template, slots.")
        if self.head_closed:
            self._strict(self.head_text + "}", HEAD)
        elif self.closed:
            raise InvalidReply("The object closed before its slots.")
        return members

    def tail(self) -> dict[str, Any] | None:
        """The members after the head, if the whole text is one object of the schema's members, else None."""
        try:
            members = self._strict(self.text, HEAD + TAIL)
            from_json(self.text)
        except (InvalidReply, ValueError):
            return None
        return {name: members[name] for name in TAIL}

    @staticmethod
    def _strict(text: str, names: tuple[str, ...]) -> dict[str, Any]:
        """`text` parsed, refusing any member that comes twice, is missing or out of order."""
        try:
            members = json.loads(text, object_pairs_hook=_once)
        except ValueError as error:
            raise InvalidReply("The output is not JSON, or names a member twice.") from error
        if not isinstance(members, dict) or tuple(members) != names:
            raise InvalidReply(f"The members are not {', '.join(names)}.")
        return members


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object none of whose members comes twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("A member comes twice.")
    return members
