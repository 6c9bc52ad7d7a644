"""Questions made of documents: never with the words that are searched, never to two documents at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from riparian.errors import Invalid
from riparian.text import collapse, sentences
from tests.training.evaluation_documents import news, titled
from training.collected import Source
from training.evaluation.tasks import HALF, KNOWN_ITEM, LONGEST_QUERY, SENTENCE, TASKS, Task, tasks
from training.evaluation.trial import Bounds, Trial, draw


def bodies(task: Task) -> dict[int, str]:
    return {body.id: body.text for body in task.bodies}


def by_name(trial: Trial) -> dict[str, Task]:
    return {task.name: task for task in trial.tasks}


def test_every_task_asks_for_documents_by_a_part_that_is_not_searched() -> None:
    trial = draw(news(), seed=1)
    assert [task.name for task in trial.tasks] == list(TASKS)
    for task in trial.tasks:
        left = bodies(task)
        assert len(task.queries) >= 50 and len({query.document for query in task.queries}) == len(task.queries)
        for query in task.queries:
            assert query.text not in collapse(left[query.document])


def test_an_untitled_document_is_asked_for_by_its_first_sentence() -> None:
    found = by_name(draw(news(), seed=1))[KNOWN_ITEM]
    texts = {one.id: one.text for one in news()}
    for query in found.queries:
        first = sentences(texts[query.document], "en")[0]
        assert query.text == collapse(texts[query.document][first.start : first.end])


def test_a_titled_document_is_asked_for_by_its_title_and_searched_without_it() -> None:
    given = [replace(one, text=f"{one.title.upper()}\n\n{one.text}") for one in titled()]
    found = by_name(draw(given, seed=1))[KNOWN_ITEM]
    assert {(query.document, query.text) for query in found.queries} == {(one.id, one.title) for one in given}
    assert bodies(found) == {one.id: one.text.lstrip() for one in titled()}


def test_a_title_of_several_documents_asks_for_none_of_them() -> None:
    given = [replace(one, title="Newsletter" if one.id < 20 else one.title) for one in titled()]
    found = by_name(draw(given, seed=1))[KNOWN_ITEM]
    asked = {query.document: query.text for query in found.queries}
    assert "Newsletter" not in asked.values()
    assert asked[30] == "Story 30 of the day"
    assert asked[10] == by_name(draw(news(40), seed=1))[KNOWN_ITEM].queries[_at(found, 10)].text


def _at(task: Task, document: int) -> int:
    return [query.document for query in task.queries].index(document)


def test_a_sentence_is_taken_out_wherever_it_stands() -> None:
    twice = "The clerk counted the notes. The river rose over its bank. The clerk counted the notes. It rained all day."
    pool = [Source(1, 1, "", twice, "en")]
    for seed in range(8):
        task = tasks(pool, pool, seed)[1]
        assert task.name == SENTENCE and task.queries[0].text not in task.bodies[0].text


def test_the_second_half_is_searched_for_with_the_first() -> None:
    text = " ".join(f"Sentence number {n} says that thing {n} is so." for n in range(100))
    pool = [Source(1, 1, "", text, "en")]
    half = tasks(pool, pool, 1)[2]
    assert half.name == HALF
    assert half.bodies[0].text.startswith("Sentence number 51")
    assert half.queries[0].text.startswith("Sentence number 0")
    assert len(half.queries[0].text.split()) == LONGEST_QUERY


def test_what_is_asked_does_not_depend_on_other_documents() -> None:
    whole, part = (by_name(draw(given, seed=4))[SENTENCE] for given in (news(60), news(30)))
    asked = {query.document: query.text for query in whole.queries}
    assert {query.document: query.text for query in part.queries}.items() <= asked.items()


def test_the_same_seed_draws_the_same_trial_and_another_seed_another() -> None:
    assert draw(news(), seed=1) == draw(news()[::-1], seed=1)
    assert draw(news(), seed=1).tasks != draw(news(), seed=2).tasks


def test_near_duplicates_are_searched_once() -> None:
    copies = [replace(one, id=one.id + 1000) for one in news()]
    assert draw([*copies, *news()], seed=1) == draw(news(), seed=1)


def test_no_more_is_searched_and_asked_than_the_bounds_allow() -> None:
    few = draw(news(), seed=1, bounds=Bounds(queries=7, documents=20))
    assert len(few.pool) == 20 and few.given == 60
    assert {len(task.queries) for task in few.tasks} == {7}
    short = draw(news(), seed=1, bounds=Bounds(characters=30_000))
    assert 15_000 < sum(len(one.text) for one in short.pool) <= 30_000


def test_a_document_that_would_fill_the_room_is_passed_over() -> None:
    huge = Source(999, 999, "", news()[0].text * 40, "en")
    assert 999 not in {one.id for one in draw([*news(), huge], seed=1, bounds=Bounds(characters=100_000)).pool}


@pytest.mark.parametrize("given", [(), news(2), [Source(n, n, "", "Too short.", "en") for n in range(50)]])
def test_too_few_questions_are_refused(given: tuple[Source, ...]) -> None:
    with pytest.raises(Invalid, match="are needed to judge by"):
        draw(given, seed=1)
