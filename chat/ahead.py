"""What the placement policy is told of a conversation before it is placed."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from backend.engine import Usage
from backend.placement import Ahead, Pin, Placement
from backend.routing import brand_key
from backend.ticket import Ticket
from prompts import Pack
from prompts.tokens import estimated_prompt
from sessions import Pin as StoredPin


def ahead_of(
    conversation_id: str,
    pin: Pin | None,
    pack: Pack,
    salt: str,
    messages: Sequence[Mapping[str, str]],
    *,
    continues: bool = True,
    released: bool = False,
) -> Ahead:
    """`messages` is the prompt; `continues` is False when it does not begin with what the engine saw last, `released`
    True when a person has answered since.
    """
    prefix_tokens = _prefix_tokens(messages[0]["content"])
    return Ahead(
        brand=brand_of(pack, salt),
        brand_tokens=prefix_tokens,
        prompt_tokens=prefix_tokens + estimated_prompt(messages[1:]),
        pin=pin,
        continues=continues,
        released=released,
        key=conversation_id,
    )


def brand_of(pack: Pack, salt: str) -> str:
    """The brand under which a pack's prefix is cached for a site."""
    return brand_key(salt, f"{pack.name} {pack.version}")


def pin_of(stored: StoredPin | None) -> Pin | None:
    """The pin as the policy reads it. Its age is taken from this machine's clock, near enough to the database's."""
    if stored is None:
        return None
    idle_s = 0.0 if stored.at is None else max(0.0, time.time() - stored.at)
    moved = None if stored.moved is None else Placement(stored.moved)
    return Pin(stored.replica, stored.boot_id, stored.cached_tokens, stored.brand, stored.misses, idle_s, moved)


def pin_after(ahead: Ahead, ticket: Ticket, boot_id: str | None, used: Usage | None) -> StoredPin:
    """What the replica holds of the conversation after a turn: its prompt, and what was written behind that.

    A turn that found less than half of what its own replica should have had is a miss.
    """
    held = (used.prompt_tokens or 0) + (used.completion_tokens or 0) if used else 0
    expected = ticket.ranking.candidates[0].cached_tokens if ticket.ranking.candidates else 0
    stayed = ahead.pin is not None and ahead.pin.replica_id == ticket.replica_id
    missed = stayed and used is not None and used.cached_tokens is not None and used.cached_tokens < expected / 2
    misses = ahead.pin.misses + 1 if missed and ahead.pin else 0
    return StoredPin(ticket.replica_id, boot_id or "", held, brand=ahead.brand, misses=misses)


@lru_cache(maxsize=256)
def _prefix_tokens(system_prompt: str) -> int:
    """Kept, because it is by far the longest part of a prompt and the same for all of a brand."""
    return estimated_prompt([{"role": "system", "content": system_prompt}])
