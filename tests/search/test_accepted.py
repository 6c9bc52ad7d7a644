"""Relevance fitted to judgments: what is told is the share that a judge accepts, also of queries not fitted to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian import jobs
from riparian.catalog.judgments import NewJudgment
from riparian.errors import Invalid, MissingPath
from riparian.types import Job, JobState
from search.accepted import JudgedQuery, calibration_error, fit
from search.calibration import FEWEST_PASSAGES, TICKS, CalibrationService, Grades, queue_calibration
from search.relevance import JUDGMENTS, LABEL_FREE, NAMES, Curve
from search.request import SearchRequest
from tests.search.world import Text, World

PLAIN = Curve(dict.fromkeys(NAMES, 0.0), dict.fromkeys(NAMES, 1.0), 0.0, 2.0, 3.0)


def judged(queries: int, seed: int = 3) -> list[JudgedQuery]:
    """Judges who accept a hit with the chance 1 / (1 + exp(2 - 0.8 x))."""
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(queries):
        above = chance.normal(1.0, 2.0, size=10)
        found.append(JudgedQuery(above, chance.random(10) < 1 / (1 + np.exp(2 - 0.8 * above))))
    return found


def test_the_map_is_that_of_the_judges_and_holds_for_queries_it_was_not_fitted_to():
    found = fit(PLAIN, judged(400))
    assert found.curve.slope == pytest.approx(0.8, abs=0.05)
    assert found.curve.intercept == pytest.approx(-2, abs=0.12)
    assert found.error.mean < 0.03 < 0.3 < found.label_free_error.mean
    assert found.error.low <= found.error.mean <= found.error.high
    assert (found.queries, found.hits) == (400, 4000)
    others = judged(400, seed=4)
    told = np.concatenate([found.curve.relevance(one.above) for one in others])
    assert calibration_error(told, np.concatenate([one.accepted for one in others])) < 0.03


def test_the_held_out_error_is_not_that_of_the_fit():
    """Where hits say nothing of acceptance, the held-out error is about the noise of the two halves."""
    chance = np.random.default_rng(0)
    nothing = [JudgedQuery(chance.normal(size=10), np.full(10, row % 2 == 0)) for row in range(10)]
    assert fit(PLAIN, nothing).error.mean > 0.02


@pytest.mark.parametrize(("queries", "relevant"), [(9, 5), (40, 0), (40, 10)])
def test_too_few_judgments_are_refused_with_what_is_needed(queries: int, relevant: int):
    accepted = np.arange(10) < relevant
    with pytest.raises(Invalid, match="10 queries and 10 hits of each kind are needed"):
        fit(PLAIN, [JudgedQuery(np.arange(10.0), accepted) for _ in range(queries)])


def test_the_calibration_error_of_two_bins_is_their_weighted_distance():
    chances = np.array([0.25, 0.25, 0.25, 0.25, 0.85])
    accepted = np.array([True, True, True, False, True])
    assert calibration_error(chances, accepted) == pytest.approx(0.8 * 0.5 + 0.2 * 0.15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.data())
def test_the_calibration_error_is_between_0_and_1_and_0_for_who_knows(chances: list[float], data: st.DataObject):
    accepted = np.array(data.draw(st.lists(st.booleans(), min_size=len(chances), max_size=len(chances))))
    assert 0 <= calibration_error(np.array(chances), accepted) <= 1
    assert calibration_error(accepted.astype(float), accepted) == 0


# -------------------------------------------------------------------------------------------- through the product

THINGS = ("gravel", "phosphate", "chalk", "peat", "basalt", "silt")
TEXTS = [
    Text(f"{kind}/{number}.txt", f"The {kind} {verb} {thing} near station {number}. Engineers measured it thoroughly.")
    for number, (kind, verb, thing) in enumerate(
        (kind, verb, thing)
        for kind in ("estuary", "aquifer", "reservoir")
        for verb in ("erodes", "deposits", "salinates")
        for thing in THINGS
    )
]
QUERIES = [f"{kind} {thing}" for kind in ("estuary", "aquifer", "reservoir") for thing in THINGS[:5]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    """54 documents; relevant is what holds both words of a query."""
    world = World(tmp_path_factory.mktemp("judged"))
    world.fill(*TEXTS)
    return world


def grades(world: World) -> Grades:
    with world.database.read() as catalog:
        page = catalog.documents.page(world.id, limit=100)
        texts = {one.id: one.text for one in catalog.documents.written([one.id for one in page])}
    return {q: {int(n): float(all(w in t for w in q.split())) for n, t in texts.items()} for q in QUERIES}


def run(world: World, service: CalibrationService, judgments: str = "") -> Job:
    done = jobs.run_one(world.database, service.handlers, only=service.calibrate("papers", judgments))
    assert done is not None
    return done


def test_relevance_is_label_free_then_fitted_to_a_file_then_label_free_again(shared: World, tmp_path: Path):
    told = grades(shared)
    relevant = {query: {n: g for n, g in by.items() if g > 0} for query, by in told.items()}  # a pooled file
    service = CalibrationService(shared.database, shared.search, lambda collection, path: relevant)
    asked = SearchRequest("papers", "reservoir silt", k=60)
    with pytest.raises(MissingPath):
        service.calibrate("papers", str(tmp_path / "none"))
    run(shared, service)
    before = shared.search.search(asked)
    assert before.basis is not None
    assert (before.basis.kind, before.basis.passages, before.basis.error) == (LABEL_FREE, 54, None)
    assert run(shared, service, str(tmp_path)).result["questions"] == 0  # the label-free curve holds still
    after = shared.search.search(asked)
    assert after.basis is not None
    assert (after.basis.kind, after.basis.queries, after.basis.hits) == (JUDGMENTS, 15, 150)
    assert after.basis.accepted == 45
    assert after.close == before.close
    assert [h.document.id for h in after.hits] == [h.document.id for h in before.hits]
    assert [h.relevance for h in after.hits] != [h.relevance for h in before.hits]
    pairs = sorted(zip(*([h.relevance for h in one.hits] for one in (before, after)), strict=True))
    assert [new for _, new in pairs] == sorted(new for _, new in pairs)
    cut = shared.search.search(SearchRequest("papers", "reservoir silt", k=60, min_relevance=0.5))
    assert [h.document.id for h in cut.hits] == [h.document.id for h in after.hits if h.relevance >= 0.5]
    service.forget_judgments("papers")
    assert shared.search.search(asked) == before


def test_ticks_and_crosses_count_alone_and_the_map_follows_them(shared: World):
    told = grades(shared)
    service = CalibrationService(shared.database, shared.search, lambda collection, path: {})
    with pytest.raises(Invalid, match="0 queries of 'papers' have ticks or crosses, and 10 are needed"):
        service.calibrate("papers", TICKS)
    given = [
        NewJudgment(query, hit.document.id, grade=told[query][hit.document.id])
        for query in QUERIES
        for hit in shared.search.search(SearchRequest("papers", query, k=4)).hits
    ]
    with shared.database.write() as catalog:
        catalog.judgments.put(shared.id, given)
    assert run(shared, service, TICKS).state is JobState.DONE
    basis = shared.search.search(SearchRequest("papers", "peat", feedback=False)).basis
    assert basis is not None
    assert (basis.kind, basis.queries, basis.hits) == (JUDGMENTS, 15, 60)  # what nobody judged tells nothing
    assert basis.accepted == sum(one.grade > 0 for one in given) > 0
    assert run(shared, service).state is JobState.DONE  # measured anew: the map too
    assert service.stored("papers")[JUDGMENTS].curve["hits"] == 60
    with shared.database.write() as catalog:
        for query in QUERIES:
            catalog.judgments.remove(shared.id, query)
    assert run(shared, service).state is JobState.DONE
    assert set(service.stored("papers")) == {LABEL_FREE}


def test_a_collection_is_measured_unasked_first_and_when_it_changed_by_more_than_a_quarter(shared: World):
    assert len(TEXTS) >= FEWEST_PASSAGES
    with shared.database.write() as catalog:
        encoder = catalog.collections.get(shared.id).encoder_id
        assert encoder is not None

        def queued(passages: int | None) -> bool:
            catalog.calibrations.drop(shared.id, encoder, LABEL_FREE)
            if passages is not None:
                catalog.calibrations.put(shared.id, encoder, LABEL_FREE, 1, PLAIN.json_value(), passages=passages)
            job = queue_calibration(catalog, shared.id)
            if job is not None:
                jobs.cancel(catalog, job)
            return job is not None

        assert [queued(one) for one in (None, 0, 43, 44, 54, 72, 73)] == [True, True, True, False, False, False, True]
