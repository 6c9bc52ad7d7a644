from __future__ import annotations

import numpy as np
import torch

from topics.network import Objective, Shape, TopicNetwork, fold_adapt, gaussian_kl

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(9, 6)).astype(np.float32)
COUNTS = RNG.poisson(1.0, size=(9, 11)).astype(np.float32)


def network(counts_in: bool = True, seed: int = 0, topics: int = 3) -> TopicNetwork:
    return TopicNetwork(Shape(topics, 11, 6, hidden=8, counts_in=counts_in), Objective(), gain=1.0, seed=seed)


def test_the_folded_layer_is_the_published_pair_of_layers() -> None:
    adapt, bias = RNG.normal(size=(6, 11)).astype(np.float32), RNG.normal(size=11).astype(np.float32)
    first = RNG.normal(size=(22, 8)).astype(np.float32)
    published = np.concatenate([COUNTS, VECTORS @ adapt + bias], axis=1) @ first
    upper, context, shift = fold_adapt(adapt, bias, first)
    np.testing.assert_allclose(COUNTS @ upper + VECTORS @ context + shift, published, rtol=1e-4, atol=1e-4)


def test_kl_is_the_closed_form() -> None:
    mean, log_variance = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))
    prior_mean, prior_log_variance = RNG.normal(size=4), RNG.normal(size=4)
    variance, prior = np.exp(log_variance), np.exp(prior_log_variance)
    expected = 0.5 * (
        (variance / prior).sum(1) + ((prior_mean - mean) ** 2 / prior).sum(1) - 4
        + prior_log_variance.sum() - log_variance.sum(1)
    )  # fmt: skip
    found = gaussian_kl(*(torch.tensor(x) for x in (mean, log_variance, prior_mean, prior_log_variance)))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_kl_is_zero_only_where_posterior_and_prior_agree() -> None:
    mean, log_variance = torch.tensor([[0.5, -1.0]]), torch.tensor([[0.1, 0.2]])
    assert gaussian_kl(mean, log_variance, mean[0], log_variance[0]).item() == 0
    assert gaussian_kl(mean + 0.1, log_variance, mean[0], log_variance[0]).item() > 0


def test_zeroshot_reads_the_vector_alone_and_combined_both() -> None:
    other = COUNTS[::-1].copy()
    zeroshot, combined = network(counts_in=False), network()
    assert np.array_equal(zeroshot.mixtures(VECTORS, COUNTS), zeroshot.mixtures(VECTORS, other))
    assert not np.allclose(combined.mixtures(VECTORS, COUNTS), combined.mixtures(VECTORS, other))
    assert "words" not in zeroshot.arrays()
    assert combined.arrays()["words"].shape == (11, 8)


def test_mixtures_and_word_probabilities_sum_to_one() -> None:
    made = network()
    made.train_step(VECTORS, COUNTS, 1e-2)
    for samples in (0, 7):
        np.testing.assert_allclose(made.mixtures(VECTORS, COUNTS, samples).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(made.word_probabilities().sum(axis=1), 1, rtol=1e-5)


def test_sampled_mixtures_do_not_depend_on_the_place_of_a_text() -> None:
    made = network()
    whole = made.mixtures(VECTORS, COUNTS, samples=5)
    np.testing.assert_allclose(made.mixtures(VECTORS[3:4], COUNTS[3:4], samples=5)[0], whole[3], rtol=1e-5)


def test_training_lowers_the_loss_and_leaves_global_random_numbers_alone() -> None:
    before = torch.random.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].tolist()
    made = network()
    start = made.evaluate(VECTORS, COUNTS)
    for _ in range(60):
        made.train_step(VECTORS, COUNTS, 1e-2)
    assert made.evaluate(VECTORS, COUNTS) < start
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state(legacy=False)["state"]["key"].tolist() == before[1]


def test_restored_weights_give_the_same_mixtures() -> None:
    one, other = network(seed=1), network(seed=2)
    one.train_step(VECTORS, COUNTS, 1e-2)
    other.restore(one.arrays())
    assert np.array_equal(one.mixtures(VECTORS, COUNTS), other.mixtures(VECTORS, COUNTS))
