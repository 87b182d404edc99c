"""What a turn's engine calls are made of: the assembled prompt, and what the reply is checked against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prompts import Fill, Line, LineRole, Pack, SlotType, assemble, candidates, reply_schema


@dataclass(frozen=True)
class Briefing:
    """`texts` are the customer's own messages as the engine reads them, newest last; `index` counts turns from 1.

    `only` are the templates to choose from when some of the pack are recalled, `narrowed` tells of `grounded`.
    """

    pack: Pack
    locale: str
    messages: Sequence[Mapping[str, str]]
    texts: tuple[str, ...]
    schema: Mapping[str, Any]
    salt: str
    index: int
    only: frozenset[str] | None = None
    narrowed: bool = False

    @classmethod
    def of(
        cls,
        pack: Pack,
        locale: str,
        lines: Sequence[Line],
        salt: str,
        *,
        view: Sequence[Line] | None = None,
        only: frozenset[str] | None = None,
    ) -> "Briefing":
        """The briefing for a conversation's `lines`, which end with the customer's message.

        `view` are the lines that the engine reads instead when the history is folded.
        """
        return cls(
            pack=pack,
            locale=locale,
            messages=assemble(pack, lines if view is None else view),
            texts=tuple(line.text for line in lines if line.role == LineRole.CUSTOMER),
            schema=reply_schema(pack, only=only),
            salt=salt,
            index=1 + sum(line.role == LineRole.ASSISTANT for line in lines),
            only=only,
        )

    def fill(self) -> Fill:
        """A fresh state for one attempt."""
        return Fill(self.pack, self.locale, self.texts, only=self.only)

    def grounded(self) -> "Briefing":
        """The same with copied slots narrowed to the values that stand in the customer's words.

        For an attempt after an unlawful one: the grammar then makes an ungrounded or an endless copy impossible. It
        is not the first choice, because the narrowed schema must be compiled for this turn. A slot of a kind without
        a shape of its own cannot be listed and stays empty.
        """
        copied = {slot.name: slot for each in self.pack.offered for slot in each.asked if slot.type is SlotType.COPIED}
        lawful = {name: candidates(slot, self.texts) or [] for name, slot in copied.items()}
        return replace(self, schema=reply_schema(self.pack, only=self.only, candidates=lawful), narrowed=True)
