"""Who waits for changes inside this process, and how they are woken."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


class Tail:
    """Somebody who reads a conversation's log: `seen` is how far, `wake` is set when there may be more."""

    def __init__(self, seen: int) -> None:
        self.seen = seen
        self.wake = asyncio.Event()


class QueueTail:
    """Somebody who reads the list of conversations: `changed` waits to be read, `wake` is set when it does."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.wake = asyncio.Event()

    def add(self, conversation_ids: Iterable[str]) -> None:
        self.changed.update(conversation_ids)
        self.wake.set()

    def take(self) -> list[str]:
        """What changed since the last call."""
        self.wake.clear()
        taken, self.changed = self.changed, set()
        return sorted(taken)


class Ring:
    """Wakes readers when something may have changed; what it is, they read from the database."""

    def __init__(self) -> None:
        self.work = asyncio.Event()
        self._tails: dict[str, set[Tail]] = {}
        self._queues: set[QueueTail] = set()

    @contextmanager
    def tail(self, conversation_id: str, seen: int) -> Iterator[Tail]:
        """Register a reader for as long as it reads."""
        tail = Tail(seen)
        self._tails.setdefault(conversation_id, set()).add(tail)
        try:
            yield tail
        finally:
            self._tails[conversation_id].discard(tail)
            if not self._tails[conversation_id]:
                del self._tails[conversation_id]

    @contextmanager
    def queue(self) -> Iterator[QueueTail]:
        """Register a reader of the list for as long as it reads."""
        tail = QueueTail()
        self._queues.add(tail)
        try:
            yield tail
        finally:
            self._queues.discard(tail)

    def ring(self, changed: Mapping[str, bool]) -> None:
        """Wake the readers of these conversations, and those of the list where the list shows the change."""
        for conversation_id in changed:
            self._wake(conversation_id)
        if listed := [conversation_id for conversation_id, shown in changed.items() if shown]:
            self.ring_lists(listed)

    def ring_lists(self, conversation_ids: Iterable[str]) -> None:
        """Wake whoever reads the list of conversations, and whoever looks for turns to answer."""
        self.work.set()
        for tail in self._queues:
            tail.add(conversation_ids)

    def ring_all(self) -> None:
        """Something was missed and nobody knows what: wake every reader of a conversation."""
        self.work.set()
        for conversation_id in self.tailed:
            self._wake(conversation_id)

    def compare(self, asked: Iterable[str], last_seqs: Mapping[str, int]) -> None:
        """Wake readers who are behind these newest seqs, and those of conversations that are gone."""
        for conversation_id in asked:
            self._wake(conversation_id, beyond=last_seqs.get(conversation_id))

    @property
    def tailed(self) -> list[str]:
        """The conversations that somebody reads."""
        return list(self._tails)

    @property
    def has_queues(self) -> bool:
        return bool(self._queues)

    def _wake(self, conversation_id: str, beyond: int | None = None) -> None:
        for tail in self._tails.get(conversation_id, ()):
            if beyond is None or beyond > tail.seen:
                tail.wake.set()
