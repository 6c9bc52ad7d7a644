"""A tiny biLM in the published file format, random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from riparian.encoders.elmo.options import ElmoOptions

TINY = ElmoOptions(
    filters=((1, 4), (2, 6), (3, 6)),
    char_dim=4,
    activation="relu",
    highway=1,
    projection=8,
    cell=12,
    layers=2,
    skip=True,
    cell_clip=3.0,
    proj_clip=3.0,
)


def tensors(options: ElmoOptions = TINY, seed: int = 5) -> dict[str, np.ndarray]:
    """Wide enough that a word's surroundings show in its vector."""
    numbers = np.random.default_rng(seed)
    return {
        name: numbers.normal(scale=1.5 / np.sqrt(shape[0] if len(shape) == 2 else 2), size=shape).astype(np.float32)
        for name, shape in options.shapes().items()
    }


def write_published(folder: Path, options: ElmoOptions = TINY, found: dict[str, np.ndarray] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny_options.json").write_text(json.dumps(options.to_json()))
    with h5py.File(folder / "tiny_weights.hdf5", "w") as file:
        for name, tensor in (tensors(options) if found is None else found).items():
            file[name] = tensor
    return folder


def tiny_elmo(folder: Path) -> Path:
    """A folder as the published models come."""
    return write_published(folder / "elmo")


def without_skip() -> ElmoOptions:
    return replace(TINY, skip=False)
