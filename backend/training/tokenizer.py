"""The starter model's tokenizer: byte-level BPE whose pieces never cross the JSON's fixed parts.

A reply's fixed parts (`","slots":{"`, `"},"demand":"`, ...) are pieces of their own, so that each is one token, in the
engine's output and when its raw JSON is tokenized again as history: prompt and output of a turn are, token for token,
the beginning of the next prompt. Digits stand alone, letters of codes (AB12) too: both are copied sign by sign.
A template's name is cut into its words, in the catalogue and in the reply alike: a name never seen is known words.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from prompts import Action, ActionReason, Sentiment

PAD, END, SYSTEM, USER, ASSISTANT = SPECIALS = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
SCAFFOLD = (
    *(f'{{"action":"{action.value}","template":"' for action in Action),
    '","slots":{},"demand":"',
    '","slots":{"',
    '":null},"demand":"',
    '":null,"',
    '"},"demand":"',
    '":"',
    '","',
    *(f'","sentiment":"{mood.value}","action_reason":"' for mood in Sentiment),
    *(f'{reason.value}"}}' for reason in ActionReason),
)
CATALOGUE = ("\n- ", "?): ", "): ", "(): ", "?,")
_PATTERNS = (
    *(re.escape(piece).replace("\\ ", " ") for piece in sorted((*SCAFFOLD, *CATALOGUE), key=len, reverse=True)),
    r"_[a-z]+(?![a-z]|\d)",
    r"'(?:s|t|re|ve|m|ll|d)(?!\p{L})",
    r"{common}",
    r"\p{L}+(?!\p{L}|-?\d)",
    r"\p{L}",
    r"\d",
    r' ?[^\s\p{L}\d"]+',
    r' ?"',
    r"\s",
)
COMMON_WORDS, COMMON_AT_LEAST = 2000, 25
LISTED_TIMES = 40
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] -}}"
    "{%- if message['role'] == 'assistant' -%}{{- '<|end|>' -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def untrained(common: Iterable[str]) -> Tokenizer:
    """The pre-tokenizer and decoder without a vocabulary. Only `common` words carry the blank before them: a rare word
    is cut in the same way behind a blank and behind a quote, which makes it easy to copy.
    """
    tokenizer = Tokenizer(models.BPE())
    pattern = "|".join(_PATTERNS).replace("{common}", rf" {_trie(common)}(?!\p{{L}}|-?\d)")
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def trained(texts: Iterable[str], vocabulary: int, listed: Iterable[str] = ()) -> Tokenizer:
    """A vocabulary of `vocabulary` pieces, with most of the `listed` words whole.

    Raises `ValueError` if a fixed part of the JSON is not one token.
    """
    texts = list(texts)
    counted = Counter(word for text in texts for word in re.findall(r"[^\W\d_]+", text))
    tokenizer = untrained([word for word, count in counted.most_common(COMMON_WORDS) if count >= COMMON_AT_LEAST])
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(text, special=True, normalized=False) for text in SPECIALS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*texts, *(f'"{word}"\n' * LISTED_TIMES for word in listed)], trainer)
    split = [piece for piece in SCAFFOLD if len(tokenizer.encode(piece, add_special_tokens=False).ids) != 1]
    if split:
        raise ValueError(f"These fixed parts of the JSON are not whole pieces: {split}")
    return tokenizer


def _trie(words: Iterable[str]) -> str:
    """A regular expression that matches exactly `words`, branching by letter: fast however many there are."""
    branches: dict[str, list[str]] = {}
    for word in sorted(set(words)):
        branches.setdefault(word[:1], []).append(word[1:])
    whole = "" in branches
    parts = [
        re.escape(letter) + (_trie(rests) if rests != [""] else "") for letter, rests in branches.items() if letter
    ]
    return f"(?:{'|'.join(parts)}){'?' if whole else ''}" if parts else ""


def load(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
