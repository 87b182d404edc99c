"""What the operator page shows, for programs, too."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from chat import figures as reading
from chat.auth import Operator
from chat.figures import Period
from chat.schemas.figures import FiguresOut
from chat.schemas.request import KEY_PATTERN
from chat.services import Services, services_of

router = APIRouter(prefix="/operator", tags=["operator"])


@router.get("/figures")
async def figures(
    operator: Operator,
    services: Annotated[Services, Depends(services_of)],
    period: Annotated[Period, Query(description="Whole days, the present one with them.")] = Period.TODAY,
    site: Annotated[str | None, Query(pattern=KEY_PATTERN, description="Only this site; else all of yours.")] = None,
    zone: Annotated[str, Query(max_length=100, description="Time zone whose days are meant.")] = "UTC",
) -> FiguresOut:
    """Conversations, resolution and handoff rates, times to first text, cached share, replies by template."""
    return await reading.figures(services, operator, period, site, zone)
