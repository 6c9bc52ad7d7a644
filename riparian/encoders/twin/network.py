"""Two transformers that each see one side only, over one table of token vectors.

Each half is a pre-norm causal transformer (Vaswani et al. 2017; Radford et al. 2019 for the layout). The right half
reads the same tokens in reversed order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from riparian.errors import Invalid

MODEL_TYPE = "riparian-twin-causal"


@dataclass(frozen=True, slots=True)
class Shape:
    """`width` of one half; a token's vector is twice as wide. `longest` counts special tokens.

    Raises Invalid for a shape that cannot be.
    """

    vocabulary: int
    width: int = 128
    layers: int = 2
    heads: int = 4
    longest: int = 128

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise Invalid(f"{name} must be a whole number of at least 1, not {value!r}")
        if self.width % self.heads:
            raise Invalid(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        if self.longest < 8:
            raise Invalid(f"longest must be at least 8, not {self.longest}")

    def config(self) -> dict[str, Any]:
        """As `config.json`, under the names that transformer folders use."""
        return {
            "model_type": MODEL_TYPE,
            "vocab_size": self.vocabulary,
            "hidden_size": 2 * self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "max_position_embeddings": self.longest,
        }


class Block(nn.Module):
    """Self-attention to what was read before, then two layers with GELU; both add to what they read."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self._heads, self._share = heads, dropout
        self.before = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.between = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, rows: Tensor) -> Tensor:
        batch, length, width = rows.shape
        parts = self.attention(self.before(rows)).view(batch, length, 3, self._heads, width // self._heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        share = self._share if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=share, is_causal=True)
        rows = rows + self.drop(self.joined(seen.transpose(1, 2).reshape(batch, length, width)))
        change: Tensor = self.drop(self.narrow(functional.gelu(self.wide(self.between(rows)))))
        return rows + change


class Half(nn.Module):
    """States (B, L, width) of embedded tokens in reading order; a state sees itself and what was read before."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.places = nn.Embedding(shape.longest, shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads, dropout) for _ in range(shape.layers))
        self.after = nn.LayerNorm(shape.width)
        self.drop = nn.Dropout(dropout)

    def forward(self, rows: Tensor) -> Tensor:
        rows = self.drop(rows + self.places.weight[: rows.shape[1]])
        for block in self.blocks:
            rows = block(rows)
        return self.after(rows)  # type: ignore[no-any-return]


class Twin(nn.Module):
    """Both halves. Padding stands on the right and is never looked at: in either order it comes last."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.left = Half(shape, dropout)
        self.right = Half(shape, dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L) ids and mask → both halves' states (B, L, width), each at its token's own place."""
        back = turned(mask)
        right = self.right(self.tokens(ids.gather(1, back)))
        return self.left(self.tokens(ids)), right.gather(1, back[:, :, None].expand_as(right))

    def scores(self, states: Tensor) -> Tensor:
        """Scores of every token of the vocabulary to be read next; the table of token vectors is shared (tied)."""
        return states @ self.tokens.weight.T


def turned(mask: Tensor) -> Tensor:
    """(B, L) places that reverse each row's tokens and leave its padding where it is; turned twice, nothing moved."""
    places = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    lengths = mask.sum(dim=1, keepdim=True)
    return torch.where(places < lengths, lengths - 1 - places, places)
