"""The binding of a conversation to a replica."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pin:
    """`boot_id` tells the replica's boot, whose cache is meant; `at` is the database's clock in seconds.

    `cached_tokens` is what the replica held after the last turn, `brand` the prefix that this began with, `misses`
    the turns in a row in which far less was found there than expected. `moved` is why the pin was moved between two
    turns, until the next one has told it.
    """

    replica: str
    boot_id: str
    cached_tokens: int = 0
    at: float | None = None
    brand: str | None = None
    misses: int = 0
    moved: str | None = None
