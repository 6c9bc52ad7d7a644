"""Text with a grammar to learn, and small models trained on it in a second or two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from riparian.encoders.mirror.settings import Settings as MirrorSettings
from riparian.encoders.mirror.training import mirror_tune
from riparian.encoders.mlm.settings import Settings as MlmSettings
from riparian.encoders.mlm.training import train as train_mlm
from riparian.encoders.static_training.glove import train as train_glove
from riparian.encoders.static_training.settings import GloveSettings, Word2vecSettings
from riparian.encoders.static_training.word2vec import train as train_word2vec
from riparian.encoders.twin.settings import Settings as TwinSettings
from riparian.encoders.twin.training import train as train_twin

TINY_MLM = MlmSettings(
    vocabulary=200,
    layers=2,
    hidden=32,
    heads=2,
    max_length=32,
    epochs=1,
    batch_tokens=512,
    learning_rate=1e-2,
    held_out=0.1,
)
TINY_TWIN = TwinSettings(
    vocabulary=200,
    width=16,
    layers=2,
    heads=2,
    longest=32,
    epochs=1,
    batch_tokens=512,
    learning_rate=1e-2,
    held_out=0.1,
)
TINY_MIRROR = MirrorSettings(batch=16, max_tokens=24, learning_rate=1e-3)


def grammar(count: int, seed: int = 1) -> list[str]:
    """Sentences whose end follows from their beginning, so that either side tells something of the other."""
    numbers = np.random.default_rng(seed)
    ends = {"duck": "swims in the river", "bank": "lends much money", "clerk": "counts small coins"}
    adverbs = ("often", "never", "always", "rarely")
    adjectives = ("old", "small", "busy", "quiet")
    found = []
    for _ in range(count):
        noun = tuple(ends)[numbers.integers(len(ends))]
        adjective, adverb = adjectives[numbers.integers(4)], adverbs[numbers.integers(4)]
        found.append(f"The {adjective} {noun} {adverb} {ends[noun]} {numbers.integers(100)} times.")
    return found


def tiny_mlm(folder: Path) -> Path:
    """A folder that ``bert:`` loads."""
    train_mlm(grammar(60), TINY_MLM, seed=1, into=folder / "mlm", workers=1)
    return folder / "mlm"


def tiny_mirror(folder: Path) -> Path:
    """A folder that ``mirror-bert:`` loads."""
    return mirror_tune(str(tiny_mlm(folder)), grammar(40), TINY_MIRROR, seed=1, into=folder / "mirror", workers=1)


def tiny_padded_mirror(folder: Path) -> Path:
    """The same with the mean over padding too."""
    padded = replace(TINY_MIRROR, pooling="paper_padded_mean")
    return mirror_tune(str(tiny_mlm(folder)), grammar(40), padded, seed=1, into=folder / "mirror", workers=1)


def tiny_twin(folder: Path) -> Path:
    """A folder that ``twin-causal:`` loads."""
    return train_twin(grammar(60), TINY_TWIN, seed=1, into=folder / "twin", workers=1)


def tiny_trained_word2vec(folder: Path) -> Path:
    """A folder that ``word2vec:`` loads."""
    train_word2vec(grammar(60), Word2vecSettings(dimension=16, epochs=2), seed=1).save(folder / "word2vec")
    return folder / "word2vec"


def tiny_trained_glove(folder: Path) -> Path:
    """A folder that ``glove:`` loads."""
    train_glove(grammar(60), GloveSettings(dimension=16, epochs=2), seed=1).save(folder / "glove")
    return folder / "glove"
