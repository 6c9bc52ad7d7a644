"""The product's search compared way by way, and a weight chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.errors import MissingPath, UnreadableFile
from training.collected import Source
from training.evaluation.answers import FEWEST_TUNED, WEIGHTS, Question, compare, tuned, weigh
from training.evaluation.judged import Said, read_judged
from training.evaluation.own_tasks import own_tasks
from training.evaluation.statistics import interval, paired
from training.evaluation.tasks import KNOWN_ITEM, SENTENCE


class Oracle:
    """Finds document n for question "n": at the rank of the way, and the better the nearer the weight is to 0.7."""

    def __init__(self, ranks: dict[str, int]) -> None:
        self.ranks = ranks
        self.asked: list[tuple[str, str]] = []

    def __call__(self, way: str, query: str, depth: int) -> Sequence[int]:
        return self._found(query, self.ranks[way], depth)

    def at_weights(self, way: str, query: str, weights: Sequence[float], depth: int) -> Sequence[Sequence[int]]:
        self.asked.append((way, query))
        return [self._found(query, 1 + round(10 * abs(weight - 0.7)), depth) for weight in weights]

    def _found(self, query: str, rank: int, depth: int) -> Sequence[int]:
        return [*(1000 + number for number in range(rank - 1)), int(query)][:depth]


QUESTIONS = [Question(str(number), {number: 1.0}) for number in range(40)]


def test_every_way_is_measured_and_hybrid_stands_beside_the_others() -> None:
    found = compare(
        Oracle({"lexical": 2, "semantic": 11, "hybrid": 1, "re-ranked": 3}),
        ("lexical", "semantic", "hybrid", "re-ranked"),
        QUESTIONS,
        0,
    )
    assert found.questions == 40
    means = {way: {name: one.mean for name, one in by.measures.items()} for way, by in found.ways.items()}
    assert means["lexical"] == {
        "nDCG@10": pytest.approx(1 / np.log2(3)),
        "MRR@10": 0.5,
        "recall@10": 1,
        "recall@100": 1,
    }
    assert means["semantic"] == {"nDCG@10": 0, "MRR@10": 0, "recall@10": 0, "recall@100": 1}
    assert set(found.differences) == {"hybrid - lexical", "hybrid - semantic", "re-ranked - hybrid"}
    assert found.differences["hybrid - lexical"]["MRR@10"].mean == 0.5
    assert found.differences["re-ranked - hybrid"]["MRR@10"].mean == pytest.approx(-2 / 3)


def test_the_best_weight_is_found_and_its_gain_told() -> None:
    oracle = Oracle({})
    found = weigh(oracle, "re-ranked", QUESTIONS, 0.5, 0)
    assert (found.way, found.weight, found.usual, found.fold_weights) == ("re-ranked", 0.7, 0.5, (0.7,) * 5)
    assert found.gain.mean == pytest.approx(1 - 1 / np.log2(4)) and found.is_better
    assert found.curve["0.7"] == 1.0
    assert oracle.asked == [("re-ranked", question.text) for question in QUESTIONS]


def test_a_usual_weight_between_the_steps_is_asked_for_itself() -> None:
    found = weigh(Oracle({}), "hybrid", QUESTIONS, 0.65, 0)
    assert found.gain.mean == pytest.approx(0.0)  # 0.65 finds as much as 0.7


def test_too_few_questions_choose_nothing() -> None:
    with pytest.raises(ValueError, match=f"at least {FEWEST_TUNED}"):
        weigh(Oracle({}), "hybrid", QUESTIONS[: FEWEST_TUNED - 1], 0.5, 0)


@given(seed=st.integers(0, 1000), data=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_a_choice_is_measured_on_questions_that_it_was_not_made_by(seed: int, data: int) -> None:
    """Against a naive cross-validation."""
    table = np.random.default_rng(data).random((len(WEIGHTS), 30))
    before = table[WEIGHTS.index(0.5)]
    found = tuned(table, before, 0.5, seed)
    folds = np.random.default_rng(seed).permutation(30) % 5
    after = np.empty(30)
    for fold in range(5):
        inside, outside = folds == fold, folds != fold
        row = int(np.argmax(table[:, outside].mean(axis=1)))
        gained = table[row, outside] - before[outside]
        if gained.mean() <= gained.std(ddof=1) / np.sqrt(outside.sum()):
            row = WEIGHTS.index(0.5)
        assert found.fold_weights[fold] == WEIGHTS[row]
        after[inside] = table[row, inside]
    assert found.gain == paired(after, before, seed) and found.reached == interval(after, seed)


def test_of_equal_weights_the_usual_stays_and_of_better_ones_the_nearest_is_taken() -> None:
    table = np.ones((len(WEIGHTS), 25))
    assert tuned(table, table[0], 0.35, 0).weight == 0.35
    assert not tuned(table, table[0], 0.35, 0).is_better
    assert tuned(table, table[0] / 2, 0.32, 0).weight == 0.3


def test_what_is_better_by_chance_is_no_reason_to_change() -> None:
    numbers = np.random.default_rng(4)
    kept = [tuned(table := numbers.random((len(WEIGHTS), 60)), table[5], 0.5, 0).is_better for _ in range(100)]
    assert sum(kept) <= 10  # of a hundred tables of noise, where 2.5 would be the nominal rate


# ------------------------------------------------------------------------------------------------ own tasks


def source(number: int) -> Source:
    words = ("harbour", "mill", "orchard", "quarry", "chapel", "market", "forge", "ferry")
    text = " ".join(
        f"The {words[(number + turn) % 8]} of parish {number} was written about in year {turn}." for turn in range(4)
    )
    return Source(number, number, f"Parish number {number} and its history", text, "en")


def test_every_document_is_asked_for_once_and_what_it_is_asked_by_is_taken_out() -> None:
    found = own_tasks([source(number) for number in range(1, 41)], 3)
    known, sentence = found.questions[KNOWN_ITEM], found.questions[SENTENCE]
    asked = [next(iter(question.gains)) for question in (*known, *sentence)]
    assert (len(known), len(sentence), sorted(asked)) == (20, 20, list(range(1, 41)))
    bodies = {body.id: body.text for body in found.bodies}
    assert len(bodies) == found.given == 40
    for question in (*known, *sentence):
        assert question.text not in bodies[next(iter(question.gains))]


# ------------------------------------------------------------------------------------------------ files of judgments


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


BEIR = {
    "queries.jsonl": '{"_id": "q1", "text": "who pays"}\n{"_id": "q2", "text": "when"}\n',
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td 1\t2\nq1\td2\t0\nq9\td1\t1\n",
}


def test_a_beir_folder_is_read_and_queries_that_it_does_not_hold_are_left_out(tmp_path: Path) -> None:
    found = list(read_judged(write(tmp_path, BEIR)))
    assert found == [Said("who pays", "d 1", 2.0), Said("who pays", "d2", 0.0)]


def test_a_trec_file_takes_its_queries_from_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"queries.tsv": "1\twho pays\n\n2\twhen\n", "qrels.txt": "1 0 d1 1\n2 Q0 d2 -1\n"})
    expected = [Said("who pays", "d1", 1.0), Said("when", "d2", 0.0)]
    assert list(read_judged(tmp_path / "qrels.txt")) == list(read_judged(tmp_path)) == expected


def test_lines_of_objects_carry_their_queries(tmp_path: Path) -> None:
    path = write(tmp_path, {"j.jsonl": '{"query": "q", "document": 7, "grade": 3}\n'}) / "j.jsonl"
    assert list(read_judged(path)) == [Said("q", "7", 3.0)]


@pytest.mark.parametrize(
    ("files", "path", "why"),
    [
        ({"j.jsonl": "{}\n"}, "j.jsonl", "line 1 is no judgment"),
        ({"j.jsonl": "[]\n"}, "j.jsonl", "line 1 is no JSON object"),
        ({"j.jsonl": "\n{\n"}, "j.jsonl", "line 2 is not JSON"),
        ({"qrels.txt": "1 0 d1 1\n"}, "qrels.txt", "no queries beside the judgments"),
        ({"queries.tsv": "1\tq\n", "qrels.txt": "1 0 d1 1\n1 0 d1 x\n"}, "qrels.txt", "line 2 is no judgment"),
        ({"queries.tsv": "1\tq\n"}, "", "no judgments in it"),
    ],
)
def test_what_is_no_judgment_is_named_with_its_line(tmp_path: Path, files: dict[str, str], path: str, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        list(read_judged(write(tmp_path, files) / path))


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPath):
        list(read_judged(tmp_path / "nothing"))
