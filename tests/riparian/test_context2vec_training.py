"""Training both kinds: they learn, can be repeated and resumed, and say what they are."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from riparian.encoders.context2vec import awe_training, training
from riparian.encoders.context2vec.awe_loading import load as load_awe
from riparian.encoders.context2vec.corpus import gather
from riparian.encoders.context2vec.loading import load as load_lstm
from riparian.encoders.context2vec.network import Sizes
from riparian.encoders.context2vec.objective import frequency_ranks, loss, ranks, shares
from riparian.encoders.context2vec.settings import AweSettings, Settings
from riparian.encoders.options import Options
from riparian.errors import BadWeights, Conflict, Invalid
from tests.evaldata import folder as data_folder

SMALL = Settings(unit=12, trim=2, epochs=4, batch_words=256, learning_rate=2e-2, held_out=0.1)
SHORT = replace(SMALL, epochs=1)
AWE = AweSettings(dimension=16, trim=2, epochs=2, sample=0.0)


def grammar(count: int, seed: int = 1) -> list[str]:
    """Sentences in which the words around a noun say which it is."""
    numbers = np.random.default_rng(seed)
    facts = [
        ("duck", "swims in", "river"),
        ("bank", "lends", "money"),
        ("clerk", "counts", "coins"),
        ("reader", "opens", "book"),
        ("cook", "boils", "soup"),
    ]
    adjectives = ["old", "small", "busy", "quiet"]
    found = []
    for _ in range(count):
        noun, verb, thing = facts[numbers.integers(len(facts))]
        first, second = (adjectives[number] for number in numbers.integers(4, size=2))
        found.append(f"The {first} {noun} {verb} the {second} {thing} {numbers.integers(60)} times.")
    return found


def test_the_loss_is_that_of_negative_sampling_with_the_context_in_the_centre() -> None:
    numbers = np.random.default_rng(1)
    contexts, targets = numbers.normal(size=(7, 5)), numbers.normal(size=(11, 5))
    own, noise = numbers.integers(11, size=7), numbers.integers(11, size=(7, 4))

    def log_sigmoid(x: float) -> float:
        return float(-np.log1p(np.exp(-x)))

    expected = 0.0
    for row in range(7):
        expected -= log_sigmoid(targets[own[row]] @ contexts[row])
        for other in noise[row]:
            expected -= log_sigmoid(-(targets[other] @ contexts[row]))
    measured = loss(*(torch.from_numpy(value) for value in (contexts, own, noise, targets)))

    assert float(measured) == pytest.approx(expected, abs=1e-9)


def test_noise_is_drawn_by_count_to_the_power_of_three_quarters() -> None:
    found = shares(np.array([16, 0, 0, 81, 1]))

    assert found.numpy() == pytest.approx(np.array([8, 0, 0, 27, 1]) / 36)


def test_equal_scores_rank_last() -> None:
    contexts, zero = torch.ones(1, 2), torch.zeros(8, 2)
    better = zero.clone()
    better[5] = 1.0

    assert ranks(contexts, torch.tensor([4]), zero).tolist() == [5]
    assert ranks(contexts, torch.tensor([5]), better).tolist() == [1]
    assert ranks(contexts, torch.tensor([4]), better).tolist() == [5]
    assert frequency_ranks(np.array([3, 4, 6]), np.array([9, 0, 0, 5, 2, 2, 1])).tolist() == [1, 3, 4]


def test_start_weights_are_those_of_the_published_training_code() -> None:
    found = training.initial(Sizes(4_000, 40, 80, 80), seed=1)

    assert not found["loss_func/W"].any()
    assert found["l2r_embed/W"].std() == pytest.approx(4_000**-0.5, rel=0.02)
    assert found["l3/W"].std() == pytest.approx(160**-0.5, rel=0.02)
    assert found["l2r_1/upward/b"][:8].tolist() == [0, 0, 1, 0, 0, 0, 1, 0]


def test_slots_of_held_out_text_are_filled_better_than_by_frequency() -> None:
    encoder = training.train(grammar(500), SMALL, seed=1, workers=1)
    report = encoder.info.extra["training"]
    best = [word for word, _ in encoder.substitutes("The old bank lends the busy money 4 times.", 2, most=1)]

    assert report["mean_reciprocal_rank"] > 1.6 * report["frequency_reciprocal_rank"]
    assert report["held_out_sentences"] + report["sentences"] == 500
    assert best == ["bank"]


def test_the_card_says_that_it_was_trained_here_and_saving_keeps_it(tmp_path: Path) -> None:
    encoder = training.train(
        grammar(60), replace(SHORT, name="archive", languages=("en",), vectors="context"), 1, workers=1
    )
    encoder.save(tmp_path / "saved")
    saved = load_lstm(str(tmp_path / "saved"), Options(tmp_path, device="cpu", threads=1))

    assert (saved.info.origin, saved.info.name, saved.info.languages) == ("trained-here", "archive", ("en",))
    assert saved.info.extra["training"] == encoder.info.extra["training"]
    assert saved.fingerprint() == encoder.fingerprint()


def test_the_seed_alone_decides() -> None:
    first, again, other = (training.train(grammar(60), SHORT, seed, workers=1).fingerprint() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = training.train(grammar(60), SMALL, seed=3, workers=1)
    path, seen = tmp_path / "run.safetensors", list[int]()

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if done == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        training.train(grammar(60), SMALL, 3, stop, checkpoint=path, workers=1)
    resumed = training.train(grammar(60), SMALL, 3, lambda done, _: seen.append(done), checkpoint=path, workers=1)

    assert seen == list(range(1, seen[-1] + 1))
    assert resumed.fingerprint() == whole.fingerprint()
    with pytest.raises(Conflict, match="other settings or text"):
        training.train(grammar(60), SMALL, 4, checkpoint=path, workers=1)


def test_too_little_text_is_refused() -> None:
    with pytest.raises(Invalid, match="1 sentences with 3 words are too few"):
        training.train(["One sentence."], SHORT, seed=1, workers=1)
    with pytest.raises(Invalid, match="too few"):
        awe_training.train([""], AWE, seed=1)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"unit": 0}, {"held_out": 1.0}, {"clip_norm": 0}, {"vectors": "x"}])
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(SMALL, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"window": -1}, {"sample": 1.0}, {"dimension": 0}, {"vectors": "x"}])
def test_settings_of_averages_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(AWE, **change)  # type: ignore[arg-type]


def test_rare_words_are_counted_as_unknown_and_marks_are_never_words() -> None:
    corpus = gather(["Ducks swim ducks swim. Nobody saw ducks! Alone.", "<UNK> ducks"], trim=2, held_out=0.0, seed=1)

    assert corpus.vocabulary.words == ("<UNK>", "<BOS>", "<EOS>", "ducks", ".", "swim")
    assert corpus.train == (
        ("ducks", "swim", "ducks", "swim", "."),
        ("nobody", "saw", "ducks", "!"),
        ("alone", "."),
        ("<", "unk", ">", "ducks"),
    )
    assert corpus.counts.tolist() == [7, 0, 0, 4, 2, 2]


def test_averages_trained_here_put_words_of_one_subject_together_and_say_so(tmp_path: Path) -> None:
    settings = replace(AWE, epochs=10, stop_words="en", idf=True, name="archive")
    encoder = awe_training.train(grammar(400), settings, seed=1)
    encoder.save(tmp_path / "saved")
    saved = load_awe(str(tmp_path / "saved"), Options(tmp_path))
    words = saved.table.words
    rows = saved.table.targets / np.linalg.norm(saved.table.targets, axis=1, keepdims=True)
    near = {word: rows[words.index("bank")] @ rows[words.index(word)] for word in ("money", "soup", "coins")}

    assert near["money"] == max(near.values())
    assert (saved.info.origin, saved.info.method, saved.info.name) == ("trained-here", "as-described", "archive")
    assert saved.info.extra["idf"]
    assert saved.fingerprint() == encoder.fingerprint()
    assert encoder.info.extra["training"]["words"] == sum(len(text.split()) + 1 for text in grammar(400))


def test_averages_are_repeatable_and_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awe_training, "_PIECE", 40)
    path, seen = tmp_path / "run.safetensors", list[int]()
    whole, again, other = (awe_training.train(grammar(100), AWE, seed) for seed in (1, 1, 2))

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if done == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        awe_training.train(grammar(100), AWE, 1, stop, checkpoint=path)
    resumed = awe_training.train(grammar(100), AWE, 1, lambda done, _: seen.append(done), checkpoint=path)

    assert whole.fingerprint() == again.fingerprint() == resumed.fingerprint() != other.fingerprint()
    assert seen == [1, 2, 3, 4, 5, 6]
    with pytest.raises(Conflict, match="other settings or text"):
        awe_training.train(grammar(100), AWE, 2, checkpoint=path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BadWeights, match="a safetensors file"):
        awe_training.train(grammar(100), AWE, 1, checkpoint=path)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_on_real_text_held_out_words_rank_twice_as_high_as_after_the_first_epoch() -> None:
    path = data_folder("topics-state-of-the-union") / "docs.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    first, last = (
        training.train(texts, Settings(unit=50, epochs=epochs), seed=1, workers=1).info.extra["training"]
        for epochs in (1, 12)
    )

    assert last["mean_reciprocal_rank"] >= 2 * first["mean_reciprocal_rank"]
    assert last["mean_reciprocal_rank"] > 1.8 * last["frequency_reciprocal_rank"]
