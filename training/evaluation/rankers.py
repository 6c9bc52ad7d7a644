"""Who answers the questions: an encoder, words alone (BM25), or a table of word vectors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from riparian.encoders.base import Encoder, Progress
from riparian.errors import MissingExtra
from riparian.lexical.analysis import plain_words
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import bag
from riparian.types import Matrix
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


class Dense:
    """The best passage counts (inner product of unit rows, exact); equal scores: the smaller id first."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def name(self) -> str:
        return self._encoder.info.name

    def rank(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[list[Ranking]]:
        cut = [self._cut(task) for task in tasks]
        # most bodies are the same in every task: each text is encoded once
        texts = list(dict.fromkeys(text for owned in cut for _, text in owned))
        queries = list(dict.fromkeys(query.text for task in tasks for query in task.queries))
        rows = self._encoder.encode_passages(texts, "passage", _among(progress, 0, len(texts) + len(queries)))
        asked = self._encoder.encode_passages(queries, "query", _among(progress, len(texts), len(texts) + len(queries)))
        places = {text: row for row, text in enumerate(texts)}
        asking = {text: row for row, text in enumerate(queries)}
        return [
            _nearest(
                rows[[places[text] for _, text in owned]],
                np.array([document for document, _ in owned], dtype=np.int64),
                asked[[asking[query.text] for query in task.queries]],
            )
            for task, owned in zip(tasks, cut, strict=True)
        ]

    def _cut(self, task: Task) -> list[tuple[int, str]]:
        """(document, passage), in order of document."""
        bodies = sorted(task.bodies, key=lambda body: body.id)
        texts = passages(self._encoder, [body.text for body in bodies], [body.language for body in bodies])
        return [(body.id, text) for body, found in zip(bodies, texts, strict=True) for text in found]


class Bm25:
    """The lexical engine over a scratch index; a question is its words, any of which may match."""

    name = "BM25"

    def rank(self, tasks: Sequence[Task], progress: Progress | None = None) -> list[list[Ranking]]:
        total = sum(len(task.bodies) + len(task.queries) for task in tasks)
        done, found = 0, []
        for task in tasks:
            found.append(_by_words(task, _among(progress, done, total)))
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
                tell(number + 1, len(task.bodies))
        return [_found(index, query.text) for query in task.queries]


def _found(index: LexicalIndex, query: str) -> Ranking:
    if not plain_words(query):
        return []
    return [int(document) for document in index.search_documents(bag(query), DEPTH).ids]


def _nearest(rows: Matrix, owners: np.ndarray[tuple[int], np.dtype[np.int64]], queries: Matrix) -> list[Ranking]:
    """`owners` ascend. A row of zeros, of a text that the encoder knows nothing of, is neither found nor finds."""
    if not len(rows):
        return [[] for _ in queries]
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    documents, silent = owners[starts], ~rows.any(axis=1)
    found: list[Ranking] = []
    for query in queries:
        scores = rows @ query
        scores[silent] = -np.inf
        best = np.maximum.reduceat(scores, starts)
        order = np.argsort(-best, kind="stable")[:DEPTH]
        found.append([int(documents[row]) for row in order if np.isfinite(best[row])] if query.any() else [])
    return found


def _among(progress: Progress | None, before: int, total: int) -> Progress:
    """Tells a part's progress as that of the whole."""

    def tell(done: int, _: int) -> None:
        if progress:
            progress(before + done, total)

    return tell
