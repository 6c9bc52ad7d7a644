"""What a score means: hits that stand out from chance are close, what chance finds is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riparian import jobs
from riparian.types import JobState
from search.calibration import CalibrationService
from search.relevance import LABEL_FREE, NAMES, NOTHING_CLOSE, Curve, fit, logistic
from search.request import Rerank, SearchRequest
from search.service import SearchService
from tests.search.stated import StatedWorld
from tests.search.world import Text, World

PAPERS = [
    Text(
        f"{kind}/{number}.txt",
        f"The {kind} {verb} {thing} near station {number}. Engineers measured turbulent sediment transport thoroughly.",
    )
    for number, (kind, verb, thing) in enumerate(
        (kind, verb, thing)
        for kind in ("estuary", "aquifer", "reservoir")
        for verb in ("erodes", "deposits", "salinates")
        for thing in ("gravel", "phosphate")
    )
]


def unread(collection: str, path: Path) -> dict[str, dict[int, float]]:
    """No file of judgments is asked for."""
    raise AssertionError(path)


@pytest.fixture
def measured(world: World) -> World:
    world.fill(*PAPERS)
    service = CalibrationService(world.database, world.search, unread)
    job = service.calibrate("papers")
    done = jobs.run_one(world.database, service.handlers, only=job)
    assert done is not None
    assert done.state is JobState.DONE, done.message
    return world


def test_a_hit_that_holds_what_was_asked_is_close_and_nonsense_is_not(measured):
    found = measured.search.search(SearchRequest("papers", "estuary deposits phosphate"))
    assert found.close is True
    assert NOTHING_CLOSE not in found.notes
    assert found.hits[0].relevance > 0.5
    nonsense = measured.search.search(SearchRequest("papers", "qwx zzkr vvplo"))
    assert nonsense.close is False
    assert NOTHING_CLOSE in nonsense.notes
    assert all(hit.relevance < 0.5 for hit in nonsense.hits)


def test_a_cut_off_leaves_out_what_is_less_relevant_hits_and_counts_alike(measured):
    every = measured.search.search(SearchRequest("papers", "estuary deposits phosphate", k=100))
    least = max(hit.relevance for hit in every.hits) - 1e-9
    cut = measured.search.search(SearchRequest("papers", "estuary deposits phosphate", k=100, min_relevance=least))
    kept = [hit.document.id for hit in every.hits if hit.relevance >= least]
    assert [hit.document.id for hit in cut.hits] == kept
    assert cut.total == len(kept) < every.total


def test_without_a_measurement_nothing_is_claimed(fresh):
    found = fresh.search.search(SearchRequest("papers", "river storm"))
    assert found.close is None
    assert {hit.relevance for hit in found.hits} == {None}


def test_the_logistic_curve_meets_the_share_of_ones_where_they_are():
    chance = np.random.default_rng(5)
    values = chance.normal(size=20_000)
    labels = (chance.random(20_000) < 1 / (1 + np.exp(-(2 * values - 1)))).astype(float)
    slope, intercept = logistic(values, labels)
    assert slope == pytest.approx(2, abs=0.1)
    assert intercept == pytest.approx(-1, abs=0.08)


def test_what_a_retriever_did_not_tell_is_left_out_of_the_mean():
    background = [{"semantic": 0.1 * n, "late": float("nan"), "lexical": 0.0} for n in range(5)]
    curve = fit(background, [{"semantic": 0.9, "late": float("nan"), "lexical": 0.5}])
    nan = np.array([np.nan])
    both = curve.spreads_above({"semantic": np.array([0.2]), "late": nan, "lexical": nan})
    assert both.tolist() == [0.0]


class Backwards:
    """Scores of pairs far off the scale of cosines: the longer a passage, the less."""

    name = "backwards"

    def scores(self, query: str, passages: list[str]) -> np.ndarray:
        return np.array([50.0 - len(passage) for passage in passages])


def test_a_cross_encoder_changes_the_order_and_no_hits_relevance(tmp_path: Path):
    world = StatedWorld(tmp_path)
    world.fill(*PAPERS)
    curve = Curve(dict.fromkeys(NAMES, 0.2), dict.fromkeys(NAMES, 0.3), 0.0, 1.0, 0.0)
    with world.database.write() as catalog:
        catalog.calibrations.put(world.id, world.encoder.id, LABEL_FREE, 1, curve.json_value())
    search = SearchService(
        world.database, world.encoders, world.vectors, world.lexical, states=world.states, load_cross_encoder=Backwards
    )
    plain, crossed = (
        search.search(SearchRequest("papers", "estuary deposits phosphate", k=100, rerank=how, sentences=False))
        for how in (Rerank.NONE, Rerank.CROSS_ENCODER)
    )
    assert crossed.rerank == "cross-encoder"
    assert [hit.document.id for hit in crossed.hits] != [hit.document.id for hit in plain.hits]
    assert {h.document.id: h.relevance for h in crossed.hits} == {h.document.id: h.relevance for h in plain.hits}
