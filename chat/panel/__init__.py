"""The agent panel: a page of its own at `/agent`, or a side panel inside another help desk."""

from chat.panel.mount import mount

__all__ = ["mount"]
