"""What the customer has already read of a turn, across attempts. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Growth:
    """What a new visible text asks of the surface: forget what it shows (`reset`), then add `text`."""

    reset: bool
    text: str


class Shown:
    """Reconciles the visible text of the attempts of one turn with what was already shown.

    A second attempt that writes the same words continues silently where the first one broke off. Only an
    attempt whose text parts from what was shown costs the customer a reset.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text

    def grow(self, visible: str, *, final: bool = False) -> Growth | None:
        """What to send so that the surface shows `visible`; None when nothing changes.

        While an attempt is still behind what was shown (`visible` is a proper beginning of it) nothing is sent,
        unless the attempt ends there (`final`).
        """
        if visible.startswith(self.text):
            return self._to(visible, reset=False)
        if self.text.startswith(visible) and not final:
            return None
        return self._to(visible, reset=True)

    def _to(self, visible: str, *, reset: bool) -> Growth | None:
        added = visible if reset else visible[len(self.text) :]
        self.text = visible
        return Growth(reset, added) if reset or added else None
