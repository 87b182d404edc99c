"""How the page's calls reach our functions: Gradio's component server, with refusals as data."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

import gradio as gr
from pydantic import ValidationError

from chat.errors import ApiError
from chat.problems import from_store
from chat.schemas.request import RequestBody
from chat.services import Services
from sessions import StoreError

Body = TypeVar("Body", bound=RequestBody)
Answer = dict[str, Any]
Action = Callable[[Services, Body, str], Awaitable[Answer]]


def exposed(
    name: str, services: Services, body_type: type[Body], action: Action[Body]
) -> Callable[..., Awaitable[Answer]]:
    """`action` as a function of Gradio's bridge, where the page calls `server.<name>(body)`.

    A refusal is the answer `{refused: {code, retry_after_s?, limit?}}`; the page has the sentence for it.
    """

    async def call(data: Any, request: gr.Request) -> Answer:
        try:
            address = services.proxies.client_address(request.scope)
            return await action(services, body_type.model_validate(data), address)
        except ValidationError:
            return {"refused": {"code": "invalid_field"}}
        except StoreError as error:
            return _refused(from_store(error))
        except ApiError as error:
            return _refused(error)

    call.__name__ = name
    return call


def _refused(error: ApiError) -> Answer:
    told: Answer = {"code": "unavailable" if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else error.code}
    if "Retry-After" in error.headers:
        told["retry_after_s"] = int(error.headers["Retry-After"])
    if "limit" in error.more:
        told["limit"] = error.more["limit"]
    return {"refused": told}
