"""The search measured on a collection itself, as a job: by judgments, and by questions that need none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.encoders.base import Progress
from riparian.errors import Invalid, MissingPath
from riparian.jobs import Handler, Running
from riparian.types import CollectionId, JobId
from training.collected import documents
from training.evaluation.answers import FEWEST_TUNED, Ask, Question, Tuned, compare, weigh
from training.evaluation.judged import read_judged, resolved
from training.evaluation.own_tasks import own_tasks
from training.evaluation.scores import part_of
from training.evaluation.tasks import Body
from training.spoken import Spoken

EVALUATE = "evaluate"

MOST = 500
"""Judged queries that are asked at most, drawn by the seed."""

FEWEST = 5
"""Judged queries that say anything at all."""

JUDGMENTS, LABEL_FREE = "judgments", "label-free"


class OwnSearch(Protocol):
    """The product's search as it is measured here."""

    def ways(self, collection: str) -> Sequence[str]:
        """What can be asked for, in order: "lexical", "semantic", "hybrid" and what else there is."""
        ...

    def usual_way(self, collection: str) -> str:
        """The one of these that a hybrid search is unasked: its weight is the one to choose."""
        ...

    def usual_weight(self, collection: str) -> float: ...

    def set_weight(self, collection: str, weight: float | None) -> None:
        """The collection's own share of meaning from now on; None = as configured."""
        ...

    def asks(self, collection: str) -> Ask: ...

    def scratch(self, collection: str, bodies: Sequence[Body], progress: Progress) -> AbstractContextManager[Ask]:
        """A search of the same kind over these texts alone, indexed for the purpose as the collection is."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationWish:
    """`judgments` is a path, "" = the judgments kept with the collection. With `apply`, a better weight is used from
    then on."""

    collection: str
    judgments: str = ""
    label_free: bool = True
    apply: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class QualityService:
    database: Database
    search: OwnSearch

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {EVALUATE: self._run}

    def evaluate(self, wish: EvaluationWish) -> JobId:
        """Queues measuring the search. UnknownCollection; MissingPath for judgments that are not there."""
        if wish.judgments and not Path(wish.judgments).expanduser().exists():
            raise MissingPath(wish.judgments)
        with self.database.write() as catalog:
            collection = catalog.collections.named(wish.collection)
            return jobs.enqueue(catalog, EVALUATE, asdict(wish), collection.id)

    def set_weight(self, collection: str, weight: float | None) -> None:
        """The collection's own share of meaning from now on; None = as configured. UnknownCollection; Invalid."""
        if weight is not None and not 0 <= weight <= 1:
            raise Invalid(f"the weight of meaning lies between 0 and 1, not at {weight}")
        self.search.set_weight(collection, weight)

    def latest(self, collection_id: CollectionId) -> Mapping[str, Any] | None:
        """What the last evaluation found, with the number of its job; None before the first."""
        with self.database.read() as catalog:
            event = catalog.events.last(collection_id, EVALUATE)
        return None if event is None else {"time": event.time.isoformat(), **event.data}

    # ---------------------------------------------------------------- working

    def _run(self, running: Running) -> Mapping[str, Any]:
        wish = EvaluationWish(**running.job.payload)
        usual, ways = self.search.usual_weight(wish.collection), self.search.ways(wish.collection)
        way = self.search.usual_way(wish.collection)
        judged = self._judged(wish)
        sets: dict[str, Any] = {}
        tuned: dict[str, Tuned] = {}
        if len(judged) >= FEWEST:
            tell = Spoken(running, "ask-judged", "thousandths")
            ask = self.search.asks(wish.collection)
            sets[JUDGMENTS] = asdict(compare(ask, ways, judged, wish.seed, part_of(tell, 0, 2)))
            tuned |= _weighed(JUDGMENTS, ask, way, judged, usual, wish.seed, part_of(tell, 1, 2))
        if wish.label_free:
            free, weighed = self._label_free(running, wish, ways, way, usual)
            sets |= free
            tuned |= weighed
        if not sets:
            raise Invalid(
                f"{len(judged)} queries are judged with something relevant, and {FEWEST} are needed to measure by; "
                "tick hits, give a file of judgments, or measure without them"
            )
        return self._told(running, wish, usual, len(judged), sets, tuned)

    def _judged(self, wish: EvaluationWish) -> list[Question]:
        if wish.judgments:
            found = self._from_file(wish)
        else:
            with self.database.read() as catalog:
                given = catalog.judgments.all(catalog.collections.named(wish.collection).id)
            found = {}
            for one in given:
                if one.document_id is not None:
                    found.setdefault(one.query, {})[int(one.document_id)] = one.grade
        questions = [Question(query, gains) for query, gains in found.items() if any(g > 0 for g in gains.values())]
        if len(questions) <= MOST:
            return questions
        rows = np.random.default_rng(wish.seed).permutation(len(questions))[:MOST]
        return [questions[row] for row in sorted(rows)]

    def _from_file(self, wish: EvaluationWish) -> dict[str, dict[int, float]]:
        said = list(read_judged(Path(wish.judgments).expanduser()))
        known = resolved(self.database, wish.collection, {one.document for one in said})
        found: dict[str, dict[int, float]] = {}
        for one in said:
            if one.document in known:
                found.setdefault(one.query, {})[int(known[one.document])] = one.grade
        return found

    def _label_free(
        self, running: Running, wish: EvaluationWish, ways: Sequence[str], way: str, usual: float
    ) -> tuple[dict[str, Any], dict[str, Tuned]]:
        try:
            own = own_tasks(documents(self.database, wish.collection, Spoken(running, "read", "texts")), wish.seed)
        except Invalid as error:
            return {LABEL_FREE: {"refused": str(error)}}, {}
        sets: dict[str, Any] = {}
        with self.search.scratch(wish.collection, own.bodies, Spoken(running, "index-sample", "passages")) as ask:
            tell, parts = Spoken(running, "ask-sample", "thousandths"), len(own.questions) + 1
            for number, (task, questions) in enumerate(own.questions.items()):
                sets[task] = asdict(compare(ask, ways, questions, wish.seed, part_of(tell, number, parts)))
            every = [question for questions in own.questions.values() for question in questions]
            weighed = _weighed(LABEL_FREE, ask, way, every, usual, wish.seed, part_of(tell, parts - 1, parts))
        return sets | {LABEL_FREE: {"given": own.given, "searched": len(own.bodies)}}, weighed

    def _told(
        self,
        running: Running,
        wish: EvaluationWish,
        usual: float,
        judged: int,
        sets: Mapping[str, Any],
        tuned: Mapping[str, Tuned],
    ) -> Mapping[str, Any]:
        """The report, kept with the collection; the weight is applied where that was asked for and it is better."""
        free = {name: value for name, value in sets.items() if "ways" in value}
        decides = next((name for name in (JUDGMENTS, LABEL_FREE) if name in tuned), None)
        applied = None
        if wish.apply and decides is not None and tuned[decides].is_better:
            applied = tuned[decides].weight
            self.search.set_weight(wish.collection, applied)
        report = {
            "collection": wish.collection,
            "seed": wish.seed,
            "judged_queries": judged,
            "sets": free,
            "sample": sets.get(LABEL_FREE),
            "usual_weight": usual,
            "weights": {name: asdict(found) | {"is_better": found.is_better} for name, found in tuned.items()},
            "decides": decides,
            "applied": applied,
            "conclusion": _conclusion(tuned.get(decides) if decides else None, decides, applied),
        }
        with self.database.write() as catalog:
            found = catalog.collections.named(wish.collection)
            catalog.events.add(found.id, EVALUATE, {"job": running.job.id, **report})
        return report


def _weighed(
    name: str, ask: Ask, way: str, questions: Sequence[Question], usual: float, seed: int, progress: Progress | None
) -> dict[str, Tuned]:
    if len(questions) < FEWEST_TUNED:
        return {}
    return {name: weigh(ask, way, questions, usual, seed, progress)}


def _conclusion(tuned: Tuned | None, decides: str | None, applied: float | None) -> str:
    if tuned is None:
        return f"no weight was chosen: {FEWEST_TUNED} questions are needed for that"
    gain = f"{tuned.gain.mean:+.4f} [{tuned.gain.low:+.4f}, {tuned.gain.high:+.4f}] nDCG@10"
    by = "the judgments" if decides == JUDGMENTS else "questions that need no judgments"
    found = f"by {by}, weight {tuned.weight:g} in place of {tuned.usual:g}: {gain} on questions it was not chosen by"
    if applied is not None:
        return f"{found}; it is used from now on"
    if tuned.weight == tuned.usual:
        return f"weight {tuned.usual:g} suits the collection best already"
    if tuned.is_better:
        return f"{found}; use it with --apply"
    return f"{found}, which is no more than chance would make it; leave the weight as it is"
