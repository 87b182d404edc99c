"""How many tokens a text may have, where no tokenizer is at hand: rather too many than too few.

Weights by character, from byte-level BPE vocabularies of 6,000 to 150,000 pieces that were trained on English: words
that people write have fewer than two tokens for five letters; digits and punctuation are spelled out, and scripts that
the vocabulary does not know byte by byte.
"""

from collections.abc import Iterable, Mapping

PER_MESSAGE = 4
"""What a chat template adds to each message."""

_SMALL, _CAPITAL = 0.4, 0.8
_ASCII_END, _TWO_BYTES_END, _PLANE_END = 0x80, 0x800, 0x10000


def estimated_tokens(text: str) -> int:
    """An upper estimate for `text`."""
    return round(sum(map(_weight, text)))


def estimated_prompt(messages: Iterable[Mapping[str, str]]) -> int:
    """An upper estimate for a prompt of OpenAI messages."""
    return sum(PER_MESSAGE + estimated_tokens(message["content"]) for message in messages)


def head_of(text: str, most_tokens: int) -> str:
    """The longest beginning of `text` that is estimated at no more than `most_tokens`."""
    held = 0.0
    for at, char in enumerate(text):
        held += _weight(char)
        if held > most_tokens:
            return text[:at]
    return text


def _weight(char: str) -> float:
    code = ord(char)
    if code < _ASCII_END:
        return _SMALL if char.islower() or char == " " else _CAPITAL if char.isupper() else 1.0
    if code < _TWO_BYTES_END:
        return 2.0
    return 3.0 if code < _PLANE_END else 4.0
