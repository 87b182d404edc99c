"""What the store raises.

StoreError            anything below
    NotFound          no such row for this principal, whether or not it exists for another one
    Conflict          the row is not in a state that allows the call; `code` is stable snake_case
    ReplayMismatch    a client-made id was used before with another body
    LostLease         the turn is no longer this owner's attempt: whatever it wanted to write was not written
    Unavailable       the database does not answer, is locked or is full; nothing was stored, or the answer was lost
"""


class StoreError(Exception):
    """Base of every error that the store raises on purpose."""


class NotFound(StoreError):
    """No such row for this principal."""


class Conflict(StoreError):
    """The state of things refuses the call. `code` is one of the contract's stable words."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class ReplayMismatch(StoreError):
    """The same client-made id came with another body."""


class LostLease(StoreError):
    """Somebody else holds a later attempt, or the turn has ended or is gone."""


class Unavailable(StoreError):
    """The database is away or too busy; the call can be repeated."""
