"""Facts that no model may make up: looked up while the engine still writes, under a time limit, with one retry.

A lookup is a Python callable (`async def f(store, *, order_id) -> Mapping | None`) or an HTTP JSON endpoint. None, or
a 404, means that there is nothing under these arguments; everything else that is not the declared answer is a failure.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from string import Formatter
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from prompts import Lookup, LookupCall, LookupOutcome, Pack, check_callable, checked_facts, function_of
from prompts.callables import Source
from sessions import Store

log = structlog.get_logger(__name__)

TRIES = 2


@dataclass(frozen=True)
class LookupAnswer:
    """`facts` holds exactly what the pack declares, dates as ISO 8601 days; empty unless found."""

    outcome: LookupOutcome
    facts: Mapping[str, Any] = field(default_factory=dict)


def check_lookups(pack: Pack) -> None:
    """Raises LookupConfigError for a pack whose lookups could not be made."""
    for lookup in pack.lookups.values():
        check_callable(lookup)


class Lookups:
    """Makes the lookups of all packs, with one HTTP client for their endpoints."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._http = httpx.AsyncClient(headers={"Accept": "application/json"}, follow_redirects=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, pack: Pack, call: LookupCall) -> LookupAnswer:
        """Ask the source, twice at most. Whatever it does wrong is the outcome `failed`, never an exception."""
        lookup = pack.lookups[call.name]
        for attempt in range(1, TRIES + 1):
            try:
                async with asyncio.timeout(lookup.timeout.total_seconds()):
                    found = await self._source(lookup)(**call.args)
                return _answer(lookup, found)
            except Exception as error:
                # Another company's server or a function that is not ours: the customer gets the fall-back.
                log.warning("lookup_failed", lookup=call.name, error_type=type(error).__name__, attempt=attempt)
        return LookupAnswer(LookupOutcome.FAILED)

    def _source(self, lookup: Lookup) -> Source:
        """Raises LookupConfigError, as it may for a version of a pack that is older than this program."""
        if lookup.url is not None:
            return partial(_fetch, self._http, lookup.url)
        return partial(function_of(str(lookup.callable)), self._store)


def _answer(lookup: Lookup, found: Mapping[str, Any] | None) -> LookupAnswer:
    """Raises ValueError or TypeError when the answer is not what the pack declares."""
    if found is None:
        return LookupAnswer(LookupOutcome.NOT_FOUND)
    if not isinstance(found, Mapping):
        raise TypeError("not a JSON object")
    return LookupAnswer(LookupOutcome.FOUND, checked_facts(lookup, found))


async def _fetch(http: httpx.AsyncClient, url: str, **arguments: str) -> Mapping[str, Any] | None:
    address, query = address_of(url, arguments)
    answer = await http.get(address, params=query or None)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    return answer.raise_for_status().json()


def address_of(url: str, arguments: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Arguments that the address names (`/orders/{order_id}`) go there, percent-encoded; the others are its query."""
    named = {name for _, name, _, _ in Formatter().parse(url) if name}
    address = url.format(**{name: quote(arguments[name], safe="") for name in named})
    return address, {name: value for name, value in arguments.items() if name not in named}


async def order_status(store: Store, *, order_id: str) -> dict[str, Any] | None:
    """The demo shop's order book."""
    async with store.read() as repo:
        order = await repo.orders.get(order_id)
    return order.model_dump() if order else None
