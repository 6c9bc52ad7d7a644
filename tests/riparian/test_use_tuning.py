"""The last network of the Universal Sentence Encoder, trained on pairs: what changes, and what does not."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from riparian.encoders import registry
from riparian.encoders.use import WEIGHTS, UseEncoder
from riparian.encoders.use_network import HEAD, read_tensors
from riparian.encoders.use_tuning import HeadSettings, train_head
from riparian.errors import AlreadyExists, Conflict, Invalid
from tests.evaldata import folder as data_folder
from tests.riparian.view_match_models import documents

QUICK = HeadSettings(epochs=2, batch=32, learning_rate=1e-3)


def opened(folder: Path) -> UseEncoder:
    return cast(UseEncoder, registry.load(str(folder), cache_dir=folder))


@pytest.fixture(scope="module")
def base() -> UseEncoder:
    return cast(UseEncoder, registry.load("use", cache_dir=Path()))


@pytest.fixture(scope="module")
def tuned(base: UseEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_head(base, documents(120), QUICK, 1, into=tmp_path_factory.mktemp("use") / "tuned", workers=1)


@pytest.fixture(scope="module")
def encoder(tuned: Path) -> UseEncoder:
    return opened(tuned)


def test_only_the_last_network_changes_and_token_vectors_stay_as_they_are(
    base: UseEncoder, tuned: Path, encoder: UseEncoder
) -> None:
    before, after = read_tensors(base.folder / WEIGHTS), read_tensors(tuned / WEIGHTS)
    text = "The bank lends money."

    assert {name for name in before if not np.array_equal(before[name], after[name])} == set(HEAD)
    assert np.array_equal(encoder.encode_tokens([text])[0].vectors, base.encode_tokens([text])[0].vectors)
    assert not np.allclose(encoder.encode_passages([text], "query"), base.encode_passages([text], "query"), atol=1e-3)


def test_the_card_tells_of_the_training_and_the_tuned_encoder_has_its_own_fingerprint(
    base: UseEncoder, encoder: UseEncoder
) -> None:
    info, report = encoder.info, encoder.info.extra["training"]

    assert (info.kind, info.origin, info.licence) == ("use", "fine-tuned", "Apache-2.0")
    assert info.name == "Universal Sentence Encoder, multilingual v3, tuned on pairs"
    assert info.provenance.endswith(f"its last network trained here on {report['pairs']} pairs")
    assert report["base"] == base.fingerprint() != encoder.fingerprint()
    assert (base.info.origin, base.info.spec) == ("published", "use")


def test_held_out_partners_are_found_more_often_than_before(encoder: UseEncoder) -> None:
    report = encoder.info.extra["training"]
    before, after = (
        report[f"recall_first_to_second_{when}"] + report[f"recall_second_to_first_{when}"]
        for when in ("before", "after")
    )

    assert after > before


@pytest.mark.slow
def test_a_tuned_encoder_can_be_saved_and_tuned_again(encoder: UseEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "copy")
    again = train_head(encoder, documents(60), replace(QUICK, name="Twice"), 1, into=tmp_path / "again", workers=1)

    assert opened(tmp_path / "copy").fingerprint() == encoder.fingerprint()
    assert opened(again).info.name == "Twice"
    assert opened(again).info.extra["training"]["base"] == encoder.fingerprint()


def test_the_seed_alone_decides_and_a_stopped_run_goes_on_to_the_same_weights(
    base: UseEncoder, encoder: UseEncoder, tmp_path: Path
) -> None:
    def run(name: str, seed: int, progress: object = None) -> Path:
        return train_head(
            base,
            documents(120),
            QUICK,
            seed,
            progress,  # type: ignore[arg-type]
            into=tmp_path / name,
            checkpoint=tmp_path / "run.safetensors",
            workers=1,
        )

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run("part", 1, stop)
    with pytest.raises(Conflict, match="other settings or text"):
        run("part", 2)

    assert opened(run("part", 1)).fingerprint() == encoder.fingerprint()
    with pytest.raises(AlreadyExists):
        run("part", 1)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"batch": 1}, {"held_out": 0.0}, {"temperature": 0.0}])
def test_settings_that_cannot_be_and_too_few_pairs_are_refused(
    change: dict[str, float], base: UseEncoder, tmp_path: Path
) -> None:
    with pytest.raises(Invalid):
        replace(HeadSettings(), **change)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="3 pairs leave"):
        train_head(base, documents(3), QUICK, 1, into=tmp_path / "few")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bodies_of_real_documents_are_found_by_their_titles_more_often_than_before(
    seed: int, base: UseEncoder, tmp_path: Path
) -> None:
    with gzip.open(data_folder("retrieval-cranfield") / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    pairs = [(one["title"], one["text"].removeprefix(one["title"]).strip()) for one in found]

    report = opened(train_head(base, pairs, HeadSettings(), seed, into=tmp_path / "tuned", workers=1)).info.extra[
        "training"
    ]

    for way in ("first_to_second", "second_to_first"):
        assert report[f"recall_{way}_after"] > report[f"recall_{way}_before"] + 0.05
