"""Limits of what one conversation, one address and one site may ask of us (moving windows, in this process)."""

import time
from dataclasses import dataclass

from limits import RateLimitItem, parse, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from chat.addresses import limit_key
from chat.errors import TooMany
from chat.settings import Settings
from telemetry.metrics import Metrics

_TYPING = parse("1/second")


@dataclass(frozen=True)
class Rule:
    """`scope` names what is counted, in the refusal and in the counter's key."""

    scope: str
    items: tuple[RateLimitItem, ...]

    @classmethod
    def parse(cls, scope: str, written: str) -> "Rule":
        """`written` is the notation of the `limits` library: `20/minute`, `5/second;200/hour`."""
        return cls(scope, tuple(parse_many(written)))


class Limits:
    """Counts customer messages, proofs and new conversations; nothing is counted for a call that is refused."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._metrics = metrics
        # The library's asyncio storage sweeps every key through a thread on each hit; this one costs microseconds.
        self._counted = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._counted)
        self._conversation = Rule.parse("conversation", settings.conversation_limit)
        self._address = Rule.parse("address", settings.address_limit)
        self._site = Rule.parse("site", settings.site_limit)
        self._open = Rule.parse("open", settings.open_limit)
        self._login = Rule.parse("login", settings.login_limit)
        self._proof = Rule.parse("proof", settings.address_limit)

    def message(self, *, conversation_id: str, address: str, site: str) -> None:
        """Count one customer message; raises TooMany."""
        self._count((self._conversation, conversation_id), (self._address, limit_key(address)), (self._site, site))

    def new_conversation(self, *, address: str) -> None:
        """Count one new conversation; raises TooMany."""
        self._count((self._open, limit_key(address)))

    def login(self, *, login: str, address: str) -> None:
        """Count one attempt to sign in to an account; raises TooMany, also for an address with too many failures.

        An address alone is not counted here: a whole office may come from one.
        """
        scope, key = self._login.scope, limit_key(address)
        for item in self._login.items:
            if not self._windows.test(item, scope, key):
                raise self._refusal(scope, item, key)
        self._count((self._login, f"login {login[:200]}"))

    def login_failed(self, *, address: str) -> None:
        """Count a failure for the address."""
        for item in self._login.items:
            self._windows.hit(item, self._login.scope, limit_key(address))

    def proof(self, *, address: str) -> None:
        """Count one signed identity: every page of a website may show one. Raises TooMany."""
        self._count((self._proof, limit_key(address)))

    def allows_typing(self, conversation_id: str, role: str) -> bool:
        """Whether a sign of typing may be passed on now."""
        return self._windows.hit(_TYPING, "typing", conversation_id, role)

    def tidy(self) -> None:
        """Forget whoever has asked for nothing within their windows; the library keeps an empty list of each."""
        for key in [key for key, hits in self._counted.events.items() if not hits]:
            self._counted.events.pop(key, None)

    def _count(self, *counted: tuple[Rule, str]) -> None:
        keyed = [(rule.scope, item, key) for rule, key in counted for item in rule.items]
        for scope, item, key in keyed:
            if not self._windows.test(item, scope, key):
                raise self._refusal(scope, item, key)
        for scope, item, key in keyed:
            self._windows.hit(item, scope, key)

    def _refusal(self, scope: str, item: RateLimitItem, key: str) -> TooMany:
        self._metrics.rejected.labels(f"{scope}_limit").inc()
        free_at = self._windows.get_window_stats(item, scope, key).reset_time
        return TooMany(f"Too many requests: {item}.", retry_after_s=free_at - time.time(), scope=scope)
