"""A question as it is read: in words, and in vectors as far as there are any, with what moves it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import BadQuery, NotIndexedYet
from riparian.lexical.index import LexicalIndex
from riparian.text import sound
from riparian.types import Collection, CollectionId, Filters, Matrix, Mode
from riparian.vectors.store import VectorStore
from search import examples
from search.fuzzy import respelt
from search.layout import Layouts
from search.lexical import Words
from search.present import Asked
from search.query_vectors import QueryVectors
from search.request import SearchRequest, usual_weight
from search.scene import Scene, set_scene
from search.semantics import Semantics, nothing_embedded, semantics_of
from search.steering import Steering, steering_of
from search.windows import windows


class LexicalIndexes(Protocol):
    """Where the lexical index of a collection is to be had."""

    def index(self, collection_id: CollectionId) -> LexicalIndex: ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, read; `notes` grow until the answer is given."""

    text: str
    mode: Mode
    scene: Scene
    asked: Asked
    semantics: Semantics | None
    notes: list[str]


@dataclass(frozen=True, slots=True)
class QuestionReader:
    """Safe to share between threads. `hybrid_weight` = the share of meaning where nobody says another."""

    database: Database
    encoders: EncoderPool
    vectors: VectorStore
    lexical: LexicalIndexes
    hybrid_weight: float
    query_vectors: QueryVectors = field(default_factory=QueryVectors)
    layouts: Layouts = field(default_factory=Layouts)

    def asked(self, request: SearchRequest, scene: Scene) -> tuple[Question, Steering, float]:
        """The question as it is read, what moves it, and the weight of its meaning."""
        query = sound(request.query).strip()
        if not query:
            raise BadQuery("the query is empty; type what you are looking for")
        weight = self.weight(request.weight, scene.collection)
        steering = self._steering(scene, query, request)
        words = steering.words(self.lexical.index(scene.collection.id))
        steering = steering.weighing(words)
        words = respelt(words, request.fuzzy)

        def rows_of(semantics: Semantics, encoder: Encoder, _notes: list[str]) -> Matrix:
            start = self.query_vectors.of(encoder, words.meaning) if steering.said.text else None
            if start is None or steering.moves:
                return steering.moved(semantics, encoder, start)
            return start[np.newaxis]

        question = self.question(query, request.mode, scene, words, rows_of)
        question.notes.extend(steering.notes)
        if request.mode is Mode.HYBRID and request.weight is None and words.is_identifier:
            question.notes.append("the query is an identifier: the documents that hold it come first")
            weight = 0.0
        return question, steering, weight

    def scene(self, name: str, filters: Filters) -> Scene:
        with self.database.read() as catalog:
            return set_scene(catalog, self.layouts, catalog.collections.named(name), filters)

    def question(
        self,
        text: str,
        mode: Mode,
        scene: Scene,
        words: Words,
        rows_of: Callable[[Semantics, Encoder, list[str]], Matrix],
    ) -> Question:
        """Reads the question in words and, as far as the mode asks for it and vectors are there, in vectors."""
        notes = _lag(scene)
        semantics = None if mode is Mode.LEXICAL else self._semantics(scene, mode, notes)
        if semantics is None:
            return Question(text, mode, scene, Asked(words, None, None), None, notes)
        encoder = self.encoders.of(semantics.stored)
        meaning = semantics.meaning(rows_of(semantics, encoder, notes))
        if not len(meaning.queries):
            notes.append(f"the encoder ({semantics.stored.name}) knows no word of this; meaning finds nothing")
        return Question(text, mode, scene, Asked(words, meaning, encoder), semantics, notes)

    def weight(self, asked: float | None, collection: Collection) -> float:
        weight = usual_weight(collection, self.hybrid_weight) if asked is None else asked
        if not 0 <= weight <= 1:
            raise BadQuery(f"the weight of the semantic score must lie between 0 and 1, got {weight}")
        return weight

    def _steering(self, scene: Scene, query: str, request: SearchRequest) -> Steering:
        said = examples.read(query)
        with self.database.read() as catalog:
            return steering_of(catalog, scene, query, said, request.more, request.less, feedback=request.feedback)

    def _semantics(self, scene: Scene, mode: Mode, notes: list[str]) -> Semantics | None:
        """None where a hybrid search must do with the words."""
        found = semantics_of(scene, self.vectors)
        if found is not None:
            notes.extend(found.notes)
        elif mode is Mode.SEMANTIC:
            raise NotIndexedYet(f"{nothing_embedded(scene.collection)}; search by words (mode lexical) until then")
        else:
            notes.append(f"{nothing_embedded(scene.collection)}; answered by words alone")
        return found


def window_rows(text: str, encoder: Encoder, notes: list[str]) -> Matrix:
    cut = windows(text, encoder)
    if cut.all > len(cut.texts):
        notes.append(f"{len(cut.texts)} of the {cut.all} parts of the text stand for it, evenly spaced")
    return encoder.encode_passages(cut.texts, "passage")


def _lag(scene: Scene) -> list[str]:
    if not scene.waiting:
        return []
    return [f"{scene.waiting} changes are not in the lexical index yet; new words may not be found"]
