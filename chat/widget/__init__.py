"""The support widget: one script tag on any website, a launcher that its styles cannot reach, a page in a frame."""

from chat.widget.mount import mount

__all__ = ["mount"]
