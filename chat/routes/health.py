"""Alive, ready, and the figures."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from chat.auth import bearer, identify, require
from chat.errors import Away
from chat.gauges import refresh
from chat.readiness import unready
from chat.schemas.health import Health
from chat.services import Services, services_of
from sessions import Scope
from telemetry.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])
With = Annotated[Services, Depends(services_of)]


@router.get("/livez")
async def livez() -> Health:
    """The process answers."""
    return Health()


@router.get("/readyz")
async def readyz(services: With) -> Health:
    """Customers can be served; 503 says in words why not."""
    if reason := await unready(services):
        raise Away(reason, code="not_ready")
    return Health()


@router.get("/metrics")
async def metrics(request: Request, services: With) -> Response:
    """Prometheus text. Without a key only for this machine."""
    if not services.proxies.is_loopback(request.scope):
        require(await identify(services, bearer(request)), Scope.OPERATOR)
    await refresh(services)
    return Response(services.telemetry.metrics.render(), headers={"Content-Type": CONTENT_TYPE})
