"""Moving a question towards some examples and away from others: Rocchio's formula, for vectors and for words.

J. J. Rocchio, Relevance feedback in information retrieval, 1971: the question that best finds the texts known to be
relevant is itself, plus the mean of those, minus the mean of the others. Examples are the ticks and crosses that people
gave to hits of this very query, and the passages, documents and texts that a request names.

Vectors: q' = unit(q + TOWARDS s⁺ unit(Σ w v) - AWAY s⁻ unit(Σ w v)); v = the unit mean of an example's passages,
s = Σ w²/Σ w (1 for ticks, the weight of a single example).
Words: BM25 is linear in the weights of a question's terms. Its score grows by TOWARDS_WORDS s⁺ |q| Σ r(t) W(t, d), and
shrinks likewise; r are the TERMS largest of idf(t) Σ w tf(t)/length over the examples, scaled to sum 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.encoders.base import Encoder
from riparian.errors import UnknownDocument, UnknownPassage
from riparian.lexical import analysis
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import Clause, Group, Occur, Terms, Weighted
from riparian.types import DocumentId, Ids, Matrix, PassageId
from search.dense import spread
from search.examples import HEAVIEST, Example, Said
from search.lexical import Words
from search.scene import Scene
from search.semantics import Semantics

TOWARDS, AWAY = 1.0, 0.25
TOWARDS_WORDS, AWAY_WORDS = 0.5, 0.25
TERMS = 30

PASSAGES = 16
"""Of a document, at most so many passages stand for it, evenly spaced."""


@dataclass(frozen=True, slots=True)
class Pull:
    """An example as it is: its passages, and the words of it with their language."""

    weight: float
    passages: tuple[int, ...]
    text: str
    language: str

    @property
    def is_text(self) -> bool:
        """Whether it is a text of the asker's own, which has no stored vector."""
        return not self.passages


@dataclass(frozen=True, slots=True)
class Steering:
    """What moves a question. `crossed` are the documents found irrelevant for it, ascending: they come
    last."""

    said: Said
    more: tuple[Pull, ...] = ()
    less: tuple[Pull, ...] = ()
    crossed: Ids | None = None
    notes: tuple[str, ...] = ()

    def words(self, index: LexicalIndex) -> Words:
        """The question in words. Where nothing but examples was given, what is typical of these is looked for.

        BadQuery for a query without a word and without a text to be like."""
        liked, disliked = _profile(self.more, index), _profile(self.less, index)
        if not self.said.text and liked:
            return Words(index, Group((Clause(Occur.MAY, Terms(_scaled(liked, 1.0))),)), "")
        words = Words.of_query(index, self.said.text)
        asked = words.stems
        count = max(1, len(asked))
        apart = {stem: weight for stem, weight in disliked.items() if stem not in liked and stem not in asked}
        return replace(
            words,
            liked=_scaled(liked, TOWARDS_WORDS * _strength(self.more) * count),
            disliked=_scaled(apart, AWAY_WORDS * _strength(self.less) * count),
        )

    def moved(self, semantics: Semantics, encoder: Encoder, query: NDArray[np.float32] | None) -> Matrix:
        """(1, dimension): the question's vector where it is moved to, a unit row, or all zero where nothing is known.

        `query` None = there is nothing but examples."""
        start = np.zeros(semantics.snapshot.view.dimension) if query is None else query.astype(np.float64)
        towards = TOWARDS * _strength(self.more) * _direction(self.more, semantics, encoder)
        away = AWAY * _strength(self.less) * _direction(self.less, semantics, encoder)
        return _unit(start + towards - away).astype(np.float32)[np.newaxis]

    def weighing(self, words: Words) -> Steering:
        """With the weights of single words: one of 3 pulls as an example of weight 2 would, one of 1/2 pushes."""
        weighted = [(Pull(abs(weight), (), text, ""), weight > 0) for text, weight in _weights(words.group)]
        return replace(
            self,
            more=(*self.more, *(pull for pull, towards in weighted if towards)),
            less=(*self.less, *(pull for pull, towards in weighted if not towards)),
        )

    @property
    def is_told(self) -> bool:
        """Whether somebody gave examples, or judged hits of the query."""
        return bool(self.notes)

    @property
    def moves(self) -> bool:
        return bool(self.more or self.less)


def steering_of(
    catalog: Catalog,
    scene: Scene,
    query: str,
    said: Said,
    more: Sequence[Example],
    less: Sequence[Example],
    *,
    feedback: bool,
) -> Steering:
    """What was said of `query` in the collection (with `feedback`), and the examples given besides.

    UnknownPassage and UnknownDocument for an example that is not of this collection. The number of statements does not
    grow with the examples.
    """
    judged = catalog.judgments.of_query(scene.collection.id, query) if feedback else []
    there = [one for one in judged if one.document_id is not None and _has(scene, one.document_id)]
    ticks = [_as_example(one.document_id, one.passage_id) for one in there if one.is_relevant]
    crosses = [_as_example(one.document_id, one.passage_id) for one in there if not one.is_relevant]
    more, less = (*said.more, *more), (*said.less, *less)
    pulls = _Pulls(catalog, scene, [*more, *less, *ticks, *crosses])
    crossed = sorted(one.document_id for one in there if not one.is_relevant and one.document_id is not None)
    return Steering(
        said,
        tuple(pulls.of(example) for example in (*more, *ticks)),
        tuple(pulls.of(example) for example in (*less, *crosses)),
        np.array(crossed, dtype=np.int64) if crossed else None,
        tuple(_notes(more, less, len(ticks), len(crosses))),
    )


