"""What a slot's value must be: its type, its shape, and for a copy its place in the customer's own words."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from unicodedata import normalize

from prompts.characters import folded, is_spaced, occurs, one_line, runs
from prompts.errors import InvalidReply, Ungrounded
from prompts.shapes import SHAPES, Shape, alphanumerics
from prompts.template import Kind, Slot, SlotType

_ORDER_ID_CHARS = range(3, 31)
_MOST_WORDS = 6  # of a value of an open kind: "set of six blue egg cups"
_PLAIN_WORD = re.compile(
    r"(?:a|all|also|am|an|and|are|as|at|be|been|but|buy|by|call|code|cost|did|does|for|from|get|got|had|has|have|how|i|"
    r"id|if|in|into|is|it|its|just|like|made|me|mean|my|need|new|no|not|now|nr|num|of|off|oh|ok|old|on|one|only|or|ord|"
    r"ordr|our|over|paid|pay|per|pls|ref|said|say|says|see|sent|she|so|than|that|the|them|then|they|this|to|up|via|"
    r"want|was|we|were|what|when|with|yeah|yes|you|your) ",
    re.IGNORECASE,
)
"""What stands before a number without being its beginning, as the letters of "AB 10234" are."""
_LOOSE_LETTERS = re.compile(r"(?<= )[^\W\d_]+|(?<=\.)[^\W\d_]+$")
"""Behind a number's beginning, as in "7 DL 339" and "66.12.AK": what might as well be a word or the next sentence."""
_CLAUSE_END = re.compile(r" ?(?:[^\w\s]|$)")


def lawful(slot: Slot, value: object, texts: Sequence[str]) -> str | None:
    """The value as it may be shown. Raises `InvalidReply` if it breaks the slot's rules, `Ungrounded` if it is
    a copy of nothing in `texts`. Numbers, objects and the empty string are never lawful.
    """
    if value is None and slot.optional:
        return None
    if not isinstance(value, str):
        raise InvalidReply(f"Slot {slot.name} holds {type(value).__name__} instead of text.")
    if slot.type is SlotType.CHOICE:
        return _chosen(slot, value)
    clean = one_line(value)
    if slot.type is SlotType.COPIED:
        clean = clean.lstrip("# ") if slot.kind is Kind.ORDER_ID else clean
        return _copied(slot, clean, texts)
    if not clean:
        raise InvalidReply(f"Slot {slot.name} is empty.")
    return _capped(clean, slot.max_chars)


def grounded(value: str, slot: Slot, texts: Iterable[str]) -> bool:
    """True if `value` occurs in one of `texts`, in any spelling that means the same for its kind."""
    wanted = folded(value)
    return any(_stands_in(wanted, slot, folded(text)) for text in texts)


def is_open(slot: Slot) -> bool:
    """True if any words may be a value of a copied slot: its kind has no shape (text, date)."""
    return _shape(slot) is None


def candidates(slot: Slot, texts: Sequence[str]) -> list[str] | None:
    """The lawful values of a copied slot in `texts`, newest text first. Of an open kind: every run of up to six words;
    None if a text is in a script without blanks between words.
    """
    if is_open(slot) and not all(map(is_spaced, texts)):
        return None
    alike = Slot(type=slot.type, kind=slot.kind, pattern=slot.pattern, max_chars=slot.max_chars)
    return list(dict.fromkeys(value for text in reversed(texts) for value in _candidates_in(alike, text)))


@lru_cache(maxsize=1024)
def _candidates_in(slot: Slot, text: str) -> tuple[str, ...]:
    """Those of one text. A conversation's earlier messages are asked for again in each of its turns."""
    shape, spelled = _shape(slot), _spelled(text)
    if shape is None:
        return tuple(run for run in dict.fromkeys(runs(spelled, _MOST_WORDS)) if len(run) <= slot.max_chars)
    found = dict.fromkeys(one_line(value) for value in _found(shape, spelled))
    values = [v for v in found if len(v) <= slot.max_chars and _well_shaped(slot, folded(v))]
    if slot.pattern is None and slot.kind is Kind.ORDER_ID:
        values = _order_numbers(values, spelled)
    return tuple(values)


def _order_numbers(values: Sequence[str], text: str) -> list[str]:
    """The order numbers in `text` that are no pieces of others, as "1180" is of "RB/1180/7"."""
    is_shouted = _is_shouted(text)
    values = [value for value in values if _has_no_plain_word(value, is_shouted=is_shouted)]
    wholes = [value for value in values if _is_whole(value, text, is_shouted=is_shouted)]
    pieces = {piece for whole in wholes for piece in _pieces(whole)}
    return [value for value in values if value not in pieces]


