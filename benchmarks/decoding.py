"""One generation on a vLLM replica, timed by the token, for benchmarks."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
from httpx_sse import aconnect_sse

Moments = Mapping[str, Callable[[str], bool]]
"""By name: whether a moment has come, given the text so far."""


@dataclass
class Decoded:
    """Times in ms since the request was sent. `moments` is {name: (ms, tokens decoded by then)}.

    `tokens` were decoded; of `prompt_tokens`, `cached_tokens` were in the cache as far as the replica tells.
    """

    tokens: int = 0
    first_ms: float = 0.0
    whole_ms: float = 0.0
    moments: dict[str, tuple[float, int]] = field(default_factory=dict)
    prompt_tokens: int = 0
    cached_tokens: int = 0


async def decode(http: httpx.AsyncClient, url: str, body: Mapping[str, Any], moments: Moments) -> Decoded:
    """Stream one chat completion. A moment that never comes counts as the end. Raises httpx.HTTPError."""
    stream = {"stream": True, "stream_options": {"include_usage": True}, "return_token_ids": True, "temperature": 0}
    began, seen, text = time.perf_counter(), Decoded(), ""
    async with aconnect_sse(http, "POST", f"{url}/v1/chat/completions", json=dict(body) | stream) as source:
        source.response.raise_for_status()
        async for event in source.aiter_sse():
            if event.data == "[DONE]":
                break
            chunk = json.loads(event.data)
            for choice in chunk["choices"]:
                elapsed = (time.perf_counter() - began) * 1000
                seen.tokens += len(choice.get("token_ids") or ())
                text += choice["delta"].get("content") or ""
                if text:
                    seen.first_ms, seen.whole_ms = seen.first_ms or elapsed, elapsed
                for name, has_come in moments.items():
                    if name not in seen.moments and has_come(text):
                        seen.moments[name] = (elapsed, seen.tokens)
            if usage := chunk.get("usage"):
                seen.tokens, seen.prompt_tokens = usage["completion_tokens"], usage.get("prompt_tokens", 0)
                seen.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    for name in moments:
        seen.moments.setdefault(name, (seen.whole_ms, seen.tokens))
    return seen


async def served(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """What the replica says of itself: model, context, version."""
    card = (await http.get(f"{url}/v1/models")).raise_for_status().json()["data"][0]
    version = (await http.get(f"{url}/version")).raise_for_status().json()["version"]
    return {"model": card["id"], "max_model_len": card["max_model_len"], "vllm": version}


async def tokens_in(http: httpx.AsyncClient, url: str, model: str, text: str) -> int:
    """How many tokens the served model makes of a text."""
    answer = await http.post(f"{url}/tokenize", json={"model": model, "prompt": text, "add_special_tokens": False})
    return answer.raise_for_status().json()["count"]


def cpu_seconds(urls: list[str]) -> float | None:
    """CPU time that the replicas on this machine have used so far, workers included; None for replicas elsewhere."""
    ports = {str(urlsplit(url).port) for url in urls}
    found = [process for process in psutil.process_iter(["cmdline"]) if _serves(process.info["cmdline"] or [], ports)]
    if len(found) < len(ports):
        return None
    family = {one for process in found for one in (process, *process.children(recursive=True))}
    return sum(sum(one.cpu_times()[:2]) for one in family)


def _serves(argv: list[str], ports: set[str]) -> bool:
    return any(word.endswith("api_server") for word in argv) and any(
        name == "--port" and value in ports for name, value in pairwise(argv)
    )
