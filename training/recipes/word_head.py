"""The part of a masked language model that guesses words from states: the one that its folder holds, or a new one.

BERT, RoBERTa, XLM-R, MPNet and DistilBERT compute the same (dense, activation, layer norm, the table of word vectors
and a bias) and differ in what they call it.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import ACT2FN

from riparian.encoders.weights import tensors, weight_files

_PARTS = ("dense.weight", "dense.bias", "norm.weight", "norm.bias", "bias")
_NAMES = (
    (
        "cls.predictions.transform.dense.weight",
        "cls.predictions.transform.dense.bias",
        "cls.predictions.transform.LayerNorm.weight",
        "cls.predictions.transform.LayerNorm.bias",
        "cls.predictions.bias",
    ),
    (
        "lm_head.dense.weight",
        "lm_head.dense.bias",
        "lm_head.layer_norm.weight",
        "lm_head.layer_norm.bias",
        "lm_head.bias",
    ),
    (
        "vocab_transform.weight",
        "vocab_transform.bias",
        "vocab_layer_norm.weight",
        "vocab_layer_norm.bias",
        "vocab_projector.bias",
    ),
)


class WordHead(nn.Module):
    """Scores of all words from states. `names` are those of its parts in the folder it was read from, () for a new
    one."""

    def __init__(self, width: int, vocabulary: int, activation: str, eps: float) -> None:
        super().__init__()
        self.dense, self.norm = nn.Linear(width, width), nn.LayerNorm(width, eps=eps)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self._activation = ACT2FN[activation]
        self.names: tuple[str, ...] = ()

    def forward(self, states: Tensor, table: Tensor) -> Tensor:
        """(M, V) scores from (M, H) states and the (V, H) table of words."""
        return functional.linear(self.norm(self._activation(self.dense(states))), table, self.bias)

    def fill(self, folder: Path) -> bool:
        """Takes over the head that the folder holds, where it holds one of these sizes."""
        files = weight_files(folder)
        found = tensors(files)
        names = next((names for names in _NAMES if all(name in found for name in names)), None)
        mine = dict(self.named_parameters())
        if names is None or any(
            found[name].shape != tuple(mine[part].shape) for part, name in zip(_PARTS, names, strict=True)
        ):
            return False
        with torch.no_grad():
            for part, name in zip(_PARTS, names, strict=True):
                with safe_open(found[name].path, framework="pt") as file:
                    mine[part].copy_(file.get_tensor(name))
        self.names = names
        return True

    def named(self) -> dict[str, Tensor]:
        """Its parts under the names they had in the folder; {} for a new head."""
        mine = dict(self.named_parameters())
        return {name: mine[part].detach() for part, name in zip(_PARTS, self.names, strict=False)}


def head_of(folder: Path, config: object, vocabulary: int) -> WordHead:
    """The folder's own head, else a new one: encoders of sentences mostly come without."""
    width = int(getattr(config, "hidden_size", 0) or getattr(config, "dim", 0))
    activation = str(getattr(config, "hidden_act", None) or getattr(config, "activation", None) or "gelu")
    head = WordHead(width, vocabulary, activation, float(getattr(config, "layer_norm_eps", 1e-12)))
    head.fill(folder)
    return head
