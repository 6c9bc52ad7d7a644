"""Re-ranking as a search asks for it: by late interaction, by a cross-encoder, or not at all, with what it cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from shlex import quote
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder, GivesStates
from riparian.inputs import encoder_input
from riparian.types import Collection
from riparian.vectors.state_store import StateStore
from search import late, rerank
from search.dense import Meaning
from search.lexical import Words
from search.query_vectors import QueryVectors
from search.ranking import Ranked
from search.request import Rerank
from search.scene import Scene
from search.semantics import Semantics
from search.stored_sentences import Stored

CROSS_FIRST = 20
"""Documents that a cross-encoder reads: it takes some 20 ms each on one core."""


class PairScores(Protocol):
    """What a cross-encoder is here (`riparian/encoders/cross_encoder.py`)."""

    @property
    def name(self) -> str: ...

    def scores(self, query: str, passages: list[str]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class Reranked:
    """The ranking after it, what was done, the milliseconds it took, and what a person should know."""

    ranked: Ranked
    kind: Rerank = Rerank.NONE
    ms: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A question as a re-ranker sees it. `moved`: people said what they look for, so nothing is guessed of it."""

    scene: Scene
    words: Words
    meaning: Meaning
    moved: bool
    stored: Stored | None


def lacking(collection: Collection, encoder: Encoder | None) -> str:
    """Why late interaction, which was asked for, could not be done, and what helps."""
    if not isinstance(encoder, GivesStates):
        return "not re-ranked: the collection's encoder gives no token states; those of the transformers library do"
    made = f"riparian collections token-states {quote(collection.name)}"
    return f"not re-ranked: the collection has no token states; `{made}` makes them"


@dataclass(slots=True)
class Reranker:
    """Safe to share between threads. `default` = what is done where a request says nothing."""

    database: Database
    vectors: QueryVectors
    states: StateStore | None = None
    default: Rerank = Rerank.MAXSIM
    load_cross: Callable[[], PairScores] | None = None
    _cross: PairScores | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def again(self, seen: Seen, ranked: Ranked, kind: Rerank) -> Reranked:
        """The best documents in their new order; as they were where nothing can be done: late interaction needs token
        states of the passages, which not every encoder gives."""
        if kind is Rerank.NONE:
            return Reranked(ranked)
        started = time.perf_counter()
        done, notes = self._by_pairs(seen, ranked) if kind is Rerank.CROSS_ENCODER else self._by_states(seen, ranked)
        if done is ranked:
            return Reranked(ranked)
        return Reranked(done, kind, 1000 * (time.perf_counter() - started), notes)

    # ---------------------------------------------------------------- late interaction

    def _by_states(self, seen: Seen, ranked: Ranked) -> tuple[Ranked, tuple[str, ...]]:
        documents = rerank.first_counted(ranked)
        met = rerank.met(seen.scene, documents, seen.meaning, seen.stored) if seen.stored and len(documents) else {}
        if not met:
            return ranked, ()
        count = len(documents)
        done = rerank.weighed(ranked, documents, seen.meaning.view)
        done = rerank.by_words(done, done.ranking.ids[:count], met)
        if not seen.moved:
            done = rerank.by_echo(seen.scene, done, done.ranking.ids[:count], seen.meaning)
        return done, ()

    def stored(self, scene: Scene, semantics: Semantics, encoder: Encoder, words: Words) -> Stored | None:
        """What the words ask for, with the token states of the collection; None where it or the encoder has none."""
        if self.states is None:
            return None
        held = self.states.snapshot(scene.collection.id, semantics.stored)
        own = self.vectors.states_of(encoder, words.meaning) if held.parts else None
        wanted = late.wanted(words.meaning, own, words.index) if own is not None else None
        return Stored(wanted, held, encoder) if wanted is not None else None

    # ---------------------------------------------------------------- cross-encoder

    def _by_pairs(self, seen: Seen, ranked: Ranked) -> tuple[Ranked, tuple[str, ...]]:
        """The first of what late interaction put in order, where it could."""
        model = self._model()
        ranked, _ = self._by_states(seen, ranked)
        documents = rerank.first_counted(ranked, CROSS_FIRST)
        if not len(documents):
            return ranked, ()
        passages = seen.scene.passages_among(np.sort(documents))
        assert passages is not None
        owners = seen.scene.layout.documents_of(passages)
        chosen = late.nearest_of(passages, owners, seen.meaning.nearness(passages), 1)
        with self.database.read() as catalog:
            found = list(catalog.passages.many(chosen).values())
            titles = catalog.documents.many({passage.document_id for passage in found})
        texts = [encoder_input(titles[passage.document_id].title, passage.text) for passage in found]
        scores = model.scores(seen.words.meaning, texts)
        given = {int(p.document_id): float(score) for p, score in zip(found, scores, strict=True)}
        return rerank.by_pairs(ranked, documents, given), (f"re-ranked by {model.name}",)

    def _model(self) -> PairScores:
        """Loaded at its first use."""
        with self._lock:
            if self._cross is None:
                assert self.load_cross is not None
                self._cross = self.load_cross()
            return self._cross
