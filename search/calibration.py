"""Measures what scores mean in a collection, as a job, and keeps it beside the collection and its encoder."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.errors import BadQuery, NotIndexedYet
from riparian.jobs import Handler, Running
from riparian.lexical.analysis import plain_words
from riparian.types import JobId, PassageId
from search import background, relevance
from search.dense import spread
from search.request import SearchRequest
from search.service import SearchService

CALIBRATE = "calibrate"
KNOWN = 60
"""Passages that are looked for by some of their own words."""

_FIRST = 10  # hits of a question of which the best counts
_SEED = 7


@dataclass(frozen=True, slots=True)
class CalibrationService:
    database: Database
    search: SearchService

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {CALIBRATE: self._run}

    def calibrate(self, name: str) -> JobId:
        """Queues the measurement. UnknownCollection; NotIndexedYet for a collection without passages."""
        with self.database.write() as catalog:
            collection = catalog.collections.named(name)
            if not collection.passages:
                raise NotIndexedYet(f"collection {name!r} holds no passages yet; add documents first")
            waiting = jobs.unfinished(catalog, collection.id, CALIBRATE)
            return waiting.id if waiting is not None else jobs.enqueue(catalog, CALIBRATE, {}, collection.id)

    def _run(self, running: Running) -> Mapping[str, Any]:
        assert running.job.collection_id is not None
        with self.database.read() as catalog:
            collection = catalog.collections.get(running.job.collection_id)
        asked = [*background.QUESTIONS, *background.noise(), *background.jumbled()]
        known = list(self._known(running))
        total = len(asked) + len(known)
        found, right = [], []
        for number, question in enumerate(asked, start=1):
            found += self._best(collection.name, question, None)
            running.progress("calibrate", number, total, "questions")
        for number, (question, document) in enumerate(known, start=len(asked) + 1):
            right += self._best(collection.name, question, document)
            running.progress("calibrate", number, total, "questions")
        if not found or not right:
            raise NotIndexedYet(f"too little is found in {collection.name!r} to tell what its scores mean")
        curve = relevance.fit(found, right)
        with self.database.write() as catalog:
            assert collection.encoder_id is not None
            catalog.calibrations.put(
                collection.id, collection.encoder_id, relevance.LABEL_FREE, collection.revision, curve.json_value()
            )
        return {"questions": total, "threshold": curve.threshold, "slope": curve.slope}

    def _known(self, running: Running) -> Iterator[tuple[str, int]]:
        """Some words of passages from all over the collection, and the document each came from."""
        assert running.job.collection_id is not None
        chance = random.Random(_SEED)
        with self.database.read() as catalog:
            ids = spread(catalog.passages.ids(running.job.collection_id).tolist(), KNOWN)
            passages = catalog.passages.many([PassageId(one) for one in ids])
        for passage in passages.values():
            words = sorted({word for word in plain_words(passage.text) if len(word) > 3})
            if len(words) >= 4:
                yield " ".join(chance.sample(words, min(len(words), 8))), int(passage.document_id)

    def _best(self, collection: str, question: str, document: int | None) -> list[dict[str, float]]:
        """The scores of the best of the first hits, or of the document that is known to be right; [] for none."""
        try:
            standing = self.search.standing(SearchRequest(collection, question, feedback=False, sentences=False))
        except BadQuery:
            return []
        words = standing.question.asked.words
        assert words is not None
        first = standing.ranked.ranking.ids[:_FIRST]
        chosen = first if document is None else np.array([document], dtype=np.int64)
        if not len(chosen):
            return []
        scores = relevance.scores_of(standing.ranked, words, chosen)
        found = {name: float(np.nanmax(c)) if not np.isnan(c).all() else float("nan") for name, c in scores.items()}
        return [found] if not all(np.isnan(value) for value in found.values()) else []
