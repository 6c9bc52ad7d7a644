"""A changed archive ranks as one that always was so: nothing of removed or earlier texts weighs on a score."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import delete

from indexer.embedding import encoded_with_states
from riparian.catalog.relevance_rows import StatePartRow
from riparian.inputs import encoder_input
from riparian.types import DocumentId
from search.request import Rerank
from tests.search.stated import StatedEncoder, StatedWorld
from tests.search.test_rerank import NOUNS, QUERIES, asked
from tests.search.world import Text

TOLERANCE = 0.005
"""Token states are coordinates along the main directions of those that came first, which were others here: late
interaction then differs by some thousandths of what it ranges over."""


def texts(seed: int, first: int, count: int) -> list[Text]:
    chance = random.Random(seed)
    return [
        Text(f"{number:03}.txt", "\n\n".join(_paragraph(chance, number) for _ in range(chance.randint(1, 5))))
        for number in range(first, first + count)
    ]


def _paragraph(chance: random.Random, number: int) -> str:
    return f"{' '.join(chance.choices(NOUNS, k=chance.randint(2, 7)))} {number}.".capitalize()


BEFORE = texts(1, 0, 80)
CHANGED, ADDED = texts(2, 20, 20), texts(3, 80, 20)
AFTER = sorted([*BEFORE[40:], *CHANGED, *ADDED], key=lambda text: text.source)
"""Of 80 documents 20 are removed, 20 say something else, and 20 come."""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> StatedWorld:
    world = StatedWorld(tmp_path_factory.mktemp("changed"))
    ids = world.fill(*BEFORE)
    with world.database.write() as catalog:
        catalog.documents.remove(ids[:20])
        catalog.collections.touch(world.id)
    world.fill(*CHANGED)
    world.fill(*ADDED)
    assert world.lexical.compact(world.id)
    return world


@pytest.fixture(scope="module")
def always_so(tmp_path_factory: pytest.TempPathFactory) -> StatedWorld:
    world = StatedWorld(tmp_path_factory.mktemp("always-so"))
    world.fill(*AFTER)
    return world


@pytest.fixture(scope="module")
def along_the_same(tmp_path_factory: pytest.TempPathFactory, changed: StatedWorld) -> StatedWorld:
    """As `always_so`, with states along the directions of the changed archive."""
    world = StatedWorld(tmp_path_factory.mktemp("along-the-same"))
    world.fill(*AFTER)
    _make_states_anew(world, changed)
    return world


def scores(world: StatedWorld, query: str, how: Rerank) -> dict[str, float]:
    """By source, in their order."""
    answer = world.search.search(asked(query, how))
    assert answer.rerank == how.value
    return {hit.document.source: hit.score for hit in answer.hits}


@pytest.mark.parametrize("query", QUERIES)
def test_by_words_and_meaning_a_changed_archive_ranks_as_one_that_always_was_so(changed, always_so, query):
    found, expected = (scores(world, query, Rerank.NONE) for world in (changed, always_so))
    assert found == pytest.approx(expected, abs=1e-6)
    assert _order(found) == _order(expected)


@pytest.mark.parametrize("query", QUERIES)
def test_re_ranked_it_does_up_to_what_the_directions_of_its_token_states_differ(changed, always_so, query):
    assert not (changed.held.parts[0].basis == always_so.held.parts[0].basis).all()
    found, expected = (scores(world, query, Rerank.MAXSIM) for world in (changed, always_so))
    assert found == pytest.approx(expected, abs=TOLERANCE)
    in_order = [found[source] for source in expected]
    assert all(later < earlier + 2 * TOLERANCE for earlier, later in pairwise(in_order))


@pytest.mark.parametrize("query", QUERIES)
def test_along_the_same_directions_it_does_exactly(changed, along_the_same, query):
    found, expected = (scores(world, query, Rerank.MAXSIM) for world in (changed, along_the_same))
    assert found == pytest.approx(expected, abs=1e-6)
    assert _order(found) == _order(expected)


def test_removed_texts_weigh_on_the_scores_until_their_share_is_too_large(tmp_path: Path):
    world = StatedWorld(tmp_path)
    ids = world.fill(*BEFORE)
    index = world.lexical.index(world.id)
    assert index.removed_share() == 0
    assert not world.lexical.compact(world.id, force=True)
    _remove(world, ids[:2])
    [rarity] = index.rarity(["river"])
    assert 0 < index.removed_share() < 0.05
    assert not world.lexical.compact(world.id)
    _remove(world, ids[2:20])
    assert index.removed_share() > 0.2
    assert world.lexical.compact(world.id)
    assert index.removed_share() == 0
    fresh = StatedWorld(tmp_path / "fresh")
    fresh.fill(*BEFORE[20:])
    assert index.rarity(["river"]) == fresh.lexical.index(fresh.id).rarity(["river"]) != [rarity]


def _order(found: dict[str, float]) -> list[str]:
    """By falling score; equal ones, which stand by the ids they happen to have, by source."""
    return sorted(found, key=lambda source: (-round(found[source], 6), source))


def _remove(world: StatedWorld, documents: Iterable[DocumentId]) -> None:
    with world.database.write() as catalog:
        catalog.documents.remove(list(documents))
        catalog.collections.touch(world.id)
    world.index()


def _make_states_anew(world: StatedWorld, like: StatedWorld) -> None:
    assert world.encoder is not None
    with world.database.read() as catalog:
        passages = [passage for batch in catalog.passages.all(world.id) for passage in batch]
        titles = catalog.documents.many({passage.document_id for passage in passages})
    inputs = [encoder_input(titles[passage.document_id].title, passage.text) for passage in passages]
    encoder = world.encoders.of(world.encoder)
    assert isinstance(encoder, StatedEncoder)
    _, basis, rows = encoded_with_states(encoder, inputs, like.held.parts[-1].basis)
    states = {passage.id: own for passage, own in zip(passages, rows, strict=True)}
    draft = world.states.draft(world.id, world.encoder, states, basis)
    with world.database.write() as catalog:
        catalog.session.execute(delete(StatePartRow))
        draft.publish(catalog)
        catalog.collections.touch(world.id)
