"""The operator page at `/operator`: figures, plots, replicas."""

from chat.operator.mount import mount

__all__ = ["mount"]
