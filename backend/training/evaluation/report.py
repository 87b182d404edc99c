"""The figures of all sets as one table, each beside its floors."""

from collections.abc import Mapping
from math import isnan

_COLUMNS = {
    "set": "set",
    "n": "conversations / turns",
    "template": "template (constant / nearest copy)",
    "conversations": "all turns right",
    "slots": "slots",
    "reason": "reason",
    "reply": "reply alike (constant / nearest copy; chance)",
    "demand": "demand alike (constant / nearest copy; chance)",
    "refused": "refused",
    "invented": "invented",
    "valid": "valid",
}

Figures = Mapping[str, float]


def table(found: Mapping[str, Figures]) -> str:
    """Markdown; percentages, chance as a mean cosine. What a set does not judge stays empty."""
    lines = [list(_COLUMNS.values()), ["---"] * len(_COLUMNS)]
    lines += [[name, *map(str, _cells(figures))] for name, figures in found.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(of: Figures) -> list[str]:
    return [
        f"{of['conversations_n']} / {of['turns_n']}",
        f"{_one(of, 'template')} ({_one(of, 'floor_constant')} / {_one(of, 'floor_nearest')})",
        _one(of, "conversations"),
        _one(of, "slots"),
        _one(of, "reason"),
        _alike(of, "reply", "reply"),
        _alike(of, "demand_alike", "demand"),
        _one(of, "refused"),
        _one(of, "invented"),
        _one(of, "valid"),
    ]


def _alike(of: Figures, name: str, floors: str) -> str:
    if name not in of:
        return ""
    beside = f"{_one(of, f'{floors}_floor_constant')} / {_one(of, f'{floors}_floor_nearest')}"
    return f"{_one(of, name)} ({beside}; {of[f'{floors}_by_chance']:.2f})"


def _one(of: Figures, name: str) -> str:
    return "" if isnan(of[name]) else f"{of[name]:.1f}"
