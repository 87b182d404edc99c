"""What a turn's engine calls are made of: the assembled prompt, and what the reply is checked against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prompts import Fill, Line, LineRole, Pack, assemble, turn_schema


@dataclass(frozen=True)
class Briefing:
    """`texts` are the customer's own messages as the engine reads them, newest last; `index` counts turns from 1.

    `only` are the templates to choose from when some of the pack are recalled, `is_strict` tells of `strict`.
    """

    pack: Pack
    locale: str
    messages: Sequence[Mapping[str, str]]
    texts: tuple[str, ...]
    schema: Mapping[str, Any]
    salt: str
    index: int
    only: frozenset[str] | None = None
    is_strict: bool = False

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
        texts = tuple(line.text for line in lines if line.role == LineRole.CUSTOMER)
        return cls(
            pack=pack,
            locale=locale,
            messages=assemble(pack, lines if view is None else view),
            texts=texts,
            schema=turn_schema(pack, texts, only=only),
            salt=salt,
            index=1 + sum(line.role == LineRole.ASSISTANT for line in lines),
            only=only,
        )

    def fill(self) -> Fill:
        """A fresh state for one attempt."""
        return Fill(self.pack, self.locale, self.texts, only=self.only)

    def strict(self) -> "Briefing":
        """The same for an attempt after an unlawful one: what cannot be listed, such as Chinese words, stays empty.

        The grammar then makes an ungrounded or an endless copy impossible.
        """
        schema = turn_schema(self.pack, self.texts, only=self.only, is_strict=True)
        return replace(self, schema=schema, is_strict=True)
