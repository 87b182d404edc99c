"""A company's own conversations: what was right of what their file tells, beside what the file alone would give."""

from collections.abc import Callable, Sequence
from statistics import fmean, median

from backend.training.evaluation.beside import answered, reference
from backend.training.evaluation.cases import Case
from backend.training.evaluation.dataset import Dataset
from backend.training.evaluation.exam import Marked
from backend.training.evaluation.examples import cue_of
from backend.training.evaluation.floors import Nearest, constant
from backend.training.evaluation.similarity import ALIKE, NAME, Encode, alike, by_chance
from benchmarks.quality.asking import Turn
from prompts import Pack

Answered = tuple[Case, Turn]


def summary(dataset: Dataset, answers: Sequence[Sequence[Turn]], encode: Encode | None) -> list[str]:
    """Lines for a terminal."""
    turns = [(case, turn) for case, talk in zip(dataset.cases, answers, strict=True) for turn in talk]
    told = [f"skipped {complaint}" for complaint in dataset.complaints]
    told.append(f"{len(dataset.cases)} conversations, {len(dataset.complaints)} lines skipped, {len(turns)} replies")
    if not turns:
        return told
    marks = [turn.mark for _, turn in turns]
    took = [turn.took_ms for _, turn in turns]
    told.append(f"whole reply: mean {fmean(took):.0f} ms, median {median(took):.0f} ms")
    told.append(_share("valid JSON", [mark.is_valid for mark in marks]))
    judged = [(case, turn) for case, turn in turns if turn.mark.asked.templates]
    told.append(_share("template right", [turn.mark.has_template for _, turn in judged], _template_floors(judged)))
    told.append(_share("slots right", [mark.has_slots for mark in marks if mark.asked.judged]))
    return [*told, *_similar(turns, encode)]


def _similar(turns: Sequence[Answered], encode: Encode | None) -> list[str]:
    """Replies and demands by their words."""
    replies = [(case, turn) for case, turn in turns if turn.mark.asked.reference or turn.mark.asked.templates]
    demands = [(case, turn) for case, turn in turns if turn.mark.asked.demand]
    if encode is None:
        return ["replies and demands: not compared, the encoder is missing (make eval)"] if replies or demands else []
    told = [f"alike: cosine of {ALIKE} or more under {NAME}"]
    told += _compared("reply", replies, encode, reference, answered)
    told += _compared("demand", demands, encode, lambda _, mark: str(mark.asked.demand), lambda _, mark: mark.demand)
    return told


def _compared(
    name: str,
    turns: Sequence[Answered],
    encode: Encode,
    wanted: Callable[[Pack, Marked], str],
    given: Callable[[Pack, Marked], str],
) -> list[str]:
    if not turns:
        return []
    right = [wanted(case.pack, turn.mark) for case, turn in turns]
    made = [given(case.pack, turn.mark) for case, turn in turns]
    floors = {}
    if len(turns) > 1:
        copies = [right[at] for at in _others(turns)]
        floors = {
            "the commonest answer": alike(encode, [(each, constant(right)) for each in right]),
            "the most similar line's": alike(encode, list(zip(right, copies, strict=True))),
        }
    chance = by_chance(encode, right)
    return [
        _share(f"{name} alike", alike(encode, list(zip(right, made, strict=True))), floors),
        f"  two {name}s of the file by chance: mean cosine {chance:.2f}",
    ]


def _template_floors(turns: Sequence[Answered]) -> dict[str, list[bool]]:
    """What the file's own answers would give, each line left out of what it may copy."""
    if len(turns) < 2:
        return {}
    right = [turn.mark.asked.templates for _, turn in turns]
    common = constant(min(templates) for templates in right)
    return {
        "the commonest answer": [common in templates for templates in right],
        "the most similar line's": [bool(right[at] & own) for at, own in zip(_others(turns), right, strict=True)],
    }


def _others(turns: Sequence[Answered]) -> list[int]:
    """For each turn the place of the most similar other one."""
    cues = [cue_of((), turn.mark.asked.text) for _, turn in turns]
    nearest = Nearest(cues)
    return [nearest(cue, without=at) for at, cue in enumerate(cues)]


def _share(name: str, held: Sequence[bool], floors: dict[str, list[bool]] | None = None) -> str:
    if not held:
        return f"{name}: nothing to judge by"
    beside = [f"{floor} {100 * fmean(right):.1f} %" for floor, right in (floors or {}).items()]
    told = f"{name}: {100 * fmean(held):.1f} % of {len(held)}"
    return f"{told} (floors: {', '.join(beside)})" if beside else told
