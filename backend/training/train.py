"""Trains the starter model: `python -m backend.training.train --data DIR --out DIR` on a machine with a GPU.

Tokenizer, data and weights follow from the seed. Without a GPU, or with a set missing, it says so and stops.
On N GPUs of one host, each with rows of its own: `torchrun --nproc-per-node N -m backend.training.train ...`.
"""

import argparse
import json
import math
import os
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
import torch.utils.checkpoint
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from backend.training.export import export
from backend.training.model import Model, Shape
from backend.training.rows import PADDING_DOC, ROW_TOKENS
from backend.training.shards import Shards, Share, learn, prepare

SIZES = {
    "small": Shape(width=384, layers=6, heads=6, inner=1024),
    "deep": Shape(width=384, layers=8, heads=6, inner=1024),
    "large": Shape(width=512, layers=8, heads=8, inner=1376),
}
WARM_UP = 0.04
_block_mask = torch.compile(create_block_mask)
LOSS_CHUNKS = 8
WORD_EPSILON, READ_WEIGHT = 1e-6, 0.15
STOPS_EVERY = 10
"""Steps between two looks at the clock."""


@dataclass(frozen=True)
class Plan:
    """How fast. `batch` is in rows of ROW_TOKENS tokens, for each GPU."""

    batch: int = 32
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    word_rate: float = 1.5e-3
    decay: float = 0.05
    dropout: float = 0.0
    seed: int = 20261121

    def on(self, gpus: int) -> "Plan":
        """The same for a batch so many times as large: rates grow with its square root (Malladi et al. 2022)."""
        more = math.sqrt(gpus)
        return replace(
            self,
            matrix_rate=self.matrix_rate * more,
            other_rate=self.other_rate * more,
            word_rate=self.word_rate * more,
        )


SECOND = Plan(matrix_rate=0.008, other_rate=1.2e-3, word_rate=6e-4)
"""For a second training that goes on from the first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the model's folder and its making go")
    parser.add_argument("--rows", type=int, default=320_000, help="each is seen once, by one of the GPUs")
    parser.add_argument("--size", choices=SIZES, default="deep")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--dropout", type=float, default=Plan.dropout, help="see backend.training.model.Model")
    parser.add_argument("--stop-after", type=float, default=math.inf, help="seconds; run again to go on from there")
    parser.add_argument("--begin", type=Path, help="a model's folder to go on from, at lower rates")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit(
            "A whole training needs a GPU that PyTorch sees; this machine has none. To go on from weights without one: "
            "python -m backend.training.tune"
        )
    stop_at = time.monotonic() + given.stop_after
    rank, ranks = _joined()
    plan = replace(Plan() if given.begin is None else SECOND, seed=given.seed, dropout=given.dropout).on(ranks)
    state = given.out / "state.pt"
    if _is_first():
        learn(given.data, given.out / "shards", seed=given.seed)
    if ranks > 1:
        dist.barrier()
    own = Share(rank, ranks, given.rows // ranks, first=_step_kept(state) * plan.batch)
    shards = prepare(given.data, given.out / "shards", own, seed=given.seed)
    model = trained(SIZES[given.size], plan, shards, state, stop_at, given.begin)
    if model and _is_first():
        export(model, shards.tokenizer, given.out / given.size)
        state.unlink(missing_ok=True)
    if dist.is_initialized():
        dist.destroy_process_group()


def _joined() -> tuple[int, int]:
    """This process's number and how many there are: what `torchrun` has set, else the only one."""
    if "RANK" not in os.environ:
        return 0, 1
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl", timeout=timedelta(hours=1))  # the first process may have much to learn
    return dist.get_rank(), dist.get_world_size()


def trained(
    shape: Shape, plan: Plan, shards: Shards, state: Path, stop_at: float = math.inf, begin: Path | None = None
) -> Model | None:
    """A model of `shape` after `plan` on `shards`; None if the clock stopped it: the next call goes on from `state`."""
    torch.manual_seed(plan.seed)
    torch.set_float32_matmul_precision("high")
    model = Model(shape, torch.from_numpy(shards.meanings).float(), plan.dropout).cuda().train()
    if begin:
        model.take(load_file(begin / "model.safetensors"))
    optimizers = _optimizers(model, plan)
    steps = len(shards) // plan.batch
    begun = _resumed(model, optimizers, state)
    step = torch.compile(_loss)
    read = torch.from_numpy(shards.read).cuda()
    started = time.monotonic()
    for number in range(begun, steps):
        if number % STOPS_EVERY == 0 and _is_over(stop_at):
            _keep(model, optimizers, state, number)
            return None
        batch = shards.batch(slice(number * plan.batch, (number + 1) * plan.batch))
        _set_rates(optimizers, number / steps)
        loss = step(model, *batch[:3], _mask(batch[3]), *batch[4:], read)
        loss.backward()
        _average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if (number % 100 == 99 or number == steps - 1) and _is_first():
            took, ready = round(time.monotonic() - started, 1), shards.ready
            shown = {"step": number + 1, "of": steps, "loss": round(loss.item(), 4), "rows": ready, "seconds": took}
            print(json.dumps(shown), flush=True)
    return model.eval()


