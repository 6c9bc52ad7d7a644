"""View matching: two views of a document find each other, and do not where they were paired at random."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.options import Options
from riparian.encoders.view_match.encoder import METHOD, ViewMatchEncoder
from riparian.encoders.view_match.judging import Recall, recall
from riparian.encoders.view_match.loading import load
from riparian.encoders.view_match.material import read_features, text_pairs
from riparian.encoders.view_match.network import FeatureTower, Shape, matching_loss
from riparian.encoders.view_match.settings import Settings
from riparian.encoders.view_match.training import train, train_features
from riparian.errors import AlreadyExists, BadWeights, Conflict, Invalid, MissingPath
from tests.evaldata import folder as data_folder
from tests.riparian.view_match_models import (
    TINY,
    documents,
    pictures,
    tiny_view_match,
    tiny_view_match_of_features,
)

Pairs = list[tuple[str, str]]


def opened(folder: Path) -> ViewMatchEncoder:
    return load(str(folder), Options(folder, device="cpu", threads=1))


def found_among(pairs: Pairs, encoder: ViewMatchEncoder) -> Recall:
    first = encoder.encode_passages([first for first, _ in pairs], "query")
    return recall(first, encoder.encode_passages([second for _, second in pairs], "passage"))


def re_paired(pairs: Pairs, seed: int = 0) -> Pairs:
    order = np.random.default_rng(seed).permutation(len(pairs))
    return [(first, pairs[at][1]) for (first, _), at in zip(pairs, order, strict=True)]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> ViewMatchEncoder:
    return opened(tiny_view_match(tmp_path_factory.mktemp("views")))


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> ViewMatchEncoder:
    return opened(tiny_view_match_of_features(tmp_path_factory.mktemp("pictures")))


# ------------------------------------------------------------------------------------------------ what is learnt


def test_bodies_are_found_by_titles_that_share_no_word_with_them_and_at_chance_when_re_paired(tmp_path: Path) -> None:
    pairs = documents(500)
    unseen: Pairs = list(
        {tuple(sorted(first.split())[:3]): (first, second) for first, second in documents(60, 7)}.values()
    )
    wanted = replace(TINY, epochs=12)

    learnt = found_among(unseen, opened(train(pairs, wanted, 1, into=tmp_path / "true", workers=1)))
    mixed = found_among(unseen, opened(train(re_paired(pairs), wanted, 1, into=tmp_path / "mixed", workers=1)))

    assert min(learnt.first_to_second, learnt.second_to_first) > 15 * learnt.chance
    assert max(mixed.first_to_second, mixed.second_to_first) < 5 * mixed.chance


def test_pictures_are_found_by_their_titles_and_titles_by_pictures(tmp_path: Path) -> None:
    titles = [title for title, _ in documents(500)]
    unseen = [title for title, _ in documents(60, 7)]
    rows = pictures([*titles, *unseen])
    wanted = replace(TINY, epochs=12)

    def found(features: np.ndarray, name: str) -> Recall:
        encoder = opened(train_features(titles, features, wanted, 1, into=tmp_path / name, workers=1))
        return recall(encoder.encode_passages(unseen, "query"), encoder.encode_features(rows[500:]))

    learnt = found(rows[:500], "true")
    mixed = found(np.random.default_rng(0).permutation(rows[:500]), "mixed")

    assert min(learnt.first_to_second, learnt.second_to_first) > 15 * learnt.chance
    assert max(mixed.first_to_second, mixed.second_to_first) < 5 * mixed.chance


def test_the_report_counts_pairs_and_holds_recall_beside_chance(texts: ViewMatchEncoder) -> None:
    report = texts.info.extra["training"]

    assert 100 < report["pairs"] < report["pairs"] + report["held_out_pairs"] <= 120
    assert report["recall_by_chance"] == round(1 / report["held_out_pairs"], 4)
    assert {"recall_first_to_second", "recall_second_to_first"} <= report.keys()
    assert texts.info.provenance == f"trained here on {report['pairs']} pairs, 1 epochs"


def test_the_card_says_what_it_is_and_what_it_is_not(texts: ViewMatchEncoder, features: ViewMatchEncoder) -> None:
    info = texts.info

    assert (info.kind, info.method, info.origin) == ("view-match", "as-described", "trained-here")
    assert info.extra["what"] == METHOD == "view matching (not the published Cross-View Training)"
    assert (info.token_dim, info.passage_dim, info.max_tokens) == (TINY.dimension, TINY.dimension, TINY.longest - 2)
    assert (info.extra["views"], features.info.extra["views"]) == (["text", "text"], ["text", "20 features"])


# ------------------------------------------------------------------------------------------------ the loss


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(0, 2**16), st.floats(0.05, 1.0))
def test_the_loss_is_the_mean_of_both_cross_entropies(count: int, seed: int, temperature: float) -> None:
    rows = np.random.default_rng(seed).normal(size=(2, count, 4))
    first, second = rows / np.linalg.norm(rows, axis=2, keepdims=True)
    scores = first @ second.T / temperature

    own = np.diag(scores)
    expected = (np.log(np.exp(scores).sum(axis=1)) - own + np.log(np.exp(scores).sum(axis=0)) - own).mean() / 2
    loss = matching_loss(torch.tensor(first), torch.tensor(second), torch.eye(count, dtype=torch.bool), temperature)

    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_pairs_that_share_a_view_are_not_held_against_each_other() -> None:
    rows = torch.nn.functional.normalize(torch.tensor([[1.0, 0.2], [1.0, 0.2], [0.1, 1.0]]), dim=1)
    equal = torch.eye(3, dtype=torch.bool)
    sharing = equal.clone()
    sharing[0, 1] = sharing[1, 0] = True

    alone = matching_loss(rows[[0, 2]], rows[[0, 2]], equal[:2, :2], 0.1)

    assert float(matching_loss(rows, rows, equal, 0.1)) > 0.4  # two equal rows cannot be told apart
    assert float(matching_loss(rows, rows, sharing, 0.1)) == pytest.approx(float(alone), abs=0.01)


def test_recall_counts_ties_as_not_found() -> None:
    first = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)

    assert recall(first, first) == Recall(1 / 3, 1 / 3, 1 / 3)


# ------------------------------------------------------------------------------------------------ pairs and features


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=60, max_size=120), st.integers(0, 99))
def test_nothing_of_a_judging_pair_is_trained_on(numbers: list[tuple[int, int]], seed: int) -> None:
    pairs = [(f"title {first}", f"body {second}") for first, second in numbers]
    try:
        found = text_pairs(pairs, 0.2, seed)
    except Invalid:
        return

    judged = [pairs[at] for at in found.judge]
    trained = [pairs[at] for at in found.train]
    for side in (0, 1):
        assert not {pair[side] for pair in judged} & {pair[side] for pair in trained}
        assert len({pair[side] for pair in judged}) == len(judged)


def test_blank_sides_are_left_out_and_too_few_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="3 pairs leave"):
        train([*documents(3), ("", "body"), ("title", " ")], TINY, 1, into=tmp_path / "few")
    assert len(text_pairs([*documents(100), ("", "body")], 0.1, 1).texts) == 100


def test_features_that_cannot_be_are_refused(tmp_path: Path) -> None:
    titles = [title for title, _ in documents(50)]
    rows = pictures(titles)
    holed = rows.copy()
    holed[3, 2] = np.nan
    for wrong, message in ((rows[:-1], "49 rows and 50 texts"), (holed, "finite"), (rows[0], "matrix")):
        with pytest.raises(Invalid, match=message):
            train_features(titles, wrong, TINY, 1, into=tmp_path / "model")
    np.save(tmp_path / "objects.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    np.save(tmp_path / "rows.npy", rows.astype(np.float64))
    with pytest.raises(Invalid, match="holds no feature vectors"):
        read_features(tmp_path / "objects.npy")
    with pytest.raises(MissingPath):
        read_features(tmp_path / "no.npy")

    assert np.array_equal(read_features(tmp_path / "rows.npy"), rows)


def test_features_are_measured_in_deviations_of_those_trained_on() -> None:
    tower = FeatureTower(Shape(10, features=3), 0.0)
    rows = torch.tensor([[1.0, 5.0, 7.0], [3.0, 9.0, 7.0]])
    tower.learn_scale(rows)

    assert torch.allclose((rows - tower.mean) * tower.scale, torch.tensor([[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]))


def test_rows_of_features_have_unit_length_and_one_width(texts: ViewMatchEncoder, features: ViewMatchEncoder) -> None:
    rows = pictures([title for title, _ in documents(5, 3)])

    found = features.encode_features(rows)

    assert found.shape == (5, TINY.dimension)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert features.encode_features(rows[:0]).shape == (0, TINY.dimension)
    with pytest.raises(Invalid, match="20 features a row, not 19"):
        features.encode_features(rows[:, 1:])
    with pytest.raises(Invalid, match="reads no features"):
        texts.encode_features(rows)


def test_the_two_roles_read_with_two_towers_and_one_where_the_other_view_is_no_text(
    texts: ViewMatchEncoder, features: ViewMatchEncoder
) -> None:
    def differs(encoder: ViewMatchEncoder) -> bool:
        query, passage = (encoder.encode_passages(["duck and bank"], role) for role in ("query", "passage"))
        return not np.allclose(query, passage, atol=1e-3)

    assert differs(texts)
    assert not differs(features)


# ------------------------------------------------------------------------------------------------ runs and folders


def test_the_seed_alone_decides_and_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def run(name: str, seed: int, progress: object = None, checkpoint: Path | None = None) -> str:
        folder = train(
            documents(120),
            TINY,
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
    assert run("other", 2) != whole
    with pytest.raises(AlreadyExists):
        run("part", 1)


def test_damaged_and_foreign_folders_are_refused(texts: ViewMatchEncoder, tmp_path: Path) -> None:
    texts.save(tmp_path / "saved")
    with pytest.raises(Invalid, match="comes with no weights"):
        load("", Options(tmp_path))
    with pytest.raises(MissingPath):
        load(str(tmp_path / "no"), Options(tmp_path))
    with pytest.raises(BadWeights, match="a saved view-match encoder"):
        load(str(tmp_path), Options(tmp_path))
    config = json.loads((tmp_path / "saved/config.json").read_text())
    for change, message in (
        ({"model_type": "gpt2"}, "model_type"),
        ({"num_attention_heads": 3}, "multiple"),
        ({"features": 7}, "tensor second.mean"),
        ({"width": "wide"}, "width must be"),
    ):
        shutil.copytree(tmp_path / "saved", tmp_path / "changed", dirs_exist_ok=True)
        (tmp_path / "changed/config.json").write_text(json.dumps(config | change))
        with pytest.raises(BadWeights, match=message):
            opened(tmp_path / "changed")


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"dropout": 1.0}, {"width": 15}, {"held_out": 0.0}, {"batch": 1}, {"temperature": 0.0}]
)
def test_settings_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(Invalid):
        replace(Settings(), **change)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ real documents


def titles_and_bodies(name: str) -> Pairs:
    """Documents of a collection as (title, body without the title)."""
    with gzip.open(data_folder(name) / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    pairs = [(one["title"], one["text"].removeprefix(one["title"]).strip()) for one in found]
    return [pair for pair in pairs if all(pair)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_titles_and_bodies_of_real_documents_find_each_other(seed: int, tmp_path: Path) -> None:
    pairs = titles_and_bodies("retrieval-cranfield")
    order = np.random.default_rng(seed).permutation(len(pairs))
    pairs = [pairs[at] for at in order]
    unseen, seen = pairs[:200], pairs[200:]
    wanted = Settings()

    learnt = found_among(unseen, opened(train(seen, wanted, seed, into=tmp_path / "true", workers=1)))
    mixed = found_among(unseen, opened(train(re_paired(seen), wanted, seed, into=tmp_path / "mixed", workers=1)))

    assert min(learnt.first_to_second, learnt.second_to_first) > 10 * learnt.chance
    assert max(mixed.first_to_second, mixed.second_to_first) < 5 * mixed.chance
