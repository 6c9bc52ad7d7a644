"""Laws that every baseline keeps, and what each is by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer

from riparian.errors import BadWeights, IndexMismatch, Invalid
from tests.topics.themes import Themed, purity, themed
from topics import kinds
from topics.base import Fit, FitSettings, Guidance, TopicModel
from topics.clusters import class_tf_idf, membership

KINDS = ("kmeans", "lda", "nmf")
WORLD = themed()


def fitted(kind: str, topics: int = 4, seed: int = 0, world: Themed = WORLD, **options: object) -> Fit:
    return kinds.fit(kind, world.vectors, world.bag, FitSettings(topics, seed, options), encoder="fp")


@pytest.fixture(scope="module")
def fits() -> dict[str, Fit]:
    return {kind: fitted(kind) for kind in KINDS}


def infer(model: TopicModel, rows: slice = slice(None), encoder: str = "fp") -> Any:
    return model.infer(WORLD.vectors[rows], WORLD.bag.counts[rows], encoder=encoder)


@pytest.mark.parametrize("kind", KINDS)
def test_topics_are_the_themes_and_rows_sum_to_one(kind: str, fits: dict[str, Fit]) -> None:
    found = fits[kind]
    assert purity(WORLD.labels, found.theta.argmax(axis=1)) >= (0.7 if kind == "lda" else 0.95)  # local optima
    assert (found.model.kind, found.model.topics) == (kind, 4)
    assert found.theta.dtype == np.float32
    np.testing.assert_allclose(found.theta.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found.model.beta().sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_two_fits_with_one_seed_are_equal_bit_for_bit(kind: str, fits: dict[str, Fit]) -> None:
    again = fitted(kind)
    assert again.theta.tobytes() == fits[kind].theta.tobytes()
    assert again.model.beta().tobytes() == fits[kind].model.beta().tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_answers_the_same_and_holds_no_pickle(kind: str, fits: dict[str, Fit], tmp_path: Path) -> None:
    fits[kind].model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "weights.safetensors"]
    loaded = kinds.load(tmp_path)
    assert (loaded.kind, loaded.encoder, loaded.vocabulary) == (kind, "fp", WORLD.bag.vocabulary)
    assert infer(loaded).tobytes() == fits[kind].theta.tobytes()
    assert loaded.beta().tobytes() == fits[kind].model.beta().tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_texts_do_not_influence_each_other(kind: str, fits: dict[str, Fit]) -> None:
    model = fits[kind].model
    alone = np.concatenate([infer(model, slice(row, row + 1)) for row in range(10)])
    np.testing.assert_allclose(alone, fits[kind].theta[:10], atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_of_another_encoder_and_other_widths_are_refused(kind: str, fits: dict[str, Fit]) -> None:
    model = fits[kind].model
    with pytest.raises(IndexMismatch, match="belongs to encoder fp, but was asked with encoder other"):
        infer(model, encoder="other")
    with pytest.raises(ValueError, match="expected 16 dimensions"):
        model.infer(WORLD.vectors[:, :5], WORLD.bag.counts, encoder="fp")
    with pytest.raises(ValueError, match="40 words, found 16 and 3"):
        model.infer(WORLD.vectors, WORLD.bag.counts[:, :3], encoder="fp")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_damaged_file_is_named(kind: str, name: str, fits: dict[str, Fit], tmp_path: Path) -> None:
    fits[kind].model.save(tmp_path)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(BadWeights, match=re.escape(str(tmp_path))):
        kinds.load(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_there_are_never_more_topics_than_texts(kind: str, count: int) -> None:
    world = themed(count)
    found = fitted(kind, topics=5, world=world)
    assert found.theta.shape == (count, min(5, count))
    np.testing.assert_allclose(found.theta.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_without_words_have_a_mixture_too(kind: str) -> None:
    world = themed(12)
    bag = world.bag.rows(np.arange(12))
    bag.counts.data[:] = 0
    bag.counts.eliminate_zeros()
    found = kinds.fit(kind, world.vectors, bag, FitSettings(3), encoder="fp")
    np.testing.assert_allclose(found.theta.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found.model.beta().sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_progress_may_stop_a_fit(kind: str) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kinds.fit(kind, WORLD.vectors, WORLD.bag, FitSettings(4), encoder="fp", progress=stop)


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("kmeans", {"sharp": 3}, "no option sharp; there is: rounds, sharpness"),
        ("lda", {"iterations": 0}, "option iterations lies between 1 and 100000; 0 was given"),
        ("nmf", {"iterations": "many"}, "option iterations is a int; 'many' was given"),
    ],
)
def test_an_option_that_cannot_be_is_named(kind: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=re.escape(why)):
        fitted(kind, **options)


def test_kmeans_gives_a_text_to_its_nearest_centre_and_marks_topics_by_c_tf_idf(fits: dict[str, Fit]) -> None:
    found = fits["kmeans"]
    labels = found.theta.argmax(axis=1)
    scores = class_tf_idf((membership(labels, 4) @ WORLD.bag.counts).toarray())
    np.testing.assert_allclose(found.model.beta(), scores / scores.sum(axis=1, keepdims=True), rtol=1e-5)
    blurred = fitted("kmeans", sharpness=2.0)
    assert np.array_equal(blurred.theta.argmax(axis=1), labels)
    assert blurred.theta.max(axis=1).mean() < found.theta.max(axis=1).mean()


def test_kmeans_starts_where_it_is_told_to(fits: dict[str, Fit]) -> None:
    labels = fits["kmeans"].theta.argmax(axis=1)
    centres = np.stack([WORLD.vectors[labels == k].mean(axis=0) for k in (2, 0, 3, 1)])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    settings = FitSettings(4, guidance=Guidance(start_centres=centres))
    found = kinds.fit("kmeans", WORLD.vectors, WORLD.bag, settings, encoder="fp")
    assert np.array_equal(np.array([2, 0, 3, 1])[found.theta.argmax(axis=1)], labels)


def test_lda_is_the_batch_variational_bayes_of_scikit_learn(fits: dict[str, Fit]) -> None:
    theirs = LatentDirichletAllocation(4, max_iter=20, random_state=0)
    theta = theirs.fit_transform(WORLD.bag.counts.astype(np.float64))
    np.testing.assert_allclose(fits["lda"].theta, theta, atol=1e-4)


def test_nmf_mixtures_are_the_least_squares_weights_of_tf_idf(fits: dict[str, Fit]) -> None:
    from scipy.optimize import nnls

    weights = TfidfTransformer(sublinear_tf=True).fit_transform(WORLD.bag.counts)
    words = fits["nmf"].model.beta().astype(np.float64)
    for row in range(5):
        exact, _ = nnls(words.T, weights[[row]].toarray().ravel())
        np.testing.assert_allclose(fits["nmf"].theta[row], exact / exact.sum(), atol=1e-4)


def test_nmf_gives_a_text_without_known_words_the_shares_of_the_whole(fits: dict[str, Fit]) -> None:
    found = fits["nmf"]
    bare = found.model.infer(WORLD.vectors[:1], csr_matrix((1, len(WORLD.bag.vocabulary))), encoder="fp")
    np.testing.assert_allclose(bare[0], found.theta.mean(axis=0), atol=1e-6)
