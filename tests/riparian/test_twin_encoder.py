"""The two-direction transformer: each half is blind to one side, and learns to guess what comes next on its own."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.options import Options
from riparian.encoders.twin.encoder import METHOD, TwinEncoder
from riparian.encoders.twin.loading import load
from riparian.encoders.twin.network import Shape, Twin, turned
from riparian.encoders.twin.settings import Settings as TwinSettings
from riparian.encoders.twin.training import train
from riparian.errors import AlreadyExists, BadWeights, Conflict, Invalid, MissingPath
from tests.evaldata import folder as data_folder
from tests.riparian.trained_models import TINY_TWIN, grammar, tiny_twin

WORDS = ("duck", "bank", "clerk", "river", "money", "old", "often", "small", "the", "7")
WIDTH = TINY_TWIN.width


def opened(folder: Path) -> TwinEncoder:
    return load(str(folder), Options(folder, device="cpu", threads=1))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TwinEncoder:
    return opened(tiny_twin(tmp_path_factory.mktemp("twin")))


def halves(encoder: TwinEncoder, words: list[str]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Left and right vectors of each word's tokens."""
    text = " ".join(words)
    found = encoder.encode_tokens([text])[0]
    starts = np.cumsum([0, *(len(word) + 1 for word in words)])
    rows = [found.vectors[(found.offsets[:, 0] >= a) & (found.offsets[:, 0] < b)] for a, b in pairwise(starts)]
    return [row[:, :WIDTH] for row in rows], [row[:, WIDTH:] for row in rows]


@settings(deadline=None, max_examples=25)
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=2, max_size=7),
    at=st.integers(0, 6),
    other=st.sampled_from(WORDS),
)
def test_the_left_half_is_blind_to_what_follows_and_the_right_half_to_what_precedes(
    words: list[str], at: int, other: str, encoder: TwinEncoder
) -> None:
    at %= len(words)
    changed = [*words[:at], other, *words[at + 1 :]]
    (left, right), (left_changed, right_changed) = halves(encoder, words), halves(encoder, changed)

    for before in range(at):
        assert np.allclose(left[before], left_changed[before], atol=1e-6)
    for after in range(at + 1, len(words)):
        assert np.allclose(right[after], right_changed[after], atol=1e-6)
    if other != words[at]:
        assert all(not np.allclose(right[before], right_changed[before], atol=1e-6) for before in range(at))
        rest = range(at + 1, len(words))
        assert all(not np.allclose(left[after], left_changed[after], atol=1e-6) for after in rest)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_a_turned_row_is_reversed_and_padding_stays(lengths: list[int]) -> None:
    mask = torch.tensor([[1] * length + [0] * (6 - length) for length in lengths])
    places = turned(mask)

    for row, length in zip(places.tolist(), lengths, strict=True):
        assert row == [*range(length - 1, -1, -1), *range(length, 6)]
    assert (places.gather(1, places) == torch.arange(6)).all()


def test_the_right_half_reads_as_the_left_would_read_the_reversed_text() -> None:
    torch.manual_seed(0)
    twin = Twin(Shape(50, width=8, layers=2, heads=2, longest=16)).eval()
    twin.right.load_state_dict(twin.left.state_dict())
    ids = torch.randint(50, (1, 9))
    mask = torch.ones_like(ids)

    assert torch.allclose(twin(ids, mask)[1], twin(ids.flip(1), mask)[0].flip(1), atol=1e-6)


def test_both_halves_guess_better_than_by_frequency_on_held_out_text(tmp_path: Path) -> None:
    folder = train(grammar(300), replace(TINY_TWIN, epochs=8), seed=1, into=tmp_path / "twin", workers=1)
    report = opened(folder).info.extra["training"]

    assert report["perplexity_left"] < 0.5 * report["unigram_left"]
    assert report["perplexity_right"] < 0.5 * report["unigram_right"]


def test_the_card_says_what_it_is_and_what_it_is_not(encoder: TwinEncoder) -> None:
    info = encoder.info

    assert (info.kind, info.method, info.contextual) == ("twin-causal", "as-described", "left-right")
    assert info.extra["what"] == METHOD == "two-direction transformer (not the published Mirror-BERT)"
    assert (info.token_dim, info.passage_dim, info.max_tokens) == (2 * WIDTH, 2 * WIDTH, TINY_TWIN.longest - 2)
    assert info.origin == "trained-here"
    assert "tokens, 1 epochs" in info.provenance


def test_the_seed_alone_decides_and_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def run(name: str, seed: int, progress: object = None, checkpoint: Path | None = None) -> str:
        folder = train(
            grammar(60),
            TINY_TWIN,
            seed,
            progress,  # type: ignore[arg-type]
            into=tmp_path / name,
            checkpoint=checkpoint,
            workers=1,
        )
        return opened(folder).fingerprint()

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise InterruptedError

    whole, path = run("whole", 1), tmp_path / "run.safetensors"
    with pytest.raises(InterruptedError):
        run("part", 1, stop, path)
    with pytest.raises(Conflict, match="other settings or text"):
        run("other", 2, None, path)

    assert run("part", 1, None, path) == whole
    assert run("again", 1) == whole
    assert run("other", 2) != whole
    with pytest.raises(AlreadyExists):
        run("part", 1)


def test_damaged_and_foreign_folders_are_refused(encoder: TwinEncoder, tmp_path: Path) -> None:
    encoder.save(tmp_path / "saved")
    with pytest.raises(Invalid, match="comes with no weights"):
        load("", Options(tmp_path))
    with pytest.raises(MissingPath):
        load(str(tmp_path / "no"), Options(tmp_path))
    with pytest.raises(BadWeights, match="a saved twin-causal encoder"):
        load(str(tmp_path), Options(tmp_path))
    config = json.loads((tmp_path / "saved/config.json").read_text())
    for change, message in (
        ({"model_type": "gpt2"}, "model_type"),
        ({"num_attention_heads": 3}, "multiple"),
        ({"num_hidden_layers": 3}, "tensor left.blocks.2"),
    ):
        shutil.copytree(tmp_path / "saved", tmp_path / "changed", dirs_exist_ok=True)
        (tmp_path / "changed/config.json").write_text(json.dumps(config | change))
        with pytest.raises(BadWeights, match=message):
            opened(tmp_path / "changed")


@pytest.mark.parametrize("change", [{"epochs": 0}, {"dropout": 1.0}, {"width": 15}, {"held_out": 0.0}, {"longest": 4}])
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(TINY_TWIN, **change)  # type: ignore[arg-type]


@pytest.mark.slow
def test_both_halves_guess_real_text_in_four_fifths_of_the_perplexity_of_frequencies(tmp_path: Path) -> None:
    path = data_folder("sts-benchmark") / "en-train.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        pairs = [json.loads(line) for line in file]
    texts = list(dict.fromkeys(pair[key] for pair in pairs for key in ("sentence1", "sentence2")))
    small = TwinSettings(vocabulary=4_000, width=64, longest=64, epochs=2, held_out=0.03)
    report = opened(train(texts, small, seed=1, into=tmp_path / "twin", workers=1)).info.extra["training"]

    assert report["perplexity_left"] < 0.8 * report["unigram_left"]
    assert report["perplexity_right"] < 0.8 * report["unigram_right"]
