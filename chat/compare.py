"""Two versions of a pack side by side: `python -m chat.compare A B`.

The verdict on reply times compares 99th percentiles. Each has a confidence interval by order statistics, which assumes
nothing about how the times are distributed; the verdict is only given where the intervals leave no doubt.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, floor, lgamma, log

from chat.command import execute
from sessions import NotFound, Outcome, Release, Repository

SHARE = 0.99
CONFIDENCE = 0.95
TOLERANCE = 1.05
FEWEST = 368
"""Below it, a 99th percentile has no upper bound with this confidence: 1 - 0.99 ** 368 is the first over 0.975."""


@dataclass(frozen=True)
class Interval:
    """A percentile's estimate and its confidence interval; `high` is infinite where there are too few values."""

    estimate: float
    low: float
    high: float


def interval(values: Sequence[float], share: float = SHARE, confidence: float = CONFIDENCE) -> Interval:
    """The `share` quantile by nearest rank, with the exact binomial interval of its rank. `values` is not empty."""
    ordered, count = sorted(values), len(values)
    tail = (1 - confidence) / 2
    below = [0.0]
    for successes in range(count + 1):
        below.append(below[-1] + _binomial(count, successes, share))
    # below[k] is the probability that fewer than k values lie under the true quantile.
    low = max((rank for rank in range(1, count + 1) if below[rank] <= tail), default=0)
    high = next((rank for rank in range(1, count + 1) if below[rank] >= 1 - tail), count + 1)
    return Interval(
        estimate=ordered[min(count - 1, floor(share * count))],
        low=ordered[low - 1] if low else 0.0,
        high=ordered[high - 1] if high <= count else float("inf"),
    )


def _binomial(count: int, successes: int, share: float) -> float:
    failures = count - successes
    ways = lgamma(count + 1) - lgamma(successes + 1) - lgamma(failures + 1)
    return exp(ways + successes * log(share) + failures * log(1 - share))


def verdict(old: Sequence[float], new: Sequence[float]) -> str:
    """Whether the new version's 99th percentile is within 5 % of the old one's, in a sentence."""
    if min(len(old), len(new)) < FEWEST:
        return f"p99 within 5 %: too few data, {FEWEST} replies of each are needed"
    before, after = interval(old), interval(new)
    if after.high <= before.low * TOLERANCE:
        return "p99 within 5 %: yes"
    if after.low > before.high * TOLERANCE:
        return "p99 within 5 %: no"
    ratio = after.estimate / before.estimate
    return f"p99 within 5 %: not certain yet, it is {ratio - 1:+.1%} but may be {_span(before, after)}"


def _span(before: Interval, after: Interval) -> str:
    return f"{after.low / before.high - 1:+.0%} to {after.high / before.low - 1:+.0%}"


def table(names: Sequence[str], outcomes: Sequence[Outcome]) -> list[str]:
    """The figures side by side, the verdict last."""
    rows = [("", *names)]
    rows += [(name, *(text(each) for each in outcomes)) for name, text in _ROWS]
    lines = [f"{row[0]:<26}" + "".join(f"{cell:>26}" for cell in row[1:]) for row in rows]
    return [*lines, "", verdict(outcomes[0].reply_ms, outcomes[1].reply_ms)]


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part} of {whole})" if whole else "no data"


def _ms(values: Sequence[float], share: float) -> str:
    return f"{sorted(values)[min(len(values) - 1, floor(share * len(values)))]:,.0f} ms" if values else "no data"


_ROWS = (
    ("conversations", lambda o: str(o.conversations)),
    ("replies", lambda o: str(o.replies)),
    ("failed turns", lambda o: _rate(o.failed, o.replies + o.failed)),
    ("first text, median", lambda o: _ms(o.first_text_ms, 0.5)),
    ("whole reply, median", lambda o: _ms(o.reply_ms, 0.5)),
    ("whole reply, p95", lambda o: _ms(o.reply_ms, 0.95)),
    ("whole reply, p99", lambda o: _ms(o.reply_ms, 0.99)),
    ("handed to a human", lambda o: _rate(o.handed_off, o.conversations)),
    ("thumbs up", lambda o: _rate(o.up, o.up + o.down)),
    ("accepted suggestions", lambda o: _rate(o.accepted, o.decided)),
)


async def compare(repo: Repository, given: Namespace) -> list[str]:
    """Raises NotFound for a version that is unknown or not named clearly."""
    releases = [await _release(repo, beginning, given.pack) for beginning in (given.a, given.b)]
    outcomes = [await repo.outcomes.of(each.name, each.version) for each in releases]
    return table([f"{each.name} {each.version}" for each in releases], outcomes)


async def _release(repo: Repository, beginning: str, pack: str | None) -> Release:
    found = [each for each in await repo.packs.releases(pack) if each.version.startswith(beginning)]
    if len(found) != 1:
        raise NotFound(f"{len(found)} versions begin with {beginning!r}: see `python -m chat.packs list`")
    return found[0]


def main(argv: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(prog="python -m chat.compare", description=__doc__)
    parser.add_argument("a", metavar="A", help="the old version, or its beginning")
    parser.add_argument("b", metavar="B", help="the new version, or its beginning")
    parser.add_argument("--pack", help="where several packs have a version that begins like this")
    parser.set_defaults(run=compare, reads=True)
    return execute(parser, argv)


if __name__ == "__main__":
    raise SystemExit(main())
