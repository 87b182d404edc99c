"""Everything a request or a background task needs, as one value that is handed around."""

from dataclasses import dataclass, field
from typing import Protocol

from fastapi import Request

from backend.engine import Engine
from backend.replicas import Replicas
from chat.addresses import TrustedProxies
from chat.inference import Inference
from chat.limits import Limits
from chat.lookups import Lookups
from chat.packs import Packs
from chat.pins import SharedPins
from chat.settings import Settings
from chat.signin.oidc import Oidc
from chat.staff_keys import StaffKeys
from chat.streams import Streams
from prompts import Pack
from sessions import Store
from telemetry import Telemetry


class Runner(Protocol):
    """What answers customers' turns; `chat.turns`, which needs everything here, has it."""

    @property
    def running(self) -> int:
        """Turns that this process is answering."""

    async def start(self) -> None: ...

    async def stop(self, grace_s: float = 10.0) -> None: ...

    def stop_turn(self, turn_id: str) -> None:
        """End a turn that runs here; no effect on one that runs elsewhere."""


class Foresight(Protocol):
    """What prefills while people think; `chat.think_time` has it."""

    def expect(self, conversation_id: str) -> None:
        """Somebody will soon ask for this conversation's next reply."""

    async def prepare(self, conversation_id: str) -> str:
        """Prefill it now, if that is of use; says what came of it."""

    async def close(self) -> None: ...


@dataclass
class Services:
    """The parts of one `web` process. `runner` and `think_time` need all the others and are set by `build`.

    `languages` are those that the model speaks.
    """

    settings: Settings
    secret: bytes = field(repr=False)
    store: Store
    packs: Packs
    replicas: Replicas
    engine: Engine
    pins: SharedPins
    telemetry: Telemetry
    limits: Limits
    lookups: Lookups
    keys: StaffKeys
    oidc: Oidc
    languages: tuple[str, ...]
    proxies: TrustedProxies
    streams: Streams
    inference: Inference
    runner: Runner = field(init=False)
    think_time: Foresight = field(init=False)

    def locales(self, pack: Pack) -> tuple[str, ...]:
        """The locales of a pack that are offered: the model has to speak them."""
        return pack.offered_locales(self.languages)


def services_of(request: Request) -> Services:
    """The services of the application that serves the request."""
    return request.app.state.services
