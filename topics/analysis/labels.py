"""What may stand on a topic: its words, its phrases, a sentence; or what an installed labeller makes of them.

A labeller is an entry point of the group `riparian.topic_labels`: a callable that is given a topic's words and
sentences, both best first, and answers with a label. It runs only where it is named; none comes with Riparian. A local
language model is wired in through one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from riparian.errors import Invalid
from riparian.text import sentences
from topics.base import BagOfWords
from topics.bow import content_words
from topics.clusters import class_tf_idf, membership

GROUP = "riparian.topic_labels"
BUILT_IN = ("phrases", "sentence")
LONGEST = 200

_FEWEST = 5
_THRESHOLD = 0.5
_DELIMITER = "\x1f"
_SHORTEST_SENTENCE, _LONGEST_SENTENCE = 5, 40


class Labeller(Protocol):
    """What an entry point of `riparian.topic_labels` names."""

    def __call__(self, words: Sequence[str], sentences: Sequence[str]) -> str: ...


def labellers() -> dict[str, str]:
    """Name → "module:callable" of every installed labeller, by name."""
    return dict(sorted((point.name, point.value) for point in entry_points(group=GROUP)))


def labeller(name: str) -> Labeller:
    """The installed labeller of that name. Raises Invalid, naming those there are, for an unknown one."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        known = ", ".join(sorted(points)) or "none is installed"
        raise Invalid(f"no labeller {name!r} (entry points of {GROUP}): {known}")
    return cast(Labeller, points[name].load())


def written_by(label: Labeller, words: Sequence[Sequence[str]], quoted: Sequence[Sequence[str]]) -> list[str]:
    """One label a topic, as the labeller writes it, white space tidied and no two alike (a number tells them apart).

    Raises Invalid where it answers with something else than 1 to 200 characters of text.
    """
    made: list[str] = []
    for number, (topic, lines) in enumerate(zip(words, quoted, strict=True), start=1):
        answer: object = label(topic, lines)
        text = " ".join(answer.split()) if isinstance(answer, str) else ""
        if not 0 < len(text) <= LONGEST:
            raise Invalid(
                f"the labeller answered {str(answer)[:80]!r} for topic {number}; a label has 1 to {LONGEST} characters"
            )
        made.append(text)
    return distinct(made)


def distinct(labels: Sequence[str]) -> list[str]:
    """The labels; of equal ones the second and later get a number."""
    seen: Counter[str] = Counter()
    made = []
    for label in labels:
        seen[label] += 1
        made.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return made


# ------------------------------------------------------------------------------ phrases


def phrases(bag: BagOfWords, labels: NDArray[np.int64], topics: int, count: int = 5) -> list[list[str]]:
    """Phrases that mark each topic (c-TF-IDF over phrases), best first, in the spelling of the texts.

    Two words are a phrase where gensim's Phrases finds their NPMI at 0.5 or more and five occurrences (Bouma 2009;
    Mikolov et al. 2013); a second pass makes phrases of three and four. `labels` (N,) is the main topic of each text. A
    phrase that leads one topic does not lead another; the topics with most texts go first.
    """
    found = _phrased(bag)
    names = sorted({phrase for text in found for phrase in text})
    if not names:
        return [[] for _ in range(topics)]
    scores = _scores(found, names, labels, topics)
    chosen: list[list[str]] = [[] for _ in range(topics)]
    leading: set[str] = set()
    for k in np.argsort(-np.bincount(labels, minlength=topics), kind="stable").tolist():
        order = [int(n) for n in np.argsort(-scores[k], kind="stable")[: 4 * count] if scores[k, n] > 0]
        own = [names[n] for n in order if names[n] not in leading]
        rest = [names[n] for n in order if names[n] in leading]
        leading.update(own[:1])
        chosen[k] = [_shown(phrase, bag) for phrase in (own + rest)[:count]]
    return chosen


def _phrased(bag: BagOfWords) -> list[list[str]]:
    """The phrases of each text, in order."""
    from gensim.models.phrases import Phrases

    texts = bag.words()
    settings = {"min_count": _FEWEST, "threshold": _THRESHOLD, "scoring": "npmi", "delimiter": _DELIMITER}
    pairs = Phrases(texts, **settings)
    once = [pairs[text] for text in texts]
    longer = Phrases(once, **settings)
    return [[token for token in longer[text] if _DELIMITER in token] for text in once]


def _scores(
    found: Sequence[Sequence[str]], names: Sequence[str], labels: NDArray[np.int64], topics: int
) -> NDArray[np.float32]:
    from scipy.sparse import csr_matrix

    place = {name: number for number, name in enumerate(names)}
    lengths = [len(text) for text in found]
    rows = np.repeat(np.arange(len(found)), lengths)
    columns = np.array([place[name] for text in found for name in text], np.int64)
    counts = csr_matrix((np.ones(len(columns), np.float32), (rows, columns)), shape=(len(found), len(names)))
    return class_tf_idf(np.asarray((membership(labels, topics) @ counts).todense()), 0.7)


def _shown(phrase: str, bag: BagOfWords) -> str:
    words = phrase.split(_DELIMITER)
    if not bag.written:
        return " ".join(words)
    place = {word: number for number, word in enumerate(bag.vocabulary)}
    return " ".join(bag.written[place[word]] if word in place else word for word in words)


# ------------------------------------------------------------------------------ sentences


def best_sentences(
    texts: Sequence[str], weights: Sequence[tuple[str, float]], count: int = 3, language: str = ""
) -> list[str]:
    """The sentences of the texts that say most of a topic's words, best first.

    Score: the sum of the weights of the different topic words in the sentence over the root of its content words. A
    sentence has 5 to 40 content words, and comes once.
    """
    known = dict(weights)
    scored: dict[str, float] = {}
    for text in texts:
        for span in sentences(text, language):
            sentence = " ".join(text[span.start : span.end].split())
            words = content_words(sentence, (language,) if language else ())
            if _SHORTEST_SENTENCE <= len(words) <= _LONGEST_SENTENCE:
                scored[sentence] = sum(known.get(word, 0.0) for word in set(words)) / len(words) ** 0.5
    return sorted((s for s in scored if scored[s] > 0), key=lambda s: (-scored[s], s))[:count]
