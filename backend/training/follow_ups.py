"""What a customer says next because of what was said before: the lines of `grammar/talks`, put together anew."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from backend.training.grammar import Utterance, Values, expand
from backend.training.noise import disturb
from backend.training.tables import table

START = ""
SAME, FIX, NEW, FIRST = "same", "fix", "new", "first"
CARRIED = frozenset({"product", "amount", "date", "city"})
"""Nobody says whether such a value still counts for another demand: no lesson there.

But for the product, where the other demand is what a talk went on with: that is about the same thing.
"""


@dataclass(frozen=True)
class Next:
    """A line: what it means, the same as before if that is empty, and how its values go with those before."""

    intent: str
    phrase: str
    is_fix: bool = False
    is_new: bool = False
    is_first: bool = False


@cache
def following() -> Mapping[str, tuple[Next, ...]]:
    """The lines that may follow each intent; those that may begin follow `START`."""
    found: defaultdict[str, list[Next]] = defaultdict(list)
    for talk in table("talks")["talks"]:
        before = START
        for line in talk.strip().splitlines():
            said = _read(line)
            found[before].append(said)
            before = said.intent or before
    return {intent: tuple(lines) for intent, lines in found.items()}


def _read(line: str) -> Next:
    label, phrase = line.split(": ", 1)
    *marks, name = label.split()
    intent = "" if name in (SAME, FIX) else name
    return Next(intent, phrase, name == FIX, name == FIX or NEW in marks, FIRST in marks)


def spoken(line: Next, said_before: Mapping[str, str], rng: Random) -> Utterance:
    """The line as one message. `said_before` are the conversation's values; a new line draws its own."""
    values = Values(rng, {} if line.is_new else said_before)
    return disturb(Utterance(expand(line.phrase, values), line.intent), rng)
