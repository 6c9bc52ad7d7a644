"""Heads learnt as jobs: kept by name, put to use, refused; heads that come with an encoder of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from riparian import jobs
from riparian.config import Settings
from riparian.errors import AlreadyExists, Invalid, MissingPath
from riparian.types import JobState
from tests.conftest import ENCODER
from tests.riparian.trained_models import tiny_mlm
from training.heads.service import HeadWish, UnknownHead
from web.wiring import Services, build


@pytest.fixture
def services(data_dir: Path, sqlite_url: str) -> Iterator[Services]:
    made = build(Settings(data_dir=data_dir, encoder=ENCODER, log_level="ERROR", calibrate=False, threads=1))
    yield made
    made.database.engine.dispose()


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    path = tmp_path / "examples.csv"
    rows = [
        f"{'river and silt' if n % 2 else 'rate and money'} number {n},{'water' if n % 2 else 'bank'}"
        for n in range(90)
    ]
    path.write_text("body,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def wish(file: Path, **changes: Any) -> HeadWish:
    given = {"head": "classification", "encoder": ENCODER, "name": "themes", "examples": str(file),
             "columns": {"text": "body"}, "seed": 1} | changes  # fmt: skip
    return HeadWish(**given)


def learnt(services: Services, asked: HeadWish) -> Mapping[str, Any]:
    services.heads.learn(asked)
    job = jobs.run_one(services.database, services.handlers)
    assert job is not None
    assert job.state is JobState.DONE, job.message
    return job.result


def test_a_head_is_kept_by_its_name_and_answers(services: Services, examples: Path) -> None:
    result = learnt(services, wish(examples))
    assert (result["head"], result["made_encoder"]) == ("themes", None)
    [kept] = services.heads.kept()
    assert (kept.name, kept.card.task, kept.card.labels) == ("themes", "classification", ("bank", "water"))
    found = services.heads.apply("themes", ["silt of the river", "money at a rate"])
    assert [one["label"] for one in found] == ["water", "bank"]
    assert not list((services.settings.data_dir / "training").iterdir())
    services.heads.remove("themes")
    with pytest.raises(UnknownHead, match="no head named 'themes'; there is: none"):
        services.heads.apply("themes", ["x"])


def test_a_tuned_head_comes_with_its_encoder_in_the_library(services: Services, examples: Path, tmp_path: Path) -> None:
    base = f"bert:{tiny_mlm(tmp_path)}"
    asked = wish(examples, head="tuned-classification", encoder=base, name="tuned")
    result = learnt(services, asked)
    assert (result["head"], result["made_encoder"]) == ("tuned", "tuned")
    assert services.encoders.load("tuned").info.origin == "fine-tuned"
    found = services.heads.apply("tuned", ["river and silt number 7"])
    assert found[0]["label"] in ("bank", "water")
    with pytest.raises(AlreadyExists):
        services.heads.learn(asked)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"head": "magic"}, Invalid, "no head named 'magic'"),
        ({"name": "a b"}, Invalid, "cannot name a head"),
        ({"settings": {"speed": 3}}, Invalid, "no setting 'speed'"),
        ({"columns": {"words": "body"}}, Invalid, "no column 'words' to name; columns are: text, label, group"),
        ({"examples": "/not/there.csv"}, MissingPath, "/not/there.csv"),
        ({"head": "layer-mix"}, Invalid, "layer-mix cannot be learnt on hashing:64"),
    ],
)
def test_what_cannot_be_learnt_is_refused_before_anything_is_queued(
    services: Services, examples: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        services.heads.learn(wish(examples, **change))
    assert jobs.run_one(services.database, services.handlers) is None


def test_a_question_is_given_where_one_is_needed_and_nowhere_else(services: Services, examples: Path) -> None:
    learnt(services, wish(examples))
    with pytest.raises(Invalid, match="takes no question"):
        services.heads.apply("themes", ["x"], "why?")
