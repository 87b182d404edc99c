"""Where people of the staff go on to when they have signed in: one of our own pages, never an address of anybody's."""

from enum import StrEnum


class Landing(StrEnum):
    """The value is the page's path."""

    AGENT = "agent"
    OPERATOR = "operator"

    @property
    def title(self) -> str:
        return {Landing.AGENT: "Agent panel", Landing.OPERATOR: "Operator page"}[self]
