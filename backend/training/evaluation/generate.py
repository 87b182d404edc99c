"""Greedy answers by transformers on a GPU: what the weights alone say, or with the template held to the pack's."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList

from backend.training.evaluation.exam import Messages
from prompts import Pack

BATCH = 384
MAX_TOKENS = 120


class Unguided:
    """A model's folder as a function from messages to raw replies.

    `is_held`: action, template and the beginning of the slots are those of one of the pack's templates, as under the
    engine's grammar; what follows is free.
    """

    def __init__(self, folder: Path, device: str | None = None, *, is_held: bool = False) -> None:
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.is_held = is_held
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).to(device).eval()
        self.device = device

    def __call__(self, asked: Sequence[tuple[Messages, Pack]]) -> list[str]:
        order = sorted(range(len(asked)), key=lambda at: sum(len(message["content"]) for message in asked[at][0]))
        answers = [""] * len(asked)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            texts = self._batch([asked[at][0] for at in chosen], [asked[at][1] for at in chosen])
            for at, text in zip(chosen, texts, strict=True):
                answers[at] = text
        return answers

    def _holder(self, packs: Sequence[Pack], prompt_length: int) -> LogitsProcessorList:
        heads = {id(pack): self._heads(pack) for pack in {id(pack): pack for pack in packs}.values()}
        return LogitsProcessorList([_Held([heads[id(pack)] for pack in packs], prompt_length)])

    def _heads(self, pack: Pack) -> dict[tuple[int, ...], list[int]]:
        """What may follow each beginning of a reply's head, by tokens."""
        following: dict[tuple[int, ...], set[int]] = {}
        for template in pack.offered:
            opened = '{"' if template.asked else '{},"demand":"'
            head = f'{{"action":"{template.action.value}","template":"{template.id}","slots":{opened}'
            ids = self.tokenizer.encode(head, add_special_tokens=False)
            for at, token in enumerate(ids):
                following.setdefault(tuple(ids[:at]), set()).add(token)
        return {begun: sorted(tokens) for begun, tokens in following.items()}

    @torch.inference_mode()
    def _batch(self, messages: list[Messages], packs: list[Pack]) -> list[str]:
        texts = [
            self.tokenizer.apply_chat_template(each, tokenize=False, add_generation_prompt=True) for each in messages
        ]
        given = self.tokenizer(
            texts, return_tensors="pt", padding=True, add_special_tokens=False, return_token_type_ids=False
        ).to(self.device)
        held = self._holder(packs, given["input_ids"].shape[1]) if self.is_held else None
        made = self.model.generate(
            **given, max_new_tokens=MAX_TOKENS, do_sample=False, pad_token_id=0, eos_token_id=1, logits_processor=held
        )
        return self.tokenizer.batch_decode(made[:, given["input_ids"].shape[1] :], skip_special_tokens=True)


class _Held(LogitsProcessor):
    """Admits only what continues a lawful head, while there is one."""

    def __init__(self, heads: Sequence[dict[tuple[int, ...], list[int]]], prompt_length: int) -> None:
        self.heads, self.prompt_length = heads, prompt_length

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        begun = input_ids[:, self.prompt_length :].tolist()
        for row, (ids, following) in enumerate(zip(begun, self.heads, strict=True)):
            admitted = following.get(tuple(ids))
            if admitted is not None:
                kept = scores[row, admitted].clone()
                scores[row] = float("-inf")
                scores[row, admitted] = kept
        return scores