def _pieces(whole: str) -> Iterator[str]:
    """Every run of the words and numbers of `whole`, but the whole itself."""
    words = [match.span() for match in re.finditer(r"[^\W_]+", whole)]
    runs_of_it = (whole[start:end] for at, (start, _) in enumerate(words) for _, end in words[at:])
    yield from (run for run in runs_of_it if run != whole)


def _is_shouted(text: str) -> bool:
    """True if capitals say nothing in `text`, because words are in capitals too."""
    return text.isupper() and sum(map(_is_word, text.split())) > 1


def _is_word(letters: str) -> bool:
    return letters.isalpha() and (len(letters) > 2 or _begins_with_word(letters))


def _begins_with_word(value: str) -> bool:
    return _PLAIN_WORD.match(f"{value} ") is not None


def _has_no_plain_word(value: str, *, is_shouted: bool) -> bool:
    """True if every word in `value` may be a number's letters: those behind its beginning have to be capitals."""
    loose = _LOOSE_LETTERS.findall(value)
    if loose and (is_shouted or not all(map(str.isupper, loose))):
        return False
    return not any(_begins_with_word(words) for words in (value, *loose) if words != "A")


def _is_whole(value: str, text: str, *, is_shouted: bool) -> bool:
    """True if no piece of an order number in `text` is meant alone: typed in one, in groups of digits at a clause's end
    ("77120 45"), or behind capitals ("RB 1180"). Numbers of one length side by side may be several.
    """
    groups = re.split("[/. ]", value)
    if len(groups) > 1 and len(set(map(len, groups))) == 1 and len(groups[0]) in _ORDER_ID_CHARS:
        return False
    if " " not in value:
        return True
    if any(map(str.isalpha, groups[1:])):
        return False
    ends = any(_CLAUSE_END.match(behind) for behind in text.split(value)[1:])
    behind_capitals = groups[0].isupper() and not is_shouted
    return ends if value[0].isdigit() else behind_capitals and (ends or value.count(" ") == 1)


def _chosen(slot: Slot, value: str) -> str:
    """A value of the closed list."""
    if value not in slot.choices:
        raise InvalidReply(f"Slot {slot.name} holds a value outside of its choices.")
    return value


def _copied(slot: Slot, value: str, texts: Sequence[str]) -> str:
    """A value that is short, has its kind's shape and stands in `texts`."""
    if len(value) > slot.max_chars or not _well_shaped(slot, folded(value)):
        raise InvalidReply(f"Slot {slot.name} does not have the shape of its kind.")
    if not grounded(value, slot, texts):
        raise Ungrounded(slot.name)
    return value


def _shape(slot: Slot) -> Shape | None:
    """The shape of a slot's pattern or kind; None for an open kind."""
    if slot.pattern is not None:
        return Shape((re.compile(slot.pattern, re.IGNORECASE),), str)
    return SHAPES.get(slot.kind)


def _well_shaped(slot: Slot, value: str) -> bool:
    """True if the folded `value` looks like its kind."""
    if not any(c.isalnum() for c in value):
        return False
    if slot.pattern is not None:
        return re.fullmatch(slot.pattern, value, re.IGNORECASE) is not None
    if slot.kind is Kind.ORDER_ID:
        return len(alphanumerics(value)) in _ORDER_ID_CHARS and any(c.isdigit() for c in value)
    if slot.kind in (Kind.EMAIL, Kind.PHONE):
        return SHAPES[slot.kind].patterns[0].fullmatch(value) is not None
    return True


def _stands_in(wanted: str, slot: Slot, text: str) -> bool:
    """True if a value stands in a text, both folded. Open kinds and amounts in words are compared as words."""
    shape = _shape(slot)
    if shape is None:
        return occurs(wanted, text)
    keys = {shape.key(found) for found in _found(shape, text)}
    if slot.kind is Kind.AMOUNT and slot.pattern is None:
        return occurs(wanted, text) or _same_amount(shape.key(wanted), keys)
    return shape.key(wanted) in keys


def _same_amount(wanted: object, keys: set[object]) -> bool:
    """Amounts are the same if the numbers are and the value names no currency that the customer did not."""
    if not isinstance(wanted, tuple):
        return False
    number, currency = wanted
    return wanted in keys or (currency is None and any(key[0] == number for key in keys if isinstance(key, tuple)))


def _found(shape: Shape, text: str) -> Iterator[str]:
    """Every stretch of `text` that one of the shape's patterns finds."""
    for pattern in shape.patterns:
        yield from (match[0] for match in re.finditer(pattern.pattern, text, pattern.flags | re.IGNORECASE))


def _spelled(text: str) -> str:
    """`text` in the spelling to offer: compatibility forms folded, case kept."""
    return one_line(normalize("NFKC", one_line(text)))


def _capped(value: str, max_chars: int) -> str:
    """Generated text cut at a word's end."""
    if len(value) <= max_chars:
        return value
    return value[: max_chars - 1].rsplit(" ", 1)[0].rstrip() + "…"
