"""Which characters a value or a prompt may hold, and how texts are compared."""

import re
import unicodedata
from collections.abc import Iterator

_KEPT_CONTROLS = "\t\n\r"
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_WORD = re.compile(r"[^\W_]+")
_FIRST_UNSPACED = 0x2E80  # CJK radicals: from here on, scripts put no blanks between words


def visible(text: str) -> str:
    """`text` without characters that show nothing or reorder others; line breaks and tabs stay."""
    return "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in _HIDDEN_CATEGORIES)


def one_line(text: str) -> str:
    """`text` as one line of visible characters in NFC, single blanks between words."""
    return " ".join(unicodedata.normalize("NFC", visible(text)).split())


def folded(text: str) -> str:
    """The form in which texts are compared: one line, compatibility forms and case folded."""
    return one_line(unicodedata.normalize("NFKC", one_line(text)).casefold())


def occurs(needle: str, haystack: str) -> bool:
    """True if `needle` stands in `haystack` as whole words or numbers; both must be `folded`.

    "1023" does not occur in "10234", nor "12.50" in "112.50" or "3-4" in "3-4-5". Scripts without blanks have
    no word ends to respect.
    """
    at = haystack.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        if not _joined(haystack[:at][::-1], needle[0]) and not _joined(haystack[end:], needle[-1]):
            return True
        at = haystack.find(needle, at + 1)
    return False


def runs(text: str, most_words: int) -> Iterator[str]:
    """Every run of up to `most_words` words of a text of one line, with the marks between them; each `occurs` in it."""
    words = [match.span() for match in _WORD.finditer(text)]
    ends = [None if _joined(text[end : end + 2], text[end - 1]) else end for _, end in words]
    for at, (start, _) in enumerate(words):
        if not _joined(text[max(0, start - 2) : start][::-1], text[start]):
            yield from (text[start:end] for end in ends[at : at + most_words] if end is not None)


def is_spaced(text: str) -> bool:
    """True if every word of `text` is in a script that puts blanks between words."""
    return not any(c.isalpha() and ord(c) >= _FIRST_UNSPACED for c in text)


def _joined(outside: str, edge: str) -> bool:
    """True if the text `outside`, read away from the `edge` of a find, continues its word or number."""
    if not outside or not edge.isalnum() or ord(edge) >= _FIRST_UNSPACED:
        return False
    if outside[0].isalnum():
        return ord(outside[0]) < _FIRST_UNSPACED
    return edge.isdigit() and outside[0] in "-/.,:" and outside[1:2].isdigit()
