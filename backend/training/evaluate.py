"""The starter model's figures, by set and beside their floors, from the weights alone or guided as in a conversation.

    .venv/engine/bin/python -m backend.training.evaluate --model DIR --data DIR [--guided] [--out FILE] [--only SET ...]
    .venv/app/bin/python -m backend.training.evaluate --server http://127.0.0.1:8000 --data DIR

`--free-values` leaves out what a turn's schema knows of the customer's words.

Similarities need the encoder (`make eval`) in the environment that runs this; without it they are left out.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from backend.training.catalogues import shop
from backend.training.corpora import HELD_DOMAINS, Sources
from backend.training.evaluation.beside import Beside
from backend.training.evaluation.cases import (
    HELD_PACK,
    NEGATIVE,
    Case,
    bitext_cases,
    cucom_cases,
    domain_cases,
    made_cases,
    outside_cases,
    renamed_cases,
    written_cases,
)
from backend.training.evaluation.engine import Guided
from backend.training.evaluation.exam import Answer, Marked, as_served, examined, free_values
from backend.training.evaluation.examples import examples
from backend.training.evaluation.floors import Example
from backend.training.evaluation.report import table
from backend.training.evaluation.similarity import Encode, encoder
from backend.training.evaluation.star import bank_cases, other_cases
from backend.training.speaker import Speaker

Maker = Callable[[], list[Case]]
ALIKE_SETS = frozenset({"bitext", "cucom", "made, 1 turn", "made, 3-8 turns", "blind messages"})
"""Sets of the demo shop for which replies are compared as texts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of weights, answering in this process")
    parser.add_argument("--guided", action="store_true", help="hold what the weights write to a turn's schema")
    parser.add_argument("--free-values", action="store_true", help="do not hold copies to the customer's own values")
    parser.add_argument("--server", help="HTTP root of a server, answering guided")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="every wrong answer, one JSON line each")
    parser.add_argument("--only", nargs="+", help="some sets, such as bitext")
    given = parser.parse_args()
    if (given.model is None) is (given.server is None):
        parser.error("give --model or --server")
    sources = Sources(given.data)
    speaker = Speaker(sources, shop().pack.brand)
    makers = {name: make for name, make in sets(sources, speaker).items() if not given.only or name in given.only}
    known = partial(examples, sources=sources, speaker=speaker)
    with encoder() as encode:
        print(table(report(_answering(given), makers, given.out, known, encode)))


def _answering(given: argparse.Namespace) -> Answer:
    schemas = free_values if given.free_values else as_served
    if given.server:
        return Guided(given.server, schemas=schemas)
    from backend.training.evaluation.generate import Weights
    from backend.training.evaluation.guidance import Guidance

    return Weights(given.model, Guidance(given.model, schemas) if given.guided else None)


def sets(sources: Sources, speaker: Speaker) -> dict[str, Maker]:
    """Every examination by name."""
    return {
        "bitext": lambda: bitext_cases(sources),
        "cucom": cucom_cases,
        "cucom, two readings": lambda: cucom_cases(is_lenient=True),
        "outside": lambda: outside_cases(sources),
        "made, 1 turn": lambda: made_cases(speaker, turns=(1, 1), count=1000),
        "made, 3-8 turns": lambda: made_cases(speaker, turns=(3, 8)),
        "made, renamed": lambda: renamed_cases(speaker),
        "written conversations": lambda: written_cases("conversations"),
        "written handoffs": lambda: written_cases("handoffs"),
        "written messages": lambda: written_cases("messages"),
        "fresh conversations": lambda: written_cases("fresh_conversations"),
        "fresh handoffs": lambda: written_cases("fresh_handoffs"),
        "fresh messages": lambda: written_cases("fresh_messages"),
        "follow ups": lambda: written_cases("follow_ups"),
        "exam messages": lambda: written_cases("exam_messages"),
        "exam handoffs": lambda: written_cases("exam_handoffs"),
        "exam conversations": lambda: written_cases("exam_conversations"),
        **{f"unseen {domain}": partial(domain_cases, sources, domain) for domain in HELD_DOMAINS},
        "blind messages": lambda: written_cases("blind_messages"),
        "blind handoffs": lambda: written_cases("blind_handoffs"),
        "blind conversations": lambda: written_cases("blind_conversations"),
        "held conversations": lambda: written_cases("held_conversations"),
        "sealed conversations": lambda: written_cases("sealed_conversations"),
        "stranger conversations": lambda: written_cases("stranger_conversations"),
        "star bank": lambda: bank_cases(sources),
        "star others": lambda: other_cases(sources),
        "unseen pack": lambda: written_cases("trailhead", HELD_PACK),
    }


def report(
    answer: Answer,
    makers: dict[str, Maker],
    out: Path | None,
    known: Callable[[str, list[Case]], list[Example]],
    encode: Encode | None,
) -> dict[str, dict[str, float]]:
    """Each set's figures, printed as they come. `known` tells what training had for a set."""
    figures: dict[str, dict[str, float]] = {}
    wrong: list[dict[str, object]] = []
    for name, make in makers.items():
        cases = make()
        marks = examined(cases, answer)
        beside = Beside(cases, marks, known(name, cases))
        figures[name] = summed(marks) | beside.floors()
        if encode and name in ALIKE_SETS:
            figures[name] |= beside.replies(encode) | beside.demands(encode)
        print(json.dumps({"set": name, **figures[name]}), flush=True)
        wrong += [wrongly(name, mark) for talk in marks for mark in talk if not mark.is_right]
    if out:
        out.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in wrong), encoding="utf-8")
    return figures


def summed(marks: list[list[Marked]]) -> dict[str, float]:
    """Shares in percent, over turns but for `conversations`."""
    turns = [mark for talk in marks for mark in talk]
    told = [mark for mark in turns if mark.asked.demand is not None]
    filled = sum(mark.filled for mark in turns)
    return {
        "conversations_n": len(marks),
        "turns_n": len(turns),
        "template": _share(turns, lambda mark: mark.has_template),
        "slots": _share(
            [mark for mark in turns if mark.asked.judged and mark.has_template], lambda mark: mark.has_slots
        ),
        "reason": _share([mark for mark in turns if mark.asked.reason], lambda mark: mark.has_reason),
        "turn": _share(turns, lambda mark: mark.is_right),
        "conversations": round(100 * sum(all(mark.is_right for mark in talk) for talk in marks) / len(marks), 2),
        "valid": _share(turns, lambda mark: mark.is_valid),
        "refused": _share(
            [mark for mark in turns if not mark.asked.templates & NEGATIVE], lambda mark: mark.template in NEGATIVE
        ),
        "invented": round(100 * sum(mark.invented for mark in turns) / max(1, filled), 2),
        "demand": _share(told, lambda mark: mark.demand == mark.asked.demand),
    }


def wrongly(name: str, mark: Marked) -> dict[str, object]:
    return {
        "set": name,
        "text": mark.asked.text,
        "wanted": sorted(mark.asked.templates)[:3],
        "slots": mark.asked.slots,
        "raw": mark.raw,
    }


def _share(marks: list[Marked], holds: Callable[[Marked], bool]) -> float:
    return round(100 * sum(map(holds, marks)) / len(marks), 2) if marks else float("nan")


if __name__ == "__main__":
    main()
