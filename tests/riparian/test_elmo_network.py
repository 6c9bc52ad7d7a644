"""Laws of the two language models: what sees what, and what changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders.elmo import characters
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.network import FIRST, BiLM
from riparian.encoders.elmo.options import ElmoOptions
from tests.riparian.elmo_models import TINY, tensors, without_skip

WORDS = "the river bank lends money to ducks that swim by night .".split()


def bilm(options: ElmoOptions = TINY) -> BiLM:
    return BiLM(options, {name: torch.from_numpy(tensor) for name, tensor in tensors(options).items()})


def layers(model: BiLM, rows: list[list[int]]) -> list[np.ndarray]:
    with torch.inference_mode():
        table = model.table(WORDS)
        found = model.sentences(table, [[FIRST + row for row in sentence] for sentence in rows], model.zero())
    return [each.numpy() for each in found]


sentences = st.lists(st.integers(0, len(WORDS) - 1), min_size=1, max_size=12)


@settings(deadline=None, max_examples=30)
@given(sentences, st.data())
def test_the_forward_half_never_sees_what_follows_nor_the_backward_half_what_precedes(
    row: list[int], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(row) - 1))
    other = [*row[:at], (row[at] + 1) % len(WORDS), *row[at + 1 :]]
    size = TINY.projection

    (before,), (after,) = layers(bilm(), [row]), layers(bilm(), [other])

    assert np.array_equal(before[:, :at, :size], after[:, :at, :size])
    assert np.array_equal(before[:, at + 1 :, size:], after[:, at + 1 :, size:])
    above = slice(1, None)
    assert all(not np.array_equal(before[above, k], after[above, k]) for k in range(len(row)))


@settings(deadline=None, max_examples=30)
@given(st.lists(sentences, min_size=1, max_size=6))
def test_a_sentence_has_the_same_layers_alone_and_padded_beside_others(rows: list[list[int]]) -> None:
    model = bilm()

    together = layers(model, rows)

    for row, found in zip(rows, together, strict=True):
        assert np.allclose(layers(model, [row])[0], found, atol=1e-5)


def test_layer_0_is_the_word_alone_twice() -> None:
    (found,) = layers(bilm(), [[2, 4, 2]])

    assert np.array_equal(found[0, 0], found[0, 2])
    assert np.array_equal(found[0, :, : TINY.projection], found[0, :, TINY.projection :])
    assert not np.allclose(found[2, 0], found[2, 2])


def test_skip_connections_add_the_input_of_the_second_layer_to_its_output() -> None:
    (with_skip,), (plain,) = layers(bilm(), [[0, 1, 2]]), layers(bilm(without_skip()), [[0, 1, 2]])

    assert np.array_equal(with_skip[1], plain[1])
    assert np.allclose(with_skip[2], plain[2] + plain[1], atol=1e-6)


def test_states_and_outputs_stay_within_their_clips() -> None:
    wild = {name: torch.from_numpy(tensor * 40) for name, tensor in tensors().items()}
    model = BiLM(TINY, wild)

    with torch.inference_mode():
        found, state = model.carried(WORDS, model.zero())

    assert float(state.cell.abs().max()) == 3.0
    assert float(found[1].abs().max()) == 3.0


def test_reading_on_from_a_state_differs_from_starting_anew() -> None:
    model = bilm()
    with torch.inference_mode():
        first, state = model.carried(WORDS, model.zero())
        second, _ = model.carried(WORDS, state)

    assert torch.equal(first[0], second[0])
    assert not torch.allclose(first[1], second[1], atol=1e-3)


def test_words_are_bytes_between_marks_one_higher_than_their_number() -> None:
    ids, lengths = characters.ids(["né"], 8)
    marks, _ = characters.boundaries(5)

    assert ids.tolist() == [[259, ord("n") + 1, 0xC3 + 1, 0xA9 + 1, 260, 261, 261, 261]]
    assert lengths.tolist() == [5]
    assert marks.tolist() == [[259, 257, 260, 261, 261], [259, 258, 260, 261, 261]]


def test_a_word_too_long_for_the_model_keeps_its_first_bytes() -> None:
    ids, _ = characters.ids(["a" * 60], 50)

    assert ids.shape == (1, 50)
    assert ids[0, 48] == ord("a") + 1
    assert ids[0, 49] == 260


def test_padding_takes_part_in_the_maximum_as_in_the_published_models() -> None:
    model = bilm()
    with torch.inference_mode():
        short = model.table(["a"])[FIRST]
        whole = model._words(torch.from_numpy(characters.ids(["a"], 50)[0]))[0]

    assert torch.allclose(short, whole, atol=1e-6)


def test_the_mix_is_a_softmax_times_gamma() -> None:
    assert Mix.uniform(3).weights() == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert Mix.only(1, 3).weights() == (0.0, 1.0, 0.0)
    assert Mix((0.0, np.log(2.0), np.log(5.0))).weights() == pytest.approx((1 / 8, 2 / 8, 5 / 8))
    assert sum(Mix((700.0, -3.0, 699.0)).weights()) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="layer 3 of 3"):
        Mix.only(3, 3)