def _is_first() -> bool:
    return not dist.is_initialized() or dist.get_rank() == 0


def _is_over(stop_at: float) -> bool:
    """Whether the first process's clock is past `stop_at`: all have to stop at the same step."""
    over = time.monotonic() > stop_at
    if dist.is_initialized():
        told = torch.tensor(over, device="cuda")
        dist.broadcast(told, 0)
        over = bool(told)
    return over


def _average_gradients(model: Model) -> None:
    if dist.is_initialized():
        for parameter in model.parameters():
            dist.all_reduce(parameter.grad, dist.ReduceOp.AVG)


def _keep(model: Model, optimizers: list[torch.optim.Optimizer], path: Path, number: int) -> None:
    if not _is_first():
        return
    kept = {"model": model.state_dict(), "optimizers": [each.state_dict() for each in optimizers], "step": number}
    torch.save(kept, path)
    print(json.dumps({"stopped_at": number}), flush=True)


def _step_kept(path: Path) -> int:
    """The step to go on with; 0 if nothing was kept."""
    return int(torch.load(path, map_location="cpu", weights_only=False)["step"]) if path.exists() else 0


def _resumed(model: Model, optimizers: list[torch.optim.Optimizer], path: Path) -> int:
    """Takes up what was kept and returns the step to go on with."""
    if not path.exists():
        return 0
    kept = torch.load(path, map_location="cuda", weights_only=False)
    model.load_state_dict(kept["model"])
    for optimizer, state in zip(optimizers, kept["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    return int(kept["step"])


def _loss(
    model: Model,
    tokens: Tensor,
    positions: Tensor,
    weights: Tensor,
    mask: BlockMask,
    places: Tensor,
    meant: Tensor,
    read: Tensor,
) -> Tensor:
    """Weighted cross entropy of the next token, and how far what was read is from what the encoder reads.

    A conversation's first token weighs nothing.
    """
    with torch.autocast("cuda", dtype=torch.bfloat16):
        table = model.model.embed_tokens.table()
        hidden, halfway = model(
            tokens,
            positions,
            lambda q, k, v: flex_attention(q.bfloat16(), k.bfloat16(), v.bfloat16(), block_mask=mask),
            table,
        )
        hidden, targets, weights = hidden[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), weights[:, 1:].flatten()
        total = torch.zeros((), device=tokens.device)
        for part in zip(hidden.chunk(LOSS_CHUNKS), targets.chunk(LOSS_CHUNKS), weights.chunk(LOSS_CHUNKS), strict=True):
            total = total + torch.utils.checkpoint.checkpoint(_part_loss, table, *part, use_reentrant=False)
        found = model.reader(halfway.gather(1, places[..., None].expand(-1, -1, halfway.shape[-1])))
        apart = 1 - F.cosine_similarity(found.float(), read[meant.clamp(min=0)], dim=-1)
        is_known = (meant >= 0).float()
    return total / weights.sum() + READ_WEIGHT * (apart * is_known).sum() / is_known.sum().clamp(min=1)


def _part_loss(table: Tensor, hidden: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    return (F.cross_entropy((hidden @ table.T.to(hidden.dtype)).float(), targets, reduction="none") * weights).sum()


def _mask(docs: Tensor) -> BlockMask:
    """Every conversation sees the system prompt and itself, backwards."""

    def seen(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        own, other = docs[batch, query], docs[batch, key]
        return (query >= key) & ((other == own) | (other == 0)) & (own != PADDING_DOC)

    return _block_mask(seen, B=docs.shape[0], H=None, Q_LEN=ROW_TOKENS, KV_LEN=ROW_TOKENS, device=docs.device)


def _optimizers(model: Model, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest. The words' own part learns slowly, and a word that is hardly
    ever seen hardly at all: its gradients are below the large epsilon.
    """
    words = [p for name, p in model.named_parameters() if "embed" in name]
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and name.startswith("model.layers")]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or name.startswith("reader")]
    muon = torch.optim.Muon(matrices, lr=plan.matrix_rate, momentum=0.95, weight_decay=plan.decay)
    groups = [{"params": others}, {"params": words, "lr": plan.word_rate, "eps": WORD_EPSILON}]
    adam = torch.optim.AdamW(groups, lr=plan.other_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
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
