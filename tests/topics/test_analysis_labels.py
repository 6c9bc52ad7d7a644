"""What a topic may be called: phrases, sentences, and an installed labeller."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from riparian.errors import Invalid
from topics import bow
from topics.analysis import labels

PLUGIN = """
def shout(words, sentences):
    return f"  {words[0].upper()}!  " + sentences[0].split()[0]

def mute(words, sentences):
    return ""
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real distribution with two labellers, as pip would lay it down."""
    (tmp_path / "tiny_labels.py").write_text(PLUGIN, encoding="utf-8")
    info = tmp_path / "tiny_labels-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-labels\nVersion: 1.0\n", encoding="utf-8")
    points = "[riparian.topic_labels]\nshout = tiny_labels:shout\nmute = tiny_labels:mute\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("tiny_labels", None)


def test_an_installed_labeller_is_found_by_name_and_writes_the_labels(plugin: None) -> None:
    assert labels.labellers() == {"mute": "tiny_labels:mute", "shout": "tiny_labels:shout"}
    made = labels.written_by(labels.labeller("shout"), [["bread"], ["bread"]], [["Flour rises."], ["Flour falls."]])
    assert made == ["BREAD! Flour", "BREAD! Flour (2)"]


def test_a_labeller_that_says_nothing_is_refused(plugin: None) -> None:
    with pytest.raises(Invalid, match="answered '' for topic 1; a label has 1 to 200 characters"):
        labels.written_by(labels.labeller("mute"), [["bread"]], [["Flour rises."]])


def test_an_unknown_labeller_is_refused_and_none_comes_along() -> None:
    assert labels.labellers() == {}
    with pytest.raises(Invalid, match=r"no labeller 'gpt'.*none is installed"):
        labels.labeller("gpt")


def texts() -> list[str]:
    rng = np.random.default_rng(0)
    river = [
        "The Reserve Bank of the River raised water levels near the old flood gate",
        "flood gate keepers watch water",
    ]
    bread = ["Sourdough bread rises in a Dutch oven while bakers rest", "a Dutch oven keeps bread warm for bakers"]
    return [
        f"{rng.choice(river if n % 2 == 0 else bread)} {rng.choice(['today', 'tonight', 'again'])}" for n in range(60)
    ]


def test_phrases_mark_their_topic_in_the_spelling_of_the_texts() -> None:
    bag = bow.build([(text, ("en",)) for text in texts()], bow.VocabularySettings(max_share=1.0))
    found = labels.phrases(bag, np.arange(60) % 2, 2)
    assert any(phrase.startswith("Dutch oven") or "Dutch oven" in phrase for phrase in found[1])
    assert any("flood gate" in phrase for phrase in found[0])
    assert not set(found[0][:1]) & set(found[1][:1])


def test_without_a_phrase_there_is_none() -> None:
    bag = bow.build([("river", ("en",)), ("bread", ("en",))])
    assert labels.phrases(bag, np.array([0, 1]), 2) == [[], []]


def test_the_best_sentence_says_most_of_the_topics_words() -> None:
    text = (
        "Bakers rest. Bread and flour and yeast make the dough rise in the oven. "
        "Town bakers carry warm bread, hard cheese and red apples to the market."
    )
    weights: Sequence[tuple[str, float]] = [("bread", 0.3), ("flour", 0.2), ("yeast", 0.2), ("oven", 0.1)]
    found = labels.best_sentences([text, text], weights, 2)
    assert found[0] == "Bread and flour and yeast make the dough rise in the oven."
    assert len(found) == 2
    assert labels.best_sentences(["No word of it stands here whatever one does say."], weights) == []
