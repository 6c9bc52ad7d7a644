"""What to show of a passage: the sentence that answers best, and the place a person can open."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from riparian.encoders.base import Encoder
from riparian.text import fold, sentences
from riparian.types import Anchor, Matrix, Passage, PassageId, Span

KEPT = 4096  # passages whose sentence vectors stay in memory: about 10 kB each


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage with its sentences, in code points of the document's text."""

    passage: Passage
    sentences: tuple[Span, ...]

    def text_of(self, sentence: Span) -> str:
        return self.passage.text[sentence.start - self.passage.start : sentence.end - self.passage.start]


def cut(passage: Passage, language: str) -> Cut:
    """The passage's sentences; one broken by the passage's edge stands as far as the passage has it."""
    inside = sentences(passage.text, language)
    return Cut(passage, tuple(moved(span, passage.start) for span in inside))


def moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


class ClosestSentences:
    """Finds the sentence closest in meaning; the vectors of a passage's sentences are kept by encoder and passage.

    Safe to share between threads.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._limit = kept
        self._rows: OrderedDict[tuple[str, PassageId], Matrix] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, cuts: Sequence[Cut], encoder: Encoder, queries: Matrix) -> list[Span | None]:
        """For each passage the sentence with the largest cosine to any of the queries, the first of equal ones.

        None where the passage has no sentence, or the encoder knows no word of any. A lone sentence is not encoded.
        """
        rows = self._rows_of([one for one in cuts if len(one.sentences) > 1], encoder)
        return [_closest(one, rows.get(one.passage.id), queries) for one in cuts]

    def vectors(self, cuts: Sequence[Cut], encoder: Encoder) -> list[Matrix]:
        """The unit rows of each passage's sentences, in order."""
        rows = self._rows_of([one for one in cuts if one.sentences], encoder)
        empty = np.zeros((0, encoder.info.passage_dim), dtype=np.float32)
        return [rows.get(one.passage.id, empty) for one in cuts]

    def _rows_of(self, cuts: Sequence[Cut], encoder: Encoder) -> dict[PassageId, Matrix]:
        fingerprint = encoder.fingerprint()
        found = {one.passage.id: rows for one in cuts if (rows := self._look_up(fingerprint, one)) is not None}
        missing = [one for one in cuts if one.passage.id not in found]
        if missing:
            fresh = _encoded(missing, encoder)
            self._keep(fingerprint, fresh)
            found |= fresh
        return found

    def _look_up(self, fingerprint: str, one: Cut) -> Matrix | None:
        with self._lock:
            rows = self._rows.get((fingerprint, one.passage.id))
            if rows is None or len(rows) != len(one.sentences):  # the document's language may have changed
                return None
            self._rows.move_to_end((fingerprint, one.passage.id))
            return rows

    def _keep(self, fingerprint: str, fresh: dict[PassageId, Matrix]) -> None:
        with self._lock:
            for passage, rows in fresh.items():
                self._rows[fingerprint, passage] = rows
            while len(self._rows) > self._limit:
                self._rows.popitem(last=False)


def _encoded(cuts: Sequence[Cut], encoder: Encoder) -> dict[PassageId, Matrix]:
    texts = [one.text_of(sentence) for one in cuts for sentence in one.sentences]
    ends = np.cumsum([len(one.sentences) for one in cuts])
    parts = np.split(encoder.encode_passages(texts, "passage"), ends[:-1])
    return {one.passage.id: part for one, part in zip(cuts, parts, strict=True)}


def _closest(one: Cut, rows: Matrix | None, queries: Matrix) -> Span | None:
    if rows is None:
        return one.sentences[0] if one.sentences else None
    nearness = np.einsum("sd,qd->sq", rows.astype(np.float64), queries.astype(np.float64)).max(axis=1)
    nearness[~rows.any(axis=1)] = -np.inf
    # equal sentences may differ in the last digits of an encoder's arithmetic
    best = int(np.argmax(np.round(nearness, 5)))
    return one.sentences[best] if np.isfinite(nearness[best]) else None


def fullest_sentence(one: Cut, highlights: Sequence[Span]) -> Span | None:
    """The sentence with the most different marked words, then the most marks, then the first; None without marks."""
    most, found = (0, 0), None
    for sentence in one.sentences:
        words = [fold(one.text_of(span)) for span in highlights if _within(span, sentence)]
        if (len(set(words)), len(words)) > most:
            most, found = (len(set(words)), len(words)), sentence
    return found


def _within(span: Span, sentence: Span) -> bool:
    return sentence.start <= span.start < sentence.end


def place(anchors: Sequence[Anchor], position: int) -> Anchor | None:
    """The last anchor at or before the position: the page or line it lies on."""
    before = [anchor for anchor in anchors if anchor.start <= position]
    return max(before, key=lambda anchor: anchor.start) if before else None
