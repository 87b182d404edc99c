"""The engine's compiler over a pack's grammar: how long it takes, and which templates it refuses.

The compiler (`xgrammar`, `transformers`) lives in the engine's environment and takes seconds to load, so it is a
process of its own: `python -m prompts.grammar MODEL` answers each schema on its standard input by a line of JSON.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from prompts.pack import Pack
from prompts.schema import Schema, alone, reply_schema, templates_in

ROOT = Path(__file__).parents[1]
ENGINE_PYTHON = ROOT / ".venv/engine/bin/python"


@dataclass(frozen=True)
class Grammar:
    """`ms` is the time of the first compilation; None where nothing compiles. `refused` has the compiler's reasons
    by template.
    """

    ms: float | None = None
    refused: dict[str, str] = field(default_factory=dict)


def compiled(pack: Pack, model: Path, python: Path = ENGINE_PYTHON) -> Grammar:
    """Compile the pack's grammar for the model in the folder, with the environment of `python` if this has no compiler.

    Where neither has one, or the model no tokenizer that it reads, the time stays None.
    """
    if find_spec("xgrammar") is not None and find_spec("transformers") is not None:
        python = Path(sys.executable)
    if not python.is_file():
        return Grammar()
    process = _compiler(python, model.resolve())
    try:
        print(json.dumps(reply_schema(pack)), file=process.stdin, flush=True)
    except BrokenPipeError:
        return Grammar()
    answer = process.stdout.readline()
    return Grammar(**json.loads(answer)) if answer else Grammar()


@lru_cache(maxsize=1)
def _compiler(python: Path, model: Path) -> "subprocess.Popen[str]":
    """It ends with us, because its standard input does."""
    argv = [str(python), "-m", "prompts.grammar", str(model)]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def told(schema: Schema, refusal: Callable[[Mapping[str, Any]], str | None]) -> Grammar:
    """The grammar of a reply's schema, given a compiler that says why it refuses one."""
    began = perf_counter()
    if refusal(schema) is None:
        return Grammar((perf_counter() - began) * 1000)
    whys = ((branch, refusal(alone(schema, branch))) for branch in schema["anyOf"])
    return Grammar(refused={name: why for branch, why in whys if why is not None for name in templates_in(branch)})


def main() -> None:
    import transformers
    import xgrammar

    tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1], local_files_only=True)
    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer)

    def refusal(schema: Mapping[str, Any]) -> str | None:
        try:
            # As vLLM does it, with blanks forbidden; a new compiler, because one remembers what it has compiled.
            compiler = xgrammar.GrammarCompiler(info)
            compiler.compile_json_schema(json.dumps(schema), any_whitespace=False, separators=(",", ":"))
        except (RuntimeError, ValueError) as error:
            return str(error).strip().splitlines()[0]
        return None

    for line in sys.stdin:
        print(json.dumps(asdict(told(json.loads(line), refusal))), flush=True)


if __name__ == "__main__":
    main()
