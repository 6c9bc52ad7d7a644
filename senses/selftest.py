"""How far senses can be trusted in an archive, without labels: two of its words are taken for one (a pseudo-word,
Gale, Church and Yarowsky 1992), and the finder is to take them apart; a word alone is to stay whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.catalog.ids import as_ints
from riparian.encoders.base import Encoder
from riparian.errors import Invalid
from riparian.text import sentences, stop_words, words
from riparian.types import Collection, Passage, PassageId, Span
from senses.company import bags
from senses.evidence import Background
from senses.induce import induce
from senses.material import General, Progress, hash_of, mean_of, silent
from senses.occurrences import Occurrence, Target, occurrence_in
from senses.vectors import OccurrenceVectors

PASSAGES = 4000
PAIRS = 4
MOST, LEAST = 120, 40
"""Occurrences of a word that are taken, and that it needs."""

BACKGROUND = 40
"""Occurrences of every other word that the archive's mean vectors are taken from."""

SHARES = (0.5, 0.1)
"""Of the second word in a pair."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`second` is "" for a word alone; `ari` of the senses found against the two words (adjusted Rand index), `found`
    how many senses there were; `rest` the share of rows outside the largest."""

    first: str
    second: str
    share: float
    rows: int
    found: int
    ari: float
    rest: float


@dataclass(frozen=True, slots=True)
class Report:
    """`kept_whole` is the share of words alone that were given one sense, `ari` the mean over the mixed words by the
    share of the rarer one."""

    trials: tuple[Trial, ...]
    kept_whole: float
    ari: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class DrawnWord:
    word: str
    occurrences: tuple[Occurrence, ...]


def draw_words(catalog: Catalog, collection: Collection, language: str) -> list[DrawnWord]:
    """The archive's most frequent words that tell something, in a sample of passages. Invalid where there are too
    few."""
    ids = sorted(as_ints(catalog.passages.ids(collection.id)), key=hash_of)
    places: dict[str, list[tuple[Passage, Span]]] = defaultdict(list)
    passages = catalog.passages.many(ids[:PASSAGES])
    stop = stop_words(language or "en")
    for passage in (passages[PassageId(one)] for one in ids[:PASSAGES]):
        seen = set()
        for one in words(passage.text):
            if len(one.word) > 3 and one.word.isalpha() and one.word not in stop and one.word not in seen:
                seen.add(one.word)
                places[one.word].append((passage, Span(one.start, one.end)))
    enough = sorted((w for w, found in places.items() if len(found) >= LEAST), key=lambda w: (-len(places[w]), w))
    if len(enough) < 4:
        raise Invalid(f"the collection has {len(enough)} words that occur in {LEAST} passages; the self-test needs 4")
    return [_drawn(word, places[word][:MOST], language) for word in enough[: 2 * PAIRS]]


def _drawn(word: str, places: Sequence[tuple[Passage, Span]], language: str) -> DrawnWord:
    found = [occurrence_in(passage, span, sentences(passage.text, language)) for passage, span in places]
    return DrawnWord(word, tuple(found))


def run(
    drawn: Sequence[DrawnWord],
    encoder: Encoder,
    vectors: OccurrenceVectors,
    general: General,
    language: str,
    progress: Progress = silent,
) -> Report:
    """Each word of the first half alone, and mixed with one of the second half, which is written as the first."""
    half = len(drawn) // 2
    trials: list[Trial] = []
    for at, (first, second) in enumerate(zip(drawn[:half], reversed(drawn[half:]), strict=False)):
        progress("words", at, half)
        others = [one for word in drawn if word not in (first, second) for one in word.occurrences[:BACKGROUND]]
        mean = mean_of(others, vectors, encoder, Target(("* self-test",)), general)
        trials += _pair(first, second, encoder, vectors, mean, language)
    progress("words", half, half)
    alone = [trial for trial in trials if not trial.second]
    mixed = {share: [t.ari for t in trials if t.second and t.share == share] for share in SHARES}
    return Report(
        tuple(trials),
        kept_whole=float(np.mean([trial.found == 1 for trial in alone])),
        ari={share: round(float(np.mean(found)), 4) for share, found in mixed.items() if found},
    )


def _pair(
    first: DrawnWord,
    second: DrawnWord,
    encoder: Encoder,
    vectors: OccurrenceVectors,
    mean: Background,
    language: str,
) -> list[Trial]:
    disguised = [written_as(one, first.word) for one in second.occurrences if not _holds(one, first.word)]
    own = [one for one in first.occurrences if not _holds(one, second.word)]
    every = [*own, *disguised]
    views = vectors.of(encoder, Target((first.word,)), every)
    found = []
    for share in (0.0, *SHARES):
        others = min(len(disguised), round(len(own) * share / (1 - share)))
        rows = np.r_[np.arange(len(own)), len(own) + np.arange(others)].astype(np.int64)
        chosen = [every[row] for row in rows]
        company = bags([one.sentence for one in chosen], [one.at for one in chosen], language).weighted()
        labels = induce(views.take(rows), company, mean).labels()
        gold = np.r_[np.zeros(len(own)), np.ones(others)].astype(np.int64)
        found.append(_trial(first.word, second.word if share else "", share, gold, labels))
    return found


def written_as(occurrence: Occurrence, word: str) -> Occurrence:
    """The same sentence with another word in the target's place."""
    at, said = occurrence.at, occurrence.sentence
    sentence = said[: at.start] + word + said[at.end :]
    return Occurrence(
        occurrence.document, occurrence.passages, occurrence.start, occurrence.end, sentence,
        Span(at.start, at.start + len(word)),
    )  # fmt: skip


def _holds(occurrence: Occurrence, word: str) -> bool:
    return any(one.word == word for one in words(occurrence.sentence))


def _trial(first: str, second: str, share: float, gold: NDArray[np.int64], labels: NDArray[np.int64]) -> Trial:
    from sklearn.metrics import adjusted_rand_score

    sizes = np.bincount(labels)
    ari = float(adjusted_rand_score(gold, labels))
    return Trial(first, second, share, len(gold), int((sizes > 0).sum()), round(ari, 4), 1 - sizes.max() / len(gold))
