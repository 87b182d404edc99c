"""An attempt in flight on one replica: what counts it, and how the policy learns from it."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from backend.placement import Ahead, Ranking, Used
from backend.routing import Policy


class Ticket:
    """Counts from its making until it is closed, which is its `with` block's end. Closing twice does no harm.

    `on_close` is called once, after the place has been given back.
    """

    def __init__(
        self,
        policy: Policy,
        replica_id: str,
        ahead: Ahead,
        ranking: Ranking,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.replica_id = replica_id
        self.ranking = ranking
        self._policy = policy
        self._used: Used | None = None
        self._on_close = on_close
        self._job = policy.begin(replica_id, ahead, ranking, time.monotonic())

    def first_token(self) -> None:
        """The first piece of the reply is here. Only the first call counts."""
        self._policy.first_token(self._job, time.monotonic())

    def used(self, prompt_tokens: int | None, cached_tokens: int | None, completion_tokens: int | None) -> None:
        """What the engine reported at the end of its stream; counts that it left out teach nothing."""
        if prompt_tokens is not None and cached_tokens is not None and completion_tokens is not None:
            self._used = Used(prompt_tokens, cached_tokens, completion_tokens)

    def close(self) -> None:
        if not self._job.ended:
            self._policy.end(self._job, time.monotonic(), self._used)
            self._on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
