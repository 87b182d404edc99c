"""The audit log, for the operator."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from chat.auth import Operator
from chat.schemas.page import After, Limit, Page, page
from chat.services import Services, services_of

router = APIRouter(tags=["audit"])


class Entry(BaseModel):
    """`actor` is a login, a name or a command; nobody's words stand here."""

    id: str
    at: datetime
    actor: str
    action: str
    about: str | None
    address: str | None
    details: dict[str, Any]


@router.get("/audit")
async def audit(
    operator: Operator, services: Annotated[Services, Depends(services_of)], limit: Limit = 100, after: After = None
) -> Page[Entry]:
    """Entries, newest first. An operator of some sites only is shown none: accounts and sessions belong to no site."""
    if operator.sites is not None:
        return Page(data=[])
    async with services.store.read() as repo:
        entries = await repo.audit.list(limit=limit + 1, after=after)
    return page([Entry.model_validate(entry, from_attributes=True) for entry in entries], limit, "id")
