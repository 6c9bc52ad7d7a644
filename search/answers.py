"""Answers to a question out of the archive: spans where a model finds them, otherwise the best sentences.

Nothing is written that the archive does not hold: every answer is a stretch of a document, with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Literal, Protocol

import numpy as np
import regex

from riparian.types import Anchor, Document, DocumentId, Hit, Passage, PassageId, SearchAnswer, Span
from search.explain.links import InContext
from search.explain.meaning import Meanings
from search.explain.sought import Sought, Target
from search.explain.terms import rarity_in
from search.highlight import Cut, cut, place
from search.lexical import Words
from search.present import Asked
from search.request import SearchRequest
from search.sentence_rank import WORDS, Scores, Sentence, met, overlaps, ranked
from search.service import SearchService, Standing

PASSAGES = 10
"""Hits whose passages are read for answers."""

MOST = 50

_EACH = 2  # passages a document


class Pointed(Protocol):
    """Where in a passage an answer stands (half-open code points), None for nowhere; `margin` is the log-odds of the
    answer against there being none."""

    @property
    def start(self) -> int | None: ...

    @property
    def end(self) -> int | None: ...

    @property
    def margin(self) -> float: ...


ReadSpans = Callable[[str, Sequence[str]], Sequence[Pointed]]
"""A question and passages → where each holds an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of a document that answers: `span` and the `sentence` around it are code points of its text.

    `score`: of a span the probability that it is an answer rather than none, of a sentence what it was ranked by.
    """

    kind: Literal["span", "sentence"]
    text: str
    span: Span
    sentence: Span
    quote: str
    score: float
    document: Document
    passage: PassageId
    place: Anchor | None


@dataclass(frozen=True, slots=True)
class Answers:
    """The best first. `no_answer` is the probability that the passages read hold none, None where nothing can tell;
    `model` is "" for sentences."""

    question: str
    answers: tuple[Answer, ...]
    no_answer: float | None
    model: str
    passages: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A passage of a hit with its document."""

    passage: Passage
    document: Document


class AnswerService:
    """Safe to share between threads. `reader_of` gives the span reader of a name; it raises where there is none."""

    def __init__(
        self, search: SearchService, reader_of: Callable[[str], ReadSpans], meanings: Meanings | None = None
    ) -> None:
        self._search, self._reader_of = search, reader_of
        self._meanings = meanings or Meanings()

    def answer(self, request: SearchRequest, *, most: int = 3, model: str = "") -> Answers:
        """At most so many answers to the request's query, from the passages that the search finds first.

        Errors as in a search, and those of the model.
        """
        read_spans = self._reader_of(model) if model else None
        asked = replace(request, k=PASSAGES, offset=0, passages=_EACH, sentences=False, facets=())
        standing = self._search.standing(asked)
        found = self._search.presented(standing, asked.page)
        read = list(passages_of(found))
        if read_spans is None:
            return Answers(found.query, self.sentences(standing, read)[:most], None, "", len(read), found.notes)
        return _spans(found, read, read_spans(found.query, [one.passage.text for one in read]), model, most)

    def of_hits(self, standing: Standing, hits: Sequence[Hit], most: int = 1) -> tuple[Answer, ...]:
        """The best sentences of hits that were presented already."""
        return self.sentences(standing, [Read(hit.passage, hit.document) for hit in hits])[:most]

    def sentences(self, standing: Standing, read: Sequence[Read]) -> tuple[Answer, ...]:
        """Every sentence of the passages as an answer, each text once."""
        found = self.ranked(standing, read)
        documents = {one.document.id: one.document for one in read}
        once = {" ".join(one.text.split()): one for one in reversed(found)}
        return tuple(_sentence(one, documents) for one in found if once[" ".join(one.text.split())] is one)

    def ranked(self, standing: Standing, read: Sequence[Read]) -> list[Sentence]:
        """Every sentence of the passages, the best first."""
        asked = standing.question.asked
        if asked.words is None:
            return []
        cuts = [cut(one.passage, one.document.language) for one in read]
        found = self._met(asked, asked.words, read, cuts)
        return ranked(cuts, found if found is not None else self._by_words(asked, asked.words, read, cuts))

    def _met(self, asked: Asked, words: Words, read: Sequence[Read], cuts: Sequence[Cut]) -> list[Scores] | None:
        """How well each sentence meets the words of the question; None where the encoder gives no token vectors, or
        no word tells anything."""
        if asked.encoder is None or asked.meaning is None or not len(asked.meaning.queries) or not read:
            return None
        row = asked.meaning.queries[0].astype(np.float64)
        sought = Sought(asked.encoder, words.meaning, row, rarity_in(words.index))
        targets = [Target(one.passage, one.document.title, None) for one in read]
        contexts = self._meanings.contexts(sought, targets)
        query = contexts[0].query
        weights = _weights(sought, query) if query is not None else None
        if query is None or weights is None:
            return None
        return [
            met(one, len(target.input) - len(target.passage.text), query, weights, context.passage)
            for one, target, context in zip(cuts, targets, contexts, strict=True)
            if context.passage is not None
        ]

    def _by_words(self, asked: Asked, words: Words, read: Sequence[Read], cuts: Sequence[Cut]) -> list[Scores]:
        """By the words that a sentence holds, and by its cosine where there is a vector of the question."""
        held = overlaps(cuts, [one.document.language for one in read], words)
        if asked.encoder is None or asked.meaning is None or not len(asked.meaning.queries):
            return held
        query = asked.meaning.queries[0].astype(np.float64)
        rows = self._search.sentences.vectors(cuts, asked.encoder)
        return [
            WORDS * own + (1 - WORDS) * (near.astype(np.float64) @ query) for own, near in zip(held, rows, strict=True)
        ]


