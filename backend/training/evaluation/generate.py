"""Greedy answers by the weights in this process, free or guided by a turn's schema as the engine guides them.

A pack's system prompt is read once; the conversations behind it share its keys and values and are read in batches. So
an examination takes seconds on a GPU and minutes on two CPU cores.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from backend.training.evaluation.exam import Question
from backend.training.evaluation.guidance import Guidance
from backend.training.model import built
from backend.training.tokenizer import ASSISTANT, END, PAD, load

BATCH_TOKENS, BATCH_MOST = 6144, 64
MAX_TOKENS = 120


class Weights:
    """A model's folder as a function from questions to raw replies; without `guidance` it writes freely."""

    def __init__(self, folder: Path, guidance: Guidance | None = None, device: str | None = None) -> None:
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer, self.guidance = load(folder), guidance
        self.pad, self.end = (self.tokenizer.token_to_id(name) for name in (PAD, END))
        weights = load_file(folder / "model.safetensors")
        self.table = weights["model.embed_tokens.weight"].to(self.device, torch.bfloat16)
        self.model = built(weights).to(self.device, torch.bfloat16).eval()

    def __call__(self, asked: Sequence[Question]) -> list[str]:
        answers = [""] * len(asked)
        by_prompt: defaultdict[str, dict[int, list[int]]] = defaultdict(dict)
        for at, messages in enumerate(question.messages for question in asked):
            by_prompt[_written(messages[:1])][at] = self._ids(_written(messages[1:]) + ASSISTANT)
        for prompt, rests in by_prompt.items():
            shared = self._read(self._ids(prompt))
            for batch in _batches(rests):
                texts = self._batch(shared, [rests[at] for at in batch], [asked[at] for at in batch])
                for at, text in zip(batch, texts, strict=True):
                    answers[at] = text
        return answers

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    @torch.inference_mode()
    def _read(self, ids: Sequence[int]) -> "Kept":
        """Keys and values of a system prompt."""
        kept = Kept(None, self.model.shape.layers, 1, len(ids), self.device)
        tokens = torch.tensor([ids], device=self.device)
        self.model(tokens, torch.arange(len(ids), device=self.device)[None], kept.attend, self.table)
        return kept

    @torch.inference_mode()
    def _batch(self, shared: "Kept", rests: Sequence[list[int]], asked: Sequence[Question]) -> list[str]:
        """The replies to messages behind one prompt. Rows are padded on the left, so that all go on at one place."""
        longest = max(map(len, rests))
        lengths = torch.tensor([len(rest) for rest in rests], device=self.device)
        kept = Kept(shared, self.model.shape.layers, len(rests), longest + MAX_TOKENS, self.device, longest - lengths)
        tokens = torch.tensor([[self.pad] * (longest - len(rest)) + rest for rest in rests], device=self.device)
        positions = torch.arange(longest, device=self.device)[None] - (longest - lengths)[:, None]
        positions = positions.clamp(min=0) + shared.filled
        pens = self.guidance.begun(asked) if self.guidance else None
        written: list[list[int]] = [[] for _ in rests]
        is_open = [True] * len(rests)
        for _ in range(MAX_TOKENS):
            hidden, _ = self.model(tokens, positions, kept.attend, self.table)
            scores = (hidden[:, -1] @ self.table.T).float()
            if pens:
                pens.restrict(scores)
            chosen = scores.argmax(-1)
            for row, token in enumerate(chosen.tolist()):
                if is_open[row] and token != self.end:
                    written[row].append(token)
                is_open[row] &= token != self.end
            if not any(is_open):
                break
            if pens:
                pens.accept(chosen.tolist())
            tokens, positions = chosen[:, None], positions[:, -1:] + 1
        return [self.tokenizer.decode(row, skip_special_tokens=True) for row in written]


class Kept:
    """Keys and values of every layer, behind those that are `shared` by all rows. A row's first `padding` places are
    empty.
    """

    def __init__(
        self, shared: "Kept | None", layers: int, rows: int, room: int, device: str, padding: Tensor | None = None
    ) -> None:
        self.shared, self.layers, self.room = shared, layers, room
        self.keys: list[Tensor] = []
        self.values: list[Tensor] = []
        self.filled = self._layer = 0
        self.is_padded = torch.arange(room, device=device)[None] < (torch.zeros(rows) if padding is None else padding)[
            :, None
        ].to(device)

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """One layer's attention, (rows, heads, length, width); to be called for each layer in turn."""
        rows, heads, length, width = key.shape
        layer, begin = self._layer, self.filled
        if layer == len(self.keys):
            self.keys.append(key.new_zeros(rows, heads, self.room, width))
            self.values.append(key.new_zeros(rows, heads, self.room, width))
        end = begin + length
        self.keys[layer][:, :, begin:end], self.values[layer][:, :, begin:end] = key, value
        self._layer = (layer + 1) % self.layers
        self.filled = end if self._layer == 0 else begin
        query = query * width**-0.5
        own = query @ self.keys[layer][:, :, :end].mT
        places = torch.arange(end, device=own.device)
        hidden = (places[None] > places[begin:, None])[None] | self.is_padded[:, None, :end]
        # A padded place sees itself: a row of nothing but minus infinity would be no number.
        hidden = hidden & (places[None] != places[begin:, None])[None]
        own = own.float().masked_fill(hidden[:, None], float("-inf"))
        if self.shared is None:
            return own.softmax(-1).to(value.dtype) @ self.values[layer][:, :, :end]
        before = self.shared.filled
        flat = query.transpose(0, 1).reshape(heads, rows * length, width)
        general = (flat @ self.shared.keys[layer][0].mT).view(heads, rows, length, before).transpose(0, 1)
        shares = torch.cat((general.float(), own), dim=-1).softmax(-1).to(value.dtype)
        flat = shares[..., :before].transpose(0, 1).reshape(heads, rows * length, before)
        told = (flat @ self.shared.values[layer][0]).view(heads, rows, length, width).transpose(0, 1)
        return told + shares[..., before:] @ self.values[layer][:, :, :end]


def _written(messages: Sequence[Mapping[str, str]]) -> str:
    """As the chat template that ships with the model."""
    return "".join(
        f"<|{each['role']}|>{each['content']}{END if each['role'] == 'assistant' else ''}" for each in messages
    )


def _batches(rests: Mapping[int, Sequence[int]]) -> Iterator[list[int]]:
    """Places of about equally long rests, so many that memory suffices."""
    batch: list[int] = []
    for at in sorted(rests, key=lambda at: len(rests[at])):
        if batch and (len(batch) == BATCH_MOST or (len(batch) + 1) * len(rests[at]) > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