def _notes(more: Sequence[Example], less: Sequence[Example], ticks: int, crosses: int) -> Iterable[str]:
    given = [_counted(ticks, "tick", "ticks"), _counted(crosses, "cross", "crosses")]
    if ticks or crosses:
        yield f"moved by {', '.join(filter(None, given))} given to this query"
    if more:
        yield f"moved towards {', '.join(example.name for example in more)}"
    if less:
        yield f"moved away from {', '.join(example.name for example in less)}"


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}" if number else ""


def _has(scene: Scene, document: DocumentId) -> bool:
    return bool(scene.layout.has(np.array([document], dtype=np.int64))[0])


def _as_example(document: DocumentId | None, passage: PassageId | None) -> Example:
    return Example(passage=passage) if passage is not None else Example(document=document)


class _Pulls:
    """Reads what examples are, all of them at once."""

    def __init__(self, catalog: Catalog, scene: Scene, examples: Sequence[Example]) -> None:
        self._own = {example: _passages_of(scene, example) for example in examples if not example.text}
        wanted = {passage for own in self._own.values() for passage in own}
        self._passages = catalog.passages.many(wanted)
        owners = {passage.document_id for passage in self._passages.values()}
        self._languages = {one.id: one.language for one in catalog.documents.many(owners).values()}

    def of(self, example: Example) -> Pull:
        if example.text:
            return Pull(example.weight, (), example.text, "")
        own = [self._passages[PassageId(one)] for one in self._own[example] if one in self._passages]
        text = "\n".join(passage.text for passage in own)
        language = self._languages.get(own[0].document_id, "") if own else ""
        return Pull(example.weight, tuple(int(passage.id) for passage in own), text, language)


def _passages_of(scene: Scene, example: Example) -> tuple[int, ...]:
    if example.passage is not None:
        if scene.layout.documents_of(np.array([example.passage], dtype=np.int64))[0] < 0:
            raise UnknownPassage(example.passage)
        return (int(example.passage),)
    assert example.document is not None
    found = scene.layout.passages_of(np.array([example.document], dtype=np.int64))
    if not len(found):
        raise UnknownDocument(example.document)
    return tuple(spread(found.tolist(), PASSAGES))


# -------------------------------------------------------------------------------------------- vectors


def _direction(pulls: Sequence[Pull], semantics: Semantics, encoder: Encoder) -> NDArray[np.float64]:
    """The unit sum of the examples' vectors by weight; zeros where none has one."""
    summed = np.zeros(semantics.snapshot.view.dimension)
    texts = [pull for pull in pulls if pull.is_text]
    if texts:
        rows = encoder.encode_passages([pull.text for pull in texts], "query")
        summed += np.sum([pull.weight * row for pull, row in zip(texts, rows, strict=True)], axis=0)
    for pull in pulls:
        if not pull.is_text:
            summed += pull.weight * _stored(pull.passages, semantics)
    return _unit(summed)


def _stored(passages: Sequence[int], semantics: Semantics) -> NDArray[np.float64]:
    """The unit mean of the passages' vectors; those that are not embedded yet are left out."""
    view, wanted = semantics.snapshot.view, np.array(passages, dtype=np.int64)
    embedded = wanted[np.isin(wanted, view.ids)]
    return _unit(view.vectors(embedded).astype(np.float64).sum(axis=0)) if len(embedded) else np.zeros(view.dimension)


def _unit(row: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(row)
    unit: NDArray[np.float64] = row / length if length > 0 else row
    return unit


def _strength(pulls: Sequence[Pull]) -> float:
    """The mean of the weights, each weighted by itself: that of a single example, 1 for any number of ticks."""
    total = sum(pull.weight for pull in pulls)
    return sum(pull.weight**2 for pull in pulls) / total if total else 0.0


# -------------------------------------------------------------------------------------------- words


def _profile(pulls: Sequence[Pull], index: LexicalIndex) -> dict[str, float]:
    """The stems that are typical of the examples, with weights that sum to 1; empty for none."""
    summed: Counter[str] = Counter()
    for pull in pulls:
        language = pull.language or (index.languages[0] if index.languages else "")
        stems = analysis.stems(analysis.plain_words(pull.text), language)
        for stem, count in Counter(stems).items():
            summed[stem] += pull.weight * count / len(stems)  # type: ignore[assignment]  # a share, not a count
    names = sorted(summed)
    telling = {stem: summed[stem] * idf for stem, idf in zip(names, index.rarity(names), strict=True) if idf > 0}
    kept = sorted(telling, key=lambda stem: (-telling[stem], stem))[:TERMS]
    total = sum(telling[stem] for stem in kept)
    return {stem: telling[stem] / total for stem in kept}


def _scaled(profile: dict[str, float], weight: float) -> tuple[tuple[str, float], ...]:
    return tuple((stem, share * weight) for stem, share in profile.items() if share * weight > 0)


def _weights(group: Group) -> Iterator[tuple[str, float]]:
    """The words and phrases of a query that were given a weight, and by how much it differs from 1."""
    for clause in group.clauses:
        if isinstance(clause.node, Weighted) and clause.occur is not Occur.NOT:
            text, weight = getattr(clause.node.node, "text", ""), clause.node.weight - 1
            if text and weight:
                yield text, min(weight, HEAVIEST)
