"""Who answers the questions: an encoder, words alone (BM25), or a table of word vectors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder, Progress
from riparian.errors import MissingExtra
from riparian.lexical.analysis import plain_words
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import bag
from riparian.types import Ids, Matrix
from training.evaluation.measures import DEPTH
from training.evaluation.passages import passages
from training.evaluation.tasks import Task

Ranking = list[int]
"""Documents best first, at most DEPTH, fewer where fewer can be told apart from nothing."""


class Ranker(Protocol):
    """Answers tasks; deterministic."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def rank(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[list[Ranking]]:
        """For each task a ranking a question, in their order. `progress` may raise to stop."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A document with the score of its best passage."""

    document: int
    score: float


class Dense:
    """The best passage counts (inner product of unit rows, exact); equal scores: the smaller id first. Each passage is
    encoded once, however many tasks it is searched in."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._known: dict[str, NDArray[np.float32]] = {}

    @property
    def name(self) -> str:
        return self.encoder.info.name

    def rank(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[list[Ranking]]:
        found = self.find(tasks, progress=progress)
        return [[[one.document for one in ranking] for ranking in rankings] for rankings in found]

    def find(
        self, tasks: Sequence[Task], depth: int = DEPTH, progress: Progress | None = None
    ) -> list[list[list[Found]]]:
        """As `rank`, with scores."""
        cut = [self._cut(task) for task in tasks]
        texts = list(dict.fromkeys(text for owned in cut for _, text in owned if text not in self._known))
        queries = list(dict.fromkeys(query.text for task in tasks for query in task.queries))
        total = len(texts) + len(queries)
        rows = self.encoder.encode_passages(texts, "passage", among(progress, 0, total))
        self._known.update(zip(texts, rows, strict=True))
        asked = self.encoder.encode_passages(queries, "query", among(progress, len(texts), total))
        asking = {text: row for row, text in enumerate(queries)}
        return [
            self._nearest(owned, asked[[asking[query.text] for query in task.queries]], depth)
            for task, owned in zip(tasks, cut, strict=True)
        ]

    def _cut(self, task: Task) -> list[tuple[int, str]]:
        """(document, passage), in order of document."""
        bodies = sorted(task.bodies, key=lambda body: body.id)
        texts = passages(self.encoder, [body.text for body in bodies], [body.language for body in bodies])
        return [(body.id, text) for body, found in zip(bodies, texts, strict=True) for text in found]

    def _nearest(self, owned: Sequence[tuple[int, str]], queries: Matrix, depth: int) -> list[list[Found]]:
        if not owned:
            return [[] for _ in queries]
        rows = np.stack([self._known[text] for _, text in owned])
        return nearest(rows, np.array([document for document, _ in owned], dtype=np.int64), queries, depth)


class Bm25:
    """The lexical engine over a scratch index; a question is its words, any of which may match."""

    name = "BM25"

    def rank(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[list[Ranking]]:
        total = sum(len(task.bodies) + len(task.queries) for task in tasks)
        done, found = 0, []
        for task in tasks:
            found.append(_by_words(task, among(progress, done, total)))
            done += len(task.bodies) + len(task.queries)
        return found


def static_row(load: Callable[[str], Encoder]) -> Encoder:
    """The encoder without context that others are measured by: GloVe, or hashed spelling where GloVe is not installed
    (its name says which)."""
    try:
        return load("glove")
    except MissingExtra:
        return load("hashing")


def _by_words(task: Task, tell: Progress) -> list[Ranking]:
    with tempfile.TemporaryDirectory(prefix="riparian-words-") as folder:
        index = LexicalIndex.open(Path(folder) / "index")
        with index.change() as change:
            for number, body in enumerate(task.bodies):
                change.put_document(body.id, "", body.text, body.language)
                tell(number + 1, 0)
        found = []
        for number, query in enumerate(task.queries):
            found.append(_found(index, query.text))
            tell(len(task.bodies) + number + 1, 0)
        return found


def _found(index: LexicalIndex, query: str) -> Ranking:
    if not plain_words(query):
        return []
    return [int(document) for document in index.search_documents(bag(query), DEPTH).ids]


def nearest(rows: Matrix, owners: Ids, queries: Matrix, depth: int = DEPTH) -> list[list[Found]]:
    """The documents of the best rows for each query; `owners` ascend. A row of zeros, of a text that the encoder knows
    nothing of, is neither found nor finds."""
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    documents, silent = owners[starts], ~rows.any(axis=1)
    found: list[list[Found]] = []
    for query in queries:
        scores = rows @ query
        scores[silent] = -np.inf
        best = np.maximum.reduceat(scores, starts)
        order = np.argsort(-best, kind="stable")[:depth]
        heard = [Found(int(documents[row]), float(best[row])) for row in order if np.isfinite(best[row])]
        found.append(heard if query.any() else [])
    return found


def among(progress: Progress | None, before: int, total: int) -> Progress:
    """Tells a part's progress as that of the whole."""

    def tell(done: int, _: int) -> None:
        if progress:
            progress(before + done, total)

    return tell
