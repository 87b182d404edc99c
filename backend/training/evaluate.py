"""The starter model's figures: `python -m backend.training.evaluate --model DIR --data DIR [--out FILE]`."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from backend.training.catalogues import shop
from backend.training.corpora import Sources
from backend.training.evaluation.cases import (
    HELD_PACK,
    Case,
    bitext_cases,
    cucom_cases,
    made_cases,
    outside_cases,
    renamed_cases,
    written_cases,
)
from backend.training.evaluation.exam import Answer, Marked, examined
from backend.training.speaker import Speaker

Maker = Callable[[], list[Case]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="every wrong answer, one JSON line each")
    given = parser.parse_args()
    from backend.training.evaluation.generate import Unguided

    report(Unguided(given.model), sets(given.data), given.out)


def sets(data: Path) -> dict[str, Maker]:
    """Every examination by name."""
    sources = Sources(data)
    speaker = Speaker(sources, shop().pack.brand)
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
        "unseen pack": lambda: written_cases("trailhead", HELD_PACK),
    }


def report(answer: Answer, makers: dict[str, Maker], out: Path | None) -> dict[str, dict[str, float]]:
    """Each set's figures, printed as they come."""
    figures: dict[str, dict[str, float]] = {}
    wrong: list[dict[str, object]] = []
    for name, make in makers.items():
        marks = examined(make(), answer)
        figures[name] = summed(marks)
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
