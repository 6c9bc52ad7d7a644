"""Training a small biLM: it learns, it can be repeated and resumed, and it says what it is."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from riparian.device import Device
from riparian.encoders.elmo.corpus import FIRST_WORD, UNKNOWN, Vocabulary, gather, plan
from riparian.encoders.elmo.encoder import ElmoEncoder
from riparian.encoders.elmo.loading import load
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.network import BiLM
from riparian.encoders.elmo.objective import Noise, Predictions, loss, predictions, unigram_loss
from riparian.encoders.elmo.settings import Settings
from riparian.encoders.elmo.training import train
from riparian.encoders.options import Options
from riparian.encoders.pooling import unit_rows
from riparian.encoders.words import align
from riparian.errors import BadWeights, Conflict, Invalid
from tests.evaldata import folder as data_folder
from tests.riparian.elmo_models import TINY, tensors

TINY_SETTINGS = Settings(
    filters=((1, 8), (2, 8), (3, 8)),
    char_dim=8,
    highway=1,
    projection=16,
    cell=32,
    vocabulary=200,
    samples=16,
    epochs=3,
    batch_words=256,
    learning_rate=2e-2,
    dropout=0.0,
    held_out=0.1,
)
SHORT = replace(TINY_SETTINGS, epochs=1, dropout=0.1)


def grammar(count: int, seed: int = 1) -> list[str]:
    """Sentences whose verb agrees with a noun two words before it, and whose end follows from their beginning."""
    numbers = np.random.default_rng(seed)
    nouns = [("duck", "swims"), ("ducks", "swim"), ("bank", "lends"), ("banks", "lend"), ("clerk", "counts")]
    ends = {"swims": "in the river", "swim": "in the river", "lends": "money", "lend": "money", "counts": "coins"}
    adverbs = ["often", "never", "always", "rarely"]
    adjectives = ["old", "small", "busy", "quiet"]
    found = []
    for _ in range(count):
        noun, verb = nouns[numbers.integers(len(nouns))]
        adjective, adverb = adjectives[numbers.integers(4)], adverbs[numbers.integers(4)]
        found.append(f"The {adjective} {noun} {adverb} {verb} {ends[verb]} {numbers.integers(100)} times.")
    return found


def test_both_directions_beat_word_frequencies_on_held_out_text() -> None:
    encoder = train(grammar(900), TINY_SETTINGS, seed=1, workers=1)
    report = encoder.info.extra["training"]

    assert report["perplexity_forward"] < 0.4 * report["unigram_forward"]
    assert report["perplexity_backward"] < 0.4 * report["unigram_backward"]
    assert report["held_out_sentences"] + report["sentences"] == 900


def test_the_card_says_that_it_was_trained_here_and_saving_keeps_it(tmp_path: Path) -> None:
    encoder = train(grammar(80), replace(SHORT, name="archive", languages=("en",)), seed=1, workers=1)
    encoder.save(tmp_path / "saved")
    saved = load(str(tmp_path / "saved"), Options(tmp_path, device="cpu", threads=1))

    assert (saved.info.origin, saved.info.name, saved.info.languages) == ("trained-here", "archive", ("en",))
    assert "words of 80 texts" in saved.info.provenance
    assert saved.info.extra["training"] == encoder.info.extra["training"]
    assert saved.fingerprint() == encoder.fingerprint()
    assert saved.info.extra["initial_state"] == "zero"


def test_the_seed_alone_decides() -> None:
    first, again, other = (train(grammar(80), SHORT, seed, workers=1).fingerprint() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = train(grammar(80), SHORT, seed=3, workers=1)
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(grammar(80), SHORT, 3, stop, checkpoint=tmp_path / "run.safetensors", workers=1)
    resumed = train(
        grammar(80),
        SHORT,
        3,
        lambda done, total: seen.append((done, total)),
        checkpoint=tmp_path / "run.safetensors",
        workers=1,
    )

    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))
    assert resumed.fingerprint() == whole.fingerprint()


def test_the_checkpoint_of_another_run_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(grammar(40), SHORT, 1, checkpoint=path, workers=1)

    with pytest.raises(Conflict, match="other settings or text"):
        train(grammar(40), SHORT, 2, checkpoint=path, workers=1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadWeights, match="a safetensors file"):
        train(grammar(40), SHORT, 1, checkpoint=path, workers=1)


def test_too_little_text_is_refused() -> None:
    with pytest.raises(Invalid, match="1 sentences are too few"):
        train(["One sentence."], SHORT, seed=1, workers=1)


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"learning_rate": 2.0},
        {"clip_norm": float("nan")},
        {"dropout": 1.0},
        {"projection": 64, "cell": 64},
        {"filters": ()},
    ],
)
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(TINY_SETTINGS, **change)  # type: ignore[arg-type]


def test_rare_words_and_marks_are_counted_as_what_they_are_predicted_as() -> None:
    corpus = gather(["a a a b b c. a b d."] * 1 + grammar(30), most_bytes=48, vocabulary=3, held_out=0.2, seed=1)
    vocabulary = corpus.vocabulary
    words = [word for sentence in corpus.train for word in sentence]

    assert vocabulary.counts.sum() == len(words) + 2 * len(corpus.train)
    assert list(vocabulary.counts[FIRST_WORD:]) == [words.count(word) for word in vocabulary.words]
    assert vocabulary.targets(["no such word"]) == [UNKNOWN]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 5), st.integers(0, 5))
def test_equal_sentences_are_never_on_both_sides_and_each_is_learnt_once_an_epoch(seed: int, epoch: int) -> None:
    corpus = gather(grammar(60) * 2, most_bytes=48, vocabulary=50, held_out=0.3, seed=seed)

    assert not set(corpus.train) & set(corpus.held_out)
    planned = plan(corpus.train, 64, seed, epoch)
    assert sorted(at for batch in planned for at in batch) == list(range(len(corpus.train)))


def test_each_direction_predicts_the_next_word_in_its_reading_order() -> None:
    bilm = BiLM(TINY, {name: torch.from_numpy(tensor) for name, tensor in tensors().items()})
    vocabulary = Vocabulary(("a", "b"), np.array([1, 1, 1, 1, 1]), {"a": 3, "b": 4})

    forward, backward = predictions(bilm, [("a", "b"), ("x",)], vocabulary)

    assert forward.targets.tolist() == [3, 4, 2, 0, 2]
    assert backward.targets.tolist() == [4, 3, 1, 0, 1]
    assert forward.states.shape == backward.states.shape == (5, TINY.projection)


def test_the_sampled_softmax_estimates_the_whole_one_and_its_gradient() -> None:
    chance = torch.Generator().manual_seed(1)
    kernel, bias = torch.randn(40, 8, generator=chance), torch.randn(40, generator=chance)
    kernel.requires_grad_()
    found = Predictions(torch.randn(30, 8, generator=chance), torch.randint(40, (30,), generator=chance))
    shares = torch.rand(40, generator=chance).softmax(dim=0)
    (whole,) = torch.autograd.grad(loss(found, kernel, bias, None), kernel)
    total = torch.zeros_like(whole)
    for _ in range(20):
        numbers = torch.multinomial(shares, 8_000, replacement=True, generator=chance)
        sampled = loss(found, kernel, bias, Noise(numbers, (shares * 8_000).log()))
        total += torch.autograd.grad(sampled, kernel)[0] / 20

    assert float((total - whole).norm() / whole.norm()) < 0.02


def test_the_unigram_loss_is_minus_the_log_of_smoothed_frequencies() -> None:
    vocabulary = Vocabulary(("a",), np.array([0, 1, 1, 4]), {"a": 3})

    assert unigram_loss(torch.tensor([3, 0]), vocabulary) == pytest.approx(-np.log(5 / 10) - np.log(1 / 10))


def layer_0(encoder: ElmoEncoder, words: list[str]) -> np.ndarray:
    found = encoder.using(mix=Mix.only(0, 3)).encode_passages(words, "passage")
    return np.asarray(found)


@pytest.fixture(scope="module")
def speeches() -> ElmoEncoder:
    """A small biLM of 45 speeches, 250,000 words: a minute of one core."""
    small = Settings(
        filters=((1, 16), (2, 16), (3, 32), (4, 32)),
        projection=64,
        cell=256,
        vocabulary=6_000,
        samples=512,
        epochs=1,
        batch_words=512,
        learning_rate=8e-3,
        held_out=0.03,
    )
    return train(speech_texts(), small, seed=1, workers=1)


def speech_texts() -> list[str]:
    path = data_folder("topics-state-of-the-union") / "docs.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["text"] for line in file][-45:]


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first of them trains the model
def test_real_text_is_predicted_in_half_the_perplexity_of_word_frequencies(speeches: ElmoEncoder) -> None:
    report = speeches.info.extra["training"]

    print({key: value for key, value in report.items() if key != "settings"})  # noqa: T201
    assert report["perplexity_forward"] < 0.5 * report["unigram_forward"]
    assert report["perplexity_backward"] < 0.5 * report["unigram_backward"]


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first of them trains the model
def test_an_inflection_never_seen_lies_nearer_to_its_word_than_other_words(speeches: ElmoEncoder) -> None:
    seen = {token for tokens in speeches.tokenize(speech_texts()) for token in tokens.tokens}
    plain = [word for word in sorted(seen) if word.isalpha() and word.islower() and 5 <= len(word) <= 9]
    lacking = [word for word in plain if word[-1] not in "shxyz" and f"{word}s" not in seen]
    words = [lacking[at] for at in np.linspace(0, len(lacking) - 1, 100).astype(int)]

    near = layer_0(speeches, [f"{word}s" for word in words]) @ layer_0(speeches, words).T
    own, others = near.diagonal(), (near.sum(axis=1) - near.diagonal()) / 99

    print(own.mean(), others.mean())  # noqa: T201
    assert own.mean() > others.mean() + 0.1
    assert (own > others).mean() > 0.9


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first of them trains the model
def test_the_senses_of_bank_are_told_apart_above_the_characters_only(speeches: ElmoEncoder) -> None:
    path = data_folder("wsd-coarsewsd20") / "sentences.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["word"] == "bank"]
    senses = sorted({row["sense"] for row in rows})
    chosen = [[row for row in rows if row["sense"] == sense and row["token"] == "bank"][:60] for sense in senses]

    right = [neighbours_agree(speeches.using(mix=Mix.only(layer, 3)), chosen) for layer in range(3)]

    print(right)  # noqa: T201
    assert right[2] > 0.65
    assert right[2] > right[0] + 0.1


def neighbours_agree(encoder: ElmoEncoder, senses: list[list[dict[str, Any]]]) -> float:
    """Share of the occurrences whose nearest other one, after centring, has the same sense."""
    vectors, labels = [], []
    for label, rows in enumerate(senses):
        for row, encoding in zip(rows, encoder.encode_tokens([row["text"] for row in rows]), strict=True):
            start = len("".join(f"{token} " for token in row["text"].split(" ")[: row["position"]]))
            vectors.append(align(encoding, [(start, start + len(row["token"]))]).vectors[0])
            labels.append(label)
    rows_ = unit_rows(np.array(vectors) - np.mean(vectors, axis=0))
    likeness = rows_ @ rows_.T - 2 * np.eye(len(rows_))
    return float((np.array(labels)[likeness.argmax(axis=1)] == np.array(labels)).mean())


def test_weights_that_are_no_numbers_any_more_become_no_encoder(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    train(grammar(40), SHORT, 1, checkpoint=path, workers=1)
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
    found = load_file(path)
    found["model/char_embed"][5, 1] = torch.nan
    save_file(found, path, metadata=about)

    with pytest.raises(Invalid, match="give a lower one"):
        train(grammar(40), SHORT, 1, checkpoint=path, workers=1)


def test_an_encoder_is_trained_where_it_is_asked_to_be() -> None:
    assert train(grammar(40), SHORT, 1, workers=1)._device == Device("cpu", "asked for")
