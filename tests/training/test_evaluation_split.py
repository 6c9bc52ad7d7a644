"""What is learnt from and what is judged by have no document in common, in any of its forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riparian.errors import Invalid
from training.collected import Source
from training.evaluation.split import check_no_leak, split


def source(number: int, group: int | None = None, text: str | None = None) -> Source:
    return Source(number, number if group is None else group, "", text or f"Text number {number}.", "en")


@st.composite
def collections(draw: st.DrawFn) -> list[Source]:
    count = draw(st.integers(8, 30))
    groups = [draw(st.integers(1, number)) for number in range(1, count + 1)]
    texts = [draw(st.one_of(st.none(), st.sampled_from(["Same words.", "Same  words.\n"]))) for _ in range(count)]
    alone = [source(1000 + number) for number in range(5)]
    return [source(n, groups[n - 1], texts[n - 1]) for n in range(1, count + 1)] + alone


@given(collections(), st.integers(0, 5))
def test_each_document_is_on_one_side_and_its_near_duplicates_with_it(found: list[Source], seed: int) -> None:
    sides = split(found, seed, 0.4)
    assert sorted([*sides.learnt, *sides.held_out], key=lambda one: one.id) == sorted(found, key=lambda one: one.id)
    check_no_leak(sides.learnt, sides.held_out)
    assert not {one.group for one in sides.learnt} & {one.group for one in sides.held_out}
    assert split(found[::-1], seed, 0.4) == sides


def test_the_seed_draws_the_sides_and_the_share_is_kept() -> None:
    found = [source(number) for number in range(100)]
    sides = split(found, seed=1)
    assert (len(sides.learnt), len(sides.held_out), sides.seed) == (80, 20, 1)
    assert sides.held_out != split(found, seed=2).held_out


def test_documents_drawn_stay_on_their_side_as_a_collection_grows() -> None:
    before = split([source(number) for number in range(500)], seed=1)
    after = split([source(number) for number in range(550)], seed=1)
    moved = {one.id for one in before.held_out} - {one.id for one in after.held_out}
    assert len(moved) <= 10


@pytest.mark.parametrize(
    ("learnt", "why"),
    [
        (source(3), "the same document"),
        (source(9, group=3), "a near-duplicate"),
        (source(9, text="Text  number 3.\n"), "equal text"),
    ],
)
def test_a_leak_is_refused_and_named(learnt: Source, why: str) -> None:
    with pytest.raises(Invalid, match=rf"document 3, held out to judge by, was learnt from as document \d \({why}\)"):
        check_no_leak([source(1), learnt], [source(2), source(3)])


@pytest.mark.parametrize("found", [[], [source(1)], [source(1), source(2, group=1)]])
def test_too_few_different_documents_cannot_be_split(found: list[Source]) -> None:
    with pytest.raises(Invalid, match="cannot be split"):
        split(found, seed=1, held_out=0.5)
