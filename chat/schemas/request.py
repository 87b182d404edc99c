"""What all request bodies share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

KEY_PATTERN = r"^[\x21-\x7e]{1,100}$"
"""Ids and keys, ours and those that clients make: visible ASCII."""


class RequestBody(BaseModel):
    """A body whose unknown fields are refused by name, so that a misspelt one is never silently ignored."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        # JSON can write half a surrogate pair, which no database and no other JSON reader takes.
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError("a character is cut in half")
        return value


class Nothing(RequestBody):
    """A call that needs no words; an empty object or no body at all."""
