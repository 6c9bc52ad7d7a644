"""Cross-view training learns from tags and plain text, can be repeated and resumed, and says what it is."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file, save_file

from riparian.device import Device
from riparian.encoders import registry
from riparian.encoders.cvt.corpus import Shares, gather_cased
from riparian.encoders.cvt.encoder import CvtEncoder
from riparian.encoders.cvt.files import TAGGER
from riparian.encoders.cvt.loading import load
from riparian.encoders.cvt.settings import Settings
from riparian.encoders.cvt.training import Trainer, train
from riparian.encoders.cvt.words import MARKS
from riparian.encoders.options import Options
from riparian.encoders.static import StaticEncoder
from riparian.errors import BadWeights, Conflict, Invalid
from tests.riparian.cvt_models import SHORT, TINY, grammar, plain, tagged
from tests.riparian.encoder_models import WORDS, tiny_glove, vectors

LONG = replace(TINY, epochs=12, labelled=0.2, average=0.9, learning_rate=2e-2)


def trainer(settings: Settings = SHORT) -> Trainer:
    shares = Shares(settings.held_out, settings.labelled, 1)
    corpus = gather_cased(grammar(80), shares, settings.vocabulary, settings.least_count)
    return Trainer(settings, 1, corpus, True, Device("cpu", "a test"))


# ---------------------------------------------------------------- what it learns


def test_the_casing_of_words_is_learnt_from_a_few_sentences() -> None:
    encoder = train(grammar(120), LONG, seed=1, workers=1)
    report = encoder.info.extra["training"]

    assert report["labels"] == "case"
    assert report["accuracy"] > 0.95 > report["accuracy_commonest_tag"]
    assert encoder.tag(["in 1952 mr hill often sees the nato".split()])[0][3::4] == ("Capitalised", "UPPER")


def test_given_tags_that_depend_on_neighbours_are_learnt() -> None:
    encoder = train(plain(120), LONG, seed=1, tagged=tagged(60), workers=1)
    report = encoder.info.extra["training"]

    assert report["labels"] == "tags"
    assert report["accuracy"] > 0.95 > report["accuracy_commonest_tag_of_the_word"]
    assert encoder.tag([["duck", "sees", "the", "duck"]]) == [("SUBJECT", "VERB", "O", "OBJECT")]
    assert sorted(encoder.model.tags) == ["O", "OBJECT", "SUBJECT", "VERB"]
    assert not encoder.model.lower


# ---------------------------------------------------------------- steps


def changed_by(step: int) -> set[str]:
    run = trainer()
    before = {name: value.detach().clone() for name, value in run.parameters.items()}
    run.learn(step)
    return {name for name, value in run.parameters.items() if not torch.equal(value, before[name])}


def test_labelled_and_unlabelled_batches_stand_by_turns_and_change_their_own_modules() -> None:
    names = set(trainer().parameters)
    primary = {name for name in names if name.startswith("modules/primary")}
    auxiliary = {name for name in names if name.startswith("modules/auxiliary")}
    encoder = {name for name in names if name.startswith("encoder/")}

    assert names == primary | auxiliary | encoder
    assert changed_by(0) == primary | encoder
    assert changed_by(1) == auxiliary | encoder


def test_the_loss_of_the_labelled_batches_is_told_and_falls() -> None:
    run = trainer(replace(SHORT, epochs=6))
    told = [run.learn(step) for step in range(run.total)]

    assert all((loss is None) == (step % 2 == 1) for step, loss in enumerate(told))
    assert float(told[-2]) < float(told[0])  # type: ignore[arg-type]


def test_without_views_as_many_labelled_batches_are_learnt_from_and_nothing_else() -> None:
    with_views, without = (trainer(replace(SHORT, cross_view=views)) for views in (True, False))
    start = {name: value.detach().clone() for name, value in without.parameters.items()}
    without.run(None, None)

    assert with_views.total == 2 * without.total
    auxiliary = [name for name in start if name.startswith("modules/auxiliary")]
    assert all(torch.equal(without.parameters[name], start[name]) for name in auxiliary)
    report = without.encoder("case", None).info.extra["training"]
    assert (report["labelled_steps"], report["unlabelled_steps"]) == (without.total, 0)


def test_the_weights_that_are_kept_are_a_moving_average() -> None:
    run, decay = trainer(), 0.9
    before = {name: value.detach().clone() for name, value in run.parameters.items()}
    seen = []

    run.learn(0)
    seen.append({name: value.detach().clone() for name, value in run.parameters.items()})
    run.learn(1)
    seen.append(run.parameters)

    first, second = 1 / 10, 2 / 11  # the decay that so few steps allow, below that of the settings
    assert max(first, second) < decay < SHORT.average
    for name, value in run.averages.items():
        expected = first * before[name] + (1 - first) * seen[0][name]
        expected = second * expected + (1 - second) * seen[1][name].detach()
        assert torch.allclose(value, expected, atol=1e-6)


def test_the_seed_alone_decides() -> None:
    first, again, other = (train(grammar(80), SHORT, seed, workers=1).fingerprint() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = train(grammar(80), SHORT, seed=3, workers=1)
    path, seen = tmp_path / "run.safetensors", list[tuple[int, int]]()

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise InterruptedError

    def follow(done: int, total: int) -> None:
        seen.append((done, total))

    with pytest.raises(InterruptedError):
        train(grammar(80), SHORT, 3, stop, checkpoint=path, workers=1)
    resumed = train(grammar(80), SHORT, 3, follow, checkpoint=path, workers=1)

    assert seen[-1][1] > 3
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))
    assert resumed.fingerprint() == whole.fingerprint()
    assert all(np.array_equal(resumed.model.tagger[name], array) for name, array in whole.model.tagger.items())
    with pytest.raises(Conflict, match="other settings or text"):
        train(grammar(81), SHORT, 3, checkpoint=path, workers=1)
    with pytest.raises(Conflict, match="other settings or text"):
        train(grammar(80), SHORT, 3, tagged=tagged(9), checkpoint=path, workers=1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadWeights, match="a safetensors file"):
        train(grammar(80), SHORT, 3, checkpoint=path, workers=1)


# ---------------------------------------------------------------- word vectors


@pytest.fixture(scope="module")
def glove(tmp_path_factory: pytest.TempPathFactory) -> StaticEncoder:
    folder = tmp_path_factory.mktemp("glove")
    found = registry.load(f"glove:{tiny_glove(folder)}", cache_dir=folder)
    assert isinstance(found, StaticEncoder)
    return found


def test_words_start_from_the_vectors_that_are_given(glove: StaticEncoder) -> None:
    settings = replace(SHORT, word_width=8)
    shares = Shares(settings.held_out, settings.labelled, 1)
    corpus = gather_cased(grammar(80), shares, settings.vocabulary, settings.least_count)
    run, other = (Trainer(settings, 1, corpus, True, Device("cpu", "a test")) for _ in range(2))
    run.start_from(glove)

    known = [word for word in corpus.vocabulary if word in WORDS]
    start = vectors()[[WORDS.index(word) for word in known]]
    scale = np.sqrt((start.astype(np.float64) ** 2).sum(axis=1).mean())
    rows = [MARKS + corpus.vocabulary.index(word) for word in known]
    found, drawn = (each.reader.words.weight.detach().numpy() for each in (run, other))
    assert set(known) >= {"the", "river", "bank"}
    assert np.allclose(found[rows], start / scale, atol=1e-6)
    others = np.setdiff1d(np.arange(len(found)), rows)
    assert np.array_equal(found[others], drawn[others])
    assert np.array_equal(run.averages["encoder/words.weight"].numpy(), found)


def test_word_vectors_belong_to_the_run_and_to_the_card(glove: StaticEncoder, tmp_path: Path) -> None:
    settings, path = replace(SHORT, word_width=8), tmp_path / "run.safetensors"
    encoder = train(grammar(80), settings, 1, vectors=glove, checkpoint=path, workers=1)

    assert encoder.info.extra["training"]["word_vectors_fingerprint"] == glove.fingerprint()
    assert f"words from {glove.info.name}" in encoder.info.provenance
    assert encoder.fingerprint() != train(grammar(80), settings, 1, workers=1).fingerprint()
    with pytest.raises(Conflict):
        train(grammar(80), settings, 1, checkpoint=path, workers=1)


def test_word_vectors_of_another_width_are_refused(glove: StaticEncoder) -> None:
    with pytest.raises(Invalid, match=r"word_width is 12, .* has 8 dimensions; set word_width to that"):
        train(grammar(80), SHORT, 1, vectors=glove, workers=1)


# ---------------------------------------------------------------- the result


def test_the_card_says_how_it_was_trained_and_saving_keeps_it(tmp_path: Path) -> None:
    encoder = train(grammar(80), replace(SHORT, name="archive", languages=("en",)), seed=1, workers=1)
    encoder.save(tmp_path / "saved")
    saved = load(str(tmp_path / "saved"), Options(tmp_path, device="cpu", threads=1))
    report = saved.info.extra["training"]

    assert (saved.info.origin, saved.info.name, saved.info.languages) == ("trained-here", "archive", ("en",))
    assert report == encoder.info.extra["training"]
    assert report["texts"] == 80
    assert sum(report[f"{part}_sentences"] for part in ("labelled", "unlabelled", "held_out")) == 80
    assert "labelled and" in saved.info.provenance
    assert saved.fingerprint() == encoder.fingerprint()
    tagger = load_arrays(tmp_path / "saved" / TAGGER)
    assert all(np.array_equal(tagger[name], array) for name, array in encoder.model.tagger.items())


def test_an_lstm_smaller_than_its_cell_is_trained_and_saved_too(tmp_path: Path) -> None:
    train(grammar(80), replace(SHORT, cell=16, projected=4), seed=1, workers=1).save(tmp_path / "saved")
    saved = load(str(tmp_path / "saved"), Options(tmp_path, device="cpu", threads=1))

    assert saved.model.tensors["first.ahead.project"].shape == (16, 4)
    assert saved.info.token_dim == 2 * 4 + 2 * SHORT.second


def test_weights_that_are_no_numbers_any_more_become_no_encoder(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(grammar(40), SHORT, 1, checkpoint=path, workers=1)
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
    found = load_file(path)
    found["model/average/encoder/scale"][0] = math.nan
    save_file(found, path, metadata=about)

    with pytest.raises(Invalid, match="give a lower one"):
        train(grammar(40), SHORT, 1, checkpoint=path, workers=1)


def test_an_encoder_is_trained_where_it_is_asked_to_be() -> None:
    found: CvtEncoder = train(grammar(40), SHORT, 1, workers=1)

    assert found._device == Device("cpu", "asked for")


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"labelled": 0.0},
        {"labelled": 1.0},
        {"held_out": 0.0},
        {"dropout": 1.0},
        {"smoothing": -0.1},
        {"learning_rate": 0.0},
        {"projected": 13},
        {"vocabulary": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(TINY, **change)  # type: ignore[arg-type]
