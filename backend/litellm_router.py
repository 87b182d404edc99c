"""LiteLLM's Router in front of the replicas: it resolves each attempt to a deployment and runs it under its rules.

One deployment per replica, addressed by the replica's id; the rules are that nothing is retried, sent elsewhere or
cooled down in there, because ranking, failover and health are ours (`placement`, `replicas`). What the Router does not
do is the call itself: `litellm.acompletion` would take each stream apart and put it together again, 0.3 to 0.4 ms of
CPU a chunk and 9 ms before the first one (`benchmarks/README.md`), and what it puts together would have to be
checked against what came: LiteLLM 1.109 skips unreadable lines and makes up a missing finish reason and usage.
"""

import logging
import os
from collections.abc import Mapping
from typing import Any, Protocol

from backend.errors import ConnectFailed
from backend.upstream import Answer, Upstream
from backend.wire import Wire

# The deployments' common name. They are asked for by id, and no id looks like this.
_GROUP = "replicas"
_PROVIDER = "hosted_vllm"


class Served(Protocol):
    """Where each replica answers: id -> (HTTP root, name of the model that it serves)."""

    def served(self) -> Mapping[str, tuple[str, str]]: ...


class DirectRouter:
    """One LiteLLM Router for the process. Making one imports LiteLLM: about 5 s of CPU."""

    def __init__(self, replicas: Served, connect_s: float) -> None:
        litellm = _import_litellm()
        import openai

        self._refused: type[Exception] = openai.OpenAIError
        self._replicas = replicas
        self._served: dict[str, tuple[str, str]] = {}
        self._upstream = Upstream(connect_s)
        self._router = litellm.Router(model_list=[], num_retries=0, disable_cooldowns=True)

    async def open(self, wire: Wire, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        """One Router call, one upstream call: the wire's replica begins to answer `body`.

        Raises an EngineError, noted on the wire too; ConnectFailed also for a replica that is not in service.
        """
        self._follow()
        if wire.replica_id not in self._served:
            raise wire.fail(ConnectFailed(wire.replica_id, "not in service"))
        answer: Answer | None = None

        # LiteLLM takes the function for one of its own endpoints by its name: this one must not look like any.
        async def post_to_replica(model: str, **request: Any) -> Answer:
            nonlocal answer
            deployment = await self._router.select(model, request)
            where = deployment["litellm_params"]
            named = {"model": where["model"].removeprefix(f"{_PROVIDER}/")}
            answer = await self._upstream.post(wire, f"{where['api_base']}/chat/completions", named | body, headers)
            return answer

        try:
            return await self._router.async_function_with_fallbacks(
                model=wire.replica_id, original_function=post_to_replica, num_retries=0, fallbacks=[]
            )
        except self._refused as fault:
            raise wire.fail(ConnectFailed(wire.replica_id, type(fault).__name__)) from fault
        except BaseException:
            if answer is not None:
                answer.close()
            raise

    async def close(self) -> None:
        await self._upstream.close()

    def _follow(self) -> None:
        served = dict(self._replicas.served())
        if served != self._served:
            self._router.set_model_list([_deployment(key, *where) for key, where in served.items()])
            self._served = served


def _deployment(replica_id: str, url: str, model: str) -> dict[str, Any]:
    params = {"model": f"{_PROVIDER}/{model}", "api_base": f"{url}/v1"}
    return {"model_name": _GROUP, "litellm_params": params, "model_info": {"id": replica_id}}


def _import_litellm() -> Any:
    # Else the import asks the network for a price list, for up to 12 s.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    # Its log lines may quote a request; our errors are logged by us.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm
