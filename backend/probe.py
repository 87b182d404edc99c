"""Asking a replica how it is: its metrics, what it serves, and whether it can still speak.

vLLM's `/health` answers 200 while the engine hangs; a completion of one token does not lie.
"""

from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

_BOOT = "process_start_time_seconds"
_RUNNING = "vllm:num_requests_running"
_WAITING = "vllm:num_requests_waiting"
_KV_USAGE = "vllm:kv_cache_usage_perc"


class ProbeFailed(Exception):
    """No usable answer. `refused`: nobody listens there, which needs no second opinion."""

    def __init__(self, detail: str, refused: bool = False) -> None:
        super().__init__(detail)
        self.refused = refused


@dataclass(frozen=True)
class Vitals:
    """`boot_id` tells one boot of a replica from another; the counts are the engine's own, over all its clients."""

    boot_id: str
    running: int
    waiting: int
    kv_usage: float


class Probe:
    """`timeout_s` bounds each question but the proof of life, which waits in the engine's queue with everyone else."""

    def __init__(self, timeout_s: float = 2.0, proof_timeout_s: float = 5.0) -> None:
        self._client = httpx.AsyncClient(trust_env=False, timeout=timeout_s)
        self._proof_timeout_s = proof_timeout_s

    async def vitals(self, url: str) -> Vitals:
        """Raises ProbeFailed."""
        return parse_vitals((await self._ask("GET", f"{url}/metrics")).text)

    async def served_model(self, url: str) -> str:
        """The name to ask for. Raises ProbeFailed."""
        try:
            return (await self._ask("GET", f"{url}/v1/models")).json()["data"][0]["id"]
        except (ValueError, LookupError, TypeError) as fault:
            raise ProbeFailed("/v1/models names no model") from fault

    async def proof_of_life(self, url: str, model: str) -> None:
        """Have one token decoded. Raises ProbeFailed."""
        body = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
        await self._ask("POST", f"{url}/v1/chat/completions", json=body, timeout=self._proof_timeout_s)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, url: str, **options: object) -> httpx.Response:
        try:
            response = await self._client.request(method, url, **options)  # type: ignore[arg-type]
            return response.raise_for_status()
        except httpx.HTTPError as fault:
            raise ProbeFailed(type(fault).__name__, isinstance(fault, httpx.ConnectError)) from fault


def parse_vitals(text: str) -> Vitals:
    """Read Prometheus text; several engines behind one server are summed, of the KV use the fullest counts.

    Raises ProbeFailed where the boot's time is missing: without it a restart would go unnoticed.
    """
    found: dict[str, list[float]] = {_BOOT: [], _RUNNING: [], _WAITING: [], _KV_USAGE: []}
    # Of some thousand lines of histograms four matter, and this runs every second for every replica.
    wanted = "\n".join(line for line in text.splitlines() if line.startswith(tuple(found)))
    for family in text_string_to_metric_families(wanted + "\n"):
        for sample in family.samples:
            found.get(sample.name, []).append(sample.value)
    if not found[_BOOT]:
        raise ProbeFailed(f"no {_BOOT} in /metrics")
    kv_usage = max(found[_KV_USAGE], default=0.0)
    return Vitals(f"{found[_BOOT][0]:.2f}", int(sum(found[_RUNNING])), int(sum(found[_WAITING])), kv_usage)
