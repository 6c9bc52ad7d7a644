"""The network and the two losses of Cross-View Training: what each module sees, and what each loss teaches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from riparian.encoders.cvt import objective
from riparian.encoders.cvt.modules import VIEWS, Module, Modules
from riparian.encoders.cvt.network import Reader, Sizes, Way
from riparian.encoders.cvt.words import BEGIN, END, MARKS, UNKNOWN, Batch, Words, form
from riparian.errors import Invalid
from tests.riparian.cvt_models import SIZES

KNOWN = "the old bank of a river sees ducks .".split()
OTHERS = [*KNOWN, "Donau", "日本", "x"]
TAGS = 4

SENTENCES = st.lists(st.sampled_from(OTHERS), min_size=2, max_size=7)


@pytest.fixture(scope="module")
def reader() -> Reader:
    torch.manual_seed(1)
    found = Reader(SIZES)
    with torch.no_grad():
        for value in found.parameters():
            value.mul_(2)  # wide: what stands around a word must show
    return found


@pytest.fixture(scope="module")
def modules() -> Modules:
    torch.manual_seed(2)
    return Modules(SIZES, TAGS)


def batch(*sentences: list[str]) -> Batch:
    return Words(KNOWN, SIZES.most_characters, lower=False).batch(sentences)


def scores(reader: Reader, modules: Modules, *sentences: list[str]) -> dict[str, Tensor]:
    """(B, L, tags) of every module."""
    with torch.no_grad():
        states = reader(batch(*sentences))
        named = dict(zip(VIEWS, modules.views(), strict=True))
        return {name: module(states) for name, module in {**named, "primary": modules.primary}.items()}


# ---------------------------------------------------------------- views


@settings(deadline=None, max_examples=25)
@given(SENTENCES, st.data())
def test_the_forward_views_are_blind_to_all_later_words_and_the_backward_views_to_all_earlier_ones(
    reader: Reader, modules: Modules, words: list[str], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(words) - 1))
    changed = [*words[:at], data.draw(st.sampled_from([w for w in OTHERS if w != words[at]])), *words[at + 1 :]]
    before, after = scores(reader, modules, words), scores(reader, modules, changed)

    here = at + 1  # behind the mark
    for name in ("forward", "future"):
        assert torch.equal(before[name][:, :here], after[name][:, :here])
        assert not torch.equal(before[name][:, here], after[name][:, here])
    for name in ("backward", "past"):
        assert torch.equal(before[name][:, here + 1 :], after[name][:, here + 1 :])
        assert not torch.equal(before[name][:, here], after[name][:, here])
    for name in ("primary", "full"):
        for place in range(1, len(words) + 1):
            assert not torch.equal(before[name][:, place], after[name][:, place])


def test_future_guesses_the_tag_of_a_word_that_it_has_not_seen_and_past_likewise(
    reader: Reader, modules: Modules
) -> None:
    words = "the old bank sees ducks".split()
    for at in range(1, len(words)):
        other = [*words[:at], "river", *words[at + 1 :]]
        before, after = scores(reader, modules, words), scores(reader, modules, other)
        assert torch.equal(before["future"][:, at], after["future"][:, at])  # the place before it guesses word `at`
    for at in range(len(words) - 1):
        other = [*words[:at], "river", *words[at + 1 :]]
        before, after = scores(reader, modules, words), scores(reader, modules, other)
        assert torch.equal(before["past"][:, at + 2], after["past"][:, at + 2])


def test_the_views_are_the_published_ones(modules: Modules) -> None:
    assert {name: (view.sees, view.of, view.activates) for name, view in VIEWS.items()} == {
        "forward": (("ahead",), 0, True),
        "backward": (("back",), 0, True),
        "future": (("ahead",), 1, True),
        "past": (("back",), -1, True),
        "full": (("uni", "both"), 0, False),
    }
    assert modules.primary.view.sees == ("uni", "both")
    assert modules.primary.view.activates


@settings(deadline=None, max_examples=15)
@given(st.lists(SENTENCES, min_size=1, max_size=4))
def test_a_sentence_has_the_same_states_alone_and_beside_longer_ones(
    reader: Reader, sentences: list[list[str]]
) -> None:
    with torch.no_grad():
        together = reader(batch(*sentences))
        for row, words in enumerate(sentences):
            alone, size = reader(batch(words)), len(words) + 2
            for name in ("ahead", "back", "both"):
                gap = (getattr(together, name)[row, :size] - getattr(alone, name)[0]).abs().max()
                assert float(gap) <= 1e-6


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize("output", [5, 3])
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_a_way_computes_what_the_lstm_of_torch_computes(output: int) -> None:
    torch.manual_seed(3)
    way = Way(4, cell=5, output=output)
    other = nn.LSTM(4, 5, batch_first=True, proj_size=output if output < 5 else 0)
    with torch.no_grad():
        other.weight_ih_l0.copy_(way.enter.T)
        other.weight_hh_l0.copy_(way.again.T)
        other.bias_ih_l0.copy_(way.bias)
        other.bias_hh_l0.zero_()
        if way.project is not None:
            other.weight_hr_l0.copy_(way.project.T)
        x = torch.randn(3, 6, 4)
        assert float((way(x) - other(x)[0]).abs().max()) <= 1e-6


def test_a_cell_starts_out_remembering() -> None:
    bias = Way(4, cell=3, output=3).bias.tolist()

    assert bias == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_sentences_stand_between_marks_and_are_turned_within_them() -> None:
    found = batch("the bank sees".split(), ["Donau"])

    first = [MARKS + KNOWN.index(word) for word in "the bank sees".split()]
    assert found.rows.tolist() == [[BEGIN, *first, END], [BEGIN, UNKNOWN, END, END, END]]
    assert found.mask.tolist() == [[False, True, True, True, False], [False, True, False, False, False]]
    assert found.turned.tolist() == [[4, 3, 2, 1, 0], [2, 1, 0, 3, 4]]


def test_every_distinct_word_is_spelt_once_and_only_to_its_limit() -> None:
    long = "Donaudampfschiff"
    found = batch(["the", long, "the"], ["the", long + "fahrt"])
    spelt = found.spelling[found.places]

    assert len(found.spelling) == 2 + 3
    assert torch.equal(spelt[0, 1], spelt[0, 3])
    assert torch.equal(spelt[0, 2], spelt[1, 2])  # they differ behind the eighth byte


@pytest.mark.parametrize(("word", "found"), [("Bank", "bank"), ("1998", "0000"), ("B52s", "b00s")])
def test_words_are_looked_up_in_lower_case_with_every_digit_a_zero(word: str, found: str) -> None:
    assert form(word) == found


def test_text_read_in_lower_case_is_spelt_so_too() -> None:
    lower, plain = (Words(["bank"], 8, lower).batch([["BANK"], ["bank"]]) for lower in (True, False))

    assert torch.equal(lower.places[0], lower.places[1])
    assert not torch.equal(plain.places[0], plain.places[1])
    assert plain.rows[0].tolist() == plain.rows[1].tolist()


@pytest.mark.parametrize("change", [{"projected": 11}, {"cell": 0}, {"most_characters": 3}, {"second": True}])
def test_sizes_that_cannot_be_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        Sizes(**{**SIZES.to_json(), **change})


# ---------------------------------------------------------------- losses


def gradients(of: nn.Module) -> Iterator[Tensor | None]:
    return (value.grad for value in of.parameters())


def cleared(*parts: nn.Module) -> None:
    for part in parts:
        part.zero_grad(set_to_none=True)


def test_a_labelled_sentence_teaches_the_encoder_and_the_primary_module_alone(reader: Reader, modules: Modules) -> None:
    cleared(reader, modules)
    found = batch("the old bank".split(), ["ducks"])
    tags = torch.where(found.mask, 1, objective.NO_TAG)
    objective.labelled(reader, modules.primary, found, tags, dropout=0.0, smoothing=0.1).backward()

    assert all(grad is None for module in modules.views() for grad in gradients(module))
    assert all(grad is not None and bool(grad.any()) for grad in gradients(modules.primary))
    assert all(grad is not None and bool(grad.any()) for grad in gradients(reader))


def test_an_unlabelled_sentence_teaches_the_encoder_and_the_auxiliary_modules_alone(
    reader: Reader, modules: Modules
) -> None:
    cleared(reader, modules)
    objective.unlabelled(reader, modules, batch("the old bank".split(), ["ducks"]), dropout=0.2).backward()

    assert all(grad is None for grad in gradients(modules.primary))
    assert all(grad is not None and bool(grad.any()) for module in modules.views() for grad in gradients(module))
    assert all(grad is not None and bool(grad.any()) for grad in gradients(reader))


def test_a_view_teaches_its_own_direction_of_the_first_layer_alone(reader: Reader, modules: Modules) -> None:
    for name, own, other in (("forward", "ahead", "back"), ("past", "back", "ahead")):
        cleared(reader, modules)
        module = dict(zip(VIEWS, modules.views(), strict=True))[name]
        module(reader(batch("the old bank".split()))).square().sum().backward()

        assert all(grad is not None for grad in gradients(getattr(reader.first, own)))
        assert all(grad is None or not grad.any() for grad in gradients(getattr(reader.first, other)))
        assert all(grad is None for grad in gradients(reader.second))


def test_the_teacher_drops_nothing_out_and_hands_no_gradient_back(reader: Reader, modules: Modules) -> None:
    found = batch("the old bank sees ducks".split())
    torch.manual_seed(1)
    first = objective.teacher(reader, modules.primary, found)
    torch.manual_seed(2)
    second = objective.teacher(reader, modules.primary, found)

    assert torch.equal(first, second)
    assert not first.requires_grad
    assert torch.allclose(first.sum(dim=2), torch.ones(first.shape[:2]))
    torch.manual_seed(1)
    noisy = reader(found, 0.5).both
    torch.manual_seed(2)
    assert not torch.equal(noisy, reader(found, 0.5).both)


def test_the_labelled_loss_is_smoothed_cross_entropy_over_the_words_that_have_a_tag(
    reader: Reader, modules: Modules
) -> None:
    found = batch("the old bank".split(), ["ducks"])
    tags = torch.tensor([[-1, 2, -1, 0, -1], [-1, 3, -1, -1, -1]])
    loss = float(objective.labelled(reader, modules.primary, found, tags, dropout=0.0, smoothing=0.1).detach())

    logs = np.log(objective.teacher(reader, modules.primary, found).double().numpy())
    smoothed = 0.9 * np.eye(TAGS) + 0.1 / TAGS
    expected = -np.mean([smoothed[tag] @ logs[at] for tag, at in ((2, (0, 1)), (0, (0, 3)), (3, (1, 1)))])
    assert loss == pytest.approx(expected, abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from([0, 1, -1]), st.integers(0, 9))
def test_agreement_counts_only_places_whose_partner_lies_in_the_sentence(
    lengths: list[int], of: int, seed: int
) -> None:
    numbers = np.random.default_rng(seed)
    length = max(lengths) + 2
    given_scores = numbers.normal(size=(len(lengths), length, TAGS))
    believed = numbers.dirichlet(np.ones(TAGS), size=(len(lengths), length))
    places = np.arange(length)[None, :]
    mask = (places > 0) & (places <= np.array(lengths)[:, None])

    logs = given_scores - np.log(np.exp(given_scores).sum(axis=2, keepdims=True))
    losses = [
        -believed[row, at + of] @ logs[row, at]
        for row, size in enumerate(lengths)
        for at in range(1, size + 1)
        if 1 <= at + of <= size
    ]
    found = objective.agreement(*map(torch.from_numpy, (given_scores, believed, mask)), of)
    assert float(found) == pytest.approx(np.mean(losses) if losses else 0.0, abs=1e-9)


def test_the_edge_of_a_sentence_has_no_future_and_no_past(reader: Reader, modules: Modules) -> None:
    """What the teacher says of a neighbour in the padding, or of a mark, changes nothing."""
    mask = batch("the old bank".split(), ["ducks"]).mask
    torch.manual_seed(4)
    given_scores, believed = torch.randn(*mask.shape, TAGS), torch.rand(*mask.shape, TAGS)
    other = torch.where(mask[:, :, None], believed, torch.rand(*mask.shape, TAGS))

    for of in (0, 1, -1):
        first, second = (objective.agreement(given_scores, each, mask, of) for each in (believed, other))
        assert torch.equal(first, second)
    assert float(objective.agreement(given_scores[1:], believed[1:], mask[1:], 1)) == 0.0


def test_a_perfect_view_has_no_more_loss_than_the_teachers_own_doubt(reader: Reader, modules: Modules) -> None:
    found = batch("the old bank sees ducks".split())
    believed = objective.teacher(reader, modules.primary, found)
    with torch.no_grad():
        own = objective.agreement(modules.primary(reader(found)), believed, found.mask, 0)
    doubt = -(believed * believed.log()).sum(dim=2)[found.mask].mean()

    assert float(own) == pytest.approx(float(doubt), abs=1e-6)


def test_a_module_of_one_view_is_a_layer_a_relu_and_a_layer(reader: Reader, modules: Modules) -> None:
    with torch.no_grad():
        states = reader(batch("the old bank".split()))
        for module in modules.views():
            assert isinstance(module, Module)
            inner = sum(
                getattr(states, name) @ layer.weight.T + layer.bias
                for name, layer in zip(module.view.sees, module.project, strict=True)
            )
            inner = inner.clamp(min=0) if module.view.activates else inner
            expected = inner @ module.predict.weight.T + module.predict.bias
            assert float((module(states) - expected).abs().max()) <= 1e-5
