"""One replica as the set knows it."""

import asyncio
from dataclasses import dataclass, field

from backend.placement import ReplicaState, Snapshot


@dataclass(frozen=True)
class Replica:
    """`url` is the HTTP root, without `/v1`."""

    id: str
    url: str


@dataclass
class Member:
    replica: Replica
    state: ReplicaState = ReplicaState.STARTING
    boot_id: str | None = None
    warm_boot: str | None = None
    model: str | None = None
    elsewhere: int = 0
    waiting: int = 0
    kv_usage: float = 0.0
    misses: int = 0  # polls or warm-ups in a row that failed
    trouble: str = ""  # why the last of them did
    ejections: int = 0  # since an attempt last went well
    ejected_until: float = 0.0
    draining: bool = False
    visited: bool = False
    nudge: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def snapshot(self) -> Snapshot:
        """What the watch has seen; what the policy knows is not in it."""
        return Snapshot(
            id=self.replica.id,
            url=self.replica.url,
            state=self.state,
            boot_id=self.boot_id,
            elsewhere=self.elsewhere,
            waiting=self.waiting,
            kv_usage=self.kv_usage,
        )

    @property
    def complaint(self) -> str:
        """Its name and state, and what the last poll found."""
        return f"{self.replica.id} {self.state}" + (f": {self.trouble}" if self.trouble else "")
