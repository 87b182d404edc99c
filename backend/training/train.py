"""Trains the starter model: `python -m backend.training.train --data DIR --out DIR` on a machine with a GPU.

Tokenizer, data and weights follow from the seed. Without a GPU, or with a set missing, it says so and stops.
"""

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.utils.checkpoint
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from backend.training.export import export
from backend.training.model import Model, Shape
from backend.training.rows import PADDING_DOC, ROW_TOKENS
from backend.training.shards import Shards, prepare

SIZES = {
    "tiny": Shape(width=256, layers=4, heads=4, inner=704),
    "small": Shape(width=320, layers=4, heads=5, inner=864),
    "deep": Shape(width=320, layers=6, heads=5, inner=864),
    "medium": Shape(width=384, layers=6, heads=6, inner=1024),
    "large": Shape(width=512, layers=6, heads=8, inner=1376),
}
WARM_UP = 0.04
_block_mask = torch.compile(create_block_mask)
LOSS_CHUNKS = 8


@dataclass(frozen=True)
class Plan:
    """How long and how fast. `batch` is in rows of ROW_TOKENS tokens."""

    epochs: float = 2.0
    batch: int = 32
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    decay: float = 0.05
    seed: int = 20261121


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the model's folders go")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--sizes", default="small", help="comma list of " + ", ".join(SIZES))
    parser.add_argument("--epochs", type=float, default=Plan.epochs)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    given = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("Training needs a GPU that PyTorch sees; this machine has none.")
    shards = prepare(given.data, given.out / "shards", rows=given.rows, seed=given.seed)
    for size in given.sizes.split(","):
        plan = Plan(epochs=given.epochs, seed=given.seed)
        model = trained(SIZES[size], plan, shards)
        export(model, shards.tokenizer, given.out / size)


def trained(shape: Shape, plan: Plan, shards: Shards) -> Model:
    """A model of `shape` after `plan` on `shards`."""
    torch.manual_seed(plan.seed)
    torch.set_float32_matmul_precision("high")
    model = Model(shape).cuda()
    optimizers = _optimizers(model, plan)
    steps = int(plan.epochs * len(shards) / plan.batch)
    step = torch.compile(_loss)
    started, shown = time.monotonic(), 0.0
    order = shards.order(plan.seed, plan.epochs)
    for number in range(steps):
        batch = shards.batch(order[number * plan.batch : (number + 1) * plan.batch])
        _set_rates(optimizers, number / steps)
        loss = step(model, *batch[:3], _mask(batch[3]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if number % 100 == 99 or number == steps - 1:
            shown = time.monotonic() - started
            print(
                json.dumps(
                    {"step": number + 1, "of": steps, "loss": round(loss.item(), 4), "seconds": round(shown, 1)}
                ),
                flush=True,
            )
    return model


def _loss(model: Model, tokens: Tensor, positions: Tensor, weights: Tensor, mask: BlockMask) -> Tensor:
    """Weighted cross entropy of the next token. A conversation's first token weighs nothing."""
    with torch.autocast("cuda", dtype=torch.bfloat16):
        hidden = model(
            tokens, positions, lambda q, k, v: flex_attention(q.bfloat16(), k.bfloat16(), v.bfloat16(), block_mask=mask)
        )
        hidden, targets, weights = hidden[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), weights[:, 1:].flatten()
        total = torch.zeros((), device=tokens.device)
        for part in zip(hidden.chunk(LOSS_CHUNKS), targets.chunk(LOSS_CHUNKS), weights.chunk(LOSS_CHUNKS), strict=True):
            total = total + torch.utils.checkpoint.checkpoint(_part_loss, model, *part, use_reentrant=False)
    return total / weights.sum()


def _part_loss(model: Model, hidden: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    return (F.cross_entropy(model.logits(hidden).float(), targets, reduction="none") * weights).sum()


def _mask(docs: Tensor) -> BlockMask:
    """Every conversation sees the system prompt and itself, backwards."""

    def seen(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        own, other = docs[batch, query], docs[batch, key]
        return (query >= key) & ((other == own) | (other == 0)) & (own != PADDING_DOC)

    return _block_mask(seen, B=docs.shape[0], H=None, Q_LEN=ROW_TOKENS, KV_LEN=ROW_TOKENS, device=docs.device)


def _optimizers(model: Model, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    muon = torch.optim.Muon(matrices, lr=plan.matrix_rate, momentum=0.95, weight_decay=plan.decay)
    adam = torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]


def _set_rates(optimizers: list[torch.optim.Optimizer], done: float) -> None:
    """A short warm-up, then a cosine to a hundredth."""
    share = (
        done / WARM_UP
        if done < WARM_UP
        else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))
    )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share


if __name__ == "__main__":
    main()
