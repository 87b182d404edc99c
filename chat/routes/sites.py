"""What a site can say."""

from typing import Annotated

from fastapi import APIRouter, Depends

from chat.auth import Agent
from chat.schemas.page import Page
from chat.schemas.site import TemplateOut
from chat.services import Services, services_of
from chat.staff import site_templates

router = APIRouter(tags=["sites"])


@router.get("/sites/{key}/templates")
async def templates(key: str, agent: Agent, services: Annotated[Services, Depends(services_of)]) -> Page[TemplateOut]:
    """The approved templates that the site's pack offers."""
    return Page(data=await site_templates(services, agent, key))
