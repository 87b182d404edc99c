"""The open event streams: counted, ended after an hour, and all at once when the process stops."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum

from prometheus_client import Gauge

from chat.errors import Away

LONGEST = timedelta(hours=1)


class StreamKind(StrEnum):
    CONVERSATION = "conversation"
    QUEUE = "queue"


class Streams:
    """`gauge` counts the open ones by kind."""

    def __init__(self, gauge: Gauge, longest: timedelta = LONGEST) -> None:
        self._gauge = gauge
        self._longest_s = longest.total_seconds()
        self._ends: set[asyncio.Event] = set()
        self.closed = False

    @contextmanager
    def open(self, kind: StreamKind) -> Iterator[asyncio.Event]:
        """Yield the event that is set when this stream has to end; clients then resume where they were."""
        end = asyncio.Event()
        timer = asyncio.get_running_loop().call_later(self._longest_s, end.set)
        self._ends.add(end)
        if self.closed:
            end.set()
        with self._gauge.labels(kind.value).track_inprogress():
            try:
                yield end
            finally:
                timer.cancel()
                self._ends.discard(end)

    def refuse_when_closed(self) -> None:
        """Raises Away once the process is stopping: another one, or the next one, carries on."""
        if self.closed:
            raise Away("The server is restarting.", code="restarting", retry_after_s=1)

    def close(self) -> None:
        """End every stream now; those that open later end at once."""
        self.closed = True
        for end in self._ends:
            end.set()
