"""Turns that left their pin: answered by another replica than the turn before them of the same conversation."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.turns import Served


class Half(NamedTuple):
    """Of the turns that follow another one, how many there are and how many of them left their pin. Of all turns and of
    the first ones, how many there are and how many went to replicas that had not answered before the middle."""

    following: int = 0
    moved: int = 0
    turns: int = 0
    newcomers: int = 0
    first: int = 0
    newcomers_first: int = 0


def counted(rows: Sequence[Served], middle_s: float) -> tuple[Half, Half]:
    """Before and after the middle of a run. Turns of which nobody knows where they went do not count."""
    told = [row for row in rows if row.replica]
    before = [row for row in told if row.due_s < middle_s]
    known = {row.replica for row in before}
    return _half(before, known), _half([row for row in told if row.due_s >= middle_s], known)


def said(runs: Sequence[tuple[Half, Half]]) -> str:
    """Runs together, in words; empty where nothing is known."""
    before, after = (_together([run[half] for run in runs]) for half in (0, 1))
    if not before.following + after.following:
        return ""
    words = f"left their pin: {before.moved} of {before.following} turns in the first half, "
    words += f"{after.moved} of {after.following} in the second"
    if after.newcomers:
        words += f"; the new replica answered {after.newcomers} of {after.turns} turns, "
        words += f"{after.newcomers_first} of {after.first} first ones"
    return words


def _together(halves: Sequence[Half]) -> Half:
    return Half(*map(sum, zip(*halves, strict=True)))


def _half(rows: Iterable[Served], known: set[str]) -> Half:
    rows = list(rows)
    first = [row for row in rows if row.index == 1]
    return Half(
        following=len(rows) - len(first),
        moved=sum(row.moved for row in rows),
        turns=len(rows),
        newcomers=sum(row.replica not in known for row in rows),
        first=len(first),
        newcomers_first=sum(row.replica not in known for row in first),
    )
