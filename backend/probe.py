"""Asking a replica how it is: its metrics, what it serves, and whether it can still speak.

vLLM's `/health` answers 200 while the engine hangs; a completion of one token does not lie.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

_BOOT = "process_start_time_seconds"
_RUNNING = "vllm:num_requests_running"
_WAITING = "vllm:num_requests_waiting"
_KV_USAGE = "vllm:kv_cache_usage_perc"
_PROMPTS = "vllm:prompt_tokens_total"
_DECODED = "vllm:generation_tokens_total"
_CACHE = "vllm:cache_config_info"
_WANTED = (_BOOT, _RUNNING, _WAITING, _KV_USAGE, _PROMPTS, _DECODED, _CACHE)


class ProbeFailed(Exception):
    """No usable answer. `refused`: nobody listens there, which needs no second opinion."""

    def __init__(self, detail: str, refused: bool = False) -> None:
        super().__init__(detail)
        self.refused = refused


@dataclass(frozen=True)
class Vitals:
    """`boot_id` tells one boot of a replica from another; the counts are the engine's own, over all its clients.

    `served_tokens` were read and written since the boot (prompts and replies), `capacity_tokens` is what the cache of
    prefixes holds; 0 where the engine does not say.
    """

    boot_id: str
    running: int
    waiting: int
    kv_usage: float
    served_tokens: float = 0.0
    capacity_tokens: float = 0.0


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
    samples: dict[str, list[Sample]] = {name: [] for name in _WANTED}
    # Of some thousand lines of histograms these matter, and this runs every second for every replica.
    wanted = "\n".join(line for line in text.splitlines() if line.startswith(_WANTED))
    for family in text_string_to_metric_families(wanted + "\n"):
        for sample in family.samples:
            samples.get(sample.name, []).append(sample)
    if not samples[_BOOT]:
        raise ProbeFailed(f"no {_BOOT} in /metrics")
    return Vitals(
        boot_id=f"{samples[_BOOT][0].value:.2f}",
        running=int(_total(samples[_RUNNING])),
        waiting=int(_total(samples[_WAITING])),
        kv_usage=max((sample.value for sample in samples[_KV_USAGE]), default=0.0),
        served_tokens=_total(samples[_PROMPTS]) + _total(samples[_DECODED]),
        capacity_tokens=sum(_capacity(sample.labels) for sample in samples[_CACHE]),
    )


def _total(samples: Iterable[Sample]) -> float:
    return sum(sample.value for sample in samples)


def _capacity(labels: Mapping[str, str]) -> float:
    """Tokens that the cache of one engine holds; 0 where its blocks are not told."""
    try:
        return float(labels["num_gpu_blocks"]) * float(labels["block_size"])
    except (KeyError, ValueError):
        return 0.0
