"""Puts the parts of a `web` process together, opens them and closes them."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from backend.discovery import Look, behind_name, in_file, keep_following
from backend.engine import Engine, Timeouts
from backend.replicas import Replicas
from chat.addresses import TrustedProxies
from chat.draining import keep_drained
from chat.inference import Inference
from chat.languages import model_languages
from chat.limits import Limits
from chat.lookups import Lookups
from chat.packs import Packs
from chat.pins import OwnPins, SharedPins
from chat.retention import keep_tidy
from chat.services import Services
from chat.settings import Settings
from chat.signin.oidc import Oidc
from chat.signin.sessions import lifetime
from chat.staff_keys import StaffKeys
from chat.streams import Streams
from chat.think_time import ThinkTime
from chat.turns import TurnRunner, record_missing, trace_ended
from chat.warm import Warmer
from chat.webhooks import Sender
from sessions import Store
from telemetry import Telemetry, TelemetryConfig
from telemetry.sampling import Sampling


def build(settings: Settings) -> Services:
    """Put the parts together; nothing is opened yet.

    `settings` come from `ensure_keys`. Raises SettingsError or ValueError (a database or a proxy that cannot be) for
    a configuration that cannot work.
    """
    if settings.secret is None:
        raise ValueError("PINDESK_SECRET is not set: it is made by ensure_keys")
    secret, proxies = settings.secret.get_secret_value().encode(), TrustedProxies(settings.trusted_proxies)
    telemetry = Telemetry(_telemetry_config(settings))
    store = Store(settings.database_url)
    store.on_ended = partial(trace_ended, telemetry, Path(settings.model).name)
    packs = Packs(store, settings.packs_dir)
    replicas = Replicas(settings.replica_urls)
    engine = Engine(replicas, _timeouts(settings))
    warmer = Warmer(store, packs, replicas, engine, secret)
    replicas.on_boot, packs.warm = warmer.warm, warmer.warm_pack
    keys, pins = StaffKeys(settings), SharedPins(OwnPins(settings.session_pins), store)
    services = Services(
        settings=settings,
        secret=secret,
        store=store,
        packs=packs,
        replicas=replicas,
        engine=engine,
        pins=pins,
        telemetry=telemetry,
        limits=Limits(settings, telemetry.metrics),
        lookups=Lookups(store),
        keys=keys,
        oidc=Oidc(settings, secret),
        languages=model_languages(settings),
        proxies=proxies,
        streams=Streams(telemetry.metrics.open_streams),
        inference=Inference(settings, store, pins, keys, secret, replicas, engine, telemetry),
    )
    services.runner, services.think_time = TurnRunner(services), ThinkTime(services)
    return services


@asynccontextmanager
async def running(services: Services) -> AsyncIterator[None]:
    """Open every part, in the order in which they need each other, and close them the other way round."""
    async with AsyncExitStack() as stack:
        await services.telemetry.open()
        stack.push_async_callback(services.telemetry.close)
        await services.store.open()
        stack.push_async_callback(services.store.close)
        await services.packs.open()
        stack.push_async_callback(services.lookups.close)
        stack.push_async_callback(services.engine.close)
        await services.replicas.start()
        stack.push_async_callback(services.replicas.close)
        await services.runner.start()
        stack.push_async_callback(services.runner.stop)
        stack.push_async_callback(services.think_time.close)
        for name, loop in _loops(services).items():
            stack.push_async_callback(_ended, asyncio.create_task(loop, name=name))
        stack.callback(services.streams.close)
        yield


def _loops(services: Services) -> dict[str, Coroutine[Any, Any, None]]:
    """What runs beside the requests, by name."""
    settings = services.settings
    kept = {"audit": settings.audit_retention, "sessions": lifetime(settings)}
    tidying = keep_tidy(services.store, services.limits, settings.retention, **kept)
    loops = {"packs": services.packs.run(), "retention": tidying, "drain": keep_drained(services)}
    loops |= {"webhooks": _sender(services).run(), "missing traces": record_missing(services)}
    look = _source(settings)
    return loops | {"discovery": keep_following(services.replicas, look)} if look else loops


def _sender(services: Services) -> Sender:
    settings, metrics = services.settings, services.telemetry.metrics
    private = settings.webhook_private_targets
    return Sender(services.store, metrics, timeout=settings.webhook_timeout, private=private)


def _source(settings: Settings) -> Look | None:
    """Where replicas are looked for again and again; None where the list is fixed."""
    if settings.replicas_file:
        return in_file(settings.replicas_file)
    return behind_name(settings.replicas_dns) if settings.replicas_dns else None


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
        database_url=settings.database_url,
        receiver_port=settings.otlp_port,
        retention=settings.trace_retention,
        sampling=Sampling(settings.trace_share, settings.slow_turn.total_seconds() * 1000),
    )
