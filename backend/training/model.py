"""A small Llama in plain PyTorch. Parameters bear Hugging Face's names: the weights need no conversion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CODE_SEED, CODE_SCALE, LEFT_OUT = 7, 0.02, 0.25
READ_BY, READ_WIDTH = 5, 64
HEAD_DIM = 64
"""What vLLM's CPU attention likes."""
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Shape:
    """The model's size."""

    vocabulary: int = 12288
    width: int = 384
    layers: int = 8
    heads: int = 6
    inner: int = 1024
    positions: int = 8192
    theta: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    def hugging_face(self) -> dict[str, object]:
        """`config.json`. Token ids are those of `tokenizer.SPECIALS`."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.heads,
            "head_dim": self.head_dim,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": self.positions,
            "rope_theta": self.theta,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.theta},
            "rms_norm_eps": self.epsilon,
            "hidden_act": "silu",
            "tie_word_embeddings": True,
            "attention_bias": False,
            "mlp_bias": False,
            "bos_token_id": None,
            "eos_token_id": 1,
            "pad_token_id": 0,
            "torch_dtype": "bfloat16",
            "dtype": "bfloat16",
        }


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(shape.width, shape.width, bias=False))

    def forward(self, x: Tensor, turned: tuple[Tensor, Tensor], attend: Attend) -> Tensor:
        batch, length, width = x.shape
        q, k, v = (
            layer(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = _turn(q, *turned), _turn(k, *turned)
        return self.o_proj(attend(q, k, v).transpose(1, 2).reshape(batch, length, width))


class Inner(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.input_layernorm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.mlp = Inner(shape)

    def forward(self, x: Tensor, turned: tuple[Tensor, Tensor], attend: Attend) -> Tensor:
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), turned, attend))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


class Words(nn.Module):
    """Token vectors: what a sentence encoder says that a word means, a fixed code that tells tokens apart, and a
    learned rest.

    While training the rest is left out now and then for tokens with a meaning, so that a rare word, whose rest
    learns nothing, is read by its meaning like the others.
    """

    def __init__(self, meanings: Tensor, width: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(CODE_SEED)
        self.register_buffer("meanings", meanings)
        self.register_buffer("codes", torch.randn(len(meanings), width, generator=generator) * CODE_SCALE)
        self.register_buffer("is_known", (meanings.abs().sum(1) > 0).float())
        self.left_out = LEFT_OUT
        self.turned = nn.Parameter(torch.eye(meanings.shape[1], width))
        self.rest = nn.Parameter(torch.randn(len(meanings), width, generator=generator) * CODE_SCALE)

    def base(self) -> Tensor:
        return self.meanings @ self.turned + self.codes

    def table(self) -> Tensor:
        """All vectors, (vocabulary, width)."""
        return self.base() + self.rest

    def forward(self, tokens: Tensor, table: Tensor) -> Tensor:
        """The tokens' vectors out of `table`."""
        if not self.training:
            return F.embedding(tokens, table)
        left_out = (torch.rand(tokens.shape, device=tokens.device) < self.left_out) * self.is_known[tokens]
        return F.embedding(tokens, table) - left_out[..., None] * F.embedding(tokens, self.rest)


class Body(nn.Module):
    def __init__(self, shape: Shape, meanings: Tensor, dropout: float) -> None:
        super().__init__()
        self.embed_tokens = Words(meanings, shape.width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)


class Model(nn.Module):
    """Token ids and positions, both (batch, length), to the last hidden states (batch, length, width) and those by
    which a line or a message has been read.

    `meanings` is one row a token, zeros where it means nothing by itself. `dropout` is the share of the words' vectors
    and of what each layer adds that a training leaves out.
    """

    def __init__(self, shape: Shape, meanings: Tensor, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.model = Body(shape, meanings, dropout)
        self.reader = nn.Sequential(nn.RMSNorm(shape.width), nn.Linear(shape.width, READ_WIDTH, bias=False))
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2 and "embed" not in name:
                scale = (2 * shape.layers) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                nn.init.normal_(parameter, std=0.02 * scale * (320 / shape.width) ** 0.5)

    def forward(self, tokens: Tensor, positions: Tensor, attend: Attend, table: Tensor) -> tuple[Tensor, Tensor]:
        x = self.model.dropout(self.model.embed_tokens(tokens, table))
        turned = _angles(positions, self.shape, x.dtype)
        for number, layer in enumerate(self.model.layers):
            x = layer(x, turned, attend)
            if number + 1 == self.shape.layers * READ_BY // 8:
                read = x
        return self.model.norm(x), read

    @torch.no_grad()
    def take(self, weights: dict[str, Tensor]) -> None:
        """Goes on from `weights`, under Hugging Face's names. The words' parts cannot be told apart any more."""
        words = self.model.embed_tokens
        table = weights.pop("model.embed_tokens.weight").float()
        words.rest.copy_(table.to(words.rest.device) - words.base())
        words.left_out = 0.0
        self.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)

    def weights(self) -> dict[str, Tensor]:
        """The weights under Hugging Face's names."""
        own = {
            name: tensor
            for name, tensor in self.state_dict().items()
            if "embed_tokens" not in name and "reader" not in name
        }
        return {"model.embed_tokens.weight": self.model.embed_tokens.table(), **own}


def built(weights: Mapping[str, Tensor]) -> Model:
    """A model of the shape of `weights`, filled with them. What their words mean is not told apart any more."""
    vocabulary, width = weights["model.embed_tokens.weight"].shape
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("model.layers."))
    inner = weights["model.layers.0.mlp.up_proj.weight"].shape[0]
    model = Model(Shape(vocabulary, width, layers, width // HEAD_DIM, inner), torch.zeros(vocabulary, width))
    model.take(dict(weights))
    return model


def _angles(positions: Tensor, shape: Shape, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary angles, (batch, 1, length, head_dim)."""
    steps = torch.arange(0, shape.head_dim, 2, device=positions.device, dtype=torch.float32)
    angles = positions[:, None, :, None].float() * shape.theta ** (-steps / shape.head_dim)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _turn(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary position embedding, in Hugging Face's order of halves."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine
