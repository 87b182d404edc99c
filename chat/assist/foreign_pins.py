"""Where the newest foreign conversations were last read."""

from collections import OrderedDict

from sessions import Pin

MOST_PINS = 10_000


class ForeignPins:
    """Finds a conversation's beginning in that replica's cache again.

    Only this process knows, and only by id: another one reads the transcript once more.
    """

    def __init__(self) -> None:
        self._pins: OrderedDict[str, Pin] = OrderedDict()

    def get(self, key: str) -> Pin | None:
        return self._pins.get(key)

    def keep(self, key: str, pin: Pin) -> None:
        self._pins[key] = pin
        self._pins.move_to_end(key)
        while len(self._pins) > MOST_PINS:
            self._pins.popitem(last=False)
