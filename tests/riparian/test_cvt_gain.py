"""Cross-view training against supervised training alone: real titles, one in a hundred labelled.

Each word is tagged with the category of its title (20 of them, about equally common). The settings were chosen on
other text, the subject lines of newsgroup posts.
"""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace

import numpy as np
import pytest

from riparian.encoders.cvt.corpus import sentences_of
from riparian.encoders.cvt.settings import Settings
from riparian.encoders.cvt.training import train
from tests.evaldata import folder

Title = tuple[tuple[str, ...], str]

SETTINGS = Settings(
    word_width=50,
    char_width=12,
    filters=16,
    cell=64,
    projected=64,
    second=64,
    module=64,
    vocabulary=8_000,
    lower=True,
    epochs=4,
    learning_rate=1e-2,
    average=0.99,
)
SEEDS = (1, 2, 3)
_JUDGED, _LABELLED = 2_000, 0.01


def titles() -> list[Title]:
    """Distinct titles with their categories, in an order that tells nothing."""
    with gzip.open(folder("topics-stackoverflow-titles") / "docs.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    found: dict[tuple[str, ...], str] = {}
    for row in rows:
        words = tuple(word for sentence in sentences_of(row["text"]) for word in sentence)
        if len(words) >= 2:
            found.setdefault(words, row["label_name"])
    ordered = sorted(found.items())
    random.Random(5).shuffle(ordered)
    return ordered


def shuffled(sentences: list[tuple[str, ...]], seed: int) -> list[tuple[str, ...]]:
    """As many sentences of the same lengths and the same words, each anywhere."""
    words = [word for sentence in sentences for word in sentence]
    random.Random(seed).shuffle(words)
    drawn = iter(words)
    return [tuple(next(drawn) for _ in sentence) for sentence in sentences]


def accuracy(seed: int, how: str) -> float:
    """Share of the words of unseen titles that are tagged right."""
    every = titles()
    judged, others = every[:_JUDGED], every[_JUDGED:]
    random.Random(seed).shuffle(others)
    count = round(len(others) * _LABELLED)
    tagged = [(words, (label,) * len(words)) for words, label in others[:count]]
    plain = [words for words, _ in others[count:]]
    plain = shuffled(plain, seed) if how == "shuffled" else plain
    settings = replace(SETTINGS, cross_view=how != "labels alone")
    encoder = train([" ".join(words) for words in plain], settings, seed, tagged=tagged, workers=1)
    found = encoder.tag([words for words, _ in judged])
    right = [tag == label for tags, (_, label) in zip(found, judged, strict=True) for tag in tags]
    return float(np.mean(right))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_views_of_plain_text_help_where_one_title_in_a_hundred_is_labelled_and_shuffled_text_does_not() -> None:
    found = {how: [accuracy(seed, how) for seed in SEEDS] for how in ("labels alone", "cross-view", "shuffled")}
    alone, views, noise = (np.array(found[how]) for how in ("labels alone", "cross-view", "shuffled"))

    print({how: [round(value, 4) for value in values] for how, values in found.items()})  # noqa: T201
    gain = views.mean() - alone.mean()
    assert (views > alone).all()
    assert gain > 0.02
    assert noise.mean() - alone.mean() < gain / 3
