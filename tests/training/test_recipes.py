"""Every recipe: its loss is the published one, a stopped run goes on, the base stays, the result is an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.errors import AlreadyExists, Conflict, Invalid
from tests.riparian.encoder_models import tiny_bert, tiny_word2vec
from tests.riparian.trained_models import grammar, tiny_mirror, tiny_mlm
from training.material import Material, Pair, Run
from training.recipes.contrastive import distinct_batches
from training.recipes.losses import distance_from, ranking_loss
from training.recipes.restoring import thinned
from training.recipes.table import DEFAULT, named, recipes

SETTINGS = {"batch": 8, "longest": 16, "learning_rate": 1e-3, "name": "tuned"}
TEXTS = grammar(40)
PAIRS = [Pair(" ".join(text.split()[:3]) + f" {number}", text) for number, text in enumerate(TEXTS)]
MATERIAL = Material("a grammar", texts=TEXTS, pairs=PAIRS)


def loaded(spec: str | Path, tmp_path: Path) -> Encoder:
    return registry.load(str(spec), cache_dir=tmp_path / "cache", threads=1)


@pytest.fixture
def base(tmp_path: Path) -> Encoder:
    return loaded(f"bert:{tiny_mlm(tmp_path)}", tmp_path)


def tuned(
    name: str, base: Encoder, tmp_path: Path, into: str = "out", **settings: Any
) -> tuple[Encoder, Mapping[str, Any]]:
    report = named(name).tune(base, MATERIAL, tmp_path / into, Run(seed=1, workers=1), SETTINGS | settings)
    return loaded(tmp_path / into, tmp_path), report


def test_the_default_comes_first_and_an_unknown_recipe_is_told_the_others() -> None:
    assert next(iter(recipes())) == DEFAULT == "mirror"
    assert set(recipes()) == {"mirror", "simcse", "tsdae", "mlm", "pairs"}
    with pytest.raises(Invalid, match="no recipe 'magic'; recipes are: mirror, simcse, tsdae, mlm, pairs"):
        named("magic")


# ---------------------------------------------------------------------------------------------- losses


def numpy_ranking(first: np.ndarray, second: np.ndarray, temperature: float) -> float:
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    scores = a @ b.T / temperature
    return float(np.mean([np.log(np.exp(row).sum()) - row[own] for own, row in enumerate(scores)]))


def test_the_ranking_loss_is_the_published_one() -> None:
    numbers = np.random.default_rng(3)
    first, second = numbers.normal(size=(2, 5, 7))
    one_way = ranking_loss(torch.tensor(first), torch.tensor(second), 0.05, both_ways=False)
    assert float(one_way) == pytest.approx(numpy_ranking(first, second, 0.05), abs=1e-9)
    both = ranking_loss(torch.tensor(first), torch.tensor(second), 0.05)
    mean = (numpy_ranking(first, second, 0.05) + numpy_ranking(second, first, 0.05)) / 2
    assert float(both) == pytest.approx(mean, abs=1e-9)


def test_the_pull_to_the_start_is_half_the_squared_distance() -> None:
    now, then = [torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])], [torch.tensor([1.0, 0.0]), torch.tensor([[0.0]])]
    assert float(distance_from(now, then)) == pytest.approx((4 + 9) / 2)


def test_no_text_stands_twice_in_a_batch_and_every_pair_comes_once() -> None:
    pairs = [Pair(f"q{number % 5}", f"a{number}") for number in range(40)]
    batches = distinct_batches(pairs, 4, seed=1, epoch=0)
    for batch in batches:
        texts = [text for row in batch for text in (pairs[row].first, pairs[row].second)]
        assert len(texts) == len(set(texts))
    assert len([row for batch in batches for row in batch]) >= 38
    with pytest.raises(Invalid, match="all pairs share a text"):
        distinct_batches([Pair("same", "a"), Pair("same", "b")], 4, seed=1, epoch=0)


def test_a_thinned_text_keeps_the_order_of_what_is_left() -> None:
    numbers = np.random.default_rng(0)
    left = [len(thinned(" ".join("abcdefghij"), 0.6, numbers).split()) for _ in range(400)]
    assert 3.7 < np.mean(left) < 4.3
    assert min(left) >= 1
    one = thinned("一二三四五六七八", 0.6, numbers)
    assert one == "".join(sorted(one, key="一二三四五六七八".index))


# ---------------------------------------------------------------------------------------------- all recipes


@pytest.mark.parametrize("name", list(recipes()))
def test_a_tuned_encoder_is_a_new_one_of_the_same_kind_and_the_old_one_stays(
    name: str, base: Encoder, tmp_path: Path
) -> None:
    before = base.encode_passages(TEXTS[:5], "passage")
    found, report = tuned(name, base, tmp_path)
    assert found.info.kind == "bert"
    assert (found.info.origin, found.info.name) == ("fine-tuned", "tuned")
    assert "of a grammar" in found.info.provenance
    assert found.fingerprint() != base.fingerprint()
    assert not np.allclose(found.encode_passages(TEXTS[:5], "passage"), before, atol=1e-4)
    assert np.array_equal(loaded(base.info.spec, tmp_path).encode_passages(TEXTS[:5], "passage"), before)
    assert report["base_fingerprint"] == base.fingerprint()
    assert report["steps"] > 3


@pytest.mark.parametrize("name", list(recipes()))
def test_a_stopped_run_goes_on_to_the_same_weights(name: str, base: Encoder, tmp_path: Path) -> None:
    whole, _ = tuned(name, base, tmp_path)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    run = Run(seed=1, workers=1, checkpoint=tmp_path / "checkpoint", progress=stop)
    with pytest.raises(KeyboardInterrupt):
        named(name).tune(base, MATERIAL, tmp_path / "parts", run, SETTINGS)
    assert not (tmp_path / "parts").exists()
    steps: list[int] = []
    goes_on = Run(
        seed=1, workers=1, checkpoint=tmp_path / "checkpoint", progress=lambda done, total: steps.append(done)
    )
    named(name).tune(base, MATERIAL, tmp_path / "parts", goes_on, SETTINGS)
    assert steps[0] == 3
    assert loaded(tmp_path / "parts", tmp_path).fingerprint() == whole.fingerprint()
    other = Material("other", texts=TEXTS[:30], pairs=PAIRS[:30])
    with pytest.raises(Conflict):
        named(name).tune(base, other, tmp_path / "other", goes_on, SETTINGS)


@pytest.mark.parametrize("name", ["mirror", "simcse", "mlm", "pairs"])
def test_the_loss_falls(name: str, base: Encoder, tmp_path: Path) -> None:
    _, report = tuned(name, base, tmp_path, epochs=6, learning_rate=3e-3)
    assert report["loss_last"] < report["loss_first"]


def test_frozen_layers_and_embeddings_stay_bit_for_bit(base: Encoder, tmp_path: Path) -> None:
    from riparian.encoders.torch_engine import load_model

    tuned("simcse", base, tmp_path, frozen=1)
    old, new = (dict(load_model(Path(folder)).named_parameters()) for folder in (base.info.spec[5:], tmp_path / "out"))
    still = [name for name in old if name.startswith(("embeddings.", "encoder.layer.0."))]
    moved = [name for name in old if name.startswith("encoder.layer.1.")]
    assert still and moved
    assert all(torch.equal(old[name], new[name]) for name in still)
    assert any(not torch.equal(old[name], new[name]) for name in moved)
    with pytest.raises(Invalid, match="frozen is 9, and the transformer has 2 layers"):
        tuned("simcse", base, tmp_path, "again", frozen=9)


def test_a_strong_pull_keeps_the_encoder_where_it_was(base: Encoder, tmp_path: Path) -> None:
    free, _ = tuned("simcse", base, tmp_path, "free", epochs=3)
    held, _ = tuned("simcse", base, tmp_path, "held", epochs=3, hold=100.0)
    rows = base.encode_passages(TEXTS, "passage")
    moved = [1 - (one.encode_passages(TEXTS, "passage") * rows).sum(axis=1).mean() for one in (free, held)]
    assert moved[1] < moved[0] / 3


def test_what_kind_it_was_it_stays(tmp_path: Path) -> None:
    mirror = loaded(tiny_mirror(tmp_path), tmp_path)
    found, _ = tuned("simcse", mirror, tmp_path)
    assert (found.info.kind, found.info.pooling) == ("mirror-bert", mirror.info.pooling)
    prompted = loaded(tiny_bert(tmp_path / "prompted", prompts=True), tmp_path)
    found, _ = tuned("pairs", prompted, tmp_path, "second")
    assert found.info.kind == "sentence-transformers"
    text = ["the river bank"]
    assert not np.allclose(found.encode_passages(text, "query"), found.encode_passages(text, "passage"))


# ---------------------------------------------------------------------------------------------- pairs


def hits(encoder: Encoder, pairs: list[Pair]) -> float:
    first = encoder.encode_passages([pair.first for pair in pairs], "query")
    second = encoder.encode_passages([pair.second for pair in pairs], "passage")
    return float((np.argmax(first @ second.T, axis=1) == np.arange(len(pairs))).mean())


def coded(count: int) -> list[Pair]:
    """Partners that share no word: only pairs teach which belongs to which."""
    numbers = np.random.default_rng(5)
    nouns = ("bank", "river", "money", "water", "loan", "boat", "tree", "stone")
    codes = ("deposit", "flows", "lends", "wet", "debt", "sails", "leaf", "hard")
    found = []
    for _ in range(count):
        rows = sorted(numbers.permutation(8)[:3])
        found.append(Pair(" ".join(nouns[row] for row in rows), " ".join(codes[row] for row in rows)))
    return list(dict.fromkeys(found))


def test_a_table_of_words_learns_from_true_pairs_and_not_from_mixed_ones(tmp_path: Path) -> None:
    words = ("bank", "river", "money", "water", "loan", "boat", "tree", "stone",
             "deposit", "flows", "lends", "wet", "debt", "sails", "leaf", "hard")  # fmt: skip
    path = tmp_path / "vectors.txt"
    rows = np.random.default_rng(1).normal(size=(len(words), 16))
    lines = [f"{len(words)} 16"] + [
        f"{word} {' '.join(f'{x:.5f}' for x in row)}" for word, row in zip(words, rows, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    base, pairs = loaded(f"word2vec:{path}", tmp_path), coded(300)
    learnt, held = pairs[:36], pairs[36:]
    mixed = [Pair(a.first, b.second) for a, b in zip(learnt, learnt[11:] + learnt[:11], strict=True)]
    found = {}
    for name, given in (("true", learnt), ("mixed", mixed)):
        settings = {"epochs": 60, "batch": 8, "learning_rate": 0.05}
        named("pairs").tune(base, Material(name, pairs=given), tmp_path / name, Run(seed=2, workers=1), settings)
        found[name] = hits(loaded(tmp_path / name, tmp_path), held)
    assert len(held) > 15
    assert found["true"] > 0.9 > hits(base, held) + 0.5
    assert found["mixed"] < 0.3


def test_words_outside_the_pairs_keep_their_vectors(tmp_path: Path) -> None:
    base = loaded(f"word2vec:{tiny_word2vec(tmp_path)}", tmp_path)
    words: tuple[str, ...] = base.table.words  # type: ignore[attr-defined]
    known = [word for word in words if word.isalpha()][:4]
    pairs = [Pair(known[0], known[1]), Pair(known[2], known[3])]
    named("pairs").tune(base, Material("few", pairs=pairs), tmp_path / "out",
                        Run(seed=1, workers=1), {"epochs": 3})  # fmt: skip
    found = loaded(tmp_path / "out", tmp_path)
    assert (found.info.kind, found.info.origin) == ("word2vec", "fine-tuned")
    old, new = base.table.matrix, found.table.matrix  # type: ignore[attr-defined]
    moved = {words[row] for row in np.flatnonzero((old != new).any(axis=1))}
    assert moved <= set(known)
    assert moved


# ---------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("mirror", {"epoch": 1}, "mirror has no setting 'epoch'; it has name, epochs"),
        ("simcse", {"dropout": 0.0}, "nothing but dropout tells the two views apart"),
        ("mlm", {"masked": 2}, r"masked must lie in \(0, 1\)"),
        ("pairs", {"batch": 1}, "batch at least 2"),
        ("tsdae", {"deleted": "much"}, "setting deleted of tsdae"),
    ],
)
def test_settings_that_cannot_be_are_named(
    name: str, settings: dict[str, Any], message: str, base: Encoder, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match=message):
        named(name).tune(base, MATERIAL, tmp_path / "out", Run(), settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", list(recipes()))
def test_an_encoder_that_a_recipe_cannot_tune_is_told_why(name: str, tmp_path: Path) -> None:
    hashing = loaded("hashing:16", tmp_path)
    assert "of the kind hashing" in (named(name).refuses(hashing) or "")
    with pytest.raises(Invalid, match="cannot tune"):
        named(name).tune(hashing, MATERIAL, tmp_path / "out", Run(), {})


def test_too_little_material_and_a_folder_that_is_taken(base: Encoder, tmp_path: Path) -> None:
    def run(material: Material, into: Path) -> Any:
        return named("simcse").tune(base, material, into, Run(), {})

    with pytest.raises(Invalid, match="too few to learn from"):
        run(Material("nothing", texts=["short"]), tmp_path / "out")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(AlreadyExists):
        run(MATERIAL, tmp_path / "taken")
