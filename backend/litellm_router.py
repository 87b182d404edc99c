"""LiteLLM's Router as plain transport: one deployment per replica, addressed by the replica's id.

Placement, retries and health are ours (`placement`, `replicas`), so everything of the kind is off here.
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from backend.errors import ConnectFailed
from backend.wire import WatchedTransport, Wire, watched

# Long past every deadline of ours, which therefore are the ones that act.
_NEVER_S = 600.0


class Served(Protocol):
    """Where each replica answers: id -> (HTTP root, name of the model that it serves)."""

    def served(self) -> Mapping[str, tuple[str, str]]: ...


class DirectRouter:
    """One LiteLLM Router for the process. Making one imports LiteLLM: about 5 s of CPU.

    `error` is the root of what LiteLLM raises for a failed call.
    """

    def __init__(self, replicas: Served, connect_s: float, stall_s: float) -> None:
        litellm = _import_litellm()
        import openai
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        self.error: type[Exception] = openai.OpenAIError
        self._replicas = replicas
        self._served: dict[str, tuple[str, str]] = {}
        self._transport = WatchedTransport(connect_s, stall_s)
        self._client = AsyncHTTPHandler(transport=self._transport)
        self._router = litellm.Router(model_list=[], num_retries=0, disable_cooldowns=True, timeout=_NEVER_S)

    async def open(self, wire: Wire, messages: Sequence[Mapping[str, str]], **options: Any) -> Any:
        """One upstream call to the wire's replica: LiteLLM's stream of chunks, with its first chunk already read.

        Raises what the transport noted on the wire, wrapped by LiteLLM, and ConnectFailed for an unknown replica.
        """
        self._follow()
        if wire.replica_id not in self._served:
            raise wire.fail(ConnectFailed(wire.replica_id, "not in service"))
        token = watched.set(wire)
        try:
            return await self._router.acompletion(
                model=wire.replica_id,
                messages=list(messages),
                client=self._client,
                num_retries=0,
                stream=True,
                stream_options={"include_usage": True},
                **options,
            )
        finally:
            watched.reset(token)

    async def close(self) -> None:
        await self._client.close()

    def _follow(self) -> None:
        served = dict(self._replicas.served())
        if served != self._served:
            self._router.set_model_list([_deployment(key, *where) for key, where in served.items()])
            self._served = served


def _deployment(replica_id: str, url: str, model: str) -> dict[str, Any]:
    params = {"model": f"hosted_vllm/{model}", "api_base": f"{url}/v1", "timeout": _NEVER_S}
    return {"model_name": replica_id, "litellm_params": params, "model_info": {"id": replica_id}}


def _import_litellm() -> Any:
    # Else the import asks the network for a price list, for up to 12 s.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    # A reply may rightly repeat a piece; how long it gets is max_tokens' business.
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = sys.maxsize
    # Its log lines quote what the engine said, and that may be the customer's words; our errors are logged by us.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm
