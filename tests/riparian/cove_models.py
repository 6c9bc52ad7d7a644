"""A tiny MT-LSTM in the published file format, random weights, with the word vectors it reads."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

from riparian.encoders.cove.files import shapes
from tests.riparian.encoder_models import tiny_glove

WIDTH, HIDDEN = 8, 6


def tensors(width: int = WIDTH, hidden: int = HIDDEN, seed: int = 5) -> dict[str, torch.Tensor]:
    """Wide enough that a word's surroundings show in its vector."""
    numbers = np.random.default_rng(seed)
    return OrderedDict(
        (name, torch.from_numpy(numbers.normal(scale=0.7, size=shape).astype(np.float32)))
        for name, shape in shapes(width, hidden).items()
    )


def write_published(path: Path, found: object = None) -> Path:
    torch.save(tensors() if found is None else found, path)
    return path


def tiny_cove(folder: Path) -> str:
    """A spec of weights as they were published and GloVe vectors as text."""
    return f"cove:{write_published(folder / 'mtlstm.pth')}?glove=glove:{tiny_glove(folder)}"
