"""Encoders trained as jobs: from files and collections, into the library, stopped and gone on with, removed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from riparian import jobs
from riparian.config import Settings
from riparian.errors import AlreadyExists, Conflict, Invalid, MissingPath, RiparianError, UnknownEncoder
from riparian.types import Job, JobState, Mode
from search.request import SearchRequest
from tests.conftest import ENCODER
from tests.riparian.trained_models import grammar, tiny_mlm
from tests.riparian.use_lite_models import tiny_use_lite
from training.service import TRAIN, Wish
from web.wiring import Services, build

ELMO = {"projection": 8, "cell": 16, "char_dim": 4, "filters": [[1, 4], [2, 4]], "epochs": 2, "batch_words": 64,
        "samples": 64}  # fmt: skip


@pytest.fixture
def services(data_dir: Path, sqlite_url: str) -> Iterator[Services]:
    made = build(Settings(data_dir=data_dir, encoder=ENCODER, log_level="ERROR", calibrate=False, threads=1))
    yield made
    made.database.engine.dispose()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, sentence in enumerate(grammar(60)):
        (folder / f"{number}.txt").write_text(sentence, encoding="utf-8")
    return folder


def run(services: Services, handlers: Mapping[str, jobs.Handler] | None = None) -> Job:
    job = jobs.run_one(services.database, handlers or services.handlers)
    assert job is not None
    return job


def finished(services: Services, wish: Wish) -> Mapping[str, Any]:
    services.training.train(wish)
    job = run(services)
    assert job.state is JobState.DONE, job.message
    return job.result


def elmo(files: Path, called: str = "mine", **settings: Any) -> Wish:
    return Wish("elmo", called, paths=[str(files)], settings=ELMO | settings, seed=1)


def test_what_was_trained_from_files_is_an_encoder_by_its_name(services: Services, files: Path) -> None:
    result = finished(services, elmo(files))
    assert result["origin"] == "60 texts of files"
    assert result["report"]["texts"] == 60
    [installed] = services.training.library.installed()
    assert (installed.name, installed.card.kind, installed.card.origin) == ("mine", "elmo", "trained-here")
    loaded = services.encoders.load("mine")
    assert loaded.fingerprint() == result["fingerprint"] == installed.card.fingerprint
    assert loaded.info.name == "mine"


def test_a_training_tells_its_loss_and_a_figure_on_what_it_holds_out(services: Services, files: Path) -> None:
    services.training.train(elmo(files))
    job = run(services)
    assert job.loss is not None
    assert job.loss > 0
    [(name, value)] = job.held_out.items()
    assert (name, value > 1) == ("perplexity", True)


def test_a_collection_is_indexed_and_searched_with_what_was_trained_on_another(services: Services, files: Path) -> None:
    services.indexer.add("first", [files])
    run(services)
    wish = Wish("context2vec-awe", "windows", collection="first", settings={"trim": 1, "dimension": 16, "epochs": 1})
    result = finished(services, wish)
    assert "collection 'first'" in result["origin"]
    services.indexer.add("second", [files], encoder="windows")
    job = run(services)
    assert job.state is JobState.DONE, job.message
    answer = services.search.search(SearchRequest("second", "the duck swims", mode=Mode.SEMANTIC))
    assert "duck" in answer.hits[0].passage.text
    assert services.training.users(services.training.library.get("windows")) == ["second"]


def test_a_transformer_named_as_the_base_is_mirror_tuned(services: Services, files: Path, tmp_path: Path) -> None:
    settings = {"batch": 16, "max_tokens": 24}
    wish = Wish("mirror-bert", "mirrored", paths=[str(files)], settings=settings, base=f"bert:{tiny_mlm(tmp_path)}")
    result = finished(services, wish)
    assert result["report"]["strings"] > 10
    assert services.encoders.load("mirrored").info.kind == "mirror-bert"
    services.training.train(Wish("mirror-bert", "other", paths=[str(files)], settings=settings, base=ENCODER))
    failed = run(services)
    assert failed.state is JobState.FAILED
    assert "mirror-bert tunes a transformer, and hashing:64 is of the kind hashing" in failed.message


def test_near_duplicates_are_learnt_from_once(services: Services, files: Path) -> None:
    for number in range(5):
        (files / f"again-{number}.txt").write_text((files / "0.txt").read_text(), encoding="utf-8")
    services.indexer.add("first", [files])
    run(services)
    result = finished(services, Wish("elmo", "mine", collection="first", settings=ELMO))
    distinct = {path.read_text() for path in files.iterdir()}
    assert result["report"]["texts"] == len(distinct)


class Stopping:
    """Runs a job and asks for its end once it has trained this many steps."""

    def __init__(self, services: Services, steps: int) -> None:
        self._services, self._steps = services, steps

    def handlers(self) -> dict[str, jobs.Handler]:
        return {TRAIN: self._run}

    def _run(self, running: jobs.Running) -> Mapping[str, Any] | None:
        return self._services.handlers[TRAIN](_Watched(running.database, running.job, running.worker, self._steps))


class _Watched(jobs.Running):
    def __init__(self, database: Any, job: Job, worker: str, steps: int) -> None:
        super().__init__(database, job, worker)
        object.__setattr__(self, "steps", steps)

    def checkpoint(self, catalog: Any, **given: Any) -> None:
        jobs.Running.checkpoint(self, catalog, **given)
        if given.get("stage") == "train" and (given.get("done") or 0) >= self.steps:  # type: ignore[attr-defined]
            jobs.cancel(catalog, self.job.id)


def test_a_cancelled_training_goes_on_to_the_same_weights(
    services: Services, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.spoken._TOLD_EVERY_S", 0.0)
    whole = finished(services, elmo(files, "whole", name="same"))
    services.training.train(elmo(files, "parts", name="same"))
    stopped = run(services, Stopping(services, 4).handlers())
    assert stopped.state is JobState.CANCELLED
    assert [one.name for one in services.training.library.installed()] == ["whole"]
    told: list[int] = []
    again = services.training.train(elmo(files, "parts", name="same"))
    done = run(services, {TRAIN: _listening(services, told)})
    assert (done.id, done.state) == (again, JobState.DONE)
    assert told[0] > 4, "it began anew"
    assert services.encoders.load("parts").fingerprint() == whole["fingerprint"]
    assert not list((services.settings.data_dir / "training").iterdir())


def _listening(services: Services, told: list[int]) -> jobs.Handler:
    class Listening(jobs.Running):
        def checkpoint(self, catalog: Any, **given: Any) -> None:
            jobs.Running.checkpoint(self, catalog, **given)
            if given.get("stage") == "train" and given.get("done"):
                told.append(given["done"])

    return lambda running: services.handlers[TRAIN](Listening(running.database, running.job, running.worker))


def test_text_that_changed_meanwhile_is_learnt_from_its_beginning(
    services: Services, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.spoken._TOLD_EVERY_S", 0.0)
    services.training.train(elmo(files))
    assert run(services, Stopping(services, 2).handlers()).state is JobState.CANCELLED
    (files / "0.txt").write_text("Nobody had written this before.", encoding="utf-8")
    assert finished(services, elmo(files))["encoder"] == "mine"


def test_minutes_bound_the_training(services: Services, files: Path) -> None:
    wish = Wish("elmo", "quick", paths=[str(files)], settings=ELMO | {"epochs": 50}, minutes=0.005)
    result = finished(services, wish)
    assert 1 <= result["report"]["settings"]["epochs"] < 50


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"kind": "use"}, Invalid, "'use' is used as published; fine-tune it instead"),
        ({"kind": "elmu"}, Invalid, "'elmu' is no kind of encoder"),
        ({"name": "no/slash"}, Invalid, "'no/slash' cannot name an encoder"),
        ({"name": "elmo"}, Invalid, "'elmo' is a kind of encoder"),
        ({"settings": {"epoch": 1}}, Invalid, "training elmo has no setting 'epoch'; it has name, filters"),
        ({"settings": {"epochs": "many"}}, Invalid, "setting epochs of training elmo"),
        ({"settings": {"epochs": 0}}, Invalid, "epochs must be at least 1"),
        ({"minutes": 0}, Invalid, "minutes must lie between"),
        ({"paths": ["/not/there"]}, MissingPath, "/not/there"),
        ({"paths": []}, Invalid, "name a collection or files"),
        ({"base": "glove"}, Invalid, "elmo is not built on another encoder"),
        ({"kind": "cove", "base": "nothing", "settings": {}}, UnknownEncoder, "no encoder named 'nothing'"),
        ({"collection": "nowhere"}, RiparianError, "no collection named 'nowhere'"),
    ],
)
def test_what_can_never_work_is_refused_before_anything_is_queued(
    services: Services, files: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = elmo(files).payload() | change
    with pytest.raises(error, match=message.replace("(", r"\(")):
        services.training.train(Wish(**given))
    assert jobs.run_one(services.database, services.handlers) is None


def test_a_name_is_given_once_and_removed_when_nothing_uses_it(services: Services, files: Path) -> None:
    finished(services, elmo(files))
    with pytest.raises(AlreadyExists, match="there is an encoder named 'mine' already"):
        services.training.train(elmo(files))
    services.indexer.add("c", [files], encoder="mine")
    run(services)
    with pytest.raises(Conflict, match="'mine' has vectors in c"):
        services.training.remove("mine")
    services.indexer.remove("c")
    services.training.remove("mine")
    with pytest.raises(UnknownEncoder):
        services.training.remove("mine")


def test_a_collection_finds_its_encoder_where_the_data_folder_was_moved(
    services: Services, files: Path, tmp_path: Path
) -> None:
    finished(services, elmo(files))
    services.indexer.add("c", [files], encoder="mine")
    run(services)
    services.database.engine.dispose()
    moved = shutil.move(services.settings.data_dir, tmp_path / "moved")
    again = build(Settings(data_dir=Path(moved), encoder=ENCODER, log_level="ERROR", calibrate=False))
    try:
        answer = again.search.search(SearchRequest("c", "the duck swims", mode=Mode.SEMANTIC))
        assert answer.hits
    finally:
        again.database.engine.dispose()


def test_an_encoder_is_taken_in_from_a_folder(services: Services, files: Path, tmp_path: Path) -> None:
    finished(services, elmo(files))
    copied = shutil.copytree(services.training.library.get("mine").folder, tmp_path / "elsewhere")
    added = services.training.add("yours", str(copied))
    assert added.card.fingerprint == services.training.library.get("mine").card.fingerprint
    with pytest.raises(AlreadyExists):
        services.training.add("yours", str(copied))


def test_a_model_that_no_package_carries_is_added_under_its_kinds_own_name(
    services: Services, files: Path, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="riparian encoders add use-lite FOLDER"):
        services.encoders.load("use-lite")
    added = services.training.add("use-lite", str(tiny_use_lite(tmp_path / "package")))
    assert added.card.kind == "use-lite"
    shutil.rmtree(tmp_path / "package")
    assert services.encoders.load("use-lite").fingerprint() == added.card.fingerprint
    services.indexer.add("c", [files], encoder="use-lite")
    job = run(services)
    assert job.state is JobState.DONE, job.message
    with pytest.raises(Invalid, match="'glove' is a kind of encoder"):
        services.training.add("glove", "hashing:8")
