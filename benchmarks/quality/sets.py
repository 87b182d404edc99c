"""The held-out conversations that every arm answers, by source, and what training had to copy from beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from backend.training.catalogues import shop
from backend.training.corpora import Sources
from backend.training.evaluation.cases import Case, bitext_cases, cucom_cases, written_cases
from backend.training.evaluation.examples import examples
from backend.training.evaluation.floors import Example
from backend.training.evaluation.star import bank_cases
from backend.training.speaker import Speaker

SEED = 7


@dataclass(frozen=True)
class HeldOut:
    """One source."""

    name: str
    cases: list[Case]
    examples: list[Example]


def held_out(data: Path | None, count: int) -> list[HeldOut]:
    """At most `count` conversations of each source: those that are committed, and with `data` the public ones."""
    makers: dict[str, Callable[[], list[Case]]] = {
        "cucom": cucom_cases,
        "messages": lambda: written_cases("blind_messages"),
        "conversations": lambda: written_cases("blind_conversations"),
    }
    if data is None:
        return [_committed(name, _some(make(), count)) for name, make in makers.items()]
    sources = Sources(data)
    makers = {"bitext": lambda: bitext_cases(sources), **makers, "star bank": lambda: bank_cases(sources)}
    speaker = Speaker(sources, shop().pack.brand)
    sets = {name: _some(make(), count) for name, make in makers.items()}
    return [HeldOut(name, cases, examples(name, cases, sources, speaker)) for name, cases in sets.items()]


def _committed(name: str, cases: list[Case]) -> HeldOut:
    """Without the public sets, what can be copied are the committed labels."""
    nowhere = Sources(Path("/"))
    return HeldOut(name, cases, examples("cucom", cases, nowhere, Speaker(nowhere, shop().pack.brand)))


def _some(cases: Sequence[Case], count: int) -> list[Case]:
    return Random(SEED).sample(cases, min(count, len(cases)))
