"""The engine's grammar in this process: a reply is held to the schema that a turn of Pindesk sends along."""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import xgrammar
from torch import Tensor
from transformers import AutoTokenizer

from backend.training.evaluation.exam import Question, Schemas, as_served


class Guidance:
    """Compiled grammars for the tokenizer in `folder`. `schemas` tells the schema of a reply."""

    def __init__(self, folder: Path, schemas: Schemas = as_served) -> None:
        self._schemas = schemas
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._vocabulary = xgrammar.TokenizerInfo.from_huggingface(tokenizer)
        self._compiler = xgrammar.GrammarCompiler(self._vocabulary)
        self._compiled = lru_cache(maxsize=256)(self._compile)

    def begun(self, asked: Sequence[Question]) -> "Pens":
        """A fresh reply for each."""
        grammars = [self._compiled(json.dumps(self._schemas(question))) for question in asked]
        return Pens([xgrammar.GrammarMatcher(each) for each in grammars], self._vocabulary.vocab_size)

    def _compile(self, schema: str) -> xgrammar.CompiledGrammar:
        """As vLLM does it with blanks forbidden."""
        return self._compiler.compile_json_schema(schema, any_whitespace=False, separators=(",", ":"))


class Pens:
    """Replies that are being written at once, one a row."""

    def __init__(self, matchers: Sequence[xgrammar.GrammarMatcher], vocabulary: int) -> None:
        self._matchers = matchers
        self._mask = xgrammar.allocate_token_bitmask(len(matchers), vocabulary)

    def restrict(self, scores: Tensor) -> None:
        """Forbids in `scores`, (rows, vocabulary), what would break the schema."""
        for row, matcher in enumerate(self._matchers):
            if not matcher.is_terminated():
                matcher.fill_next_token_bitmask(self._mask, row)
        xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device))

    def accept(self, tokens: Sequence[int]) -> None:
        for matcher, token in zip(self._matchers, tokens, strict=True):
            if not matcher.is_terminated():
                matcher.accept_token(token)
