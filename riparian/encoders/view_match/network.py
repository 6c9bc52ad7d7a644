"""Two towers that put two views of a document into one space: a text beside a text, or beside a row of features.

The text tower is a small pre-norm transformer (Vaswani et al. 2017) over word pieces. Its last states are not
normed, so that a token may count for more than another in their mean.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from riparian.errors import Invalid

MODEL_TYPE = "riparian-view-match"

View = Literal["first", "second"]

_SPREAD, _SPREAD_OF_WORDS = 0.02, 0.1  # words must differ from each other more than places do


@dataclass(frozen=True, slots=True)
class Shape:
    """`features` is the length of the second view's feature vectors, 0 where it is a text too; `longest` counts special
    tokens.

    Raises Invalid for a shape that cannot be.
    """

    vocabulary: int
    width: int = 128
    dimension: int = 128
    layers: int = 1
    heads: int = 4
    longest: int = 128
    features: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = 0 if name == "features" else 1
            if type(value) is not int or value < least:
                raise Invalid(f"{name} must be a whole number of at least {least}, not {value!r}")
        if self.width % self.heads:
            raise Invalid(f"width ({self.width}) must be a multiple of heads ({self.heads})")
        if self.longest < 8:
            raise Invalid(f"longest must be at least 8, not {self.longest}")

    def config(self) -> dict[str, Any]:
        """As `config.json`, under the names that transformer folders use where they have one."""
        return {
            "model_type": MODEL_TYPE,
            "vocab_size": self.vocabulary,
            "hidden_size": self.dimension,
            "width": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "max_position_embeddings": self.longest,
            "features": self.features,
        }


class Block(nn.Module):
    """Self-attention to what the mask lets be seen, then two layers with GELU; both add to what they read."""

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

    def forward(self, rows: Tensor, seen: Tensor) -> Tensor:
        batch, length, width = rows.shape
        parts = self.attention(self.before(rows)).view(batch, length, 3, self._heads, width // self._heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        share = self._share if self.training else 0.0
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=share)
        rows = rows + self.drop(self.joined(found.transpose(1, 2).reshape(batch, length, width)))
        change: Tensor = self.drop(self.narrow(functional.gelu(self.wide(self.between(rows)))))
        return rows + change


class TextTower(nn.Module):
    """(B, L, width) token rows and a (B, L) mask → (B, L, dimension) states in the common space; padding is never
    looked at."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.places = nn.Embedding(shape.longest, shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads, dropout) for _ in range(shape.layers))
        self.out = nn.Linear(shape.width, shape.dimension, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        rows = self.drop(rows + self.places.weight[: rows.shape[1]])
        seen = mask.bool()[:, None, None, :]
        for block in self.blocks:
            rows = block(rows, seen)
        return self.out(rows)  # type: ignore[no-any-return]


class FeatureTower(nn.Module):
    """(B, features) → (B, dimension) unit rows. Features are measured in standard deviations of those trained on."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape.features))
        self.register_buffer("scale", torch.ones(shape.features))
        self.wide = nn.Linear(shape.features, 2 * shape.dimension)
        self.out = nn.Linear(2 * shape.dimension, shape.dimension, bias=False)
        self.drop = nn.Dropout(dropout)

    def learn_scale(self, features: Tensor) -> None:
        """From the rows that are trained on; a feature that never changes counts as 0."""
        deviation = features.std(dim=0, correction=0)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 0, 1 / deviation, 0))

    def forward(self, features: Tensor) -> Tensor:
        rows = (features - self.mean) * self.scale
        return functional.normalize(self.out(self.drop(functional.gelu(self.wide(rows)))), dim=1)


class Views(nn.Module):
    """Both towers: the first reads a text, the second a text or features. Two text towers look words up in one table
    and share nothing else, so that a word which only one view holds has a place in both."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.first = TextTower(shape, dropout)
        self.second = FeatureTower(shape, dropout) if shape.features else TextTower(shape, dropout)
        self._initialise()

    def states(self, view: View, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L) ids and mask → (B, L, dimension) states of that view's text tower."""
        return getattr(self, view)(self.words(ids), mask)  # type: ignore[no-any-return]

    def texts(self, view: View, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, dimension) unit rows: the mean state, marks of begin and end included."""
        weights = mask[:, :, None].float()
        return functional.normalize((self.states(view, ids, mask) * weights).sum(dim=1) / weights.sum(dim=1), dim=1)

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=_SPREAD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.words.weight, std=_SPREAD_OF_WORDS)


def matching_loss(first: Tensor, second: Tensor, equal: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al. 2018, eq. 4, both ways as Radford et al. 2021): the mean of the cross
    entropies of finding row i of `second` by row i of `first` among all rows, and the other way round.

    Where `equal` (B, B) is set off the diagonal, the two pairs share a view and are not held against each other.
    """
    scores = first @ second.T / temperature
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    scores = scores.masked_fill(equal & ~own, float("-inf"))
    right = torch.arange(len(scores), device=scores.device)
    return (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2
