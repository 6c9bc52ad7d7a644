"""Two published biLMs against the vectors that the published tool computed with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from riparian.device import Device
from riparian.encoders.elmo.encoder import ElmoEncoder, Model
from riparian.encoders.elmo.files import read_published
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.network import FIRST, BiLM
from riparian.encoders.facts import Facts
from tests.evaldata import folder as data_folder

FIXTURES = ("no-skip", "skip")


def model(name: str) -> tuple[BiLM, Path]:
    folder = data_folder("elmo-golden") / name
    published = read_published(folder)
    return BiLM(published.options, {key: torch.from_numpy(value) for key, value in published.tensors.items()}), folder


def streams(folder: Path) -> Iterator[tuple[list[list[str]], list[np.ndarray]]]:
    """Words of each sentence of a stream, and their expected top layer (words, 2 x projection)."""
    for number, sentences in enumerate(json.loads((folder / "sentences.json").read_text())):
        with h5py.File(folder / f"lm_embeddings_{number}.hdf5") as file:
            expected = [np.concatenate(file[str(at)][()], axis=1) for at in range(len(sentences))]
        yield [sentence.split() for sentence in sentences], expected


@pytest.mark.parametrize("name", FIXTURES)
def test_the_top_layer_of_every_sentence_is_the_published_one(name: str) -> None:
    bilm, folder = model(name)
    assert bilm.options.skip is (name == "skip")
    gaps, words = [], 0

    with torch.inference_mode():
        for sentences, expected in streams(folder):
            state = bilm.zero()  # the published numbers were made with states that go from sentence to sentence
            for sentence, vectors in zip(sentences, expected, strict=True):
                layers, state = bilm.carried(sentence, state)
                gaps.append(float(np.abs(layers[-1].numpy() - vectors).max()))
                words += len(sentence)

    assert (len(gaps), words) == (30, 744)
    assert max(gaps) < 1e-5


@pytest.mark.parametrize("name", FIXTURES)
def test_sentences_from_zero_agree_in_one_batch_with_the_first_of_each_published_stream(name: str) -> None:
    bilm, folder = model(name)
    firsts = [(sentences[0], expected[0]) for sentences, expected in streams(folder)]
    words = {word: FIRST + row for row, word in enumerate(dict.fromkeys(w for s, _ in firsts for w in s))}

    with torch.inference_mode():
        rows = [[words[word] for word in sentence] for sentence, _ in firsts]
        found = bilm.sentences(bilm.table(list(words)), rows, bilm.zero())

    for layers, (_, expected) in zip(found, firsts, strict=True):
        assert np.abs(layers[-1].numpy() - expected).max() < 1e-5


def test_layer_0_of_every_word_is_the_published_one() -> None:
    bilm, folder = model("skip")
    words = (folder / "vocab_test.txt").read_text(encoding="utf-8").splitlines()
    with h5py.File(folder / "elmo_token_embeddings.hdf5") as file:
        expected = file["embedding"][()]

    with torch.inference_mode():
        table = bilm.table(words).numpy()
    found = table[FIRST:].copy()
    for row, word in enumerate(("<S>", "</S>")):  # those rows are the marks, not the spelled words
        found[words.index(word)] = table[row]

    assert np.abs(found - expected).max() < 1e-5


def test_the_encoder_gives_the_published_vectors_of_a_sentence_it_cuts_alike() -> None:
    published = read_published(data_folder("elmo-golden") / "skip")
    top = Model(published.options, published.tensors, Mix.only(2, 3))
    facts = Facts("golden", "elmo:golden", "published", "Apache-2.0", "fixture")
    encoder = ElmoEncoder(facts, top, Device("cpu", "test"))
    alike = 0

    for sentences, expected in streams(data_folder("elmo-golden") / "skip"):
        encoding = encoder.encode_tokens([" ".join(sentences[0])])[0]
        if list(encoding.tokens) == sentences[0]:
            alike += 1
            assert np.abs(encoding.vectors - expected[0]).max() < 1e-5

    assert alike > 0
