"""Explanations add up to the scores they explain, and say what they cannot tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.errors import UnknownPassage
from riparian.inputs import encoder_input
from riparian.types import DocumentId, Mode, Passage, PassageId
from search.examples import Example
from search.explain.estimated import ORDERS, STRETCHES
from search.explain.meaning import Meanings
from search.explain.placing import placing_of
from search.explain.records import Explanation, Meaning
from search.explain.service import ON_REQUEST, ExplainService
from search.explain.sought import Sought, Target
from search.fusion import Ranking
from search.ranking import Ranked
from search.request import Fusion, SearchRequest
from tests.riparian.encoder_models import tiny_bert
from tests.search.world import FLOODS, World

COMPLETE = 1e-5
TEXT = st.text(alphabet="abc dé.,-'\n水路ก1", min_size=1, max_size=60)


@pytest.fixture(scope="module")
def explain(archive: World) -> ExplainService:
    return ExplainService(archive.database, archive.search)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Encoder]:
    folder = tmp_path_factory.mktemp("models")
    specs = {
        "hashing": "hashing:32",
        "mean": f"bert:{tiny_bert(folder)}",
        "max": str(tiny_bert(folder, prompts=True, kind="roberta")),
        "use": "use",
        "cls": f"mirror-bert:{tiny_bert(folder / 'cls')}?pooling=cls",
    }
    return {name: registry.load(spec, cache_dir=folder / "cache") for name, spec in specs.items()}


def request(query: str, **given: object) -> SearchRequest:
    return SearchRequest("papers", query, **given)  # type: ignore[arg-type]


def meaning_of(encoder: Encoder, query: str, text: str, title: str = "") -> Meaning:
    row = encoder.encode_passages([query], "query")[0].astype(np.float64)
    sought = Sought(encoder, query, row, lambda words: [1.0] * len(words))
    passage = Passage(PassageId(1), DocumentId(1), 0, 100, 100 + len(text), text)
    [found] = Meanings().of(sought, [Target(passage, title, None)], estimates=True)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["hashing", "mean", "max", "use", "cls"])
@given(query=TEXT, text=TEXT, title=st.sampled_from(["", " River report"]))
@settings(max_examples=15, deadline=None)
def test_the_shares_sum_to_the_cosine(
    encoders: dict[str, Encoder], kind: str, query: str, text: str, title: str
) -> None:
    encoder = encoders[kind]
    found = meaning_of(encoder, query, text, title)
    [asked] = encoder.encode_passages([query], "query").astype(np.float64)
    [passage] = encoder.encode_passages([encoder_input(title, text)], "passage").astype(np.float64)
    assert abs(found.cosine - asked @ passage) < COMPLETE
    assert abs(sum(word.share for word in found.passage) + found.rest - asked @ passage) < COMPLETE
    assert abs(sum(word.share for word in found.query) + found.query_rest - asked @ passage) < COMPLETE
    assert found.method == ("estimated" if kind == "cls" else "exact")


@given(text=TEXT, title=st.sampled_from(["", "  The title"]))
@settings(max_examples=30, deadline=None)
def test_every_word_is_found_where_it_is_said_to_stand(encoders: dict[str, Encoder], text: str, title: str) -> None:
    found = meaning_of(encoders["hashing"], "river", text, title)
    for word in found.passage:
        place = title if word.place == "title" else text
        shift = 100 if word.place == "text" else 0
        assert place[word.start - shift : word.end - shift] == word.text
    spans = [(word.place, word.start, word.end) for word in found.passage]
    assert len(set(spans)) == len(spans)


def test_pulls_are_relative_and_sum_with_the_rest_to_nothing(encoders: dict[str, Encoder]) -> None:
    found = meaning_of(encoders["hashing"], "river bank", "The river rose. Banks lend money.")
    assert sum(word.pull for word in found.passage) == pytest.approx(0.0, abs=1e-6)
    by_word = {word.text: word.pull for word in found.passage}
    assert by_word["river"] > 0 > by_word["money"]


def test_words_of_the_query_are_linked_to_the_nearest_of_the_passage(encoders: dict[str, Encoder]) -> None:
    found = meaning_of(encoders["hashing"], "banks rivers", "The river rose. A bank lends money.")
    assert [(link.query.text, link.passage.text) for link in found.links] == [("banks", "bank"), ("rivers", "river")]
    assert sum(link.weight for link in found.links) == pytest.approx(1.0)
    assert all(0.3 < link.cosine <= 1 for link in found.links)


def test_an_estimate_covers_the_text_in_few_stretches(encoders: dict[str, Encoder]) -> None:
    text = " ".join(f"word{number}" for number in range(40))
    found = meaning_of(encoders["cls"], "river", text)
    assert len(found.passage) == STRETCHES
    assert " ".join(stretch.text for stretch in found.passage) == text
    assert ORDERS % 2 == 0


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("fusion", list(Fusion))
@pytest.mark.parametrize("query", ["storm river", "banks", '"interest rates"', "smooth -oven", "storm^3 river"])
def test_every_hit_is_explained_to_its_last_score(
    explain: ExplainService, mode: Mode, fusion: Fusion, query: str
) -> None:
    found = explain.search(request(query, mode=mode, fusion=fusion))
    assert found.answer == explain._search.search(request(query, mode=mode, fusion=fusion))
    assert len(found.explanations) == len(found.answer.hits) > 0
    for hit, one in zip(found.answer.hits, found.explanations, strict=True):
        assert (one.passage, one.document) == (hit.passage.id, hit.document.id)
        assert sum(given.adds for given in one.placing.given) == pytest.approx(hit.score, abs=1e-6)
        assert one.placing.other == pytest.approx(0.0, abs=1e-6)
        assert one.placing.score == hit.score
        raw = {given.part.retriever: given.part.raw for given in one.placing.given}
        if mode is not Mode.SEMANTIC:
            assert one.terms is not None
            assert one.terms.score == pytest.approx(raw.get("lexical", 0.0), rel=1e-5)
            assert sum(term.score for term in one.terms.terms) == pytest.approx(one.terms.score)
        if mode is not Mode.LEXICAL:
            assert one.meaning is not None and one.meaning.stored is not None
            assert one.meaning.cosine == pytest.approx(one.meaning.stored, abs=COMPLETE)


def test_term_scores_name_the_words_of_the_query(explain: ExplainService) -> None:
    found = explain.search(request("storms and rivers", mode=Mode.LEXICAL)).explanations[0]
    assert found.terms is not None and found.meaning is None
    scores = {term.words: term.score for term in found.terms.terms}
    assert set(scores) == {("storms",), ("rivers",)} and all(score > 0 for score in scores.values())


def test_any_passage_can_be_explained_also_one_that_was_not_found(explain: ExplainService) -> None:
    first, last = explain.passages(request("bread oven", mode=Mode.LEXICAL), [PassageId(4), PassageId(1)])
    assert first.placing.rank == 1 and first.placing.score > 0
    assert last.placing.rank is None and last.terms is not None and last.terms.score == 0


def test_a_passage_of_no_collection_is_refused(explain: ExplainService) -> None:
    with pytest.raises(UnknownPassage):
        explain.passages(request("bread"), [PassageId(999)])


def test_a_contrast_sums_to_the_difference(explain: ExplainService) -> None:
    found = explain.contrast(request("storm river boats"), PassageId(1), PassageId(3))
    one, other = found.first, found.second
    assert one.meaning and other.meaning and one.terms and other.terms
    gap = one.meaning.cosine - other.meaning.cosine
    assert sum(part.gap for part in found.by_query) == pytest.approx(gap, abs=COMPLETE)
    assert sum(part.gap for part in found.by_word) == pytest.approx(gap, abs=COMPLETE)
    assert sum(part.gap for part in found.by_term) == pytest.approx(one.terms.score - other.terms.score)
    assert sum(part.gap for part in found.by_retriever) == pytest.approx(one.placing.score - other.placing.score)
    gaps = [abs(part.gap) for part in found.by_word]
    assert gaps == sorted(gaps, reverse=True)


def test_a_query_that_was_moved_is_explained_by_the_passage_alone(explain: ExplainService) -> None:
    moved = request("river", more=(Example(text="bread and dough"),))
    found = explain.search(moved).explanations[0].meaning
    assert found is not None and found.query == ()
    assert [link.query.text for link in found.links] == ["river"]
    assert sum(word.share for word in found.passage) + found.rest == pytest.approx(found.cosine, abs=COMPLETE)
    assert found.stored == pytest.approx(found.cosine, abs=COMPLETE)


def test_what_examples_add_to_bm25_is_told(explain: ExplainService) -> None:
    moved = request(
        "river", mode=Mode.LEXICAL, more=(Example(passage=PassageId(1)),), less=(Example(passage=PassageId(6)),)
    )
    for hit, one in _paired(explain, moved):
        assert one.terms is not None
        assert max(0.0, one.terms.score) == pytest.approx(hit, rel=1e-4, abs=1e-5)


def _paired(explain: ExplainService, asked: SearchRequest) -> list[tuple[float, Explanation]]:
    found = explain.search(asked)
    return [(hit.score, one) for hit, one in zip(found.answer.hits, found.explanations, strict=True)]


def test_an_encoder_that_does_not_add_up_is_estimated_only_on_request(tmp_path: Path) -> None:
    world = World(tmp_path, encoder=f"mirror-bert:{tiny_bert(tmp_path)}?pooling=cls")
    world.fill(FLOODS)
    explain = ExplainService(world.database, world.search)
    [plain] = explain.search(request("storm", mode=Mode.SEMANTIC)).explanations
    assert plain.meaning is None and plain.notes == (ON_REQUEST,)
    [asked] = explain.search(request("storm", mode=Mode.SEMANTIC), estimates=True).explanations
    assert asked.meaning is not None and asked.meaning.method == "estimated"
    assert sum(word.share for word in asked.meaning.passage) == pytest.approx(asked.meaning.stored, abs=COMPLETE)


def test_what_re_ranking_changed_is_told_as_a_number_of_its_own() -> None:
    semantic = Ranking.of(np.array([1, 2, 3]), np.array([0.9, 0.5, 0.1]))
    lexical = Ranking.of(np.array([2, 3]), np.array([8.0, 4.0]), floor=0.0)
    again = Ranking(np.array([2, 1, 3]), np.array([0.8, 0.6, 0.2]))
    late = Ranking.of(np.array([1, 2, 3]), np.array([0.2, 0.7, 0.1]))
    ranked = Ranked(again, np.array([1, 2, 3]), semantic, lexical, 0.5, 1000, late)
    found = placing_of(DocumentId(2), ranked, Fusion.MIN_MAX)
    assert [(given.part.retriever, given.adds) for given in found.given] == [
        ("semantic", pytest.approx(0.25)),
        ("lexical", pytest.approx(0.5)),
    ]
    assert (found.rank, found.score) == (1, 0.8) and found.other == pytest.approx(0.05)
    assert found.late is not None and (found.late.rank, found.late.raw) == (1, 0.7)


def test_a_passage_that_another_of_its_document_outdoes_says_so(explain: ExplainService) -> None:
    [found] = explain.passages(request("insurance for cellars", mode=Mode.SEMANTIC), [PassageId(1)])
    assert len(found.notes) == 1 and "another passage" in found.notes[0]
