"""CoVe as an encoder: GloVe columns, states as torch computes them, and the files that are refused."""

from __future__ import annotations

import json
import pickle
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders import registry
from riparian.encoders.cove.encoder import MAX_SENTENCE, CoveEncoder
from riparian.encoders.cove.files import read_published
from riparian.encoders.cove.loading import load as load_kind
from riparian.encoders.cove.network import MtLstm
from riparian.encoders.options import Options
from riparian.errors import BadWeights, Invalid, MissingPath
from tests.riparian.cove_models import HIDDEN, WIDTH, tensors, tiny_cove, write_published
from tests.riparian.encoder_models import WORDS, tiny_glove, vectors

RIVER, MONEY = "the river bank of ducks", "the reserve bank left money"


def load(spec: Path | str, cache: Path) -> CoveEncoder:
    return load_kind(str(spec).removeprefix("cove:"), Options(cache, device="cpu", threads=1))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_cove(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def encoder(spec: str, cache: Path) -> CoveEncoder:
    return load(spec, cache)


def torch_lstm(width: int, hidden: int) -> torch.nn.LSTM:
    lstm = torch.nn.LSTM(width, hidden, num_layers=2, bidirectional=True, batch_first=True)
    lstm.load_state_dict(tensors(width, hidden))
    return lstm


def test_the_first_columns_are_the_glove_rows_bit_for_bit(encoder: CoveEncoder, cache: Path) -> None:
    text = f"{RIVER}. {MONEY}."
    found, static = encoder.encode_tokens([text])[0], encoder.model.glove.encode_tokens([text])[0]

    assert found.tokens == static.tokens
    assert found.vectors.shape[1] == WIDTH + 2 * HIDDEN == encoder.info.token_dim
    assert np.array_equal(found.vectors[:, :WIDTH], static.vectors)


def test_the_other_columns_are_what_torch_computes(encoder: CoveEncoder) -> None:
    rows = torch.from_numpy(np.stack([vectors()[WORDS.index(word)] for word in RIVER.split()]))
    with torch.no_grad():
        expected, _ = torch_lstm(WIDTH, HIDDEN)(rows[None])

    found = encoder.encode_tokens([RIVER])[0].vectors[:, WIDTH:]
    assert np.abs(found - expected[0].numpy()).max() <= 1e-6


def test_at_the_published_sizes_a_token_has_900_columns_and_equals_torch(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    words, matrix = ("the", "bank", "river"), vectors(("the", "bank", "river"), width=300)
    lines = (f"{word} {' '.join(map(str, row.tolist()))}\n" for word, row in zip(words, matrix, strict=True))
    path.write_text("".join(lines))
    weights = write_published(tmp_path / "mtlstm.pth", {key: 0.05 * value for key, value in tensors(300, 300).items()})
    found = load(f"{weights}?glove=glove:{path}", tmp_path).encode_tokens(["the river bank"])[0].vectors
    lstm = torch_lstm(300, 300)
    with torch.no_grad():
        for value in lstm.parameters():
            value.mul_(0.05)
        expected, _ = lstm(torch.from_numpy(matrix[[0, 2, 1]])[None])

    assert found.shape == (3, 900)
    assert np.abs(found[:, 300:] - expected[0].numpy()).max() <= 1e-6


def test_the_words_around_a_word_change_its_state_and_not_its_glove_columns(encoder: CoveEncoder) -> None:
    one, other = (each.vectors[2] for each in encoder.encode_tokens([RIVER, MONEY]))

    assert np.array_equal(one[:WIDTH], other[:WIDTH])
    assert np.abs(one[WIDTH:] - other[WIDTH:]).max() > 1e-2


def test_another_order_permutes_the_glove_columns_and_changes_the_states(encoder: CoveEncoder) -> None:
    order = [3, 1, 4, 0, 2]
    mixed = " ".join(RIVER.split()[at] for at in order)
    one, other = (each.vectors for each in encoder.encode_tokens([RIVER, mixed]))

    assert np.array_equal(one[order][:, :WIDTH], other[:, :WIDTH])
    assert (np.abs(one[order][:, WIDTH:] - other[:, WIDTH:]).max(axis=1) > 1e-3).all()


def test_unknown_words_have_zero_glove_columns_and_a_state(encoder: CoveEncoder) -> None:
    found = encoder.encode_tokens(["zyx wvu tsr"])[0]

    assert not found.vectors[:, :WIDTH].any()
    assert found.vectors[:, WIDTH:].any(axis=1).all()
    assert not encoder.encode_passages(["zyx wvu tsr"], "passage").any()


def test_words_are_looked_up_in_lower_case_unless_told_otherwise(spec: str, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("Bank 1 1 1 1 1 1 1 1\nbank 2 2 2 2 2 2 2 2\n")
    weights = write_published(tmp_path / "mtlstm.pth")
    first = [
        load(f"{weights}?glove=glove:{path}{more}", cache).encode_tokens(["Bank"])[0].vectors[0, 0]
        for more in ("", "&case=keep")
    ]

    assert first == [2.0, 1.0]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 4))
def test_padding_never_changes_a_token(lengths: list[int], more: int) -> None:
    lstm = MtLstm(WIDTH, HIDDEN)
    lstm.fill(tensors())
    lengths = sorted(lengths, reverse=True)
    batch = torch.randn(len(lengths), lengths[0] + more, WIDTH, generator=torch.Generator().manual_seed(1))
    whole = torch_lstm(WIDTH, HIDDEN)
    with torch.no_grad():
        read = lstm(batch, torch.tensor(lengths))
        for at, length in enumerate(lengths):
            expected, (output, cell) = whole(batch[at : at + 1, :length])
            assert (read.layers[1][at, :length] - expected[0]).abs().max() <= 1e-6
            assert not read.layers[1][at, length:].any()
            assert (read.outputs[1][at] - torch.cat([output[2, 0], output[3, 0]])).abs().max() <= 1e-6
            assert (read.cells[0][at] - torch.cat([cell[0, 0], cell[1, 0]])).abs().max() <= 1e-6


def test_a_sentence_starts_anew(encoder: CoveEncoder) -> None:
    alone = encoder.encode_tokens(["The bank left."])[0].vectors
    together = encoder.encode_tokens(["Ducks left the river. The bank left."])[0].vectors

    assert np.allclose(together[-len(alone) :], alone, atol=1e-6)


def test_a_sentence_longer_than_a_window_keeps_every_word(encoder: CoveEncoder) -> None:
    text = " ".join(WORDS[number % 7] for number in range(3 * MAX_SENTENCE))
    found = encoder.encode_tokens([text])[0].vectors
    short = encoder.encode_tokens([" ".join(text.split()[:100])])[0].vectors

    assert len(found) == 3 * MAX_SENTENCE
    assert found[:, WIDTH:].any(axis=1).all()
    assert np.allclose(found[:20], short[:20], atol=1e-4)


def test_a_passage_is_the_unit_mean_or_maximum_of_its_tokens(spec: str, encoder: CoveEncoder, cache: Path) -> None:
    tokens = encoder.encode_tokens([RIVER])[0].vectors
    for how, expected in (("mean", tokens.mean(axis=0)), ("max", tokens.max(axis=0))):
        row = load(f"{spec}&pooling={how}", cache).encode_passages([RIVER], "query")[0]
        assert np.allclose(row, expected / np.linalg.norm(expected), atol=1e-6)


def test_states_alone_and_both_layers_can_be_asked_for_and_are_kept_by_saving(
    spec: str, encoder: CoveEncoder, cache: Path, tmp_path: Path
) -> None:
    every = registry.load(f"{spec}&layers=all", cache_dir=cache, device="cpu", threads=1)
    alone = load(f"{spec}&vectors=cove", cache)
    rows = torch.from_numpy(encoder.model.glove.encode_tokens([RIVER])[0].vectors)
    first = torch.nn.LSTM(WIDTH, HIDDEN, bidirectional=True, batch_first=True)
    first.load_state_dict({name: value for name, value in tensors().items() if "_l0" in name})
    with torch.no_grad():
        expected, _ = first(rows[None])
    both, token = (each.encode_tokens([RIVER])[0].vectors for each in (every, encoder))

    assert both.shape[1] == WIDTH + 4 * HIDDEN
    assert np.abs(both[:, WIDTH : WIDTH + 2 * HIDDEN] - expected[0].numpy()).max() <= 1e-6
    assert np.array_equal(alone.encode_tokens([RIVER])[0].vectors, token[:, WIDTH:])
    every.save(tmp_path / "saved")
    saved = registry.load(str(tmp_path / "saved"), cache_dir=cache)
    assert saved.fingerprint() == every.fingerprint() == registry.load(every.info.spec, cache_dir=cache).fingerprint()
    assert load(f"{tmp_path / 'saved'}?layers=last", cache).fingerprint() == encoder.fingerprint()


def test_weights_word_vectors_and_every_setting_change_the_fingerprint(spec: str, cache: Path, tmp_path: Path) -> None:
    other = tmp_path / "glove.txt"
    other.write_text("bank 2 2 2 2 2 2 2 2\n")
    weights, _, glove = spec.partition("?")
    changed = tensors()
    changed["bias_hh_l1"] += 1e-3
    specs = [spec, f"{weights}?glove=glove:{other}", f"{write_published(tmp_path / 'other.pth', changed)}?{glove}"]
    specs += [f"{spec}&{more}" for more in ("vectors=cove", "layers=all", "pooling=max", "case=keep")]

    assert len({load(each, cache).fingerprint() for each in specs}) == 7


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        ("missing", "tensor bias_ih_l1_reverse of shape (24,)", "no such tensor"),
        ("shape", "tensor weight_ih_l1 of shape (24, 12)", "shape (12, 24)"),
        ("nan", "finite numbers in tensor bias_hh_l0", "NaN or infinity"),
        ("kind", "tensor weight_hh_l0_reverse of floating point numbers", "torch.int64"),
        ("more", "the 16 tensors of a two-layer bidirectional LSTM", "also weight_ih_l2"),
        ("first", "tensor weight_ih_l0 of a two-layer bidirectional LSTM", "no such tensor"),
        ("number", "a state dict of named tensors", "'epoch': int"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(tmp_path: Path, change: str, expected: str, found: str) -> None:
    state: dict[str, object] = dict(tensors())
    if change == "missing":
        del state["bias_ih_l1_reverse"]
    elif change == "shape":
        state["weight_ih_l1"] = tensors()["weight_ih_l1"].T
    elif change == "nan":
        state["bias_hh_l0"] = torch.full((24,), float("nan"))
    elif change == "kind":
        state["weight_hh_l0_reverse"] = torch.ones((24, 6), dtype=torch.int64)
    elif change == "more":
        state["weight_ih_l2"] = torch.ones(2)
    elif change == "first":
        del state["weight_ih_l0"]
    else:
        state["epoch"] = 3

    with pytest.raises(BadWeights) as refused:
        read_published(write_published(tmp_path / "bad.pth", state))

    assert (refused.value.expected, refused.value.found) == (expected, found)


class Trap:
    """What a harmful file asks to run at opening."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("harm",)


def test_a_pickle_that_holds_more_than_tensors_is_refused_and_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps({**tensors(), "x": Trap()}))

    for path in (plain, write_published(tmp_path / "zip.pth", {**tensors(), "x": Trap()})):
        with pytest.raises(BadWeights, match="a state dict of tensors and nothing else"):
            read_published(path)
    assert "harm" not in capsys.readouterr().out


def test_a_damaged_file_is_refused_or_reads_as_numbers_and_raises_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "damaged.pth"
    forms = []
    for zipped in (True, False):
        torch.save(tensors(), path, _use_new_zipfile_serialization=zipped)
        forms.append(path.read_bytes())
        assert read_published(path).keys() == tensors().keys()
    chance, outcomes = random.Random(1), Counter[str]()
    for number in range(200):
        sound = forms[number % 2]
        damaged = bytearray(sound if number % 3 else sound[: chance.randrange(len(sound))])
        for _ in range(4 if number % 3 else 0):
            damaged[chance.randrange(min(len(sound), 3_000))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            outcomes["read"] += all(np.isfinite(tensor).all() for tensor in read_published(path).values())
        except BadWeights:
            outcomes["refused"] += 1

    assert outcomes.total() == 200
    assert outcomes["refused"] > 100


@pytest.mark.parametrize("more", ["&layers=7", "&state=zero", "&vectors=glove", "&case="])
def test_settings_it_does_not_have_are_refused(spec: str, cache: Path, more: str) -> None:
    with pytest.raises(Invalid, match="cove has no setting"):
        load(f"{spec}{more}", cache)


def test_it_says_what_to_give(spec: str, cache: Path, tmp_path: Path) -> None:
    weights, _, glove = spec.partition("?")
    with pytest.raises(Invalid, match="name a file and its word vectors"):
        load("", cache)
    with pytest.raises(Invalid, match="needs the word vectors"):
        load(weights, cache)
    with pytest.raises(Invalid, match="hashing:64 is hashing"):
        load(f"{weights}?glove=hashing:64", cache)
    with pytest.raises(MissingPath):
        load(f"{tmp_path}/nowhere.pth?{glove}", cache)
    with pytest.raises(MissingPath, match=r"encoder\.json"):
        load(f"{tmp_path}?{glove}", cache)
    wide = write_published(tmp_path / "wide.pth", tensors(width=9))
    with pytest.raises(Invalid, match=r"read word vectors of 9 dimensions, glove:.* has 8"):
        load(f"{wide}?{glove}", cache)


def test_a_saved_encoder_that_was_changed_is_refused(encoder: CoveEncoder, cache: Path, tmp_path: Path) -> None:
    encoder.save(tmp_path / "saved")
    with pytest.raises(Invalid, match="holds its own word vectors"):
        load(f"{tmp_path / 'saved'}?glove=glove:{tiny_glove(tmp_path)}", cache)
    card = json.loads((tmp_path / "saved" / "encoder.json").read_text())
    for setting, message in (("max", "the saved encoder"), ("top", "mean or max under settings.pooling")):
        card["settings"]["pooling"] = setting
        (tmp_path / "saved" / "encoder.json").write_text(json.dumps(card))
        with pytest.raises(BadWeights, match=message):
            load(tmp_path / "saved", cache)


def test_its_card_says_where_it_comes_from(encoder: CoveEncoder, spec: str) -> None:
    info = encoder.info

    assert (info.kind, info.name, info.spec, info.origin) == ("cove", "mtlstm", spec, "published")
    assert info.extra["word_vectors_fingerprint"] == encoder.model.glove.fingerprint()
    assert info.extra["parameters"] == sum(tensor.numel() for tensor in tensors().values())
