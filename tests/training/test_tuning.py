"""Fine-tuning as a job: split, tuned, judged, kept or not, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from riparian import jobs
from riparian.config import Settings
from riparian.errors import AlreadyExists, Invalid
from riparian.types import Job, JobState
from tests.conftest import ENCODER
from tests.riparian.trained_models import tiny_mlm
from training.tuning import TuneWish
from web.wiring import Services, build

TOPICS = ("harbour", "mill", "orchard", "quarry", "chapel", "market", "forge", "inn", "ferry", "tower")
SETTINGS = {"batch": 8, "longest": 24, "learning_rate": 1e-3}


@pytest.fixture
def services(data_dir: Path, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setattr("web.wiring.GENERAL_DOCUMENTS", 15)
    folder = tmp_path / "files"
    folder.mkdir()
    numbers = np.random.default_rng(1)
    for number in range(60):
        topic, words = TOPICS[number % 10], " ".join(f"w{numbers.integers(400)}" for _ in range(5))
        text = (
            f"# The {topic} of {words}\n\nThe keeper of the {topic} wrote {words} on a wall. "
            f"Nobody had seen the {topic} number {number} for years. It was {words} that they found in the {topic}."
        )
        (folder / f"{number:02}.md").write_text(text, encoding="utf-8")
    made = build(Settings(data_dir=data_dir, encoder=ENCODER, log_level="ERROR", calibrate=False, threads=1))
    made.indexer.add("letters", [folder])
    jobs.run_one(made.database, made.handlers)
    yield made
    made.database.engine.dispose()


@pytest.fixture
def base(tmp_path: Path) -> str:
    return f"bert:{tiny_mlm(tmp_path)}"


def run(services: Services, wish: TuneWish) -> Job:
    services.tuning.tune(wish)
    job = jobs.run_one(services.database, services.handlers)
    assert job is not None
    return job


def wish(base: str, **changes: Any) -> TuneWish:
    return TuneWish(**({"recipe": "pairs", "encoder": base, "name": "tuned", "collection": "letters",
                        "settings": SETTINGS, "seed": 1} | changes))  # fmt: skip


def done(job: Job) -> Mapping[str, Any]:
    assert job.state is JobState.DONE, job.message
    return job.result


def test_a_tuned_encoder_is_judged_on_documents_it_never_read(services: Services, base: str) -> None:
    result = done(run(services, wish(base)))
    verdict, held_out = result["verdict"], result["held_out_documents"]
    assert (len(held_out), result["learnt_documents"]) == (12, 48)
    assert result["report"]["examples"] == 48
    assert set(verdict["held_out"]["scores"]) >= {"before", "after", "bm25"}
    assert verdict["held_out"]["documents"] == 12
    assert verdict["forgetting"] is not None
    before, after = (verdict["held_out"]["scores"][role]["main"]["mean"] for role in ("before", "after"))
    assert verdict["gain"]["mean"] == pytest.approx(after - before, abs=1e-6)
    assert result["promoted"] == (verdict["gain"]["low"] > 0)
    names = [one.name for one in services.training.library.installed()]
    assert names == (["tuned"] if result["promoted"] else [])


def test_questions_and_answers_of_a_file_are_learnt_from_but_for_those_of_held_out_documents(
    services: Services, base: str, tmp_path: Path
) -> None:
    held_out = done(run(services, wish(base, name="first")))["held_out_documents"]
    with services.database.read() as catalog:
        shown = catalog.documents.text(held_out[0])
    rows = [f"what is number {n},it is the answer of number {n}" for n in range(20)]
    (tmp_path / "asked.csv").write_text("\n".join(["first,second", *rows, f'leak,"{shown}"']) + "\n", encoding="utf-8")
    result = done(run(services, wish(base, name="second", pairs=[str(tmp_path / "asked.csv")])))
    assert result["report"]["examples"] == 48 + 20
    assert "and 20 pairs of files" in result["report"]["origin"]
    with pytest.raises(Invalid, match="mirror does not learn from pairs"):
        services.tuning.tune(wish(base, recipe="mirror", name="third", pairs=[str(tmp_path / "asked.csv")]))


def test_what_is_not_better_is_kept_only_by_force_and_without_another_run(services: Services, base: str) -> None:
    still = {"learning_rate": 1e-7, "batch": 8, "longest": 24}
    refused = done(run(services, wish(base, settings=still)))
    assert (refused["encoder"], refused["promoted"]) == (None, False)
    assert services.training.library.installed() == []
    forced = done(run(services, wish(base, settings=still, force=True)))
    assert (forced["encoder"], forced["promoted"], forced["forced"]) == ("tuned", True, True)
    assert forced["fingerprint"] == refused["fingerprint"]
    assert forced["report"] == refused["report"]
    loaded = services.encoders.load("tuned")
    assert (loaded.info.kind, loaded.info.origin) == ("bert", "fine-tuned")


def test_pairs_put_together_at_random_are_refused(services: Services, base: str, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    numbers = np.random.default_rng(3)
    for number in range(160):
        title, text = (" ".join(f"w{n}" for n in numbers.integers(40, size=size)) for size in (4, 12))
        (folder / f"{number}.md").write_text(f"# {title}\n\n{text}. It says no more.", encoding="utf-8")
    services.indexer.add("mixed", [folder])
    jobs.run_one(services.database, services.handlers)
    job = run(services, wish(base, collection="mixed"))
    assert job.state is JobState.FAILED
    assert "put together at random" in job.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "magic"}, "there is no recipe 'magic'"),
        ({"encoder": "hashing:64"}, "pairs cannot tune hashing:64: it tunes transformers"),
        ({"settings": {"speed": 1}}, "pairs has no setting 'speed'"),
        ({"name": "a b"}, "cannot name an encoder"),
        ({"collection": None}, "name a collection or files"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_queued(
    services: Services, base: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        services.tuning.tune(wish(base, **change))
    assert jobs.run_one(services.database, services.handlers) is None


def test_too_few_documents_to_judge_by_are_said_before_anything_is_learnt(
    services: Services, base: str, tmp_path: Path
) -> None:
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.md").write_text(f"# Note {number}\n\nA note about {number}. It ends.", encoding="utf-8")
    services.indexer.add("few", [folder])
    jobs.run_one(services.database, services.handlers)
    job = run(services, wish(base, collection="few"))
    assert job.state is JobState.FAILED
    assert "needed to judge by" in job.message


def test_a_name_that_is_taken_is_refused(services: Services, base: str) -> None:
    done(run(services, wish(base, force=True)))
    with pytest.raises(AlreadyExists):
        services.tuning.tune(wish(base))
