"""A small BERT trained on text: it learns, it can be repeated, resumed and trained further, and others read it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from riparian.encoders import registry
from riparian.encoders.mlm import wordpiece
from riparian.encoders.mlm.corpus import blocks, framed, gather, plan
from riparian.encoders.mlm.masking import hide
from riparian.encoders.mlm.training import REPORT, train
from riparian.encoders.weights import digest, tensors, weight_files
from riparian.errors import AlreadyExists, BadWeights, Conflict, Invalid
from tests.evaldata import folder as data_folder
from tests.riparian.encoder_models import tiny_bert
from tests.riparian.trained_models import TINY_MLM, grammar


def weights(folder: Path) -> str:
    return digest(tensors(weight_files(folder)))


def test_hidden_words_are_guessed_better_than_by_frequency_and_bert_loads_the_folder(tmp_path: Path) -> None:
    small = replace(TINY_MLM, epochs=10, licence="cc0-1.0", languages=("en",))
    report = train(grammar(300), small, seed=1, into=tmp_path / "mlm", workers=1)

    assert report["accuracy"] > 1.5 * report["unigram_accuracy"]
    assert report["loss"] < 0.7 * report["unigram_loss"]
    assert json.loads((tmp_path / "mlm" / REPORT).read_text()) == json.loads(json.dumps(report))
    encoder = registry.load(f"bert:{tmp_path / 'mlm'}", cache_dir=tmp_path / "cache", device="cpu", threads=1)
    assert (encoder.info.token_dim, encoder.info.max_tokens) == (32, 30)
    assert (encoder.info.licence, encoder.info.languages) == ("cc0-1.0", ("en",))
    assert encoder.tokenize(["The old duck"])[0].offsets.tolist() == [[0, 3], [4, 7], [8, 12]]


def test_the_seed_alone_decides(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(grammar(60), TINY_MLM, seed, into=tmp_path / name, workers=1)

    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert (tmp_path / "a/tokenizer.json").read_bytes() == (tmp_path / "b/tokenizer.json").read_bytes()
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_a_run_that_was_stopped_goes_on_to_the_same_weights_and_that_of_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"

    def stop(done: int, total: int) -> None:
        if done == 1:
            raise InterruptedError

    train(grammar(60), TINY_MLM, 3, into=tmp_path / "whole", workers=1)
    with pytest.raises(InterruptedError):
        train(grammar(60), TINY_MLM, 3, stop, into=tmp_path / "part", checkpoint=path, workers=1)
    assert not (tmp_path / "part").exists()
    with pytest.raises(Conflict, match="other settings or text"):
        train(grammar(60), TINY_MLM, 4, into=tmp_path / "other", checkpoint=path, workers=1)
    heard: list[int] = []
    train(
        grammar(60),
        TINY_MLM,
        3,
        lambda done, total: heard.append(done),
        into=tmp_path / "part",
        checkpoint=path,
        workers=1,
    )

    assert heard[0] == 2
    assert weights(tmp_path / "part") == weights(tmp_path / "whole")
    with pytest.raises(AlreadyExists):
        train(grammar(60), TINY_MLM, 3, into=tmp_path / "part", workers=1)


def test_a_bert_is_trained_further_with_its_own_tokenizer_and_sizes(tmp_path: Path) -> None:
    first = train(grammar(200), replace(TINY_MLM, epochs=3), 1, into=tmp_path / "base", workers=1)
    report = train(
        grammar(200, seed=9), replace(TINY_MLM, epochs=6), 1, into=tmp_path / "more", base=tmp_path / "base", workers=1
    )

    assert report["vocabulary"] == first["vocabulary"]
    assert report["loss"] < first["loss"]
    assert Tokenizer.from_file(str(tmp_path / "more/tokenizer.json")).get_vocab() == (
        Tokenizer.from_file(str(tmp_path / "base/tokenizer.json")).get_vocab()
    )
    with pytest.raises(BadWeights, match="a BERT model to train further"):
        train(
            grammar(40),
            TINY_MLM,
            1,
            into=tmp_path / "no",
            base=tiny_bert(tmp_path, kind="distilbert"),
            workers=1,
        )


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"dropout": 1.0}, {"hidden": 33}, {"masked": 0.0}, {"max_length": 4}]
)
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(TINY_MLM, **change)  # type: ignore[arg-type]


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="1 sentences are too few"):
        train(["One sentence."], TINY_MLM, seed=1, into=tmp_path / "mlm", workers=1)


def test_fifteen_in_a_hundred_tokens_are_hidden_eight_in_ten_by_the_mask() -> None:
    ids = np.random.default_rng(0).integers(100, 1_000, size=(400, 500))
    eligible = np.ones(ids.shape, dtype=np.bool_)
    eligible[:, 0] = False

    found = hide(ids, eligible, 0.15, 4, (5, 1_000), np.random.default_rng(1))

    masked, same = found.ids == 4, found.ids == ids
    assert not found.chosen[:, 0].any()
    assert found.chosen[:, 1:].mean() == pytest.approx(0.15, abs=0.003)
    assert masked[found.chosen].mean() == pytest.approx(0.8, abs=0.01)
    assert same[found.chosen].mean() == pytest.approx(0.1, abs=0.01)
    assert same[~found.chosen].all()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1_000), st.integers(1, 6))
def test_something_is_hidden_wherever_something_may_be(seed: int, length: int) -> None:
    ids = np.full((1, length), 50)
    eligible = np.arange(length)[None] > 0

    found = hide(ids, eligible, 0.01, 4, (5, 60), np.random.default_rng(seed))

    assert found.chosen.any() == eligible.any()
    assert not (found.chosen & ~eligible).any()


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 50), st.integers(3, 40))
def test_every_token_of_a_training_sentence_is_in_one_block_and_every_block_in_one_batch(seed: int, size: int) -> None:
    corpus = gather([" ".join(grammar(12)), *grammar(20, seed=2)], held_out=0.3, seed=seed)
    tokenizer = wordpiece.learn(grammar(40), 150, lower=True)

    found = blocks(corpus.train, tokenizer, size)

    plain = [token for text in corpus.sentences() for token in tokenizer.encode(text, add_special_tokens=False).ids]
    assert [token for block in found for token in block] == plain
    assert max(map(len, found)) <= size
    assert sorted(at for batch in plan(found, 64, seed, 1) for at in batch) == list(range(len(found)))
    assert not set(corpus.sentences()) & {sentence for group in corpus.held_out for sentence in group}


def test_rows_are_framed_and_padded_on_the_right() -> None:
    ids, mask = framed([(7, 8), (9,)], begin=2, end=3, padding=0)

    assert ids.tolist() == [[2, 7, 8, 3], [2, 9, 3, 0]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


@pytest.mark.slow
def test_real_text_is_guessed_better_than_by_frequency(tmp_path: Path) -> None:
    path = data_folder("topics-state-of-the-union") / "docs.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file][:20]
    small = replace(TINY_MLM, vocabulary=3_000, hidden=128, max_length=64, epochs=6, batch_tokens=2_048)
    report = train(texts, replace(small, learning_rate=2e-3, held_out=0.03), seed=1, into=tmp_path / "mlm", workers=1)

    assert report["accuracy"] > 1.5 * report["unigram_accuracy"]
    assert report["loss"] < report["unigram_loss"] - 0.3
