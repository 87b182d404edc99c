"""Lists and how they are read on."""

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from chat.schemas.request import KEY_PATTERN

Item = TypeVar("Item")

MAX_PAGE = 200
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Longest list wanted.")]
After = Annotated[str | None, Query(pattern=KEY_PATTERN, description="`next` of the list before.")]
MAX_SEQ = 2**31 - 1
AfterSeq = Annotated[int, Query(ge=0, le=MAX_SEQ, description="Only what came after this seq.")]


class Page(BaseModel, Generic[Item]):
    """`next` is the `after` of the following page, null on the last one."""

    data: list[Item]
    next: str | None = None


def page(data: list[Item], limit: int, key: str) -> Page[Item]:
    """A page whose `next` is the last row's `key`; `data` may be one longer than `limit`: then there is more."""
    shown = data[:limit]
    return Page(data=shown, next=str(getattr(shown[-1], key)) if len(data) > limit else None)
