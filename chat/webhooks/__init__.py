"""Programs that are called back: `python -m chat.webhooks` makes their endpoints, a loop of each process delivers."""

from chat.webhooks.sender import Sender

__all__ = ["Sender"]
