"""What a pack costs by its size: `python -m benchmarks.catalogue`.

Packs of 10, 50 and 200 templates, made of the demo shop's: tokens of the system prompt under the served model's
tokenizer, time to compile the reply's grammar as vLLM does it, and whether `python -m prompts check` would refuse the
pack. The larger packs are variants of the same templates, so their grammars have no more kinds of slots.
"""

import argparse
from dataclasses import asdict
from itertools import count, cycle
from pathlib import Path
from typing import Any

from prompts import Pack, Template, load_pack
from prompts.check import CONTEXT_TOKENS, MAX_CONTEXT_SHARE, PACKS
from prompts.figures import measure

SIZES = (10, 50, 200)


def sized(pack: Pack, size: int) -> Pack:
    """The pack with exactly `size` templates to choose from: its first ones, then variants of them."""
    hidden = {template.id: template for template in pack.templates.values() if template.hidden}
    offered: dict[str, Template] = {}
    for number, template in zip(count(), cycle(pack.offered)):
        if len(offered) == size:
            break
        round_ = number // len(pack.offered)
        changes = {"id": f"{template.id}_{round_}", "when": f"{template.when}, case {round_}"} if round_ else {}
        variant = template.model_copy(update=changes)
        offered[variant.id] = variant
    return pack.model_copy(update={"templates": offered | hidden})


def figures(model: Path, context_tokens: int) -> list[dict[str, Any]]:
    """One row for each size."""
    pack = load_pack(PACKS / "demo-shop")
    rows = [asdict(measure(sized(pack, size), model)) for size in SIZES]
    return [row | {"refused": row["prompt_tokens"] > context_tokens * MAX_CONTEXT_SHARE} for row in rows]


def report(rows: list[dict[str, Any]], context_tokens: int) -> str:
    lines = [f"{'templates':>9}  {'prompt tokens':>13}  {'grammar':>9}  in a context of {context_tokens}"]
    for row in rows:
        grammar = "-" if row["grammar"]["ms"] is None else f"{row['grammar']['ms']:.0f} ms"
        tokens = f"{row['prompt_tokens']}{'' if row['counted'] else ' est.'}"
        verdict = "refused" if row["refused"] else "ok"
        lines.append(f"{row['templates']:>9}  {tokens:>13}  {grammar:>9}  {verdict}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("backend/starter_model"), help="folder of the served model")
    parser.add_argument("--context", type=int, default=CONTEXT_TOKENS, help="the served context, in tokens")
    options = parser.parse_args()
    print(report(figures(options.model, options.context), options.context))


if __name__ == "__main__":
    main()
