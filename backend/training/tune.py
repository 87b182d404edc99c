"""Goes on from a model's weights on a machine without a GPU: some hundred rows, in an hour.

    .venv/engine/bin/python -m backend.training.tune --model backend/starter_model --data DIR --out DIR [--rows N]

For what a whole training did not teach, such as new dialogues of the grammar: the rates are low, and most rows are
those of the training, so that nothing else is forgotten. Mined catalogues need a GPU to be found; those of an earlier
`make model` do as well (`--mined`). Words keep their vectors. Rows and weights follow from the seed.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from backend.training.catalogues import shop
from backend.training.corpora import Sources
from backend.training.export import export
from backend.training.mined import Mined
from backend.training.model import Attend, Model, built
from backend.training.rows import WEIGHT_SCALE, Row, RowMaker
from backend.training.speaker import Speaker
from backend.training.tokenizer import load

KINDS = {"shop": 42, "renamed": 15, "trade": 20, "foreign": 8, "invented": 2, "mined": 8, "bank": 8, "star": 5}
"""Without `--mined` its rows are foreign ones."""
SEEDS_FROM = 900_000_000
"""Apart from the rows of a whole training with a usual seed: those start at the seed times ROWS_MOST."""


@dataclass(frozen=True)
class Plan:
    """How fast. A step is `batch` rows; the rate falls linearly to nothing."""

    batch: int = 2
    rate: float = 2e-4
    warm_up: int = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the weights to go on from")
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the new model's folder goes")
    parser.add_argument("--rows", type=int, default=120, help="each is seen once")
    parser.add_argument("--mined", type=Path, help="folder with the mined catalogues of an earlier training")
    parser.add_argument("--rate", type=float, default=Plan.rate)
    parser.add_argument("--batch", type=int, default=Plan.batch, help="rows of a step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    tokenizer = load(given.model)
    mined = Mined.load(given.mined) if given.mined else None
    maker = RowMaker(tokenizer, Speaker(Sources(given.data), shop().pack.brand, mined), KINDS)
    rows = (maker.row(SEEDS_FROM + given.seed * 1_000_000 + at) for at in range(given.rows))
    model = built(load_file(given.model / "model.safetensors"))
    tuned(model, rows, given.rows, Plan(batch=given.batch, rate=given.rate))
    export(model, tokenizer, given.out)


def tuned(model: Model, rows: Iterator[Row], count: int, plan: Plan) -> None:
    """Trains `model` in place on `count` rows."""
    model.train()
    for parameter in model.model.embed_tokens.parameters():
        parameter.requires_grad_(False)
    learned = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("reader")]
    optimizer = torch.optim.AdamW(learned, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.0)
    table = model.model.embed_tokens.table().detach()
    steps, began = count // plan.batch, time.monotonic()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = plan.rate * min((step + 1) / plan.warm_up, 1.0) * (1 - step / steps)
        batch = [next(rows) for _ in range(plan.batch)]
        whole = sum(float(row.weights[1:].sum()) for row in batch) / WEIGHT_SCALE
        lost = 0.0
        for row in batch:
            loss = row_loss(model, row, table) / whole
            loss.backward()
            lost += loss.item()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seconds = round(time.monotonic() - began, 1)
        print(json.dumps({"step": step + 1, "of": steps, "loss": round(lost, 4), "seconds": seconds}), flush=True)
    model.eval()


def row_loss(model: Model, row: Row, table: Tensor) -> Tensor:
    """Weighted cross entropy of the next tokens, summed; only what has a weight is compared."""
    tokens = torch.from_numpy(row.tokens).long()
    weights = torch.from_numpy(row.weights).float()[1:] / WEIGHT_SCALE
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden, _ = model(tokens[None], torch.from_numpy(row.positions).long()[None], apart(row), table)
        told = weights > 0
        scores = (hidden[0, :-1][told] @ table.T).float()
    return (F.cross_entropy(scores, tokens[1:][told], reduction="none") * weights[told]).sum()


def apart(row: Row) -> Attend:
    """Attention within a row: a conversation sees the system prompt and itself, backwards.

    One conversation after the other, so that no time is lost on those that do not see each other.
    """
    docs = torch.from_numpy(row.docs).long()
    lengths = torch.unique_consecutive(docs, return_counts=True)[1].tolist()
    prompt, ends = lengths[0], torch.tensor(lengths).cumsum(0).tolist()
    spans = list(pairwise(ends))

    def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        query, key, value = query.bfloat16(), key.bfloat16(), value.bfloat16()
        head = slice(0, prompt)
        told = [F.scaled_dot_product_attention(query[:, :, head], key[:, :, head], value[:, :, head], is_causal=True)]
        for begin, end in spans:
            seen = torch.ones(end - begin, prompt + end - begin, dtype=torch.bool).tril(prompt)
            keys, values = (torch.cat((each[:, :, head], each[:, :, begin:end]), dim=2) for each in (key, value))
            told.append(F.scaled_dot_product_attention(query[:, :, begin:end], keys, values, attn_mask=seen))
        return torch.cat(told, dim=2)

    return attend


if __name__ == "__main__":
    main()
