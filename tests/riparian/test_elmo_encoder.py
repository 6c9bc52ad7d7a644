"""ELMo as an encoder: the contract, start states, the mix, and the files that are refused."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from riparian.encoders import registry
from riparian.encoders.checks import CHECKS, TEXTS, Subject
from riparian.encoders.elmo.encoder import MAX_SENTENCE, ElmoEncoder
from riparian.encoders.elmo.files import read_published
from riparian.encoders.elmo.loading import load as load_kind
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.network import BiLM
from riparian.encoders.options import Options
from riparian.errors import BadWeights, Invalid, MissingPath
from tests.riparian.elmo_models import TINY, tensors, tiny_elmo, write_published

TEXT = "They sat on the river bank. The bank lends money."


def load(folder: Path | str, cache: Path) -> ElmoEncoder:
    return load_kind(str(folder), Options(cache, device="cpu", threads=1))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_elmo(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def encoder(folder: Path, cache: Path) -> ElmoEncoder:
    return load(folder, cache)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_with_a_frozen_start_state_it_keeps_the_contract(
    check: Callable[[Subject], None], folder: Path, cache: Path, tmp_path: Path
) -> None:
    check(Subject(load(f"{folder}?state=frozen", cache), lambda saved: load(saved, cache), tmp_path))


def test_its_card_says_where_it_comes_from(encoder: ElmoEncoder, folder: Path) -> None:
    info = encoder.info

    assert (info.kind, info.name, info.spec) == ("elmo", "tiny", f"elmo:{folder}")
    assert (info.origin, info.contextual, info.token_dim, info.max_tokens) == ("published", "left-right", 16, None)
    assert info.extra["parameters"] == sum(tensor.size for tensor in tensors().values())


def test_a_token_vector_depends_on_its_sentence_and_on_no_other(encoder: ElmoEncoder) -> None:
    alone = encoder.encode_tokens(["The bank lends money."])[0]
    together = encoder.encode_tokens([TEXT])[0]
    words = list(together.tokens)

    assert np.allclose(together.vectors[-len(alone.tokens) :], alone.vectors, atol=1e-5)
    banks = [at for at, word in enumerate(words) if word == "bank"]
    assert not np.allclose(together.vectors[banks[0]], together.vectors[banks[1]], atol=1e-2)


def test_nothing_is_carried_from_one_call_to_the_next(encoder: ElmoEncoder) -> None:
    before = encoder.encode_tokens([TEXT])[0].vectors
    encoder.encode_passages(TEXTS, "passage")

    assert np.array_equal(encoder.encode_tokens([TEXT])[0].vectors, before)


def test_a_passage_is_the_unit_mean_of_its_token_vectors(encoder: ElmoEncoder) -> None:
    mean = encoder.encode_tokens([TEXT])[0].vectors.mean(axis=0)

    assert np.allclose(encoder.encode_passages([TEXT], "query")[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_the_uniform_mix_is_the_mean_of_the_layers_and_gamma_scales_it(encoder: ElmoEncoder) -> None:
    layers = [encoder.using(mix=Mix.only(layer, 3)).encode_tokens([TEXT])[0].vectors for layer in range(3)]
    mixed = encoder.encode_tokens([TEXT])[0].vectors
    doubled = encoder.using(mix=Mix((0.0, 0.0, 0.0), gamma=2.0)).encode_tokens([TEXT])[0].vectors

    assert np.allclose(mixed, np.mean(layers, axis=0), atol=1e-6)
    assert np.allclose(doubled, 2 * mixed, atol=1e-6)


def test_a_layer_can_be_named_in_the_spec_and_is_kept_by_saving(folder: Path, cache: Path, tmp_path: Path) -> None:
    spec = f"elmo:{folder}?layer=1&state=frozen"
    encoder = registry.load(spec, cache_dir=cache, device="cpu", threads=1)
    encoder.save(tmp_path / "saved")
    saved = load(tmp_path / "saved", cache)

    assert encoder.info.spec == spec
    assert registry.resolve(encoder.info.spec)[0] == "elmo"
    assert saved.fingerprint() == encoder.fingerprint() == load(f"{folder}?layer=1&state=frozen", cache).fingerprint()
    assert saved.info.extra["layer_weights"] == [0.0, 1.0, 0.0]
    assert saved.info.extra["initial_state"] == "frozen"
    assert load(f"{tmp_path / 'saved'}?layer=mix&state=zero", cache).fingerprint() == load(folder, cache).fingerprint()


def test_every_setting_has_a_fingerprint_of_its_own(folder: Path, cache: Path, tmp_path: Path) -> None:
    changed = tensors()
    changed["CNN/b_cnn_1"] = changed["CNN/b_cnn_1"] + np.float32(1e-3)
    folders = [folder, f"{folder}?state=frozen", f"{folder}?layer=0", f"{folder}?layer=2"]
    prints = {load(each, cache).fingerprint() for each in folders}
    prints.add(load(write_published(tmp_path / "changed", found=changed), cache).fingerprint())

    assert len(prints) == 5


def test_a_frozen_state_changes_the_layers_above_the_characters_only(
    encoder: ElmoEncoder, folder: Path, cache: Path
) -> None:
    frozen = load(f"{folder}?state=frozen", cache)
    gaps = [
        np.abs(
            frozen.using(mix=Mix.only(layer, 3)).encode_tokens([TEXT])[0].vectors
            - encoder.using(mix=Mix.only(layer, 3)).encode_tokens([TEXT])[0].vectors
        ).max()
        for layer in range(3)
    ]

    assert gaps[0] == 0
    assert gaps[1] > 1e-3
    assert gaps[2] > 1e-3


def test_a_sentence_longer_than_a_window_keeps_every_word_and_its_context(encoder: ElmoEncoder) -> None:
    text = " ".join(f"word{number}" for number in range(3 * MAX_SENTENCE))
    found = encoder.encode_tokens([text])[0]
    short = encoder.encode_tokens([" ".join(text.split()[:50])])[0]

    assert len(found.tokens) == 3 * MAX_SENTENCE
    assert found.vectors.any(axis=1).all()
    assert np.allclose(found.vectors[:10, :8], short.vectors[:10, :8], atol=1e-4)


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        ("missing", "tensor CNN_proj/b_proj of shape (8,)", "no such tensor"),
        ("shape", "tensor RNN_1/RNN/MultiRNNCell/Cell0/LSTMCell/W_0 of shape (16, 48)", "shape (48, 16)"),
        ("nan", "finite numbers in tensor char_embed", "NaN or infinity"),
        ("kind", "tensor char_embed of floating point numbers", "int64"),
    ],
)
def test_weights_that_are_not_as_the_options_say_are_refused(
    tmp_path: Path, change: str, expected: str, found: str
) -> None:
    weights: dict[str, np.ndarray] = tensors()
    cell = "RNN_1/RNN/MultiRNNCell/Cell0/LSTMCell/W_0"
    if change == "missing":
        del weights["CNN_proj/b_proj"]
    elif change == "shape":
        weights[cell] = weights[cell].T
    elif change == "nan":
        weights["char_embed"][3, 2] = np.nan
    else:
        weights["char_embed"] = np.ones((261, 4), dtype=np.int64)

    with pytest.raises(BadWeights) as refused:
        load(write_published(tmp_path / "bad", found=weights), tmp_path)

    assert (refused.value.expected, refused.value.found) == (expected, found)


def test_a_tensor_that_is_linked_in_from_another_file_is_refused(tmp_path: Path) -> None:
    folder = write_published(tmp_path / "linked")
    with h5py.File(folder / "tiny_weights.hdf5", "a") as file:
        del file["char_embed"]
        file["char_embed"] = h5py.ExternalLink(str(tmp_path / "other.hdf5"), "/secret")

    with pytest.raises(BadWeights, match="found a link"):
        load(folder, tmp_path)


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("lstm", "dim"), "64", "a whole number from 1 to 1000000 under lstm.dim, found '64'"),
        (("lstm", "use_skip_connections"), 1, "true or false under lstm.use_skip_connections, found 1"),
        (("char_cnn", "n_characters"), 60, "261 or 262 under char_cnn.n_characters, found 60"),
        (("lstm", "n_layers"), 10**9, "a whole number from 1 to 64 under lstm.n_layers, found 1000000000"),
        (("lstm", "cell_clip"), float("inf"), "a positive number or null under lstm.cell_clip, found inf"),
        (("char_cnn", "activation"), "gelu", "relu or tanh under char_cnn.activation, found 'gelu'"),
        (("char_cnn", "filters"), [[1, 2], [3]], "a list of [width, number] under char_cnn.filters"),
        (("lstm", "projection_dim"), 12, "an lstm.projection_dim below lstm.dim, found 12 and 12"),
    ],
)
def test_options_that_cannot_be_are_refused(
    tmp_path: Path, where: tuple[str, str], value: object, message: str
) -> None:
    folder = write_published(tmp_path / "bad")
    options = TINY.to_json()
    options[where[0]][where[1]] = value
    (folder / "tiny_options.json").write_text(json.dumps(options))

    with pytest.raises(BadWeights) as refused:
        load(folder, tmp_path)

    assert message in str(refused.value)


def test_a_folder_without_one_pair_of_files_is_refused(tmp_path: Path) -> None:
    folder = write_published(tmp_path / "two")
    shutil.copy(folder / "tiny_weights.hdf5", folder / "other_weights.hdf5")

    with pytest.raises(BadWeights, match=r"one file \*weights.hdf5, found other_weights.hdf5, tiny_weights.hdf5"):
        load(folder, tmp_path)
    (folder / "tiny_weights.hdf5").write_bytes(b"not HDF5")
    (folder / "other_weights.hdf5").unlink()
    with pytest.raises(BadWeights, match="expected an HDF5 file"):
        load(folder, tmp_path)
    with pytest.raises(MissingPath):
        load(tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize("query", ["layer=7", "layer=top", "state=carry", "depth=2"])
def test_settings_it_does_not_have_are_refused(folder: Path, cache: Path, query: str) -> None:
    with pytest.raises(Invalid):
        load(f"{folder}?{query}", cache)


def test_without_a_folder_it_says_what_to_give(cache: Path) -> None:
    with pytest.raises(Invalid, match="name a folder"):
        load("", cache)


def test_a_saved_encoder_whose_card_or_weights_were_changed_is_refused(
    encoder: ElmoEncoder, cache: Path, tmp_path: Path
) -> None:
    encoder.save(tmp_path / "saved")
    card = json.loads((tmp_path / "saved" / "encoder.json").read_text())
    card["settings"]["gamma"] = 2.0
    (tmp_path / "saved" / "encoder.json").write_text(json.dumps(card))

    with pytest.raises(BadWeights, match="the saved encoder"):
        load(tmp_path / "saved", cache)
    (tmp_path / "saved" / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(BadWeights, match="a safetensors file"):
        load(tmp_path / "saved", cache)


def test_a_damaged_file_is_refused_or_reads_as_numbers_and_raises_nothing_else(tmp_path: Path) -> None:
    folder = write_published(tmp_path / "damaged")
    path = folder / "tiny_weights.hdf5"
    sound = path.read_bytes()
    chance = random.Random(1)
    outcomes = Counter[str]()
    for number in range(150):
        damaged = bytearray(sound if number % 3 else sound[: chance.randrange(len(sound))])
        for _ in range(20 if number % 3 else 0):
            damaged[chance.randrange(20_000)] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            outcomes["read"] += all(np.isfinite(tensor).all() for tensor in read_published(folder).tensors.values())
        except BadWeights:
            outcomes["refused"] += 1

    assert outcomes.total() == 150
    assert outcomes["refused"] > 75


def test_each_distinct_word_is_read_from_its_characters_once(encoder: ElmoEncoder) -> None:
    class Recording(BiLM):
        def table(self, words: Sequence[str]) -> torch.Tensor:
            read.append(list(words))
            return super().table(words)

    read: list[list[str]] = []
    copy = encoder.using()
    copy._bilm = Recording(copy.model.options, copy._bilm.weights)

    found = copy.encode_passages([TEXT, "The river bank.", TEXT], "passage")

    assert read == [["They", "sat", "on", "the", "river", "bank", ".", "The", "lends", "money"]]
    assert np.array_equal(found, encoder.encode_passages([TEXT, "The river bank.", TEXT], "passage"))


@pytest.mark.parametrize("gamma", [float("nan"), float("inf"), True, "1"])
def test_a_saved_mix_that_is_no_number_is_refused(
    encoder: ElmoEncoder, cache: Path, tmp_path: Path, gamma: object
) -> None:
    encoder.save(tmp_path / "saved")
    card = json.loads((tmp_path / "saved" / "encoder.json").read_text())
    card["settings"]["gamma"] = gamma
    (tmp_path / "saved" / "encoder.json").write_text(json.dumps(card))

    with pytest.raises(BadWeights, match="3 scalars and a gamma"):
        load(tmp_path / "saved", cache)
