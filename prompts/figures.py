"""What a pack costs the engine: tokens of its system prompt, and the time to compile its grammar.

Both are measured with the served model's tokenizer where the packages for it are installed: `tokenizers` for the
tokens, `xgrammar` and `transformers` (the engine's environment) for the grammar.
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

from prompts.catalogue import system_prompt
from prompts.pack import Pack
from prompts.schema import reply_schema

# Measured on the demo shop: 3.9 with a vocabulary of 65,000 pieces, 4.6 with one of 100,000; lower is safer.
CHARS_PER_TOKEN = 3.5


@dataclass(frozen=True)
class Figures:
    """`prompt_tokens` is an estimate unless `counted`; `grammar_ms` is None where it cannot be measured."""

    templates: int
    prompt_tokens: int
    counted: bool
    grammar_ms: float | None


def measure(pack: Pack, model: Path | None = None) -> Figures:
    """The figures of a pack under the tokenizer in the folder `model`."""
    counted = _counted_tokens(pack, model) if model else None
    estimate = round(len(system_prompt(pack)) / CHARS_PER_TOKEN)
    return Figures(
        templates=len(pack.offered),
        prompt_tokens=estimate if counted is None else counted,
        counted=counted is not None,
        grammar_ms=_grammar_ms(pack, model) if model else None,
    )


def _counted_tokens(pack: Pack, model: Path) -> int | None:
    """Tokens of the system prompt, or None without `tokenizers` or a fast tokenizer."""
    file = model / "tokenizer.json"
    if find_spec("tokenizers") is None or not file.is_file():
        return None
    from tokenizers import Tokenizer

    return len(Tokenizer.from_file(str(file)).encode(system_prompt(pack)).ids)


def _grammar_ms(pack: Pack, model: Path) -> float | None:
    """Time of the first compilation of the reply's grammar, as vLLM does it, or None without the engine's packages."""
    if find_spec("xgrammar") is None or find_spec("transformers") is None:
        return None
    import transformers
    import xgrammar

    tokenizer = transformers.AutoTokenizer.from_pretrained(model, local_files_only=True)
    compiler = xgrammar.GrammarCompiler(xgrammar.TokenizerInfo.from_huggingface(tokenizer))
    schema = json.dumps(reply_schema(pack))
    started = perf_counter()
    compiler.compile_json_schema(schema, any_whitespace=False, separators=(",", ":"))
    return (perf_counter() - started) * 1000
