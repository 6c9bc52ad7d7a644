"""What the finder works on, read from a collection: occurrences of a word, their vectors, the words around them, and
the archive's own mean vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.ids import as_ints
from riparian.encoders.base import Encoder
from riparian.errors import NotIndexedYet
from riparian.text import sentences, stop_words, words
from riparian.types import Collection, Passage, PassageId, Span
from senses.company import Bags, bags
from senses.evidence import Background, background_of
from senses.occurrences import Occurrence, Target, occurrence_in
from senses.vectors import OccurrenceVectors
from senses.views import Views

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total); may raise to stop."""

SAMPLE = 300
"""Passages that the archive's mean vectors are taken from, one word each."""

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
    catalog: Catalog, vectors: OccurrenceVectors, encoder: Encoder, collection: Collection, language: str
) -> Background:
    """The archive's mean vectors, from one word of each of `SAMPLE` passages."""
    ids = as_ints(catalog.passages.ids(collection.id))
    chosen = sorted(ids, key=_hash_of)[:SAMPLE]
    found = catalog.passages.many(chosen)
    drawn = [one for passage in chosen if (one := random_word(found[PassageId(passage)], language)) is not None]
    views = vectors.of(encoder, Target((f"* {collection.id}",)), drawn)
    return background_of(views) if len(views) else no_background(encoder)


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
    at = int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big") % len(candidates)
    return Span(candidates[at].start, candidates[at].end)


def _hash_of(passage: int) -> bytes:
    return hashlib.sha256(str(passage).encode()).digest()


def keys(occurrences: Sequence[Occurrence]) -> list[tuple[int, int]]:
    """What an occurrence is known by in SQL: its first passage and its start."""
    return [(int(one.passages[0]), one.start) for one in occurrences]
