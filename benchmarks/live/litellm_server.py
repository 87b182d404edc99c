"""LiteLLM's own `session_affinity` behind an OpenAI-style address: a peer, in a process of its own."""

import argparse
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from backend.replica import SERVED_MODEL

_PIN_S = 3600


def router(urls: list[str]) -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    deployments = [
        {
            "model_name": SERVED_MODEL,
            "litellm_params": {"model": f"hosted_vllm/{SERVED_MODEL}", "api_base": f"{url}/v1", "api_key": "none"},
            "model_info": {"id": f"r{number}"},
        }
        for number, url in enumerate(urls)
    ]
    checks = ["session_affinity"]
    return litellm.Router(
        model_list=deployments, optional_pre_call_checks=checks, deployment_affinity_ttl_seconds=_PIN_S, num_retries=2
    )


def application(urls: list[str]) -> Starlette:
    route = router(urls)

    async def complete(request: Request) -> Response:
        body = await request.json()
        own = {name: body.pop(name) for name in ("min_tokens", "ignore_eos") if name in body}
        session = {"session_id": request.headers.get("x-session-id")}
        stream = await route.acompletion(**body, metadata=session, extra_body=own)
        headers = {"X-Replica": stream._hidden_params["model_id"]}
        return StreamingResponse(_events(stream), media_type="text/event-stream", headers=headers)

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": SERVED_MODEL, "object": "model"}]})

    return Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"]), Route("/v1/models", models)])


async def _events(stream: Any) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield b"data: " + json.dumps(chunk.model_dump(exclude_none=True), separators=(",", ":")).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("urls", nargs="+")
    options = parser.parse_args()
    uvicorn.run(application(options.urls), host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
