"""What a turn's grammar lists is what the labels want: a value that it missed would become null."""

from collections.abc import Iterator

import pytest

from backend.training.evaluation.cases import Case, cucom_cases, written_cases
from prompts import Slot, candidates, prompt_form
from prompts.characters import folded

WRITTEN = ("messages", "conversations", "follow_ups")
SETS = (
    "cucom",
    *WRITTEN,
    *(f"{kind}_{name}" for kind in ("fresh", "exam", "blind") for name in WRITTEN[:2]),
    *(f"{kind}_conversations" for kind in ("held", "sealed", "stranger")),
)


def wanted(case: Case) -> Iterator[tuple[Slot, str, list[str]]]:
    """The labelled values of copied slots, and the customer's messages until then."""
    slots = {slot.name: slot for template in case.pack.offered for slot in template.asked}
    said: list[str] = []
    for turn in case.turns:
        said.append(prompt_form(turn.text))
        for name, value in (turn.slots or {}).items():
            if value is not None:
                yield slots[name], value, list(said)


@pytest.mark.parametrize("name", SETS)
def test_every_labelled_value_is_listed(name: str) -> None:
    cases = cucom_cases() if name == "cucom" else written_cases(name)
    found = [
        folded(value.lstrip("#")) in map(folded, listed)
        for case in cases
        for slot, value, said in wanted(case)
        if (listed := candidates(slot, said)) is not None
    ]
    # Not the lists themselves: nobody is to read the texts of these sets in a test's output.
    missed = found.count(False)
    assert len(found) >= 15
    assert missed == 0
