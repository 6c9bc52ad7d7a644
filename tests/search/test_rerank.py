"""What re-ranking moves, and what it never touches."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from riparian.catalog.filters import parse
from riparian.types import Mode, SearchAnswer
from riparian.vectors.flat import FlatIndex
from riparian.vectors.token_states import TokenStates
from search import rerank
from search.fusion import Ranking, min_max
from search.ranking import Ranked
from search.request import Fusion, Rerank, SearchRequest
from search.service import SearchService, Standing
from tests.search.stated import StatedWorld
from tests.search.world import Text

NOUNS = ("river", "storm", "bread", "oven", "bank", "interest", "boat", "invoice", "dough", "gravel")
QUERIES = ("river storm boat", "bread in the oven", "gravel bank interest", "invoice")
DOCUMENTS = 140
"""More than are put in order again."""


def texts() -> list[Text]:
    chance = random.Random(11)
    return [
        Text(
            f"{number % 3}/{number}.txt",
            "\n\n".join(
                f"{' '.join(chance.choices(NOUNS, k=chance.randint(2, 7)))} {number}.".capitalize()
                for _ in range(chance.randint(1, 5))
            ),
            type=chance.choice(("txt", "md")),
            author=chance.choice(("Ada", "Bo", "")),
        )
        for number in range(DOCUMENTS)
    ]


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> StatedWorld:
    """140 documents with token states; not to be written to."""
    world = StatedWorld(tmp_path_factory.mktemp("stated"))
    world.fill(*texts())
    return world


def asked(query: str, how: Rerank | None, *filters: str, k: int = 1000) -> SearchRequest:
    return SearchRequest(
        "papers", query, Mode.HYBRID, parse(filters), k=k, facets=("type", "author"), collapse=False, sentences=False,
        rerank=how,
    )  # fmt: skip


def order(answer: SearchAnswer) -> list[int]:
    return [hit.document.id for hit in answer.hits]


def stands(search: SearchService, query: str, how: Rerank | None) -> Standing:
    return search.standing(asked(query, how))


@pytest.mark.parametrize("filters", [(), ("type:md",), ("author:Ada",)])
@pytest.mark.parametrize("query", QUERIES)
def test_the_first_hundred_stay_the_same_documents_and_all_else_stays_as_it_was(stated, query, filters):
    before = stated.search.search(asked(query, Rerank.NONE, *filters))
    after = stated.search.search(asked(query, Rerank.MAXSIM, *filters))
    assert (before.rerank, after.rerank) == ("none", "maxsim")
    assert order(after) != order(before)
    assert set(order(after)[: rerank.FIRST]) == set(order(before)[: rerank.FIRST])
    assert order(after)[rerank.FIRST :] == order(before)[rerank.FIRST :]
    assert (after.total, after.facets) == (before.total, before.facets)
    assert after.counted.tolist() == before.counted.tolist()
    scores = [hit.score for hit in after.hits]
    assert scores == sorted(scores, reverse=True)


def test_more_than_a_hundred_are_found_so_that_there_is_an_order_below(stated):
    assert stated.search.search(asked(QUERIES[0], None)).total == DOCUMENTS > rerank.FIRST


@pytest.mark.parametrize("query", QUERIES)
def test_two_searches_give_the_same_list_and_pages_are_parts_of_it(stated, query):
    first, again = (stated.search.search(asked(query, None)) for _ in range(2))
    assert first.rerank == "maxsim"
    assert [(hit.document.id, hit.score) for hit in first.hits] == [(hit.document.id, hit.score) for hit in again.hits]
    anew = stated.at_depth().search(asked(query, None))
    assert order(anew) == order(first)
    second_page = stated.search.search(replace(asked(query, None, k=25), offset=25))
    assert order(second_page) == order(first)[25:50]


def test_without_token_states_the_ranking_is_the_hybrid_one(stated):
    for query in QUERIES:
        plain, hybrid = stated.plain.search(asked(query, None)), stated.search.search(asked(query, Rerank.NONE))
        assert plain.rerank == "none"
        assert [(h.document.id, h.score) for h in plain.hits] == [(h.document.id, h.score) for h in hybrid.hits]


@pytest.mark.parametrize("mode", [Mode.LEXICAL, Mode.SEMANTIC])
def test_a_search_by_one_side_alone_is_left_as_it_is_unless_asked(stated, mode):
    answer = stated.search.search(replace(asked(QUERIES[0], None), mode=mode))
    assert answer.rerank == "none"
    assert order(answer) == order(stated.plain.search(replace(asked(QUERIES[0], None), mode=mode)))


def test_a_query_of_nothing_but_identifiers_is_left_as_it_is(tmp_path: Path):
    world = StatedWorld(tmp_path)
    world.fill(Text("a.txt", "The invoice INV-2041/7 is open."), Text("b.txt", "The invoice INV-9 is paid."))
    assert world.search.search(asked("INV-2041/7", None)).rerank == "none"
    assert world.search.search(asked("open invoice", None)).rerank == "maxsim"


def test_the_first_hit_after_it_is_what_the_shares_say(stated):
    """The order worked out anew, step by step, from what the fused list, the vectors and the states hold."""
    before = stands(stated.search, QUERIES[0], Rerank.NONE)
    question, ranked = before.question, before.ranked
    documents = rerank.first_counted(ranked)
    states, meaning = stated.held, question.asked.meaning
    encoder = stated.encoders.of(stated.encoder)
    [tokens] = encoder.encode_tokens([QUERIES[0]], "query")
    rarity = np.array(question.asked.words.index.rarity(["river", "storm", "boat"]))
    late, vectors = {}, {}
    first = ranked.ranking.scores[: len(documents)]
    for document in documents.tolist():
        passages = question.scene.layout.passages_of(np.array([document]))
        vectors[document] = rows = meaning.view.vectors(passages).astype(np.float64)
        nearest = passages[np.argsort(-(rows @ meaning.queries[0]), kind="stable")[: rerank.PASSAGES]]
        found = states.of(nearest.tolist()).values()
        late[document] = max(_maxsim(tokens.vectors, rarity / rarity.sum(), basis, rows) for basis, rows in found)
    assert rerank.weighed(ranked, documents, meaning.view) is ranked  # they differ by more than three spreads
    by_words = 0.6 * _zero_to_one(first) + 0.4 * _zero_to_one([late[one] for one in documents.tolist()])
    order = np.argsort(-by_words, kind="stable")
    documents, by_words = documents[order], _zero_to_one(by_words[order])
    share = np.exp((by_words[: rerank.HEARD] - 1) / rerank.TEMPERATURE)
    means = [vectors[one].sum(axis=0) for one in documents[: rerank.HEARD].tolist()]
    centre = sum(s * m / np.linalg.norm(m) for s, m in zip(share / share.sum(), means, strict=True))
    near = [float((vectors[one] @ centre / np.linalg.norm(centre)).max()) for one in documents.tolist()]
    total = 0.6 * by_words + 0.4 * _zero_to_one(near)
    expected = documents[np.argsort(-total, kind="stable")].tolist()
    after = stands(stated.search, QUERIES[0], Rerank.MAXSIM).ranked.ranking
    assert after.ids[: len(documents)].tolist() == expected
    assert after.scores[: len(documents)] == pytest.approx(
        first.min() + (first.max() - first.min()) * np.sort(total)[::-1], abs=1e-5
    )


def _maxsim(query, weights, basis, rows):
    along = query @ basis
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    return float(weights @ (along @ (rows.T / 127.0)).max(axis=1))


def _zero_to_one(values):
    column = np.array(values)
    return (column - column.min()) / (column.max() - column.min())


# -------------------------------------------------------------------------------------------- the sum alone


def standing_of(scores: dict[int, float]) -> Ranked:
    ranking = Ranking.of(np.array(list(scores)), np.array(list(scores.values())))
    return Ranked(ranking, np.sort(ranking.ids), None, None, 0.5, 1000)


OLD = {5: 0.9, 3: 0.7, 8: 0.7, 1: 0.4, 9: 0.2, 2: 0.1}


def test_shares_of_nothing_leave_the_order_and_the_scores():
    ranked = standing_of(OLD)
    found = rerank.reordered(ranked, ranked.ranking.ids, 0.0, {9: 1.0, 5: 0.0})
    assert found.ranking.ids.tolist() == [5, 3, 8, 1, 9, 2]
    assert found.ranking.scores == pytest.approx(ranked.ranking.scores)


def test_a_signal_with_the_whole_share_gives_its_own_order_and_the_unknown_get_the_least():
    ranked = standing_of(OLD)
    found = rerank.reordered(ranked, ranked.ranking.ids[:4], 1.0, {1: 0.5, 8: 0.4, 3: 0.1})
    assert found.ranking.ids.tolist() == [1, 8, 5, 3, 9, 2]  # 5 has none: as little as 3, and it stood before it
    assert found.ranking.scores == pytest.approx([0.9, 0.775, 0.4, 0.4, 0.2, 0.1])
    told = rerank.by_pairs(ranked, ranked.ranking.ids[:4], {1: 0.5, 8: 0.4, 3: 0.1}).late
    assert told is not None
    assert told.ids.tolist() == [1, 8, 3, 5]


def test_half_the_share_is_worked_out_by_hand():
    ranked = standing_of({1: 1.0, 2: 0.5, 3: 0.0})
    found = rerank.reordered(ranked, ranked.ranking.ids, 0.5, {1: 2.0, 2: 4.0, 3: 3.0})
    # 1: 0.5 + 0, 2: 0.25 + 0.5, 3: 0 + 0.25
    assert list(zip(found.ranking.ids.tolist(), found.ranking.scores.tolist(), strict=True)) == [
        (2, 0.75), (1, 0.5), (3, 0.25),
    ]  # fmt: skip


def test_without_a_signal_or_with_one_document_nothing_is_put_in_order():
    ranked = standing_of(OLD)
    assert rerank.reordered(ranked, ranked.ranking.ids, 0.25, {}) is ranked
    assert rerank.by_words(ranked, ranked.ranking.ids, {}) is ranked
    assert rerank.reordered(ranked, ranked.ranking.ids[:1], 0.25, {5: 1.0}) is ranked


# -------------------------------------------------------------------------------------------- meaning that tells little

VIEW = FlatIndex(np.arange(3), np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32))
"""Cosines between passages: 0, 1 and 0; their standard deviation is the square root of 2/9."""


def fused_of(semantic: dict[int, float], lexical: dict[int, float], fusion: Fusion = Fusion.MIN_MAX) -> Ranked:
    near, matching = (Ranking.of(np.array(list(one)), np.array(list(one.values()))) for one in (semantic, lexical))
    merged = min_max([near, matching], [0.5, 0.5])
    return Ranked(merged, np.sort(merged.ids), near, matching, 0.5, 1000, fusion=fusion)


def test_the_spread_is_that_of_the_cosines_between_passages():
    assert rerank.spread_between(VIEW) == pytest.approx((2 / 9) ** 0.5)
    assert rerank.spread_between(FlatIndex(np.arange(1), np.ones((1, 2), dtype=np.float32))) == 0.0


def test_cosines_that_differ_by_less_than_passages_do_by_chance_count_for_less():
    least = 3 * (2 / 9) ** 0.5
    ranked = fused_of({1: 0.9, 2: 0.6, 3: 0.2}, {2: 4.0, 1: 3.5, 3: 2.0})
    assert ranked.ranking.ids.tolist() == [1, 2, 3]  # 1/2 + 3/8 and 2/7 + 1/2
    found = rerank.weighed(ranked, ranked.ranking.ids, VIEW).ranking
    one, two = 0.5 * 0.7 / least + 0.375, 0.5 * 0.4 / least + 0.5
    assert two > one
    assert found.ids.tolist() == [2, 1, 3]
    assert found.scores == pytest.approx([0.875, 0.875 * one / two, 0.0])


def test_where_they_differ_by_enough_or_one_side_or_ranks_alone_ranked_nothing_is_weighed():
    far = fused_of({1: 1.0, 2: 0.5, 3: -0.9}, {2: 4.0, 1: 3.5, 3: 2.0})
    by_rank = fused_of({1: 0.9, 2: 0.6, 3: 0.2}, {2: 4.0, 1: 3.5, 3: 2.0}, Fusion.RECIPROCAL_RANK)
    alone = replace(by_rank, lexical=None, fusion=Fusion.MIN_MAX)
    for ranked in (far, by_rank, alone):
        assert rerank.weighed(ranked, ranked.ranking.ids, VIEW) is ranked


# -------------------------------------------------------------------------------------------- removed documents


class Looked(TokenStates):
    """Remembers which passages it was asked for."""

    def __init__(self, states: TokenStates) -> None:
        super().__init__(states.parts)
        self.asked: set[int] = set()

    def of(self, passages):
        found = list(passages)
        self.asked |= set(found)
        return super().of(found)


def test_states_of_a_removed_document_are_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    world = StatedWorld(tmp_path)
    ids = world.fill(*texts()[:20])
    best = stands(world.search, QUERIES[0], None).ranked.ranking.ids[0]
    with world.database.write() as catalog:
        gone = catalog.passages.ids(world.id)
        catalog.documents.remove([best])
        catalog.collections.touch(world.id)
        left = catalog.passages.ids(world.id)
    removed = set(gone.tolist()) - set(left.tolist())
    assert removed <= set(world.held.ids.tolist())  # still on the disk until the parts are merged
    looked = Looked(world.held)
    monkeypatch.setattr(world.states, "snapshot", lambda *_: looked)
    after = stands(world.search, QUERIES[0], None)
    assert after.rerank is Rerank.MAXSIM
    assert looked.asked
    assert not looked.asked & removed
    assert best not in after.ranked.ranking.ids
    assert sorted(after.ranked.ranking.ids.tolist()) == sorted(set(ids) - {best})


def test_a_text_that_was_changed_is_met_by_what_it_says_now(tmp_path: Path):
    world = StatedWorld(tmp_path)
    world.fill(*texts()[:12])
    met = []
    for text in ("Dough and gravel.", "River, storm, boat.", "Dough and gravel."):
        [document] = world.fill(Text("changing.txt", text))
        late = stands(world.search, QUERIES[0], Rerank.MAXSIM).ranked.late
        assert late is not None
        met.append(float(late.scores[late.ids == document][0]))
    assert met[1] == pytest.approx(1, abs=0.01)
    assert met[0] == met[2] < 0.5
