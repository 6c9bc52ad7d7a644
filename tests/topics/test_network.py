from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix

from topics.batches import TextRows
from topics.network import Objective, Shape, TopicNetwork, fold_adapt, gaussian_kl
from topics.sparse_steps import Running, Words, reconstruction, weighted_sum

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(9, 6)).astype(np.float32)
COUNTS = RNG.poisson(1.0, size=(9, 11)).astype(np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2, -1, -1, -1])
TEXTS = TextRows(VECTORS, csr_matrix(COUNTS), LABELS)
ALL = TEXTS.take(np.arange(9))


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
    other = TextRows(VECTORS, csr_matrix(COUNTS[::-1])).take(np.arange(9))
    zeroshot, combined = network(counts_in=False), network()
    assert np.array_equal(zeroshot.mixtures(ALL), zeroshot.mixtures(other))
    assert not np.allclose(combined.mixtures(ALL), combined.mixtures(other))
    assert "words" not in zeroshot.arrays()
    assert combined.arrays()["words"].shape == (11, 8)


def test_mixtures_and_word_probabilities_sum_to_one() -> None:
    made = network()
    made.train_step(ALL, 1e-2)
    for samples in (0, 7):
        np.testing.assert_allclose(made.mixtures(ALL, samples).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(made.word_probabilities().sum(axis=1), 1, rtol=1e-5)


def test_sampled_mixtures_do_not_depend_on_the_place_of_a_text() -> None:
    made = network()
    whole = made.mixtures(ALL, samples=5)
    np.testing.assert_allclose(made.mixtures(TEXTS.take(np.array([3])), samples=5)[0], whole[3], rtol=1e-5)


def test_training_lowers_the_loss_and_leaves_global_random_numbers_alone() -> None:
    before = torch.random.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"].tolist()
    made = network()
    start = made.evaluate(ALL)
    for _ in range(60):
        made.train_step(ALL, 1e-2)
    assert made.evaluate(ALL) < start
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state(legacy=False)["state"]["key"].tolist() == before[1]


def test_restored_weights_give_the_same_mixtures() -> None:
    one, other = network(seed=1), network(seed=2)
    one.train_step(ALL, 1e-2)
    other.restore(one.arrays())
    assert np.array_equal(one.mixtures(ALL), other.mixtures(ALL))


def published_loss(made: TopicNetwork, dense: torch.Tensor, theta: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    """As in the papers, with B × V counts, torch's own layers and 1e-10 beside each probability."""
    p = torch.softmax(F.batch_norm(theta @ beta, None, None, training=True), dim=1)
    return -(dense * torch.log(p + 1e-10)).sum()


def sparse_words(dense: torch.Tensor) -> Words:
    texts, words = torch.nonzero(dense, as_tuple=True)
    starts = torch.searchsorted(texts, torch.arange(len(dense)))
    return Words(words, texts, starts, dense[texts, words], dense.sum(dim=1))


def test_the_sparse_decoder_and_its_gradients_are_those_of_the_dense_published_one() -> None:
    dense = torch.from_numpy(COUNTS)
    theta = torch.softmax(torch.from_numpy(RNG.normal(size=(9, 3))), dim=1).float()
    beta = torch.from_numpy(RNG.normal(size=(3, 11))).float()
    one, other = [(theta.clone().requires_grad_(), beta.clone().requires_grad_()) for _ in range(2)]
    running = Running(torch.zeros(11), torch.ones(11))

    sparse = reconstruction(*one, sparse_words(dense), running).sum()
    whole = published_loss(network(), dense, *other)
    torch.autograd.backward(sparse)
    torch.autograd.backward(whole)

    assert sparse.item() == pytest.approx(whole.item(), rel=1e-5)
    for mine, published in zip(one, other, strict=True):
        torch.testing.assert_close(mine.grad, published.grad, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(running.mean, 0.1 * (theta @ beta).mean(dim=0))
    torch.testing.assert_close(running.variance, 0.9 + 0.1 * (theta @ beta).var(dim=0))


def test_the_sparse_first_layer_and_its_gradient_are_a_matrix_product() -> None:
    dense = torch.from_numpy(COUNTS)
    one, other = [torch.from_numpy(RNG.normal(size=(11, 4))).float().requires_grad_() for _ in range(2)]
    with torch.no_grad():
        other.copy_(one)
    torch.autograd.backward((weighted_sum(sparse_words(dense), one) ** 2).sum())
    torch.autograd.backward(((dense @ other) ** 2).sum())
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-3)


def test_classes_are_learned_from_the_texts_that_have_one() -> None:
    made = TopicNetwork(Shape(3, 11, 6, hidden=8, labels=3), Objective(dropout=0, label_weight=50), gain=1.0, seed=0)
    for _ in range(60):
        made.train_step(ALL, 3e-2)
    found = made.class_probabilities(made.mixtures(ALL))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert (found.argmax(axis=1)[:6] == LABELS[:6]).all()


def test_texts_without_a_known_class_change_no_class() -> None:
    made = TopicNetwork(Shape(3, 11, 6, hidden=8, labels=3), Objective(), gain=1.0, seed=0)
    before = made.arrays()["labels"]
    made.train_step(TextRows(VECTORS, csr_matrix(COUNTS)).take(np.arange(9)), 1e-2)
    assert np.array_equal(made.arrays()["labels"], before)
    with pytest.raises(ValueError, match="without labels"):
        network().class_probabilities(np.ones((1, 3), np.float32))


def test_a_network_goes_on_from_its_state_as_if_never_stopped() -> None:
    one, other = network(seed=1), network(seed=2)
    one.train_step(ALL, 1e-2)
    other.resume(one.state())
    for made in (one, other):
        made.train_step(ALL, 1e-2)
    assert all(np.array_equal(array, other.state()[name]) for name, array in one.state().items())
