"""Who goes first, in our own line and in the engine's: lower numbers before higher ones."""

from enum import IntEnum


class Priority(IntEnum):
    CUSTOMER = 0
    INFERENCE = 5  # requests to the OpenAI endpoint
    SUGGESTION = 10
    WARM_UP = 20
