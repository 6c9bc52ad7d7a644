"""What pages do with text: marks, excerpts, paragraphs, parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from riparian.types import (
    Anchor,
    CollectionId,
    Document,
    DocumentId,
    Hit,
    Job,
    JobId,
    JobState,
    Passage,
    PassageId,
    Span,
    Topic,
    TopicId,
    TopicModelId,
    TopicTerm,
)
from web.pages import marks, strata, window, wording

TEXT = "The river rose. The bank gave way at night. Nobody slept."
BEST = Span(16, 43)


def a_hit(text: str, start: int = 0, best: Span | None = None, words: tuple[Span, ...] = ()) -> Hit:
    document = Document(
        DocumentId(1), CollectionId(1), None, None, "a.txt", "", None, "", "en", "txt", start + len(text), "", None, {}
    )
    passage = Passage(PassageId(1), DocumentId(1), 0, start, start + len(text), text)
    return Hit(1, 1.0, (), document, passage, words, best, None, 0)


def said(runs: tuple[marks.Run, ...]) -> str:
    return "".join(piece.text for run in runs for piece in run.pieces)


def test_words_and_the_best_sentence_are_marked_where_they_stand() -> None:
    cut = marks.runs(TEXT, 100, words=[Span(120, 124)], marked=Span(116, 143))
    assert [(run.marked, [(p.text, p.word) for p in run.pieces]) for run in cut] == [
        (False, [("The river rose. ", False)]),
        (True, [("The ", False), ("bank", True), (" gave way at night.", False)]),
        (False, [(" Nobody slept.", False)]),
    ]


def test_a_passage_is_named_where_it_begins_even_inside_a_marked_stretch() -> None:
    cut = marks.runs(TEXT, 0, marked=BEST, names={0: 7, 20: 8, 999: 9})
    assert [(p.text[:4], p.names) for run in cut for p in run.pieces if p.names] == [("The ", (7,)), ("bank", (8,))]


@given(
    text=st.text(min_size=1, max_size=60),
    start=st.integers(0, 50),
    words=st.lists(st.tuples(st.integers(0, 130), st.integers(0, 130)), max_size=5),
    marked=st.none() | st.tuples(st.integers(0, 130), st.integers(0, 130)),
)
def test_cutting_at_any_spans_loses_and_adds_nothing(
    text: str, start: int, words: list[tuple[int, int]], marked: tuple[int, int] | None
) -> None:
    spans = [Span(min(pair), max(pair)) for pair in words]
    span = Span(min(marked), max(marked)) if marked else None
    assert said(marks.runs(text, start, words=spans, marked=span)) == text


def test_a_short_passage_is_shown_whole() -> None:
    shown = marks.excerpt(a_hit(TEXT, best=BEST))
    assert (said(shown.runs), shown.before, shown.after) == (TEXT, False, False)


def test_an_excerpt_of_a_long_passage_holds_its_best_sentence_and_says_what_it_leaves_out() -> None:
    text = "Filler words stand here. " * 60 + "The bank gave way. " + "More filler follows. " * 60
    place = text.index("The bank")
    shown = marks.excerpt(a_hit(text, start=500, best=Span(500 + place, 500 + place + 18)))
    assert "".join(p.text for run in shown.runs if run.marked for p in run.pieces) == "The bank gave way."
    assert shown.before
    assert shown.after
    assert len(said(shown.runs)) <= marks.EXCERPT


@given(st.text("ab \n", min_size=0, max_size=3000), st.integers(0, 2999), st.integers(1, 3000))
def test_an_excerpt_is_a_stretch_of_the_passage_that_holds_the_best_sentence(text: str, at: int, length: int) -> None:
    best = Span(min(at, len(text)), min(at + length, len(text)))
    shown = said(marks.excerpt(a_hit(text, best=best)).runs)
    assert shown in text
    assert text[best.start : best.end] in shown


def test_paragraphs_are_told_apart_by_blank_lines_and_keep_their_places() -> None:
    found = window.blocks("One.\n\nTwo\nlines.\n \n\nThree.", 10)
    assert [(block.start, block.text) for block in found] == [(10, "One."), (16, "Two\nlines."), (30, "Three.")]


def test_a_page_begins_a_paragraph_of_its_own() -> None:
    pages = [Anchor(0, "page", 1), Anchor(9, "page", 2), Anchor(4, "line", 2)]
    found = window.blocks("end of 1 start of 2", 0, pages)
    assert [(block.text, block.anchor) for block in found] == [("end of 1 ", pages[0]), ("start of 2", pages[1])]


def test_lines_of_a_poem_are_kept_and_lines_of_a_mail_flow() -> None:
    poem = "Rain on the river,\nrain on the bank."
    mail = "This line was broken by a mail program at some seventy columns,\nand this one follows it."
    assert [block.flows for text in (poem, mail) for block in window.blocks(text, 0)] == [False, True]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40), st.integers(50, 900))
def test_parts_cover_the_text_and_hold_each_passage_whole_in_the_part_where_it_begins(
    lengths: list[int], size: int
) -> None:
    passages, place = [], 0
    for length in lengths:  # each passage repeats a tenth of the one before
        passages.append(Span(max(0, place - length // 10), place + length))
        place += length
    spans = window.parts(place, passages, size)
    assert spans[0].start == 0
    assert max(span.end for span in spans) == place
    assert all(before.end >= after.start for before, after in pairwise(spans))
    for passage in passages:
        holder = spans[window.part_of(passage.start, [span.start for span in spans])]
        assert holder.start <= passage.start
        assert passage.end <= holder.end


def test_a_text_without_passages_is_one_part() -> None:
    assert window.parts(0, []) == [Span(0, 0)]


def test_layers_are_as_thick_as_their_shares() -> None:
    def depth(path: str) -> list[float]:
        return [float(point.split(" ")[1].strip("Z")) for point in path[1:].split("L")]

    thin, thick = strata.layers([1, 3], height=1018)
    assert (thin.tint, thick.tint) == (1, 7)
    assert min(depth(thin.path)) < min(depth(thick.path))
    middle = (max(depth(thin.path)) + min(depth(thick.path))) / 2
    assert abs(middle - (18 + 1000 / 4)) < 15


def test_no_topics_draw_nothing() -> None:
    assert strata.layers([]) == []
    assert strata.layers([0.0]) == []


def test_numbers_and_times_are_said_as_a_person_says_them() -> None:
    assert [wording.duration(s) for s in (0.4, 59, 60, 200, 7260)] == [
        "0 s",
        "59 s",
        "1 min",
        "3 min 20 s",
        "2 h 1 min",
    ]
    assert [wording.counted(n, "document") for n in (0, 1, 1200)] == ["0 documents", "1 document", "1,200 documents"]
    assert [wording.percent(p) for p in (0.0, 0.004, 0.25)] == ["0%", "0.4%", "25%"]
    assert wording.day(date(2001, 3, 14)) == "14 March 2001"


def test_only_a_real_language_code_becomes_a_lang_attribute() -> None:
    assert [wording.language_tag(c) for c in ("en", "zh-Hant", "", 'en" onload="x', "e")] == [
        "en",
        "zh-Hant",
        "",
        "",
        "",
    ]


def test_a_job_says_what_it_does_in_words() -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    job = Job(
        JobId(1),
        "index",
        None,
        JobState.RUNNING,
        {},
        {},
        "embed",
        1,
        100,
        "passages",
        1,
        "",
        {},
        began,
        began,
        None,
        False,
    )
    assert (wording.job_title(job), wording.stage(job)) == ("Indexing", "embedding")
    assert wording.stage(replace(job, stage="")) == "starting"
    assert wording.job_title(replace(job, kind="new_kind")) == "New kind"


def test_words_that_a_topics_name_says_are_not_said_again() -> None:
    terms = tuple(TopicTerm(word, 0.1) for word in ("river", "bank", "flood", "dike"))
    topic = Topic(TopicId(1), TopicModelId(1), 0, "River, bank", terms, 1.0, 1, 1, {}, ())
    assert wording.further_terms(topic, 1) == ["flood"]
