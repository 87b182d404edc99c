"""With a model at hand: which templates it confuses, and what the pack costs on the replica that serves it.

Speaks to vLLM's OpenAI server directly, because an author's question needs no routing.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from prompts.assemble import Line, LineRole, assemble, prompt_form
from prompts.catalogue import system_prompt
from prompts.characters import one_line
from prompts.figures import Figures
from prompts.grammar import Grammar
from prompts.pack import Pack
from prompts.probes import probes
from prompts.schema import Schema, reply_schema

AT_ONCE = 4
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Confusion:
    """Probes of `template` that the model answers with `other`, out of `asked`."""

    template: str
    other: str
    probes: tuple[str, ...]
    asked: int

    def __str__(self) -> str:
        quoted = ", ".join(f'"{probe}"' for probe in self.probes)
        return f"{self.template} is taken for {self.other} in {len(self.probes)} of {self.asked} probes: {quoted}"


@dataclass(frozen=True)
class Examined:
    """What a replica says of a pack. `context_tokens` is what it serves."""

    figures: Figures
    context_tokens: int
    confusions: tuple[Confusion, ...]


def examine(pack: Pack, url: str) -> Examined:
    """Ask the replica at the HTTP root `url`. Raises httpx.HTTPError."""
    return asyncio.run(_examine(pack, url))


async def _examine(pack: Pack, url: str) -> Examined:
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, limits=limits, trust_env=False) as http:
        card = (await http.get("/v1/models")).raise_for_status().json()["data"][0]
        model = card["id"]
        counted = await http.post("/tokenize", json={"model": model, "prompt": system_prompt(pack)})
        tokens, grammar = counted.raise_for_status().json()["count"], await _grammar(http, model, pack)
        return Examined(
            figures=Figures(len(pack.offered), prompt_tokens=tokens, counted=True, grammar=grammar),
            context_tokens=card["max_model_len"],
            confusions=() if grammar.refused else tuple(await _confusions(http, model, pack)),
        )


async def _grammar(http: httpx.AsyncClient, model: str, pack: Pack) -> Grammar:
    """What the first use of the reply's schema costs more than the second, or what the replica refuses of it."""
    if await _refusal(http, model, pack, reply_schema(pack)) is not None:
        parts = {template.id: reply_schema(pack, only={template.id}) for template in pack.offered}
        whys = {name: await _refusal(http, model, pack, part) for name, part in parts.items()}
        return Grammar(refused={name: why for name, why in whys.items() if why is not None})
    # A title that nobody has sent before, so that neither the engine nor this command has the grammar yet.
    schema = reply_schema(pack) | {"title": uuid4().hex}
    times = []
    for _ in range(2):
        began = time.perf_counter()
        await _complete(http, model, pack, "Hello", schema, 1)
        times.append(time.perf_counter() - began)
    return Grammar(max(0.0, times[0] - times[1]) * 1000)


async def _refusal(http: httpx.AsyncClient, model: str, pack: Pack, schema: Schema) -> str | None:
    """Why the replica does not take a schema; None if it does."""
    try:
        await _complete(http, model, pack, "Hello", schema, 1)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.BAD_REQUEST:
            raise
        return one_line(error.response.text)[:200]
    return None


async def _confusions(http: httpx.AsyncClient, model: str, pack: Pack) -> list[Confusion]:
    """The confused pairs, the worst first."""
    asked = {template.id: probes(template) for template in pack.offered}
    pairs = [(template, probe) for template, texts in asked.items() for probe in texts]
    schema = _choice_schema(pack)
    gate = asyncio.Semaphore(AT_ONCE)

    async def choice(probe: str) -> str:
        async with gate:
            return json.loads(await _complete(http, model, pack, probe, schema, 60))["template"]

    chosen = await asyncio.gather(*(choice(probe) for _, probe in pairs))
    confused: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (template, probe), other in zip(pairs, chosen, strict=True):
        if other != template:
            confused[template, other].append(probe)
    found = [Confusion(*names, tuple(texts), len(asked[names[0]])) for names, texts in confused.items()]
    return sorted(found, key=lambda each: (-len(each.probes) / each.asked, each.template))


def _choice_schema(pack: Pack) -> Schema:
    """The beginning of a reply: action and template, as the engine decides them in a whole one."""
    branches = [
        {
            "type": "object",
            "properties": {"action": {"const": template.action.value}, "template": {"const": template.id}},
            "required": ["action", "template"],
            "additionalProperties": False,
        }
        for template in pack.offered
    ]
    return {"anyOf": branches}


async def _complete(
    http: httpx.AsyncClient, model: str, pack: Pack, text: str, schema: Mapping[str, Any], max_tokens: int
) -> str:
    answer = await http.post(
        "/v1/chat/completions",
        json={
            "model": model,
            "messages": assemble(pack, [Line(LineRole.CUSTOMER, prompt_form(text))]),
            "structured_outputs": {"json": schema},
            "max_tokens": max_tokens,
            "temperature": 0,
        },
    )
    return answer.raise_for_status().json()["choices"][0]["message"]["content"]
