"""The web application: the API under `/api/v1`, OpenAI's under `/v1`, health at the root, the browser chat at `/`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from chat import browser, panel, problems, widget
from chat import operator as operator_page
from chat.assembly import build, running
from chat.body_limit import BodyLimit
from chat.bypass import Bypass
from chat.edge import Edge
from chat.envelopes import OPENAI_PREFIX
from chat.routes import (
    agent,
    assist,
    audit,
    conversations,
    events,
    health,
    messages,
    oidc,
    operator,
    persons,
    replicas,
    session,
    sites,
    turns,
    webhooks,
)
from chat.routes.inference import inference_app
from chat.services import Services
from chat.settings import Settings

API_BODY_BYTES = 128 * 1024
"""Room for a text ten times too long, so that its sender is told the limit and not only that it was too much."""
PAGE_BODY_BYTES = 2 * 1024 * 1024
"""Gradio's page sends the whole transcript that it shows with every event."""


def create_app(settings: Settings) -> FastAPI:
    """Build the application; nothing is opened before its lifespan begins.

    Raises what `assembly.build` raises for a configuration that cannot work.
    """
    services = build(settings)
    app = FastAPI(
        lifespan=_lifespan,
        telemetry=_OFF,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    # No origin is allowed. Set here, because Gradio otherwise reflects any origin, with credentials.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(BodyLimit, max_bytes=PAGE_BODY_BYTES)
    app.add_middleware(Bypass, prefix=OPENAI_PREFIX, to=BodyLimit(inference_app(services), PAGE_BODY_BYTES))
    app.add_middleware(Edge)
    problems.install(app)
    app.include_router(health.router)
    app.include_router(oidc.router)
    app.mount("/api/v1", _api(services))
    widget.mount(app)
    panel.mount(app)
    operator_page.mount(app)
    browser.mount(app, services)
    return app


# Our own spans carry the turn; FastAPI's would add one for every request and copy exceptions' words into logs.
_OFF = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}


def _api(services: Services) -> FastAPI:
    # An application of its own, so that its 404 and 405 are ours and not the browser chat's, which is mounted at /.
    api = FastAPI(
        title="Pindesk", version="1", telemetry=_OFF, openapi_url="/openapi.json", docs_url=None, redoc_url=None,
        redirect_slashes=False,
    )  # fmt: skip
    api.state.services = services
    api.add_middleware(BodyLimit, max_bytes=API_BODY_BYTES)
    problems.install(api)
    for part in (
        conversations,
        turns,
        events,
        messages,
        persons,
        agent,
        sites,
        replicas,
        operator,
        session,
        audit,
        assist,
        webhooks,
    ):
        api.include_router(part.router)
    api.include_router(health.router, include_in_schema=False)
    return api


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with running(app.state.services):
        yield
