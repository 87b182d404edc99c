"""The table: response time and accuracy side by side, by source, beside the floors; never pooled."""

from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from backend.training.evaluation.beside import Beside
from backend.training.evaluation.similarity import ALIKE, NAME, Encode
from benchmarks.quality.arms import ARMS
from benchmarks.quality.asking import Turn
from benchmarks.quality.sets import HeldOut

Row = dict[str, Any]


def rows(
    arm: str, customers: int, sets: Sequence[HeldOut], answers: Mapping[str, list[list[Turn]]], encode: Encode | None
) -> list[Row]:
    """One row a source."""
    return [_row(arm, customers, each, answers[each.name], encode) for each in sets]


def _row(arm: str, customers: int, each: HeldOut, answers: list[list[Turn]], encode: Encode | None) -> Row:
    turns = [turn for talk in answers for turn in talk]
    took = [turn.took_ms for turn in turns]
    beside = Beside(each.cases, [[turn.mark for turn in talk] for talk in answers], each.examples)
    row: Row = {
        "arm": arm,
        "customers": customers,
        "source": each.name,
        "turns": len(turns),
        "mean_ms": round(fmean(took)),
        "median_ms": round(median(took)),
        "valid": round(100 * fmean(turn.mark.is_valid for turn in turns), 1),
        "template": round(100 * fmean(turn.mark.has_template for turn in turns), 1),
        "took_ms": [round(ms) for ms in took],
    }
    return row | beside.floors() | (beside.replies(encode) if encode else {})


def report(found: Sequence[Row]) -> str:
    """Markdown: times over all sources, accuracy by source."""
    sources = list(dict.fromkeys(row["source"] for row in found))
    head = ["", "customers", "mean ms", "median ms", *(f"{source}: reply / template / valid, %" for source in sources)]
    lines = [_line(head), _line(["---"] * len(head))]
    for arm, customers in dict.fromkeys((row["arm"], row["customers"]) for row in found):
        own = {row["source"]: row for row in found if (row["arm"], row["customers"]) == (arm, customers)}
        took = [ms for row in own.values() for ms in row["took_ms"]]
        cells = [ARMS[arm].title, str(customers), f"{fmean(took):.0f}", f"{median(took):.0f}"]
        lines.append(_line([*cells, *(_accuracy(own.get(source)) for source in sources)]))
    firsts = {source: next(row for row in found if row["source"] == source) for source in sources}
    for floor, name in (("constant", "floor: one answer to all"), ("nearest", "floor: nearest training reply")):
        told = [f"{_number(row, f'reply_floor_{floor}')} / {row[f'floor_{floor}']:.1f}" for row in firsts.values()]
        lines.append(_line([name, "", "", "", *told]))
    lines.append(_line(["turns", "", "", "", *(str(row["turns"]) for row in firsts.values())]))
    chance = [_number(row, "reply_by_chance", digits=2) for row in firsts.values()]
    lines.append(_line(["cosine of two replies by chance", "", "", "", *chance]))
    return "\n".join([*lines, "", f"reply: cosine of {ALIKE} or more with the reference reply under {NAME}."])


def _accuracy(row: Row | None) -> str:
    return f"{_number(row, 'reply')} / {row['template']:.1f} / {row['valid']:.1f}" if row else "-"


def _number(row: Row, name: str, digits: int = 1) -> str:
    return f"{row[name]:.{digits}f}" if name in row else "-"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
