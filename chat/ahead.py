"""What the placement policy is told of a conversation before it is placed."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from backend.placement import Ahead, Pin
from backend.routing import brand_key
from prompts import Pack
from prompts.tokens import estimated_prompt
from sessions import Claim
from sessions import Pin as StoredPin


def ahead_of(
    claim: Claim, pack: Pack, salt: str, messages: Sequence[Mapping[str, str]], *, continues: bool = True
) -> Ahead:
    """`messages` is the prompt; `continues` is False when it does not begin with what the engine saw last."""
    prefix_tokens = _prefix_tokens(messages[0]["content"])
    return Ahead(
        brand=brand_of(pack, salt),
        brand_tokens=prefix_tokens,
        prompt_tokens=prefix_tokens + estimated_prompt(messages[1:]),
        pin=pin_of(claim.pin),
        continues=continues,
        key=claim.conversation_id,
    )


def brand_of(pack: Pack, salt: str) -> str:
    """The brand under which a pack's prefix is cached for a site."""
    return brand_key(salt, f"{pack.name} {pack.version}")


def pin_of(stored: StoredPin | None) -> Pin | None:
    """The pin as the policy reads it. Its age is taken from this machine's clock, near enough to the database's."""
    if stored is None:
        return None
    idle_s = 0.0 if stored.at is None else max(0.0, time.time() - stored.at)
    return Pin(stored.replica, stored.boot_id, stored.cached_tokens, idle_s=idle_s)


@lru_cache(maxsize=256)
def _prefix_tokens(system_prompt: str) -> int:
    """Kept, because it is by far the longest part of a prompt and the same for all of a brand."""
    return estimated_prompt([{"role": "system", "content": system_prompt}])
