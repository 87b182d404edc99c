"""One streamed completion as a load generator sees it: cheap to read, because it shares two cores with the rest."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

# A token, be it one without text; the chunk that only tells the role is none.
_TOKEN = re.compile(rb'"content":\s*"[^"]|"delta":\s*\{"content"')
_USAGE = re.compile(rb'"usage":\s*\{')


@dataclass
class Reply:
    """`ttft_ms` and `total_ms` from the moment of sending, None where there was none.

    `replica` is what the router told, `fingerprint` how the engine itself has signed.

    `token_s` are the moments of the chunks with a token, by the clock of `time.perf_counter`.
    """

    ttft_ms: float | None = None
    total_ms: float | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    replica: str | None = None
    fingerprint: str | None = None
    failure: str = ""
    token_s: list[float] = field(default_factory=list)


async def complete(
    http: aiohttp.ClientSession, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Reply:
    """Send one request to an OpenAI-style server and read its stream to the end; a failure is told, not raised."""
    reply, began = Reply(), time.perf_counter()
    try:
        async with http.post(f"{url}/v1/chat/completions", json=body, headers=headers) as response:
            reply.replica = response.headers.get("X-Replica")
            if response.status != 200:
                reply.failure = f"HTTP {response.status}"
                return reply
            async for line in response.content:
                _take(reply, line, began)
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        reply.failure = type(fault).__name__
        return reply
    reply.total_ms = (time.perf_counter() - began) * 1000
    if not reply.completion_tokens:
        reply.failure = "the stream ended without usage"
    return reply


def request(
    messages: Sequence[Mapping[str, str]], model: str, tokens: int, cache_salt: str | None = None
) -> dict[str, Any]:
    """A body that has exactly so many tokens decoded."""
    body: dict[str, Any] = {"model": model, "messages": list(messages), "temperature": 0, "stream": True}
    body |= {"max_tokens": tokens, "min_tokens": tokens, "ignore_eos": True}
    body |= {"stream_options": {"include_usage": True}}
    return body | ({"cache_salt": cache_salt} if cache_salt else {})


def _take(reply: Reply, line: bytes, began: float) -> None:
    """Only the chunk with the usage is parsed; of the others it is enough that they carry a token."""
    if _USAGE.search(line):
        chunk = orjson.loads(line[line.index(b"{") :])
        reply.fingerprint, usage = chunk.get("system_fingerprint"), chunk["usage"]
        reply.prompt_tokens, reply.completion_tokens = usage["prompt_tokens"], usage["completion_tokens"]
        reply.cached_tokens = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    elif _TOKEN.search(line):
        reply.token_s.append(time.perf_counter())
        if reply.ttft_ms is None:
            reply.ttft_ms = (reply.token_s[0] - began) * 1000
