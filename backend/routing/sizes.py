"""How long prompts really are: callers estimate without a tokenizer, the engine counts.

By how much an estimate errs is a matter of the model's vocabulary first, and of the brand's texts after that: a brand
that nobody has spoken to yet errs like all others.
"""

from collections import OrderedDict
from dataclasses import dataclass

from backend.placement import Ahead, Used

_BRANDS_KEPT = 10_000
_SHARE = 0.2


class _Scale:
    """The engine's count over the estimate: the mean of the first samples, then one that forgets."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value
        self._samples = 0

    def learn(self, ratio: float) -> None:
        self._samples += 1
        self.value += max(_SHARE, 1 / self._samples) * (ratio - self.value)


@dataclass
class _Size:
    scale: _Scale
    prefix_tokens: float = 0.0


class BrandSizes:
    """Learned by brand: the length of its prefix, and the engine's count over the estimate."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[str, _Size] = OrderedDict()
        self._all = _Scale()

    def prefix_tokens(self, ahead: Ahead) -> int:
        """Tokens of the brand's prefix: as an engine reported them, else as estimated."""
        size = self._sizes.get(ahead.brand)
        known = size.prefix_tokens if size else 0.0
        return round(known or ahead.brand_tokens * self._scale(size))

    def prompt_tokens(self, ahead: Ahead) -> int:
        """Tokens of the whole prompt."""
        return round(ahead.prompt_tokens * self._scale(self._sizes.get(ahead.brand)))

    def _scale(self, size: _Size | None) -> float:
        return (size.scale if size else self._all).value

    def learn(self, ahead: Ahead, used: Used, shared_tokens: int | None) -> None:
        """`shared_tokens` was cached of a prompt of which nothing but the prefix can have been; None when more can."""
        if not ahead.brand:
            return
        size = self._sizes.get(ahead.brand)
        if size is None:
            size = self._sizes[ahead.brand] = _Size(_Scale())
        self._sizes.move_to_end(ahead.brand)
        if len(self._sizes) > _BRANDS_KEPT:
            self._sizes.popitem(last=False)
        if ahead.prompt_tokens:
            size.scale.learn(used.prompt_tokens / ahead.prompt_tokens)
            self._all.learn(used.prompt_tokens / ahead.prompt_tokens)
        if shared_tokens:
            # Two conversations may begin alike, so the least is nearest to the truth.
            above = size.prefix_tokens and shared_tokens > size.prefix_tokens
            size.prefix_tokens += _SHARE / 4 * (shared_tokens - size.prefix_tokens) if above else 0.0
            size.prefix_tokens = size.prefix_tokens if above else float(shared_tokens)
