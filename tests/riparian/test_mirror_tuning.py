"""Mirror tuning: strings alone teach, the run can be repeated and resumed, and the result loads with its pooling."""

from __future__ import annotations

import gzip
import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from tokenizers import Tokenizer
from transformers import AutoModel

from riparian.encoders.base import Encoder
from riparian.encoders.mirror.encoder import MirrorEncoder
from riparian.encoders.mirror.loading import load
from riparian.encoders.mirror.recipe import published_pooling
from riparian.encoders.mirror.settings import Settings
from riparian.encoders.mirror.training import mirror_tune
from riparian.encoders.mlm.settings import Settings as MlmSettings
from riparian.encoders.mlm.training import train
from riparian.encoders.options import Options
from riparian.encoders.transformer_kinds import load_bert
from riparian.errors import AlreadyExists, BadWeights, Conflict, Invalid, MissingPath
from tests.evaldata import folder as data_folder
from tests.riparian.trained_models import TINY_MIRROR, grammar, tiny_mlm

STRINGS = grammar(40)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mlm(tmp_path_factory.mktemp("base"))


def opened(folder: Path | str, engine: str = "torch") -> MirrorEncoder:
    return load(str(folder), Options(Path(str(folder).partition("?")[0]) / "cache", "cpu", 1, engine))


def tuned(base: Path, into: Path, settings: Settings = TINY_MIRROR, seed: int = 1) -> MirrorEncoder:
    return opened(mirror_tune(str(base), STRINGS, settings, seed, into=into, workers=1))


def test_strings_are_spread_more_evenly_afterwards_and_the_card_tells(base: Path, tmp_path: Path) -> None:
    encoder = tuned(base, tmp_path / "mirror", replace(TINY_MIRROR, epochs=6))
    info = encoder.info
    training = info.extra["training"]

    assert training["after"]["uniformity"] < training["before"]["uniformity"] - 0.3
    assert set(training["after"]) == {"alignment", "uniformity"}
    assert (info.kind, info.origin, info.pooling, info.method) == ("mirror-bert", "fine-tuned", "mean", "published")
    assert training["strings"] == len(set(STRINGS))
    assert f"mirror-tuned here on {len(set(STRINGS))} strings" in info.provenance


def test_the_seed_alone_decides_and_equal_strings_count_once(base: Path, tmp_path: Path) -> None:
    first = tuned(base, tmp_path / "a").fingerprint()

    twice = mirror_tune(str(base), STRINGS * 2, TINY_MIRROR, 1, into=tmp_path / "b", workers=1)
    assert opened(twice).fingerprint() == first
    assert tuned(base, tmp_path / "c", seed=2).fingerprint() != first


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    whole = tuned(base, tmp_path / "whole")
    heard: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if done == 1:
            raise InterruptedError

    def run(name: str, seed: int, progress: object = None) -> Path:
        return mirror_tune(
            str(base),
            STRINGS,
            TINY_MIRROR,
            seed,
            progress,  # type: ignore[arg-type]
            into=tmp_path / name,
            checkpoint=path,
            workers=1,
        )

    with pytest.raises(InterruptedError):
        run("part", 1, stop)
    with pytest.raises(Conflict, match="other settings or text"):
        run("other", 2)
    resumed = opened(run("part", 1, lambda done, total: heard.append((done, total))))

    assert [done for done, _ in heard] == list(range(1, heard[-1][1] + 1))
    assert resumed.fingerprint() == whole.fingerprint()
    with pytest.raises(AlreadyExists):
        run("part", 1)


