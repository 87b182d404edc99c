"""How long a brand's prompts really are: callers estimate without a tokenizer, the engine counts."""

from collections import OrderedDict
from dataclasses import dataclass

from backend.placement import Ahead, Used

_BRANDS_KEPT = 10_000
_SHARE = 0.2


@dataclass
class _Size:
    prefix_tokens: float = 0.0
    scale: float = 1.0


class BrandSizes:
    """Learned by brand: the length of its prefix, and the engine's count over the estimate."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[str, _Size] = OrderedDict()

    def prefix_tokens(self, ahead: Ahead) -> int:
        """Tokens of the brand's prefix: as an engine reported them, else as estimated."""
        size = self._sizes.get(ahead.brand)
        if size is None:
            return ahead.brand_tokens
        return round(size.prefix_tokens or ahead.brand_tokens * size.scale)

    def prompt_tokens(self, ahead: Ahead) -> int:
        """Tokens of the whole prompt."""
        size = self._sizes.get(ahead.brand)
        return round(ahead.prompt_tokens * size.scale) if size else ahead.prompt_tokens

    def learn(self, ahead: Ahead, used: Used, shared_tokens: int | None) -> None:
        """`shared_tokens` was cached of a prompt of which nothing but the prefix can have been; None when more can."""
        if not ahead.brand:
            return
        size = self._sizes.setdefault(ahead.brand, _Size())
        self._sizes.move_to_end(ahead.brand)
        if len(self._sizes) > _BRANDS_KEPT:
            self._sizes.popitem(last=False)
        if ahead.prompt_tokens:
            size.scale += _SHARE * (used.prompt_tokens / ahead.prompt_tokens - size.scale)
        if shared_tokens:
            # Two conversations may begin alike, so the least is nearest to the truth.
            above = size.prefix_tokens and shared_tokens > size.prefix_tokens
            size.prefix_tokens += _SHARE / 4 * (shared_tokens - size.prefix_tokens) if above else 0.0
            size.prefix_tokens = size.prefix_tokens if above else float(shared_tokens)
