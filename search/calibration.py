"""Measures what scores mean in a collection, as a job, and keeps it beside the collection and its encoder.

Label-free first: what questions about something else find there, and what passages' own words. Then, where there are
judgments and they are asked for, how likely a judge accepts what stands so far above that (`accepted.py`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.catalog.relevance import StoredCalibration
from riparian.errors import BadQuery, Invalid, MissingPath, NotIndexedYet
from riparian.jobs import Handler, Running
from riparian.lexical.analysis import plain_words
from riparian.types import Collection, CollectionId, Ids, JobId, PassageId
from search import accepted, background, relevance
from search.accepted import JudgedQuery
from search.dense import spread
from search.relevance import JUDGMENTS, LABEL_FREE, Curve
from search.request import SearchRequest
from search.service import SearchService, Standing

CALIBRATE = "calibrate"
KNOWN = 60
"""Passages that are looked for by some of their own words."""

FEWEST_PASSAGES = 30
"""A collection of fewer is not measured unasked: chance finds half of it."""

CHANGED = 0.25
"""Share of the passages by which a collection may grow or shrink before it is measured anew."""

MOST_QUERIES = 500
"""Judged queries of a file that are asked at most, drawn by a seed."""

TICKS = "ticks"
"""Names the judgments kept with the collection, in place of a path."""

_FIRST = 10  # hits of a question of which the best counts, and hits of a judged query of a file
_REACH = 100  # hits among which a judged document must stand: those that are put in order again
_SEED = 7
_SAID_EVERY = 10  # questions

One = TypeVar("One")

Grades = Mapping[str, Mapping[int, float]]
"""Query → document → grade, above 0 where it is relevant."""

ReadJudgments = Callable[[str, Path], Grades]
"""The judgments of a file that are about documents of a collection."""


def queue_calibration(catalog: Catalog, collection_id: CollectionId) -> JobId | None:
    """Queues measuring a collection that never was with its encoder, or that has changed by more than `CHANGED` since;
    None where there is no need, or too little to measure."""
    collection = catalog.collections.get(collection_id)
    if collection.encoder_id is None or collection.passages < FEWEST_PASSAGES:
        return None
    found = catalog.calibrations.get(collection_id, collection.encoder_id).get(LABEL_FREE)
    if not _is_stale(found, collection.passages):
        return None
    return _enqueue(catalog, collection_id, "")


def _is_stale(found: StoredCalibration | None, passages: int) -> bool:
    return found is None or abs(passages - found.passages) > CHANGED * found.passages


def _enqueue(catalog: Catalog, collection_id: CollectionId, judgments: str) -> JobId:
    waiting = jobs.unfinished(catalog, collection_id, CALIBRATE)
    if waiting is not None and waiting.payload.get("judgments", "") == judgments:
        return waiting.id
    return jobs.enqueue(catalog, CALIBRATE, {"judgments": judgments}, collection_id)


@dataclass(frozen=True, slots=True)
class CalibrationService:
    database: Database
    search: SearchService
    read_judgments: ReadJudgments

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {CALIBRATE: self._run}

    def calibrate(self, name: str, judgments: str = "") -> JobId:
        """Queues the measurement, and with `judgments` (a path, or TICKS) what relevance is fitted to.

        UnknownCollection; NotIndexedYet for a collection without passages; MissingPath; Invalid for too few ticks.
        """
        if judgments and judgments != TICKS and not Path(judgments).expanduser().exists():
            raise MissingPath(judgments)
        with self.database.write() as catalog:
            collection = catalog.collections.named(name)
            if not collection.passages:
                raise NotIndexedYet(f"collection {name!r} holds no passages yet; add documents first")
            if judgments == TICKS:
                _check_ticks(name, _ticked(catalog, collection.id))
            return _enqueue(catalog, collection.id, judgments)

    def forget_judgments(self, name: str) -> None:
        """Relevance is label-free again. UnknownCollection."""
        with self.database.write() as catalog:
            collection = catalog.collections.named(name)
            if collection.encoder_id is not None:
                catalog.calibrations.drop(collection.id, collection.encoder_id, JUDGMENTS)

    def stored(self, name: str) -> Mapping[str, StoredCalibration]:
        """What was measured with the collection's encoder, by kind. UnknownCollection."""
        with self.database.read() as catalog:
            collection = catalog.collections.named(name)
            if collection.encoder_id is None:
                return {}
            return catalog.calibrations.get(collection.id, collection.encoder_id)

    # ---------------------------------------------------------------- label-free

    def _run(self, running: Running) -> Mapping[str, Any]:
        assert running.job.collection_id is not None
        started, judgments = time.monotonic(), str(running.job.payload.get("judgments", ""))
        with self.database.read() as catalog:
            collection = catalog.collections.get(running.job.collection_id)
            assert collection.encoder_id is not None
            before = catalog.calibrations.get(collection.id, collection.encoder_id)
        curve, told = self._label_free(running, collection, before.get(LABEL_FREE), anew=not judgments)
        kept = before.get(JUDGMENTS)
        if judgments:
            told |= self._fit(running, collection, curve, judgments)
        elif kept is not None and kept.curve["source"] == TICKS:  # they are still here: the map follows the curve
            told |= self._fit_again(running, collection, curve)
        return told | {"seconds": round(time.monotonic() - started, 1)}

    def _label_free(
        self, running: Running, collection: Collection, before: StoredCalibration | None, *, anew: bool
    ) -> tuple[Curve, dict[str, Any]]:
        """The curve as it is where it still holds and need not be measured anew."""
        if before is not None and not anew and not _is_stale(before, collection.passages):
            return Curve(**before.curve), {"questions": 0, "threshold": before.curve["threshold"]}
        asked = [(question, None) for question in (*background.QUESTIONS, *background.noise(), *background.jumbled())]
        every = [*asked, *self._known(collection.id)]
        found: list[dict[str, float]] = []
        right: list[dict[str, float]] = []
        for number, (question, document) in enumerate(_told(running, "calibrate", every)):
            (found if number < len(asked) else right).extend(self._best(collection.name, question, document))
        if not found or not right:
            raise NotIndexedYet(f"too little is found in {collection.name!r} to tell what its scores mean")
        curve = relevance.fit(found, right)
        self._put(collection, LABEL_FREE, curve.json_value())
        return curve, {"questions": len(every), "threshold": curve.threshold, "slope": curve.slope}

    def _known(self, collection_id: CollectionId) -> Iterator[tuple[str, int | None]]:
        """Some words of passages from all over the collection, and the document each came from."""
        chance = random.Random(_SEED)
        with self.database.read() as catalog:
            ids = spread(catalog.passages.ids(collection_id).tolist(), KNOWN)
            passages = catalog.passages.many([PassageId(one) for one in ids])
        for passage in passages.values():
            words = sorted({word for word in plain_words(passage.text) if len(word) > 3})
            if len(words) >= 4:
                yield " ".join(chance.sample(words, min(len(words), 8))), int(passage.document_id)

    def _best(self, collection: str, question: str, document: int | None) -> list[dict[str, float]]:
        """The scores of the best of the first hits, or of the document that is known to be right; [] for none."""
        standing = self._standing(collection, question)
        if standing is None:
            return []
        first = standing.ranked.ranking.ids[:_FIRST]
        chosen = first if document is None else np.array([document], dtype=np.int64)
        if not len(chosen):
            return []
        scores = _scores(standing, chosen)
        found = {name: float(np.nanmax(c)) if not np.isnan(c).all() else float("nan") for name, c in scores.items()}
        return [found] if not all(np.isnan(value) for value in found.values()) else []

    def _standing(self, collection: str, question: str) -> Standing | None:
        """None for a question without a word."""
        try:
            return self.search.standing(SearchRequest(collection, question, feedback=False, sentences=False))
        except BadQuery:
            return None

    # ---------------------------------------------------------------- judgments

    def _fit(self, running: Running, collection: Collection, curve: Curve, judgments: str) -> dict[str, Any]:
        source = TICKS if judgments == TICKS else "file"
        queries = [
            found
            for query, grades in _told(running, "fit-judgments", list(self._graded(collection, judgments).items()))
            if (found := self._judged(collection.name, curve, query, grades, complete=source == "file")) is not None
        ]
        fitted = accepted.fit(curve, queries)
        value = fitted.json_value() | {"source": source}
        self._put(collection, JUDGMENTS, value)
        return {"fitted": {name: value[name] for name in value if name != "curve"}}

    def _fit_again(self, running: Running, collection: Collection, curve: Curve) -> dict[str, Any]:
        """To the ticks as they are now; where they have become too few, relevance is label-free again."""
        try:
            return self._fit(running, collection, curve, TICKS)
        except Invalid:
            self.forget_judgments(collection.name)
            return {}

    def _graded(self, collection: Collection, judgments: str) -> Grades:
        if judgments == TICKS:
            with self.database.read() as catalog:
                return _ticked(catalog, collection.id)
        found = {
            query: grades
            for query, grades in self.read_judgments(collection.name, Path(judgments).expanduser()).items()
            if any(grade > 0 for grade in grades.values())
        }
        chosen = np.random.default_rng(_SEED).permutation(len(found))[:MOST_QUERIES].tolist()
        queries = list(found)
        return {queries[row]: found[queries[row]] for row in sorted(chosen)}

    def _judged(
        self, collection: str, curve: Curve, query: str, grades: Mapping[int, float], *, complete: bool
    ) -> JudgedQuery | None:
        """The first hits, of which those that nobody judged count as not relevant, where the judgments are `complete`;
        else those that were judged."""
        standing = self._standing(collection, query)
        if standing is None:
            return None
        ids: Ids = standing.ranked.ranking.ids[: _FIRST if complete else _REACH]
        if not complete:
            ids = ids[np.isin(ids, list(grades))]
        if not len(ids):
            return None
        relevant = np.array([grades.get(one, 0.0) > 0 for one in ids.tolist()])
        return JudgedQuery(curve.spreads_above(_scores(standing, ids)), relevant)

    def _put(self, collection: Collection, kind: str, curve: Mapping[str, Any]) -> None:
        with self.database.write() as catalog:
            assert collection.encoder_id is not None
            catalog.calibrations.put(
                collection.id, collection.encoder_id, kind, collection.revision, curve, passages=collection.passages
            )


def _scores(standing: Standing, documents: Ids) -> dict[str, relevance.Scores]:
    words = standing.question.asked.words
    assert words is not None
    return relevance.scores_of(standing.ranked, words, documents)


def _ticked(catalog: Catalog, collection_id: CollectionId) -> Grades:
    """What people said of hits; of each document the last word."""
    found: dict[str, dict[int, float]] = {}
    for one in catalog.judgments.all(collection_id):
        if one.document_id is not None:
            found.setdefault(one.query, {})[int(one.document_id)] = one.grade
    return found


def _check_ticks(name: str, found: Grades) -> None:
    if len(found) < accepted.FEWEST_QUERIES:
        raise Invalid(
            f"{len(found)} queries of {name!r} have ticks or crosses, and {accepted.FEWEST_QUERIES} are needed to fit "
            "relevance to; tick and cross more hits, or give a file of judgments"
        )


def _told(running: Running, stage: str, every: list[One]) -> Iterable[One]:
    """Each in turn; tells how far the job is, and stops where it should."""
    for number, one in enumerate(every):
        if number % _SAID_EVERY == 0:
            running.progress(stage, number, len(every), "questions")
        yield one
    running.progress(stage, len(every), len(every), "questions")
