"""The gate: better than before on what was never read, or not promoted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from riparian.encoders.base import Progress
from riparian.encoders.hashing import HashingEncoder
from riparian.errors import Invalid
from riparian.types import Matrix, Role
from tests.training.evaluation_documents import news
from training.evaluation.gate import AFTER, BEFORE, BM25, STATIC, judge
from training.evaluation.split import split
from training.evaluation.trial import Bounds

SMALL, LARGE = HashingEncoder(24), HashingEncoder(512)
FEW = Bounds(queries=40, documents=40)


class Elsewhere(HashingEncoder):
    """Reads questions about anything but `known` words as something else: what a tuning on one kind of text forgets."""

    def __init__(self, known: str) -> None:
        super().__init__(512)
        self._known_words = set(known.split())

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        if role == "query":
            texts = [" ".join(w if w in self._known_words else "x" for w in text.split()) for text in texts]
        return super().encode_passages(texts, role, progress)


def test_a_better_encoder_is_promoted_and_the_verdict_shows_why() -> None:
    verdict = judge(SMALL, LARGE, news(), 1, static=HashingEncoder(64))
    assert verdict.promote and verdict.allows()
    assert verdict.gain.is_above_zero and verdict.gain == verdict.held_out.gains[BEFORE].main
    scores = verdict.held_out.scores
    assert set(scores) == {BEFORE, AFTER, BM25, STATIC}
    assert verdict.gain.mean == pytest.approx(scores[AFTER].main.mean - scores[BEFORE].main.mean)
    assert scores[BM25].main.mean > scores[AFTER].main.mean > scores[STATIC].main.mean > scores[BEFORE].main.mean
    assert any(note.startswith("still below words alone") for note in verdict.notes)
    assert "above 0" in verdict.rule and verdict.reason.startswith("better")


def test_an_encoder_is_not_better_than_itself() -> None:
    verdict = judge(LARGE, LARGE, news(), 1, bounds=FEW)
    assert (verdict.gain.low, verdict.gain.mean, verdict.gain.high) == (0.0, 0.0, 0.0)
    assert not verdict.promote and not verdict.allows()
    assert verdict.allows(force=True)
    assert verdict.reason.startswith("no better")


def test_a_worse_encoder_is_not_promoted() -> None:
    verdict = judge(LARGE, SMALL, news(), 1, bounds=FEW)
    assert verdict.gain.is_below_zero and not verdict.allows()
    assert verdict.reason.startswith("worse")


def test_a_gain_that_chance_could_make_is_not_promoted() -> None:
    verdict = judge(HashingEncoder(500), LARGE, news(), 1, bounds=Bounds(queries=12))
    assert verdict.gain.low < 0 < verdict.gain.high
    assert not verdict.promote and verdict.reason.startswith("no better")


def test_what_was_forgotten_is_shown_beside_what_was_gained() -> None:
    known, other = news(60), news(60, first=60)
    only = Elsewhere(" ".join(one.text for one in known))
    verdict = judge(SMALL, only, known, 1, general=[replace(one, text=one.text.upper()) for one in other])
    assert verdict.promote
    assert verdict.general is not None and verdict.forgetting == verdict.general.gains[BEFORE].main
    assert verdict.forgetting is not None and verdict.forgetting.is_below_zero
    assert any(note.startswith("lost on general text") for note in verdict.notes)
    assert set(verdict.general.scores) == {BEFORE, AFTER}


def test_a_document_that_was_learnt_from_is_never_judged_by() -> None:
    sides = split(news(), seed=1)
    judge(SMALL, LARGE, sides.held_out, 1, learnt=sides.learnt, bounds=FEW)
    with pytest.raises(Invalid, match="was learnt from"):
        judge(SMALL, LARGE, sides.held_out, 1, learnt=[*sides.learnt, sides.held_out[0]])


def test_too_little_to_judge_by_is_refused_before_anything_is_encoded() -> None:
    class Never(HashingEncoder):
        def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
            raise AssertionError("encoded")

    with pytest.raises(Invalid, match="are needed to judge by"):
        judge(Never(), Never(), news(2), 1)


def test_a_verdict_is_json_and_the_same_again() -> None:
    verdict = judge(SMALL, LARGE, news(20), 2, general=news(20, first=100))
    told = json.loads(json.dumps(asdict(verdict)))
    assert told["gain"]["mean"] == verdict.gain.mean
    assert told["held_out"]["scores"]["bm25"]["tasks"]["half"]["measures"]["MRR@10"]["mean"] <= 1
    assert judge(SMALL, LARGE, news(20)[::-1], 2, general=news(20, first=100)) == verdict


def test_progress_runs_once_over_all_and_may_stop_the_judging() -> None:
    seen: list[tuple[int, int]] = []
    judge(SMALL, LARGE, news(15), 1, general=news(15, first=60), progress=lambda d, t: seen.append((d, t)))
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares) and shares[-1] == 1.0

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        judge(SMALL, LARGE, news(30), 1, progress=stop)
