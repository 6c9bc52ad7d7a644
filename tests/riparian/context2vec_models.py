"""Tiny context2vec models in the published file formats, random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from riparian.encoders.context2vec.network import TARGETS, Sizes

WORDS = (
    "<UNK> <BOS> <EOS> the a of bank river money left rates interest reserve they sat on and watched ducks until sun "
    "went down behind trees smile wave long word numbers dates . ! , : unchanged lends swim by night in to"
).split()
SIZES = Sizes(len(WORDS), unit=6, hidden=12, out=12)


def tensors(sizes: Sizes = SIZES, seed: int = 3) -> dict[str, np.ndarray]:
    """Wide enough that a slot's surroundings show in its vector."""
    numbers = np.random.default_rng(seed)
    return {
        name: numbers.normal(scale=1.5 / np.sqrt(shape[-1] if len(shape) == 2 else 2), size=shape).astype(np.float32)
        for name, shape in sizes.shapes().items()
    }


def write_targets(path: Path, words: list[str], rows: np.ndarray) -> Path:
    lines = [f"{len(rows)} {rows.shape[1]}"]
    lines += [f"{word} {' '.join(f'{value:.9g}' for value in row)}" for word, row in zip(words, rows, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_published(folder: Path, sizes: Sizes = SIZES, found: dict[str, np.ndarray] | None = None) -> Path:
    """The folder of a model as the published toolkit writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    found = tensors(sizes) if found is None else found
    write_targets(folder / "tiny.targets", WORDS, found[TARGETS] if TARGETS in found else tensors(sizes)[TARGETS])
    with (folder / "tiny").open("wb") as file:  # the toolkit gives it no suffix
        np.savez(file, **found)
    deep = "yes" if sizes.deep else "no"
    (folder / "tiny.params").write_text(
        f"model_file\ttiny\nwords_file\ttiny.targets\nunit\t{sizes.unit}\ndeep\t{deep}\ndrop_ratio\t0.0\n"
        "#\ttrain.py -u 6\n"
    )
    return folder


def tiny_context2vec(folder: Path) -> Path:
    return write_published(folder / "context2vec")


def tiny_vectors(folder: Path) -> Path:
    """A text file of word vectors."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(4).normal(size=(len(WORDS) - 3, 8)).astype(np.float32)
    return write_targets(folder / "vectors.txt", WORDS[3:], rows)
