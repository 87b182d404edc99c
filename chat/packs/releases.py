"""Which of the released versions a new conversation gets. Pure."""

import hashlib
from collections.abc import Sequence

from sessions import Release

BUCKETS = 100


def chain(releases: Sequence[Release]) -> tuple[Release, ...]:
    """The versions of one pack that new conversations may get, newest first, as `releases` are.

    The chain ends with the first version that takes all that newer ones leave.
    """
    standing = [each for each in releases if not each.is_withdrawn]
    whole = next((at for at, each in enumerate(standing) if each.rollout >= BUCKETS), len(standing) - 1)
    return tuple(standing[: whole + 1])


def chosen(versions: Sequence[Release], bucket: int) -> Release:
    """The newest version whose `rollout` reaches the bucket; the oldest takes the rest. `versions` is not empty."""
    return next((each for each in versions if bucket < each.rollout), versions[-1])


def bucket_of(conversation_id: str) -> int:
    """0..99, evenly spread, the same in every process: a conversation's place in a rollout."""
    digest = hashlib.sha256(conversation_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS
