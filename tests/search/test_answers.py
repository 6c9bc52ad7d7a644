"""Answers and summaries are stretches of documents, and stand where they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riparian.errors import Invalid, UnknownDocument
from riparian.types import DocumentId, Mode
from search.answers import Answer, AnswerService, ReadSpans, is_question
from search.central import centrality, chosen
from search.request import SearchRequest
from search.summaries import READ, SummaryService, stands_alone
from tests.search.world import Text, World


@dataclass(frozen=True)
class At:
    start: int | None
    end: int | None
    margin: float


def finding(word: str) -> ReadSpans:
    """A reader that points at a word, surely, and at nothing where a passage does not hold it."""

    def read(question: str, passages: Sequence[str]) -> list[At]:
        places = [passage.find(word) for passage in passages]
        return [At(place, place + len(word), 3.0) if place >= 0 else At(None, None, -2.0) for place in places]

    return read


def of_word(name: str) -> ReadSpans:
    if name == "nobody":
        raise Invalid("no such model")
    return finding(name)


@pytest.fixture(scope="module")
def answers(archive: World) -> AnswerService:
    return AnswerService(archive.search, of_word)


@pytest.fixture(scope="module")
def summaries(archive: World) -> SummaryService:
    return SummaryService(archive.database, archive.encoders, archive.search)


def ask(question: str, mode: Mode = Mode.HYBRID) -> SearchRequest:
    return SearchRequest("papers", question, mode)


def text_of(world: World, document: int) -> str:
    with world.database.read() as catalog:
        return catalog.documents.text(DocumentId(document))


def stands(world: World, one: Answer) -> bool:
    text = text_of(world, one.document.id)
    return (
        text[one.span.start : one.span.end] == one.text
        and text[one.sentence.start : one.sentence.end] == one.quote
        and one.sentence.start <= one.span.start < one.span.end <= one.sentence.end
    )


@pytest.mark.parametrize(("question", "best"), [
    ("Who left the lower streets by boat?", "Families left the lower streets by boat."),
    ("What did insurance pay for?", "Insurance paid for the damaged cellars."),
    ("Wo wird das Brot gebacken?", "Das Brot im heißen Ofen backen."),
])  # fmt: skip
@pytest.mark.parametrize("mode", list(Mode))
def test_the_best_sentence_answers(
    archive: World, answers: AnswerService, question: str, best: str, mode: Mode
) -> None:
    found = answers.answer(ask(question, mode))
    assert found.answers[0].text == best and found.answers[0].kind == "sentence"
    assert all(stands(archive, one) for one in found.answers)
    assert found.no_answer is None and found.model == ""


def test_a_model_points_at_spans_with_their_sentence_and_place(archive: World, answers: AnswerService) -> None:
    found = answers.answer(ask("What was damaged?"), model="damaged cellars")
    [one] = found.answers
    assert (one.kind, one.text, one.quote) == ("span", "damaged cellars", "Insurance paid for the damaged cellars.")
    assert stands(archive, one)
    assert one.place is not None and (one.place.kind, one.place.number) == ("page", 2)
    assert one.score == pytest.approx(1 / (1 + np.exp(-3)))
    assert found.no_answer == pytest.approx(1 - one.score)


def test_a_model_that_finds_nothing_says_so(answers: AnswerService) -> None:
    found = answers.answer(ask("What was damaged?"), model="zebra")
    assert found.answers == () and found.no_answer == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_model_that_there_is_not_is_refused_before_anything_is_searched(answers: AnswerService) -> None:
    with pytest.raises(Invalid):
        answers.answer(ask("What was damaged?"), model="nobody")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("who pays for the wall", True),
        ("flood in 2001?", True),
        ("Wie hoch ist der Zins", True),
        ("どこで?", True),
        ("river bank", False),
        ("whole wheat bread", False),
        ("", False),
        ("who", False),
    ],
)
def test_questions_are_told_from_other_queries(text: str, asks: bool) -> None:
    assert is_question(text) is asks


# ------------------------------------------------------------------------------ summaries


def test_a_document_is_summed_up_in_its_own_sentences_in_reading_order(
    archive: World, summaries: SummaryService
) -> None:
    found = summaries.of_document(DocumentId(1), 2)
    text = text_of(archive, 1)
    assert len(found.sentences) == 2 and found.read == found.all == 4
    assert [text[one.span.start : one.span.end] for one in found.sentences] == [one.text for one in found.sentences]
    assert found.sentences[0].span.start < found.sentences[1].span.start
    assert all(one.passage is not None and 0 < one.score <= 1 for one in found.sentences)


def test_a_summary_of_hits_leans_to_the_query(summaries: SummaryService) -> None:
    [bread] = summaries.of_query(ask("bread dough oven", Mode.SEMANTIC), 1).sentences
    [banks] = summaries.of_query(ask("interest rates of banks", Mode.SEMANTIC), 1).sentences
    assert bread.document.id == 3 and banks.document.id == 2


def test_a_summary_is_kept_until_the_collection_changes(fresh: World) -> None:
    summaries = SummaryService(fresh.database, fresh.encoders, fresh.search)
    first = summaries.of_document(DocumentId(1))
    assert summaries.of_document(DocumentId(1)) is first
    fresh.fill(Text("new.txt", "Another text has come into the archive today."))
    again = summaries.of_document(DocumentId(1))
    assert again == first and again is not first


def test_a_long_document_is_compared_in_part_and_says_so(fresh: World) -> None:
    long = " ".join(f"Sentence number {number} tells of river {number} and its banks." for number in range(READ + 50))
    [document] = fresh.fill(Text("long.txt", long))
    found = SummaryService(fresh.database, fresh.encoders, fresh.search).of_document(document, 3)
    assert (found.read, found.all, len(found.sentences)) == (READ, READ + 50, 3)


def test_what_cannot_be_summed_up_is_refused(summaries: SummaryService) -> None:
    with pytest.raises(UnknownDocument):
        summaries.of_document(DocumentId(99))
    with pytest.raises(Invalid):
        summaries.of_document(DocumentId(1), 0)


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("The river rose after the storm.", True),
        ("See page 4.", False),
        ("... --- *** // 1 2 3 4 5 || ---- ==== ****", False),
        ("水位は嵐のあとに急速に上昇した。", True),
    ],
)
def test_scraps_stand_for_nothing(text: str, alone: bool) -> None:
    assert stands_alone(text) is alone


ROWS = arrays.arrays(np.float32, (6, 4), elements=st.floats(-1, 1, width=32))


def unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-3)


@given(ROWS)
def test_centrality_lies_between_0_and_1_and_is_0_for_what_has_no_vector(rows: np.ndarray) -> None:
    rows = unit(rows)
    found = centrality(rows)
    assert ((found >= 0) & (found <= 1 + 1e-9)).all()
    assert not found[~rows.any(axis=1)].any()
    assert not rows.any() or found.max() == pytest.approx(1.0)


@given(ROWS, st.integers(1, 6))
def test_what_is_chosen_is_chosen_once_and_begins_with_the_most_central(rows: np.ndarray, count: int) -> None:
    rows = unit(rows)
    worth = centrality(rows)
    found = chosen(rows, worth, count)
    assert len(set(found)) == len(found) == min(count, int((worth > 0).sum()))
    assert not found or worth[found[0]] == pytest.approx(worth.max())
    assert chosen(rows, worth, count + 1)[: len(found)] == found


def test_the_middle_of_a_star_is_central_and_a_copy_is_not_said_twice() -> None:
    rows = unit(np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=np.float32))
    worth = centrality(rows)
    assert worth[0] == pytest.approx(worth[4]) == pytest.approx(1.0) and (worth[1:4] < 1).all()
    assert chosen(rows, worth, 2)[0] == 0 and chosen(rows, worth, 2)[1] != 4
