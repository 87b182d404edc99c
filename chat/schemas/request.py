"""What all request bodies share."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A body whose unknown fields are refused by name, so that a misspelt one is never silently ignored."""

    model_config = ConfigDict(extra="forbid")


class Nothing(RequestBody):
    """A call that needs no words; an empty object or no body at all."""
