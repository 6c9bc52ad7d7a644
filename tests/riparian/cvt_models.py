"""Text whose tags follow from its words and their neighbours, and a tiny cross-view model trained on it in a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from riparian.encoders.cvt.labels import TaggedSentence
from riparian.encoders.cvt.network import Sizes
from riparian.encoders.cvt.settings import Settings
from riparian.encoders.cvt.training import train

TINY = Settings(
    word_width=12,
    char_width=4,
    filters=6,
    cell=12,
    projected=8,
    second=8,
    module=8,
    vocabulary=200,
    labelled=0.3,
    held_out=0.2,
    epochs=2,
    batch_words=256,
    learning_rate=1e-2,
)
SHORT = replace(TINY, epochs=1)

SIZES = Sizes(
    words=9, word_width=6, char_width=4, filters=3, cell=10, projected=7, second=5, module=8, most_characters=8
)


def grammar(count: int, seed: int = 1) -> list[str]:
    """Names after "mr", shouted words after "the", plain words elsewhere."""
    numbers = np.random.default_rng(seed)
    names, shouted, verbs = ("Bank", "Rose", "Hill"), ("NATO", "UN", "FBI"), ("meets", "sees", "asks")
    found = []
    for _ in range(count):
        name, other, verb = (words[numbers.integers(3)] for words in (names, shouted, verbs))
        found.append(f"In {numbers.integers(1900, 2000)} mr {name} often {verb} the {other} near one river bank.")
    return found


def tagged(count: int, seed: int = 2) -> list[TaggedSentence]:
    """A noun after "the" is an object, before a verb a subject; the same words are both."""
    numbers = np.random.default_rng(seed)
    nouns, verbs = ("bank", "duck", "clerk", "river"), ("sees", "leaves", "counts")
    found = []
    for _ in range(count):
        first, second = (nouns[numbers.integers(4)] for _ in range(2))
        words = (first, verbs[numbers.integers(3)], "the", second)
        found.append(TaggedSentence(words, ("SUBJECT", "VERB", "O", "OBJECT")))
    return found


def plain(count: int, seed: int = 3) -> list[str]:
    """The words of such sentences without their tags."""
    return [f"{' '.join(found.words)}." for found in tagged(count, seed)]


def tiny_cvt(folder: Path) -> Path:
    """A folder that ``cvt:`` loads."""
    train(grammar(80), SHORT, seed=1, workers=1).save(folder / "cvt")
    return folder / "cvt"
