"""What the finder works on, read from a collection: occurrences of a word, their vectors, the words around them, and
the archive's own mean vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.ids import as_ints
from riparian.encoders.base import Encoder
from riparian.errors import NotIndexedYet
from riparian.text import sentences, stop_words, words
from riparian.types import Collection, DocumentId, Passage, PassageId, Span
from senses.company import Bags, bags
from senses.evidence import Background, background_of
from senses.occurrences import Occurrence, Target, occurrence_in
from senses.vectors import OccurrenceVectors
from senses.views import Views, stacked

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); may raise to stop."""

SAMPLE = 300
"""Passages that the archive's mean vectors are taken from, one word each."""

ENOUGH = 100
"""Passages without the word below which the archive is mostly about it: then general text helps out."""

GENERAL = Target(("*",))
"""Names the vectors of general text; no word is written like it."""

General = Callable[[], Iterable[str]]
"""Gives texts about anything, none where there are none at hand."""

MOST = 2000
"""Occurrences that senses are found in; the others follow their neighbours among these."""


def silent(_stage: str, _done: int, _total: int) -> None:
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class Material:
    """Occurrences in order, and what is known of each."""

    collection: Collection
    encoder: StoredEncoder
    target: Target
    occurrences: tuple[Occurrence, ...]
    views: Views
    language: str

    def __len__(self) -> int:
        return len(self.occurrences)

    def bags(self) -> Bags:
        return bags([one.sentence for one in self.occurrences], [one.at for one in self.occurrences], self.language)

    def drawn(self) -> NDArray[np.int64]:
        """Rows that senses are found in: all, or `MOST` of them drawn by the hash of their sentences, so that adding a
        document changes few. A row without a vector is left out."""
        known = np.flatnonzero(self.views.token.any(axis=1))
        if len(known) <= MOST:
            return known.astype(np.int64)
        order = sorted(known, key=lambda row: self.occurrences[row].key)
        return np.sort(np.array(order[:MOST], dtype=np.int64))


def stored_encoder(catalog: Catalog, collection: Collection) -> StoredEncoder:
    """NotIndexedYet where the collection has none."""
    if collection.encoder_id is None:
        raise NotIndexedYet(f"collection {collection.name!r} has no encoder yet; index it first")
    return catalog.encoders.get(collection.encoder_id)


def main_language(catalog: Catalog, collection: Collection) -> str:
    """The language of most documents, "" where none is known."""
    counts = {code: n for code, n in catalog.documents.languages(collection.id).items() if code}
    return max(sorted(counts), key=lambda code: counts[code], default="")


def background(
    catalog: Catalog,
    vectors: OccurrenceVectors,
    encoder: Encoder,
    read: Material,
    general: General,
) -> Background:
    """The archive's mean vectors, from one word of each of `SAMPLE` passages that do not hold the target: where all
    sentences are about it, their mean would take away what its main sense is known by."""
    holding = {int(passage) for one in read.occurrences for passage in one.passages}
    ids = [one for one in as_ints(catalog.passages.ids(read.collection.id)) if one not in holding]
    chosen = sorted(ids, key=hash_of)[:SAMPLE]
    found = catalog.passages.many(chosen)
    drawn = [one for passage in chosen if (one := random_word(found[PassageId(passage)], read.language)) is not None]
    return mean_of(drawn, vectors, encoder, Target((f"* {read.collection.id}",)), general)


def mean_of(
    drawn: Sequence[Occurrence], vectors: OccurrenceVectors, encoder: Encoder, target: Target, general: General
) -> Background:
    """Of these occurrences, and of general text where they are fewer than `ENOUGH`; `target` names their vectors."""
    views = [vectors.of(encoder, target, drawn)] if drawn else []
    if len(drawn) < ENOUGH and (more := list(islice(general_words(general()), SAMPLE - len(drawn)))):
        views.append(vectors.of(encoder, GENERAL, more))
    return background_of(stacked(views)) if views else no_background(encoder)


def general_words(texts: Iterable[str]) -> Iterator[Occurrence]:
    """A word of each text, in a sentence drawn by the hash of the text."""
    for text in texts:
        around = sentences(text, "en")
        if not around:
            continue
        home = around[_number_of(text) % len(around)]
        sentence = text[home.start : home.end]
        at = drawn_word(sentence, "en")
        if at is not None:
            yield Occurrence(DocumentId(0), (), home.start + at.start, home.start + at.end, sentence, at)


def no_background(encoder: Encoder) -> Background:
    zero = np.zeros(encoder.info.token_dim or 0, dtype=np.float32)
    return Background(zero, zero, zero)


def random_word(passage: Passage, language: str) -> Occurrence | None:
    """A word of the passage that is no stop word, drawn by the hash of the text; None where there is none."""
    at = drawn_word(passage.text, language)
    if at is None:
        return None
    return occurrence_in(passage, at, sentences(passage.text, language))


def drawn_word(text: str, language: str) -> Span | None:
    """The place of a word that is no stop word, drawn by the hash of the text."""
    stop = stop_words(language or "en")
    candidates = [one for one in words(text) if one.word.isalpha() and len(one.word) > 2 and one.word not in stop]
    if not candidates:
        return None
    chosen = candidates[_number_of(text) % len(candidates)]
    return Span(chosen.start, chosen.end)


def hash_of(passage: int) -> bytes:
    """Passages in the order of it are a sample that stays when others are added."""
    return hashlib.sha256(str(passage).encode()).digest()


def _number_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big")


def keys(occurrences: Sequence[Occurrence]) -> list[tuple[int, int]]:
    """What an occurrence is known by in SQL: its first passage and its start."""
    return [(int(one.passages[0]), one.start) for one in occurrences]
