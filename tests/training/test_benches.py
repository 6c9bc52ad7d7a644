"""Encoders compared, put on the bench and priced as jobs, with one result for commands, API and pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riparian import jobs
from riparian.config import Settings
from riparian.errors import Invalid, MissingPath, UnknownCollection, UnknownEncoder
from riparian.types import Job, JobId, JobState
from tests.conftest import ENCODER
from web.wiring import Services, build

PLACES = ("harbour", "mill", "orchard", "quarry", "chapel", "market", "forge", "inn", "ferry", "tower", "well", "barn")


@pytest.fixture
def services(data_dir: Path, sqlite_url: str, tmp_path: Path) -> Iterator[Services]:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, place in enumerate(PLACES * 3):
        text = (
            f"# The {place} {number}\n\nA letter of its keeper {number} tells of its roof. Nobody had mended the "
            f"{place} door for {number + 2} years. In spring {number} the {place} was sold to a stranger. "
            f"He painted the {place} wall in colour {number}. The town liked what became of the {place}."
        )
        (folder / f"{place}-{number}.md").write_text(text, encoding="utf-8")
    made = build(Settings(data_dir=data_dir, encoder=ENCODER, log_level="ERROR", calibrate=False))
    made.indexer.add("letters", [folder])
    jobs.run_one(made.database, made.handlers)
    yield made
    made.database.engine.dispose()


def done(services: Services, job: JobId) -> Job:
    found = jobs.run_one(services.database, services.handlers, only=job)
    assert found is not None
    assert found.state is JobState.DONE, found.message
    return found


def test_encoders_are_compared_over_a_collection(services: Services) -> None:
    job = services.benches.compare("letters", ["hashing:64", "hashing:8"], ["who sold the mill"], seed=1)
    result = done(services, job).result
    assert [row["name"] for row in result["rows"]] == ["hashing:64", "hashing:8", "words"]
    rich, poor, words = (row["scores"]["main"]["mean"] for row in result["rows"])
    assert poor < rich <= 1
    assert words > poor
    assert result["differences"]["hashing:64 - hashing:8"]["main"]["mean"] == pytest.approx(rich - poor, abs=1e-9)
    [shift] = result["shifts"]
    assert shift["query"] == "who sold the mill"
    assert result["rows"][0]["cost"]["bytes_per_vector"] == 256
    assert result["rows"][2]["cost"] is None


def test_one_encoder_is_judged_beside_words(services: Services) -> None:
    result = done(services, services.benches.evaluate("letters", "hashing:64")).result
    assert [row["name"] for row in result["rows"]] == ["hashing:64", "words"]
    assert 0 < result["rows"][0]["scores"]["main"]["mean"] <= 1


def test_the_bench_tells_a_static_encoder(services: Services) -> None:
    result = done(services, services.benches.bank(["hashing:64"])).result
    [row] = result["rows"]
    assert row["identical"] is True
    assert row["auc"] == 0.5
    assert row["broken_facts"] == []


def test_a_cost_is_told_before_anything_is_indexed(services: Services, tmp_path: Path) -> None:
    before = services.indexer.status("letters").collection.passages
    job = services.benches.estimate(["hashing:64", "hashing:8"], paths=[str(tmp_path / "files")])
    result = done(services, job).result
    assert result["documents"] == 36
    assert [row["dimension"] for row in result["rows"]] == [64, 8]
    assert result["rows"][0]["passages"] == before
    assert result["rows"][0]["bytes"] > 64 * 4 * before
    assert services.indexer.status("letters").collection.passages == before


def test_what_cannot_be_compared_is_refused_before_anything_is_queued(services: Services) -> None:
    benches = services.benches
    with pytest.raises(Invalid, match="2 to 4 different encoders are compared, not 1"):
        benches.compare("letters", ["hashing:64", " hashing:64 "])
    with pytest.raises(UnknownEncoder, match="no encoder named 'nothing'"):
        benches.compare("letters", ["hashing:64", "nothing"])
    with pytest.raises(UnknownCollection):
        benches.compare("nowhere", ["hashing:64", "hashing:8"])
    with pytest.raises(MissingPath):
        benches.bank(["hashing:64"], "/not/there.jsonl")
    with pytest.raises(Invalid, match="name a collection or files"):
        benches.estimate(["hashing:64"])
    assert jobs.run_one(services.database, services.handlers) is None
