"""Who speaks when: conversations with brands, turns and think times, the same for every arm of a comparison.

Arrivals are open loop. A turn is due at a fixed moment, whatever became of the one before; it waits only while the
reply to that one is still running, because nobody answers what he has not read. So a slow arm cannot slow its load.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.replica import BLOCK_TOKENS


@dataclass(frozen=True, slots=True)
class Conversation:
    """One customer's turns, as parallel lists.

    `due_s`: when each is due. `prompt_tokens`: what the engine is given. `shared_tokens`: how many of these it has
    been given or has written itself at the turn before (for the first: the brand's). `reply_tokens`: what it decodes.
    """

    id: int
    brand: int
    brand_tokens: int
    due_s: Sequence[float]
    prompt_tokens: Sequence[int]
    shared_tokens: Sequence[int]
    reply_tokens: Sequence[int]


@dataclass(frozen=True)
class Shape:
    """A workload. Conversations begin as a Poisson process; a burst multiplies its rate for a while.

    `replies_reused`: the reply's own tokens are the beginning of the next prompt, as in Pindesk. Without it each
    prompt carries a fixed text in the reply's place, as a comparison of the same bytes needs.
    """

    conversations_per_s: float
    seconds: float
    brands: int = 40
    zipf: float = 1.0
    brand_tokens: int = 600
    turns: tuple[int, int] = (3, 8)
    think_median_s: float = 20.0
    think_sigma: float = 0.6
    question_tokens: float = 24.0
    reply_tokens: int = 24
    replies_reused: bool = True
    burst: tuple[float, float, float] | None = None  # from second, to second, times the rate


@dataclass(frozen=True, slots=True)
class Plan:
    """One conversation before anybody has chosen its words."""

    id: int
    brand: int
    due_s: Sequence[float]


def plans(shape: Shape, seed: int) -> list[Plan]:
    """Beginnings, brands and think times; turns due after the end of the workload are left out."""
    chance = np.random.default_rng([seed, 1])
    begins = _begins(shape, chance)
    brands = np.searchsorted(np.cumsum(popularity(shape.brands, shape.zipf)), _even(len(begins), chance))
    counts = shape.turns[0] + (_even(len(begins), chance) * (shape.turns[1] + 1 - shape.turns[0])).astype(int)
    result = []
    for number, (begin, brand, count) in enumerate(zip(begins, brands, counts, strict=True)):
        thinks = chance.lognormal(np.log(shape.think_median_s), shape.think_sigma, size=count - 1)
        due = begin + np.concatenate([[0.0], np.cumsum(thinks)])
        result.append(Plan(number, min(int(brand), shape.brands - 1), [float(at) for at in due if at < shape.seconds]))
    return result


def conversations(shape: Shape, seed: int) -> list[Conversation]:
    """Plans with token counts drawn for their words."""
    chance = np.random.default_rng([seed, 2])
    return [_worded(shape, plan, chance) for plan in plans(shape, seed)]


def popularity(brands: int, zipf: float) -> np.ndarray:
    """Zipf's law over brands, the most popular first."""
    weights = 1.0 / np.arange(1, brands + 1) ** zipf
    return weights / weights.sum()


def cacheable_tokens(talks: Iterable[Conversation], warm_brands: Iterable[int] = ()) -> dict[int, list[int]]:
    """By conversation and turn: what one cache without end would hold already, in whole blocks."""
    seen, result = set(warm_brands), {}
    for talk in sorted(talks, key=lambda talk: talk.due_s[0]):
        first = _whole(min(talk.brand_tokens, talk.prompt_tokens[0] - 1)) if talk.brand in seen else 0
        rest = zip(talk.shared_tokens[1:], talk.prompt_tokens[1:], strict=True)
        result[talk.id] = [first, *(_whole(min(shared, prompt - 1)) for shared, prompt in rest)]
        seen.add(talk.brand)
    return result


def _even(count: int, chance: np.random.Generator) -> np.ndarray:
    """Uniform numbers of which each stratum has one, in any order: seeds differ less in what they ask for."""
    return chance.permutation((np.arange(count) + chance.uniform(size=count)) / max(count, 1))


def _begins(shape: Shape, chance: np.random.Generator) -> list[float]:
    """A Poisson process of so many as expected, by thinning: drawn at the highest rate, each kept by its moment's."""
    start, end, times = shape.burst or (0.0, 0.0, 1.0)
    count = round(shape.conversations_per_s * max(times, 1.0) * shape.seconds)
    drawn = np.sort(chance.uniform(0.0, shape.seconds, size=count))
    rate = np.where((drawn >= start) & (drawn < end), times, 1.0) / max(times, 1.0)
    return [float(at) for at in drawn[chance.uniform(size=count) < rate]]


def _worded(shape: Shape, plan: Plan, chance: np.random.Generator) -> Conversation:
    questions = np.maximum(6, chance.lognormal(np.log(shape.question_tokens), 0.5, size=len(plan.due_s))).astype(int)
    prompts, shared, given = [], [], shape.brand_tokens
    for question in questions.tolist():
        shared.append(given)
        prompts.append(given + question if not prompts else prompts[-1] + shape.reply_tokens + question)
        given = prompts[-1] + (shape.reply_tokens if shape.replies_reused else 0)
    replies = [shape.reply_tokens] * len(prompts)
    return Conversation(plan.id, plan.brand, shape.brand_tokens, plan.due_s, prompts, shared, replies)


def _whole(tokens: int) -> int:
    return tokens // BLOCK_TOKENS * BLOCK_TOKENS
