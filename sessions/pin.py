"""The binding of a conversation to a replica."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """`boot_id` tells the replica's boot, whose cache is meant; `at` is the database's clock in seconds."""

    replica: str
    boot_id: str
    cached_tokens: int = 0
    at: float | None = None
