"""Puts the parts of a `web` process together, opens them and closes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from backend.engine import Engine, Timeouts
from backend.replicas import Replicas
from chat.addresses import TrustedProxies
from chat.limits import Limits
from chat.lookups import Lookups
from chat.packs import Packs
from chat.retention import keep_tidy
from chat.services import Services
from chat.settings import Settings
from chat.staff_keys import StaffKeys
from chat.streams import Streams
from chat.turns import TurnRunner
from chat.warm import Warmer
from sessions import Store
from telemetry import Telemetry, TelemetryConfig


def build(settings: Settings) -> Services:
    """Put the parts together; nothing is opened yet.

    `settings` come from `ensure_keys`. Raises prompts.PackError, LookupConfigError or ValueError (a database or a
    proxy that cannot be) for a configuration that cannot work.
    """
    if settings.secret is None:
        raise ValueError("PINDESK_SECRET is not set: it is made by ensure_keys")
    secret = settings.secret.get_secret_value().encode()
    telemetry = Telemetry(_telemetry_config(settings))
    store, packs = Store(settings.database_url), Packs.load()
    replicas = Replicas(settings.replica_urls)
    engine = Engine(replicas, _timeouts(settings))
    replicas.on_boot = Warmer(store, packs, engine, secret).warm
    services = Services(
        settings=settings,
        secret=secret,
        store=store,
        packs=packs,
        replicas=replicas,
        engine=engine,
        telemetry=telemetry,
        limits=Limits(settings, telemetry.metrics),
        lookups=Lookups(store, packs),
        keys=StaffKeys(settings),
        proxies=TrustedProxies(settings.trusted_proxies),
        streams=Streams(telemetry.metrics.open_streams),
    )
    services.runner = TurnRunner(services)
    return services


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Open every part, in the order in which they need each other, and close them the other way round."""
    async with AsyncExitStack() as stack:
        await services.telemetry.open()
        stack.push_async_callback(services.telemetry.close)
        await services.store.open()
        stack.push_async_callback(services.store.close)
        stack.push_async_callback(services.lookups.close)
        stack.push_async_callback(services.engine.close)
        await services.replicas.start()
        stack.push_async_callback(services.replicas.close)
        await services.runner.start()
        stack.push_async_callback(services.runner.stop)
        tidying = asyncio.create_task(keep_tidy(services.store, services.settings.retention), name="retention")
        stack.push_async_callback(_ended, tidying)
        stack.callback(services.streams.close)
        yield


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _timeouts(settings: Settings) -> Timeouts:
    return Timeouts(
        connect=settings.connect_timeout, first_token=settings.first_token_timeout, stall=settings.stall_timeout
    )


def _telemetry_config(settings: Settings) -> TelemetryConfig:
    return TelemetryConfig(
        database_url=settings.database_url, receiver_port=settings.otlp_port, retention=settings.trace_retention
    )
