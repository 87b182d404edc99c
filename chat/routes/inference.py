"""The OpenAI-compatible endpoint. Plain Starlette: FastAPI's way to a handler costs more than ours behind it."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chat import problems
from chat.auth import bearer
from chat.errors import Away, Missing
from chat.inference import Inference
from chat.inference.asked import read
from chat.inference.reply import Reply
from chat.inference.tenants import SITE_HEADER, Tenant
from chat.services import Services
from telemetry.propagation import TraceParent, parse


def inference_app(services: Services) -> Starlette:
    """The application that serves `/v1/`, with OpenAI's error shape."""
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models, methods=["GET"]),
            Route("/v1/models/{model:path}", model, methods=["GET"]),
        ]
    )
    app.state.services = services
    app.router.redirect_slashes = False
    problems.install(app)
    return app


async def complete(request: Request) -> Reply:
    """A chat completion, streamed or whole. The caller's `traceparent` is continued, because the caller is known."""
    services: Services = request.app.state.services
    tenant = await _tenant(services.inference, request)
    asked = read(await request.body())
    served = services.inference.models
    if not served:
        raise Away("No replica is ready.", code="no_replica")
    if asked.model not in served:
        raise Missing(f"The model {asked.model!r} is not served here.", code="model_not_found", field="model")
    session = next(filter(None, map(request.headers.get, services.settings.session_headers)), None)
    return Reply(services.inference.begin(tenant, asked, session, _parent(request)))


async def models(request: Request) -> JSONResponse:
    """The models that the replicas serve."""
    inference: Inference = request.app.state.services.inference
    await _tenant(inference, request)
    return JSONResponse({"object": "list", "data": [_card(inference, name) for name in inference.models]})


async def model(request: Request) -> JSONResponse:
    """One of them."""
    inference: Inference = request.app.state.services.inference
    await _tenant(inference, request)
    name = request.path_params["model"]
    if name not in inference.models:
        raise Missing(f"The model {name!r} is not served here.", code="model_not_found", field="model")
    return JSONResponse(_card(inference, name))


async def _tenant(inference: Inference, request: Request) -> Tenant:
    credentials = bearer(request)
    return await inference.tenants.of(credentials[0] if credentials else None, request.headers.get(SITE_HEADER))


def _parent(request: Request) -> TraceParent:
    own = request.state.trace_id
    return parse(request.headers.get("traceparent")) or TraceParent(own, own[:16])


def _card(inference: Inference, name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": inference.started_at, "owned_by": "pindesk"}
