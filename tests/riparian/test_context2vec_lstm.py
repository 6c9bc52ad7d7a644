"""context2vec with LSTMs: what a slot sees, the published files, and the encoder's contract."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders import registry
from riparian.encoders.checks import CHECKS, Subject
from riparian.encoders.context2vec.encoder import MAX_SENTENCE, LstmEncoder
from riparian.encoders.context2vec.loading import load as load_kind
from riparian.encoders.context2vec.network import TARGETS, Network, Sizes, to_published, to_torch
from riparian.encoders.context2vec.published import read_npz
from riparian.encoders.context2vec.vocabulary import FIRST_WORD, Vocabulary
from riparian.encoders.options import Options
from riparian.errors import BadWeights, Invalid, MissingPath
from tests.riparian.context2vec_models import SIZES, WORDS, tensors, write_published

TEXT = "They sat by the river bank and watched ducks swim in the river."
SHALLOW = replace(SIZES, deep=False)

numbers = st.integers(0, len(WORDS) - 1)
rows = st.lists(numbers, min_size=2, max_size=12)


def network(sizes: Sizes = SIZES) -> Network:
    return Network(sizes, tensors(sizes)).eval()


def contexts(model: Network, sentences: list[list[int]]) -> torch.Tensor:
    with torch.inference_mode():
        return model(sentences)


def load(argument: Path | str, cache: Path) -> LstmEncoder:
    return load_kind(str(argument), Options(cache, device="cpu", threads=1))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_published(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def encoder(folder: Path, cache: Path) -> LstmEncoder:
    return load(folder, cache)


@pytest.mark.parametrize("sizes", [SIZES, SHALLOW], ids=["deep", "shallow"])
def test_a_slot_is_blind_to_its_own_word_bit_for_bit_and_sees_every_other(sizes: Sizes) -> None:
    model = network(sizes)
    sentence = [number % len(WORDS) for number in range(4, 11)]
    for at in range(len(sentence)):
        before = contexts(model, [sentence])[0, at]
        for other in range(len(WORDS)):  # UNK among them
            replaced = [*sentence[:at], other, *sentence[at + 1 :]]
            assert torch.equal(contexts(model, [replaced])[0, at], before)
        for elsewhere in set(range(len(sentence))) - {at}:
            changed = [*sentence[:elsewhere], 0, *sentence[elsewhere + 1 :]]
            assert not torch.allclose(contexts(model, [changed])[0, at], before, atol=1e-6)


def test_the_encoder_gives_a_slot_the_same_bits_under_fifty_words_known_or_not(folder: Path, cache: Path) -> None:
    encoder = load(f"{folder}?vectors=context", cache)
    others = [word for word in WORDS[FIRST_WORD:] if word.isalpha()][:30] + [f"unheard{number}" for number in range(20)]
    expected = encoder.encode_tokens([TEXT])[0]
    at = expected.tokens.index("bank")

    for other in others:
        found = encoder.encode_tokens([TEXT.replace("bank", other)])[0]
        assert found.tokens[at] == other
        assert np.array_equal(found.vectors[at], expected.vectors[at])
    assert len(others) == 50


@settings(deadline=None, max_examples=30)
@given(rows)
def test_order_matters(sentence: list[int]) -> None:
    left = sentence[::-1]
    model = network()

    same = torch.allclose(
        contexts(model, [[*sentence, 3]])[0, -1], contexts(model, [[*left, 3]])[0, len(left)], atol=1e-7
    )

    assert same == (left == sentence)


@settings(deadline=None, max_examples=30)
@given(st.lists(rows, min_size=1, max_size=6))
def test_a_sentence_has_the_same_contexts_alone_and_padded_beside_others(sentences: list[list[int]]) -> None:
    model = network()

    together = contexts(model, sentences)

    for sentence, found in zip(sentences, together, strict=True):
        assert torch.allclose(contexts(model, [sentence])[0], found[: len(sentence)], atol=1e-5)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def by_hand(found: dict[str, np.ndarray], way: str, words: list[int]) -> np.ndarray:
    """The published LSTM in float64: row 4k+g of a gate matrix belongs to unit k; g = candidate, input, forget,
    output."""
    w = {name: tensor.astype(np.float64) for name, tensor in found.items() if name.startswith(f"{way}_")}
    h = c = np.zeros(SIZES.hidden)
    for word in words:
        gates = w[f"{way}_1/upward/W"] @ w[f"{way}_embed/W"][word] + w[f"{way}_1/upward/b"]
        gates = gates + w[f"{way}_1/lateral/W"] @ h
        candidate, enter, forget, leave = (gates[g::4] for g in range(4))
        c = sigmoid(forget) * c + sigmoid(enter) * np.tanh(candidate)
        h = sigmoid(leave) * np.tanh(c)
    return h


@pytest.mark.parametrize("sizes", [SIZES, SHALLOW], ids=["deep", "shallow"])
def test_a_published_file_gives_what_its_gates_give_by_hand(sizes: Sizes, tmp_path: Path, cache: Path) -> None:
    found = tensors(sizes)
    encoder = load(write_published(tmp_path / "model", sizes, found), cache)
    sentence = [7, 5, 3, 9]
    measured = contexts(encoder.network, [sentence])[0].numpy()

    for at in range(len(sentence)):
        left = by_hand(found, "l2r", [1, *sentence[:at]])
        right = by_hand(found, "r2l", [2, *sentence[:at:-1]])
        if sizes.deep:
            merged = np.maximum(found["l3/W"] @ np.concatenate([left, right]) + found["l3/b"], 0)
            expected = found["l4/W"] @ merged + found["l4/b"]
        else:
            expected = np.concatenate(
                [found[f"lp_{way}/W"] @ h + found[f"lp_{way}/b"] for way, h in (("l2r", left), ("r2l", right))]
            )
        assert np.abs(measured[at] - expected).max() < 1e-6 * max(1, np.abs(expected).max())


def test_gates_go_to_torch_and_back_unchanged() -> None:
    gates = np.arange(24, dtype=np.float32).reshape(12, 2)

    assert to_torch(gates)[:, 0].tolist() == [2, 10, 18, 4, 12, 20, 0, 8, 16, 6, 14, 22]
    assert np.array_equal(to_published(to_torch(gates)), gates)
    published = network().published()
    assert published.keys() == SIZES.shapes().keys()
    assert all(np.array_equal(published[name], tensor) for name, tensor in tensors().items())


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_with_contexts_alone_it_keeps_the_contract(
    check: Callable[[Subject], None], folder: Path, cache: Path, tmp_path: Path
) -> None:
    check(Subject(load(f"{folder}?vectors=context", cache), lambda saved: load(saved, cache), tmp_path))


def test_its_card_says_what_it_is(encoder: LstmEncoder, folder: Path) -> None:
    info = encoder.info

    assert (info.kind, info.name, info.spec) == ("context2vec-lstm", "tiny", f"context2vec-lstm:{folder}")
    assert (info.origin, info.method, info.contextual) == ("published", "published", "left-right")
    assert (info.token_dim, info.passage_dim, info.max_tokens) == (24, 24, None)


def test_a_token_vector_is_the_unit_word_beside_its_unit_context(encoder: LstmEncoder) -> None:
    found = encoder.encode_tokens(["The river Bank."])[0]
    target = tensors()[TARGETS][WORDS.index("bank")]
    context = contexts(encoder.network, [Vocabulary(WORDS).numbers(found.tokens)])[0, 2].numpy()

    assert np.allclose(found.vectors[2, :12], target / np.linalg.norm(target), atol=1e-6)
    assert np.allclose(found.vectors[2, 12:], context / np.linalg.norm(context), atol=1e-6)


def test_an_unknown_word_has_a_context_only_and_a_lone_one_nothing(encoder: LstmEncoder) -> None:
    found = encoder.encode_tokens(["the unheard river", "unheard unseen", "bank", "<UNK>"])

    assert not found[0].vectors[1, :12].any()
    assert found[0].vectors[1, 12:].any()
    assert not found[1].known.any()
    assert found[2].known.all()
    assert not found[2].vectors[0, 12:].any()
    assert not encoder.encode_passages(["unheard unseen"], "passage").any()


def test_the_sense_of_a_sentence_never_comes_from_another(encoder: LstmEncoder) -> None:
    alone, together = encoder.encode_tokens(["They sat by the river.", "The bank lends money. They sat by the river."])

    assert np.allclose(together.vectors[-len(alone.tokens) :], alone.vectors, atol=1e-5)


def test_a_sentence_longer_than_a_window_keeps_a_context_for_every_word(encoder: LstmEncoder) -> None:
    found = encoder.encode_tokens([" ".join(["the river bank lends money"] * MAX_SENTENCE)])[0]

    assert len(found.tokens) == 5 * MAX_SENTENCE
    assert found.vectors[:, 12:].any(axis=1).all()


def test_substitutes_are_the_words_nearest_to_the_slot_and_never_a_mark(encoder: LstmEncoder) -> None:
    found = encoder.substitutes("The river bank", 2, most=100)
    vector = contexts(encoder.network, [Vocabulary(WORDS).numbers(["the", "river", "bank"])])[0, 2].numpy()
    best = tensors()[TARGETS][WORDS.index(found[0][0])]

    assert sorted(word for word, _ in found) == sorted(WORDS[FIRST_WORD:])
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert found[0][1] == pytest.approx(best @ vector / np.linalg.norm(best) / np.linalg.norm(vector), abs=1e-6)
    assert found == encoder.substitutes("The river money", 2, most=100)
    with pytest.raises(Invalid, match="3 words"):
        encoder.substitutes("The river bank", 3)


def test_every_setting_has_a_fingerprint_of_its_own_and_saving_keeps_it(
    folder: Path, cache: Path, tmp_path: Path
) -> None:
    changed = tensors()
    changed["l3/b"] = changed["l3/b"] + np.float32(1e-3)
    plain, context = load(folder, cache), load(f"{folder}?vectors=context", cache)
    others = [
        load(write_published(tmp_path / "changed", found=changed), cache),
        load(write_published(tmp_path / "shallow", SHALLOW), cache),
    ]
    context.save(tmp_path / "saved")

    assert len({each.fingerprint() for each in [plain, context, *others]}) == 4
    assert load(tmp_path / "saved", cache).fingerprint() == context.fingerprint()
    assert load(f"{tmp_path / 'saved'}?vectors=both", cache).fingerprint() == plain.fingerprint()
    again = registry.load(context.info.spec, cache_dir=cache, device="cpu", threads=1)
    assert again.info == context.info


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        ({"l4/b": None}, "tensor l4/b of shape (12,)", "no such tensor"),
        ({"l2r_1/lateral/W": np.zeros((12, 48))}, "tensor l2r_1/lateral/W of shape (48, 12)", "shape (12, 48)"),
        ({"l3/b": np.full(24, np.nan)}, "finite numbers in tensor l3/b", "NaN or infinity"),
        ({"l3/b": np.ones(24, dtype=np.int64)}, "tensor l3/b of floating point numbers", "int64"),
        (
            {"loss_func/W": np.zeros((len(WORDS), 10), dtype=np.float32)},
            f"tensor loss_func/W of shape ({len(WORDS)}, 12)",
            f"shape ({len(WORDS)}, 10)",
        ),
    ],
)
def test_a_tensor_that_is_not_as_it_must_be_is_named(
    change: dict[str, np.ndarray | None], expected: str, found: str, tmp_path: Path, cache: Path
) -> None:
    weights = {name: tensor for name, tensor in (tensors() | change).items() if tensor is not None}

    with pytest.raises(BadWeights) as refused:
        load(write_published(tmp_path / "bad", found=weights), cache)

    assert (refused.value.expected, refused.value.found) == (expected, found)


class Payload:
    ran: ClassVar[list[int]] = []

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return Payload.ran.append, (1,)


def test_a_pickled_array_is_refused_and_never_run(tmp_path: Path, cache: Path) -> None:
    folder = write_published(tmp_path / "pickled")
    with (folder / "tiny").open("wb") as file:
        np.savez(file, **(tensors() | {"l3/b": np.array([Payload()], dtype=object)}))

    with pytest.raises(BadWeights, match="plain arrays"):
        load(folder, cache)
    assert Payload.ran == []


def test_a_damaged_archive_is_refused_or_reads_as_numbers_and_raises_nothing_else(tmp_path: Path) -> None:
    path = write_published(tmp_path / "damaged") / "tiny"
    sound = path.read_bytes()
    chance = random.Random(1)
    outcomes = Counter[str]()
    for number in range(120):
        damaged = bytearray(sound if number % 2 else sound[: chance.randrange(len(sound))])
        for _ in range(10 if number % 2 else 0):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            outcomes["read"] += all(np.isfinite(tensor).all() for tensor in read_npz(path, SIZES.shapes()).values())
        except BadWeights:
            outcomes["refused"] += 1

    assert outcomes.total() == 120
    assert outcomes["refused"] > 60


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("unit\t6", "unit\tsix", "a whole number from 1 under unit, found 'six'"),
        ("deep\tyes", "deep\tperhaps", "yes or no under deep, found 'perhaps'"),
        ("model_file\ttiny", "model_file\t../tiny", "a file of the same folder under model_file, found '../tiny'"),
        ("deep\tyes", "deep", "a name and a value in line 4, found 'deep'"),
        ("#\ttrain.py", "model_type\tbow_context", "model_type lstm_context, found bow_context"),
    ],
)
def test_a_params_file_that_cannot_be_is_refused(old: str, new: str, message: str, tmp_path: Path, cache: Path) -> None:
    path = write_published(tmp_path / "bad") / "tiny.params"
    path.write_text(path.read_text().replace(old, new))

    with pytest.raises(BadWeights) as refused:
        load(path, cache)
    assert message.split(" -u")[0] in str(refused.value)


def test_targets_without_the_marks_first_and_files_that_are_not_there_are_refused(tmp_path: Path, cache: Path) -> None:
    folder = write_published(tmp_path / "bad")
    targets = folder / "tiny.targets"
    targets.write_text(targets.read_text().replace("<BOS>", "hello"))

    with pytest.raises(BadWeights, match="the marks <UNK>, <BOS>, <EOS> first, found <UNK>, hello, <EOS>"):
        load(folder, cache)
    targets.unlink()
    with pytest.raises(MissingPath, match=r"tiny\.targets"):
        load(folder, cache)
    (folder / "tiny.params").unlink()
    with pytest.raises(BadWeights, match=r"one file \*\.params, found none"):
        load(folder, cache)
    with pytest.raises(MissingPath):
        load(tmp_path / "nowhere", cache)


@pytest.mark.parametrize("argument", ["", "{}?vectors=target", "{}?depth=2"])
def test_settings_it_does_not_have_are_refused(argument: str, folder: Path, cache: Path) -> None:
    with pytest.raises(Invalid):
        load(argument.format(folder), cache)


def test_a_saved_encoder_that_was_changed_is_refused(encoder: LstmEncoder, cache: Path, tmp_path: Path) -> None:
    encoder.save(tmp_path / "saved")
    path = tmp_path / "saved" / "encoder.json"
    sound = json.loads(path.read_text())
    for change in ({"vectors": "context"}, {"vectors": "all"}, {"sizes": {"unit": 6}}, {"training": None}):
        path.write_text(json.dumps(sound | {"settings": sound["settings"] | change}))
        with pytest.raises(BadWeights):
            load(tmp_path / "saved", cache)
    path.write_text(json.dumps(sound))
    (tmp_path / "saved" / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(BadWeights, match="a safetensors file"):
        load(tmp_path / "saved", cache)