def _weights(sought: Sought, query: InContext) -> Scores | None:
    """How much each word of the question tells, summing to 1; None where none tells anything."""
    texts = [sought.text[unit.start : unit.end] for unit in query.words]
    found = np.array(sought.rarity(texts), dtype=np.float64) * query.rows.any(axis=1)
    return found / found.sum() if found.sum() > 0 else None


def is_question(text: str) -> bool:
    """Whether a query asks something: it ends with a question mark or begins with a question word of a language that
    archives are often in."""
    stripped = text.strip().casefold()
    return (stripped.endswith(("?", "？", "؟")) and len(stripped) > 1) or _ASKS.match(stripped) is not None


_ASKS = regex.compile(
    r"(?:who|whom|whose|what|when|where|why|how|which|does|did|is there|are there|can one"
    r"|wer|wen|wem|wessen|was|wann|wo|wohin|woher|warum|weshalb|wie|welche[rsnm]?|gibt es"
    r"|qui|que|quoi|quand|où|pourquoi|comment|quel(?:le)?s?|combien|est-ce"
    r"|quién(?:es)?|qué|cuándo|dónde|por qué|cómo|cuál(?:es)?|cuánt[oa]s?"
    r"|chi|cosa|che cosa|quando|dove|perché|come|quale|quanti|wie|wat|wanneer|waar|waarom|hoe|welke)\b\s+\S+"
)


def passages_of(found: SearchAnswer) -> list[Read]:
    """Best passages of all hits first, then the second best ones."""
    first = [Read(hit.passage, hit.document) for hit in found.hits]
    return first + [Read(excerpt.passage, hit.document) for hit in found.hits for excerpt in hit.more]


def _sentence(one: Sentence, documents: dict[DocumentId, Document]) -> Answer:
    passage = one.cut.passage
    document = documents[passage.document_id]
    return Answer(
        "sentence", one.text, one.span, one.span, one.text, one.score, document, passage.id,
        place(document.anchors, one.span.start),
    )  # fmt: skip


def _spans(found: SearchAnswer, read: Sequence[Read], pointed: Sequence[Pointed], model: str, most: int) -> Answers:
    """By falling probability, each text once; a passage without an answer gives none."""
    order = sorted(range(len(read)), key=lambda at: -pointed[at].margin)
    answers: dict[str, Answer] = {}
    for at in order:
        one = pointed[at]
        if one.start is not None and one.end is not None:
            answer = _span(read[at], Span(one.start, one.end), one.margin)
            answers.setdefault(answer.text.casefold(), answer)
    best = max((one.margin for one in pointed), default=-np.inf)
    return Answers(found.query, tuple(answers.values())[:most], 1.0 - _probability(best), model, len(read), found.notes)


def _span(read: Read, inside: Span, margin: float) -> Answer:
    passage = read.passage
    span = Span(passage.start + inside.start, passage.start + inside.end)
    around = next(
        (one for one in cut(passage, read.document.language).sentences if one.start <= span.start < one.end), span
    )
    around = Span(around.start, max(around.end, span.end))
    quote = passage.text[around.start - passage.start : around.end - passage.start]
    return Answer(
        "span", passage.text[inside.start : inside.end], span, around, quote, _probability(margin), read.document,
        passage.id, place(read.document.anchors, span.start),
    )  # fmt: skip


def _probability(margin: float) -> float:
    return 1.0 / (1.0 + exp(-min(max(margin, -500.0), 500.0)))
