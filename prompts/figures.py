"""What a pack costs the engine: tokens of its system prompt, and the time to compile its grammar.

Both are measured with the served model's tokenizer where the packages for it are installed: `tokenizers` for the
tokens, those of `grammar` for the grammar.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from prompts.catalogue import system_prompt
from prompts.grammar import Grammar, compiled
from prompts.pack import Pack

# Measured on the demo shop: 3.9 with a vocabulary of 65,000 pieces, 4.6 with one of 100,000; lower is safer.
CHARS_PER_TOKEN = 3.5


@dataclass(frozen=True)
class Figures:
    """`prompt_tokens` is an estimate unless `counted`."""

    templates: int
    prompt_tokens: int
    counted: bool
    grammar: Grammar = field(default_factory=Grammar)


def measure(pack: Pack, model: Path | None = None) -> Figures:
    """The figures of a pack under the tokenizer in the folder `model`."""
    counted = _counted_tokens(pack, model) if model else None
    estimate = round(len(system_prompt(pack)) / CHARS_PER_TOKEN)
    return Figures(
        templates=len(pack.offered),
        prompt_tokens=estimate if counted is None else counted,
        counted=counted is not None,
        grammar=compiled(pack, model) if model else Grammar(),
    )


def _counted_tokens(pack: Pack, model: Path) -> int | None:
    """Tokens of the system prompt, or None without `tokenizers` or a fast tokenizer."""
    file = model / "tokenizer.json"
    if find_spec("tokenizers") is None or not file.is_file():
        return None
    from tokenizers import Tokenizer

    return len(Tokenizer.from_file(str(file)).encode(system_prompt(pack)).ids)
