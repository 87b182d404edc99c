"""The model's folder as vLLM and transformers read it."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from backend.training.model import Model
from backend.training.tokenizer import CHAT_TEMPLATE, END, PAD


def export(model: Model, tokenizer: Tokenizer, folder: Path) -> None:
    """Weights in bfloat16, tokenizer, chat template and configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().to(torch.bfloat16).contiguous().cpu() for name, tensor in model.weights().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    _write(folder / "config.json", model.shape.hugging_face())
    _write(folder / "generation_config.json", {"do_sample": False, "eos_token_id": 1, "pad_token_id": 0})
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": PAD,
            "model_max_length": model.shape.positions,
            "clean_up_tokenization_spaces": False,
            "add_bos_token": False,
            "add_eos_token": False,
        },
    )
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
