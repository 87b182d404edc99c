"""Unguided greedy answers by transformers on a GPU: what the weights alone would say."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from backend.training.evaluation.exam import Messages
from prompts import Pack

BATCH = 384
MAX_TOKENS = 120


class Unguided:
    """A model's folder as a function from messages to raw replies."""

    def __init__(self, folder: Path, device: str | None = None) -> None:
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).to(device).eval()
        self.device = device

    def __call__(self, asked: Sequence[tuple[Messages, Pack]]) -> list[str]:
        order = sorted(range(len(asked)), key=lambda at: sum(len(message["content"]) for message in asked[at][0]))
        answers = [""] * len(asked)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            for at, text in zip(chosen, self._batch([asked[at][0] for at in chosen]), strict=True):
                answers[at] = text
        return answers

    @torch.inference_mode()
    def _batch(self, messages: list[Messages]) -> list[str]:
        texts = [
            self.tokenizer.apply_chat_template(each, tokenize=False, add_generation_prompt=True) for each in messages
        ]
        given = self.tokenizer(
            texts, return_tensors="pt", padding=True, add_special_tokens=False, return_token_type_ids=False
        ).to(self.device)
        made = self.model.generate(**given, max_new_tokens=MAX_TOKENS, do_sample=False, pad_token_id=0, eos_token_id=1)
        return self.tokenizer.batch_decode(made[:, given["input_ids"].shape[1] :], skip_special_tokens=True)
