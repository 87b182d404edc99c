"""The endpoint's parts in one `web` process: who may ask, where sessions lie, what is served."""

import time

from backend.engine import Engine
from backend.replicas import Replicas
from chat.inference.asked import Asked
from chat.inference.completion import Completion
from chat.inference.tenants import Tenant, Tenants, session_key
from chat.inference.trace import RequestTrace
from chat.pins import SharedPins
from chat.settings import Settings
from chat.staff_keys import StaffKeys
from sessions import Store
from telemetry import Telemetry
from telemetry.propagation import TraceParent


class Inference:
    """`tenants` tells whose a request is; `begin` makes it a completion."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        pins: SharedPins,
        keys: StaffKeys,
        secret: bytes,
        replicas: Replicas,
        engine: Engine,
        telemetry: Telemetry,
    ) -> None:
        self.tenants = Tenants(store, keys, secret)
        self.started_at = int(time.time())
        self._attempts = settings.max_attempts
        self._pins, self._replicas, self._engine, self._telemetry = pins, replicas, engine, telemetry

    @property
    def models(self) -> list[str]:
        """Names of the models that the replicas serve."""
        return sorted({model for _, model in self._replicas.served().values()})

    def begin(self, tenant: Tenant, asked: Asked, session: str | None, parent: TraceParent) -> Completion:
        """`session` is the client's own name for it, `parent` the span that asks."""
        key = session_key(tenant, session, "" if session else asked.opening)
        trace = RequestTrace(self._telemetry, parent, asked, tenant.site, key.hex())
        return Completion(self._replicas, self._engine, self._pins, trace, tenant, asked, key, self._attempts)
