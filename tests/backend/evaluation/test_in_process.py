"""What needs the engine's environment: weights that answer in this process, and going on from weights without a GPU."""

import json
import os
import subprocess

import pytest

from backend.training.evaluation.engine import Guided
from tests.backend.evaluation.asking import asked
from tests.parts import ENGINE_PYTHON, ROOT

pytestmark = pytest.mark.engine

WEIGHTS = """
import json
from pathlib import Path
from backend.training.evaluation.generate import Weights
from backend.training.evaluation.guidance import Guidance
from tests.backend.evaluation.asking import asked
folder = Path("backend/starter_model")
print(json.dumps([Weights(folder, guidance)(asked()) for guidance in (Guidance(folder), None)]))
"""
ROW = """
import numpy as np
import torch
from torch.nn import functional as F
from backend.training.model import Model, Shape
from backend.training.rows import ROW_TOKENS, Row
from backend.training.tune import Plan, apart, row_loss, tuned

torch.manual_seed(1)
ends = (0, 700, 1000, 2500, ROW_TOKENS)
docs = np.concatenate([np.full(end - begin, at, np.uint8) for at, (begin, end) in enumerate(zip(ends, ends[1:]))])
tokens = (np.arange(ROW_TOKENS) % 7).astype(np.uint16)
weights = np.where(docs > 0, 255, 0).astype(np.uint8)
row = Row(tokens, weights, docs, np.arange(ROW_TOKENS, dtype=np.uint16), np.zeros(1), np.zeros(1))
small = Shape(vocabulary=16, width=64, layers=2, heads=1, inner=32)
"""
SEEN = """
query, key, value = (torch.randn(1, 2, ROW_TOKENS, 8).bfloat16() for _ in range(3))
own = torch.from_numpy(docs)
seen = ((own[:, None] == own[None]) | (own[None] == 0)).tril()
dense = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
assert (apart(row)(query, key, value) - dense).abs().max() < 0.03
"""
DROPPED = """
model = Model(small, torch.zeros(16, 64), dropout=0.5)
table = model.model.embed_tokens.table()
first, second = (row_loss(model.train(), row, table).item() for _ in range(2))
third, fourth = (row_loss(model.eval(), row, table).item() for _ in range(2))
assert first != second and third == fourth
"""
LESSON = """
model = Model(small, torch.zeros(16, 64))
table = model.model.embed_tokens.table().detach().clone()
before = row_loss(model, row, table).item()
tuned(model, iter([row] * 12), 12, Plan(batch=2, rate=1e-2, warm_up=1))
assert row_loss(model, row, table).item() < 0.8 * before
assert torch.equal(model.model.embed_tokens.table(), table)
"""


def run(script: str) -> str:
    """The script's output, from the engine's environment; on one thread, because two would wait for each other."""
    argv, env = [str(ENGINE_PYTHON), "-c", script], os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_weights_answer_here_as_the_replica_does(engine_urls: list[str]) -> None:
    def heads(replies: list[str]) -> list[tuple[str, object]]:
        return [(reply["template"], reply["slots"]) for reply in map(json.loads, replies)]

    guided, free = (heads(replies) for replies in json.loads(run(WEIGHTS).splitlines()[-1]))
    served = heads(Guided(engine_urls[0])(asked()))
    assert [template for template, _ in guided] == [template for template, _ in served]
    # Both add up in bfloat16, but in another order: what is nearly a tie may fall either way, as one slot does.
    assert sum(here != there for here, there in zip(guided, served, strict=True)) <= 1
    assert sum(here != there for here, there in zip(guided, free, strict=True)) <= 1


def test_a_conversation_of_a_row_sees_the_prompt_and_itself() -> None:
    run(ROW + SEEN)


def test_a_training_leaves_a_share_out_and_an_answer_nothing() -> None:
    run(ROW + DROPPED)


def test_going_on_from_weights_teaches_without_a_gpu_and_leaves_the_words() -> None:
    run(ROW + LESSON)