@pytest.mark.parametrize(
    "strings", ["one text", [("a pair", "of two")], [("text", 4.5)], ["one"], ["same", "same", " "]]
)
def test_what_is_no_list_of_different_strings_is_refused(strings: object, base: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        mirror_tune(str(base), strings, TINY_MIRROR, 1, into=tmp_path / "mirror")  # type: ignore[arg-type]


def test_without_dropout_and_hidden_span_the_two_views_are_one(base: Path, tmp_path: Path) -> None:
    encoder = tuned(base, tmp_path / "mirror", replace(TINY_MIRROR, dropout=0.0, span=0))
    training = encoder.info.extra["training"]

    assert training["before"]["alignment"] == training["after"]["alignment"] == 0
    assert training["after"]["uniformity"] < training["before"]["uniformity"]


@pytest.mark.parametrize("change", [{"batch": 1}, {"temperature": 0.0}, {"pooling": "max"}, {"span": -1}])
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(TINY_MIRROR, **change)  # type: ignore[arg-type]


def test_the_recipe_for_words_is_the_published_one() -> None:
    words = Settings.for_words()

    assert (words.temperature, words.span, words.pooling, words.max_tokens, words.epochs) == (0.2, 0, "cls", 25, 2)


@pytest.mark.parametrize("engine", ["torch", "auto"])
def test_the_padded_mean_is_that_of_the_published_code(base: Path, engine: str) -> None:
    texts = ["The old duck.", "The busy clerk never counts small coins."]
    network = AutoModel.from_pretrained(base, attn_implementation="eager").eval()
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.enable_padding(length=32)  # the tiny model's longest input; 50 for real ones
    rows = tokenizer.encode_batch(texts)
    with torch.no_grad():
        ids, mask = (torch.tensor([getattr(row, name) for row in rows]) for name in ("ids", "attention_mask"))
        expected = network(input_ids=ids, attention_mask=mask).last_hidden_state.mean(1).numpy()

    encoder = opened(f"{base}?pooling=paper_padded_mean", engine)
    found = encoder.encode_passages(texts, "passage")

    assert np.abs(found - expected / np.linalg.norm(expected, axis=1, keepdims=True)).max() < 1e-5
    assert encoder.info.pooling == "paper_padded_mean"
    assert np.abs(encoder.encode_passages(texts[:1], "query") - found[:1]).max() < 1e-6


def test_a_saved_padded_mean_stays_one_and_another_pooling_is_another_encoder(base: Path, tmp_path: Path) -> None:
    encoder = tuned(base, tmp_path / "mirror", replace(TINY_MIRROR, pooling="paper_padded_mean"))
    others = [opened(f"{tmp_path / 'mirror'}?pooling={pooling}") for pooling in ("mean", "cls")]

    assert encoder.info.pooling == "paper_padded_mean"
    assert encoder.info.spec == f"mirror-bert:{tmp_path / 'mirror'}"
    assert len({encoder.fingerprint(), *(other.fingerprint() for other in others)}) == 3
    assert others[1].info.spec.endswith("?pooling=cls")


@pytest.mark.parametrize(
    ("name", "model_type", "expected"),
    [
        ("cambridgeltl/mirror-bert-base-uncased-sentence", "bert", "mean"),
        ("cambridgeltl/mirror-bert-base-uncased-sentence-drophead", "bert", "mean"),
        ("cambridgeltl/mirror-bert-base-uncased-word", "bert", "cls"),
        ("cambridgeltl/mirror-roberta-base-sentence", "roberta", "cls"),
        ("cambridgeltl/mirror-roberta-base-sentence-drophead", "roberta", "cls"),
    ],
)
def test_a_published_model_is_pooled_as_its_authors_do(
    name: str, model_type: str, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))

    assert published_pooling(name, tmp_path) == expected


def test_without_a_folder_or_with_an_unknown_setting_it_says_what_to_give(base: Path, tmp_path: Path) -> None:
    for spec, error in (
        ("", Invalid),
        (f"{base}?pooling=max", Invalid),
        (f"{base}?layer=1", Invalid),
        (str(tmp_path / "no"), MissingPath),
    ):
        with pytest.raises(error):
            load(spec, Options(tmp_path, "cpu", 1))


def test_a_tokenizer_without_a_mask_token_is_refused(base: Path, tmp_path: Path) -> None:
    shutil.copytree(base, tmp_path / "bare")
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        (tmp_path / "bare" / name).unlink()
    text = (tmp_path / "bare/tokenizer.json").read_text().replace("[MASK]", "[HOLE]")
    (tmp_path / "bare/tokenizer.json").write_text(text)

    with pytest.raises(BadWeights, match="mask token"):
        tuned(tmp_path / "bare", tmp_path / "mirror")


def sts(split: str) -> list[dict[str, object]]:
    with gzip.open(data_folder("sts-benchmark") / f"en-{split}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def agreement(encoder: Encoder) -> float:
    """Spearman's correlation of cosines with people's scores on the development part, in points."""
    pairs = sts("dev")
    sides = [
        encoder.encode_passages([str(pair[key]) for pair in pairs], "passage") for key in ("sentence1", "sentence2")
    ]
    return 100 * float(spearmanr((sides[0] * sides[1]).sum(axis=1), [pair["score"] for pair in pairs]).statistic)


@pytest.mark.slow
@pytest.mark.timeout(2_400)
def test_sentences_without_scores_bring_a_small_bert_three_points_nearer_to_people_with_each_of_three_seeds(
    tmp_path: Path,
) -> None:
    strings = list(dict.fromkeys(str(pair[key]) for pair in sts("train") for key in ("sentence1", "sentence2")))
    small = MlmSettings(
        vocabulary=4_000,
        layers=2,
        hidden=128,
        heads=2,
        max_length=64,
        epochs=12,
        batch_tokens=2_048,
        learning_rate=2e-3,
        held_out=0.03,
    )
    report = train(strings, small, seed=1, into=tmp_path / "mlm", workers=1)
    untuned = agreement(load_bert(str(tmp_path / "mlm"), Options(tmp_path, "cpu", 1, "torch")))
    recipe = Settings(temperature=0.1, batch=128, learning_rate=1e-3)
    for seed in (1, 2, 3):
        into = mirror_tune(str(tmp_path / "mlm"), strings[:4_000], recipe, seed, into=tmp_path / f"{seed}", workers=1)
        gained = agreement(opened(into)) - untuned
        logging.getLogger(__name__).info("seed %d: %.2f points over %.2f", seed, gained, untuned)
        assert gained >= 3
    assert report["accuracy"] > 2 * report["unigram_accuracy"]
