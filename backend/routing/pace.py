"""How fast a replica writes, and what a turn on it takes."""

from dataclasses import dataclass

_SHARE = 0.1  # of a new sample in a running mean
_CREEP = 1.002  # so that a best pace that was a fluke is forgotten within some hundred turns


@dataclass
class Pace:
    """`token_ms` is the best time between two tokens, `prefill_ms` and `turn_ms` are running means."""

    token_ms: float = 0.0
    prefill_ms: float = 100.0
    turn_ms: float = 1000.0

    def learn(self, prefill_ms: float, turn_ms: float, decode_ms: float, completion_tokens: int) -> None:
        self.prefill_ms += _SHARE * (prefill_ms - self.prefill_ms)
        self.turn_ms += _SHARE * (turn_ms - self.turn_ms)
        if completion_tokens < 2:
            return
        token_ms = max(0.01, decode_ms / (completion_tokens - 1))
        self.token_ms = min(self.token_ms * _CREEP, token_ms) if self.token_ms else token_ms
