"""The joint model: laws that hold for any texts, and that it finds what the texts are about."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from riparian.errors import BadWeights, IndexMismatch, Invalid
from tests.topics.themes import THEMES, Themed, purity, themed
from topics import kinds
from topics.base import BagOfWords, Fit, FitSettings, Guidance
from topics.joint import em, smoothing
from topics.joint.model import JointModel

NOTHING = Guidance()


def fitted(data: Themed, topics: int = 4, guidance: Guidance = NOTHING, **options: Any) -> Fit:
    return kinds.fit("joint", data.vectors, data.bag, FitSettings(topics, 0, options, guidance), encoder="fp")


@pytest.fixture(scope="module")
def data() -> Themed:
    return themed()


@pytest.fixture(scope="module")
def fit(data: Themed) -> Fit:
    return fitted(data)


def shuffled(data: Themed, order: np.ndarray) -> Themed:
    return Themed([data.texts[i] for i in order], data.labels[order], data.vectors[order], data.bag.rows(order))


# ------------------------------------------------------------------------------ laws


@settings(deadline=None, max_examples=15)
@given(count=st.integers(1, 40), topics=st.integers(1, 12), seed=st.integers(0, 99))
def test_mixtures_and_words_of_topics_sum_to_one(count: int, topics: int, seed: int) -> None:
    made = fitted(themed(count, seed), topics)
    assert made.theta.shape == (count, min(count, topics))
    np.testing.assert_allclose(made.theta.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(made.model.beta().sum(axis=1), 1, atol=1e-4)
    assert (made.theta >= 0).all()


def test_two_fits_are_equal_bit_for_bit_and_no_seed_is_read(data: Themed, fit: Fit) -> None:
    again = kinds.fit("joint", data.vectors, data.bag, FitSettings(4, seed=77), encoder="fp")
    assert again.theta.tobytes() == fit.theta.tobytes()
    assert again.model.beta().tobytes() == fit.model.beta().tobytes()


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_passages_changes_nothing_at_all(data: Themed, fit: Fit, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(data.texts))
    other = fitted(shuffled(data, order))
    assert other.theta.tobytes() == fit.theta[order].tobytes()
    assert other.model.beta().tobytes() == fit.model.beta().tobytes()


def test_groups_are_the_themes(data: Themed, fit: Fit) -> None:
    assert purity(data.labels, fit.theta.argmax(axis=1)) == 1.0


def test_a_theme_s_words_are_likeliest_in_its_topic(data: Themed, fit: Fit) -> None:
    place = {word: number for number, word in enumerate(data.bag.vocabulary)}
    beta = fit.model.beta()
    for theme, words in enumerate(THEMES):
        topic = np.bincount(fit.theta[data.labels == theme].argmax(axis=1)).argmax()
        assert {int(beta[:, place[word]].argmax()) for word in words} == {int(topic)}


def test_equal_passages_and_empty_ones_are_no_obstacle() -> None:
    vectors = np.zeros((6, 3), np.float32)
    vectors[:4, 0] = 1
    made = fitted(Themed([], np.zeros(6, int), vectors, themed(6).bag), 3)
    assert np.isfinite(made.theta).all()
    np.testing.assert_allclose(made.theta.sum(axis=1), 1, atol=1e-5)


# ------------------------------------------------------------------------------ smoothing


def test_neighbour_weights_are_those_of_the_plain_definition() -> None:
    rows = smoothing.unit(np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32))
    found = smoothing.neighbour_weights(rows, rows, 4, own=True).toarray()
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -np.inf)
    for row in range(30):
        nearest = np.argsort(-cosines[row])[:4]
        expected = np.zeros(30)
        expected[nearest] = np.maximum(cosines[row, nearest], 0)
        np.testing.assert_allclose(found[row], expected / expected.sum(), atol=1e-6)


def test_a_passage_beyond_the_landmarks_is_smoothed_as_a_new_one_would_be() -> None:
    rows = smoothing.unit(np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32))
    smoothed = smoothing.smooth(rows, landmarks=40, neighbours=5, pull=2, rounds=3)
    np.testing.assert_array_equal(smoothed[:40], smoothing.smooth(rows[:40], 40, 5, 2, 3))
    np.testing.assert_array_equal(smoothed[40:], smoothing.fold_in(rows[40:], rows[:40], smoothed[:40], 5, 2))


# ------------------------------------------------------------------------------ EM


def test_an_iteration_is_that_of_the_equations() -> None:
    data = themed(20)
    rng = np.random.default_rng(2)
    theta = rng.dirichlet(np.ones(3), 20).astype(np.float32)
    first = rng.random((3, len(data.bag.vocabulary))).astype(np.float32)
    prior = em.Prior(theta, np.full(20, 7, np.float32), np.float32(0.01))
    found, expected = em.fit(data.bag.counts, prior, first, 1)

    x, n = data.bag.counts.toarray(), first + 0.01
    beta = n / n.sum(axis=1, keepdims=True)
    ratio = x / (theta @ beta)
    mixed = theta * (ratio @ beta.T) + 7 * theta
    np.testing.assert_allclose(found, mixed / mixed.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(expected, beta * (theta.T @ ratio) + 0.01, rtol=1e-4)


def test_iterations_never_lower_the_objective() -> None:
    data = themed(60)
    rng = np.random.default_rng(3)
    theta0 = rng.dirichlet(np.ones(4), 60).astype(np.float32)
    first = rng.random((4, len(data.bag.vocabulary))).astype(np.float32)
    prior, x = em.Prior(theta0, np.full(60, 5, np.float32), np.float32(0.01)), data.bag.counts.toarray()

    def objective(iterations: int) -> float:
        theta, expected = em.fit(data.bag.counts, prior, first, iterations)
        beta = expected / expected.sum(axis=1, keepdims=True)
        likelihood = (x * np.log(theta @ beta + 1e-12)).sum()
        return float(likelihood + 5 * (theta0 * np.log(theta + 1e-12)).sum() + 0.01 * np.log(beta).sum())

    values = [objective(n) for n in (1, 2, 4, 8, 16)]
    assert all(later >= before - 0.05 for before, later in pairwise(values)), values


def test_blocks_of_counts_change_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    data = themed(50)
    whole = fitted(data)
    monkeypatch.setattr(em, "_BLOCK", 37)
    np.testing.assert_allclose(fitted(data).theta, whole.theta, atol=1e-5)


# ------------------------------------------------------------------------------ use


def test_new_texts_have_the_topic_of_their_theme(data: Themed, fit: Fit) -> None:
    new = themed(seed=5)
    theta = fit.model.infer(new.vectors, _counted(new, data.bag), encoder="fp")
    of_theme = [int(np.bincount(fit.theta[data.labels == t].argmax(axis=1)).argmax()) for t in range(4)]
    assert [of_theme[label] for label in new.labels] == theta.argmax(axis=1).tolist()


def test_a_text_is_inferred_alike_alone_and_in_company(data: Themed, fit: Fit) -> None:
    together = fit.model.infer(data.vectors[:30], data.bag.counts[:30], encoder="fp")
    alone = [fit.model.infer(data.vectors[i : i + 1], data.bag.counts[i : i + 1], encoder="fp")[0] for i in range(30)]
    np.testing.assert_allclose(np.array(alone), together, atol=1e-5)


def test_a_text_without_words_has_what_its_vector_says(data: Themed, fit: Fit) -> None:
    empty = data.bag.counts[:5] * 0
    empty.eliminate_zeros()
    theta = fit.model.infer(data.vectors[:5], empty, encoder="fp")
    assert theta.argmax(axis=1).tolist() == fit.theta[:5].argmax(axis=1).tolist()


def test_a_saved_model_infers_the_same_bits(data: Themed, fit: Fit, tmp_path: Path) -> None:
    fit.model.save(tmp_path)
    loaded = kinds.load(tmp_path)
    assert isinstance(loaded, JointModel)
    assert (loaded.kind, loaded.topics, loaded.encoder, loaded.vocabulary) == ("joint", 4, "fp", data.bag.vocabulary)
    mine = fit.model.infer(data.vectors, data.bag.counts, encoder="fp")
    assert loaded.infer(data.vectors, data.bag.counts, encoder="fp").tobytes() == mine.tobytes()


def test_vectors_of_another_encoder_are_refused(data: Themed, fit: Fit) -> None:
    with pytest.raises(IndexMismatch):
        fit.model.infer(data.vectors, data.bag.counts, encoder="another")


def test_widths_that_are_not_the_model_s_are_refused(data: Themed, fit: Fit) -> None:
    with pytest.raises(ValueError, match="expected 16 dimensions"):
        fit.model.infer(data.vectors[:, :8], data.bag.counts, encoder="fp")


@pytest.mark.parametrize("damage", ["remove", "format", "vocabulary"])
def test_a_damaged_folder_is_refused(damage: str, fit: Fit, tmp_path: Path) -> None:
    fit.model.save(tmp_path)
    record = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    if damage == "remove":
        (tmp_path / "weights.safetensors").unlink()
    else:
        record |= {"format": 9} if damage == "format" else {"vocabulary": ["one"]}
        (tmp_path / "model.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(BadWeights):
        kinds.load(tmp_path)


@pytest.mark.parametrize("options", [{"neighbour": 3}, {"rounds": 1.5}, {"pull": -1}, {"iterations": 0}])
def test_an_option_that_cannot_be_is_refused(data: Themed, options: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        fitted(data, **options)


def _counted(new: Themed, bag: BagOfWords) -> csr_matrix:
    from topics import bow

    return bow.count(((text, ("en",)) for text in new.texts), bag.vocabulary).counts


# ------------------------------------------------------------------------------ guidance


def test_topics_that_start_from_centres_keep_their_numbers(data: Themed, fit: Fit) -> None:
    assert isinstance(fit.model, JointModel)
    turned = np.array([2, 0, 3, 1])
    made = fitted(data, guidance=Guidance(start_centres=fit.model.centres()[turned]))
    assert made.theta.argmax(axis=1).tolist() == np.argsort(turned)[fit.theta.argmax(axis=1)].tolist()


def test_topics_beyond_the_known_ones_are_found_anew(data: Themed, fit: Fit) -> None:
    assert isinstance(fit.model, JointModel)
    made = fitted(data, guidance=Guidance(start_centres=fit.model.centres()[1:3]))
    assert purity(data.labels, made.theta.argmax(axis=1)) == 1.0
    known = fit.theta.argmax(axis=1)
    assert set(made.theta[known == 1].argmax(axis=1)) == {0}
    assert set(made.theta[known == 2].argmax(axis=1)) == {1}


def test_fixed_passages_stay_whatever_they_say(data: Themed) -> None:
    fixed = {row: int(row % 4 == 0) for row in range(24)}
    made = fitted(data, guidance=Guidance(fixed=fixed))
    assert {row: int(made.theta[row].argmax()) for row in fixed} == fixed


def test_seed_words_draw_their_subject_to_their_topic(data: Themed) -> None:
    for topic in range(4):
        made = fitted(data, guidance=Guidance(seed_words={topic: ["violin", "cello", "unheard"]}))
        assert set(made.theta[data.labels == 2].argmax(axis=1)) == {topic}


def test_passages_to_be_together_have_one_topic(data: Themed) -> None:
    middle = Themed(data.texts, data.labels, data.vectors.copy(), data.bag)
    blend = data.vectors[0] + data.vectors[1]
    middle.vectors[1] = blend / np.linalg.norm(blend)
    made = fitted(middle, guidance=Guidance(together=[(0, 1)]))
    assert made.theta[0].argmax() == made.theta[1].argmax()


def test_of_two_equal_passages_to_be_apart_one_is_less_sure(data: Themed, fit: Fit) -> None:
    made = fitted(data, guidance=Guidance(apart=[(0, 4)]))
    assert fit.theta[0].argmax() == fit.theta[4].argmax()
    topic = fit.theta[0].argmax()
    assert min(made.theta[0, topic], made.theta[4, topic]) < min(fit.theta[0, topic], fit.theta[4, topic])


@pytest.mark.parametrize(
    "guidance",
    [
        Guidance(fixed={0: 4}),
        Guidance(fixed={9999: 0}),
        Guidance(seed_words={-1: ["river"]}),
        Guidance(together=[(0, 9999)]),
        Guidance(start_centres=np.ones((2, 3), np.float32)),
    ],
)
def test_guidance_about_what_is_not_there_is_refused(data: Themed, guidance: Guidance) -> None:
    with pytest.raises(Invalid):
        fitted(data, guidance=guidance)


def test_guided_fits_do_not_depend_on_the_order_either(data: Themed) -> None:
    guidance = Guidance(fixed={3: 0, 7: 1}, together=[(0, 1)], apart=[(4, 8)], seed_words={2: ["comet"]})
    made = fitted(data, guidance=guidance)
    order = np.random.default_rng(8).permutation(len(data.texts))
    place = {int(old): new for new, old in enumerate(order)}
    moved = dataclasses.replace(
        guidance, fixed={place[3]: 0, place[7]: 1}, together=[(place[1], place[0])], apart=[(place[4], place[8])]
    )
    other = fitted(shuffled(data, order), guidance=moved)
    assert other.theta.tobytes() == made.theta[order].tobytes()
