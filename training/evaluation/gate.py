"""The gate that a tuned encoder passes, or does not: better than before on documents that it never read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from riparian.encoders.base import Encoder, Progress
from training.collected import Source
from training.evaluation.rankers import Bm25, Dense, Ranker
from training.evaluation.scores import MAIN, Answered, Difference, Scores, answer_all, part_of
from training.evaluation.split import check_no_leak
from training.evaluation.statistics import Interval
from training.evaluation.trial import Bounds, Trial, draw

BEFORE, AFTER, BM25, STATIC = "before", "after", "bm25", "static"

GENERAL = Bounds(queries=200, documents=1_000, characters=1_000_000)
"""How much general text is looked at, where nothing else is said."""

RULE = (
    f"promoted if, on held-out documents, the {MAIN} after exceeds that before by more than chance: the 95 % interval "
    "of the paired difference lies above 0"
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """JSON-able: scores by role, and what `after` gained on each of the others, over the same questions."""

    seed: int
    given: int
    documents: int
    queries: Mapping[str, int]
    scores: Mapping[str, Scores]
    gains: Mapping[str, Difference]


@dataclass(frozen=True, slots=True)
class Verdict:
    """JSON-able. `gain` is the difference that decides; `forgetting` the same on other, general text (None where none
    was given): below 0 the encoder lost there. It is told, and does not decide."""

    promote: bool
    rule: str
    reason: str
    gain: Interval
    held_out: Sheet
    general: Sheet | None
    forgetting: Interval | None
    notes: tuple[str, ...]

    def allows(self, force: bool = False) -> bool:
        """Whether the encoder may take the old one's place."""
        return self.promote or force


def judge(
    before: Encoder,
    after: Encoder,
    documents: Iterable[Source],
    seed: int,
    *,
    learnt: Iterable[Source] = (),
    general: Iterable[Source] = (),
    static: Encoder | None = None,
    bounds: Bounds | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Compares two encoders on held-out `documents`, beside BM25 and the `static` row, and decides by RULE.

    Invalid, before anything is encoded, where a document of `learnt` is among them (`check_no_leak`) or they are too
    few to judge by. `general` is text of another kind, on which forgetting shows. `progress` hears thousandths of each
    part and may raise to stop.
    """
    documents, general = list(documents), list(general)
    check_no_leak(learnt, documents)
    trial = draw(documents, seed, bounds)
    rankers: dict[str, Ranker] = {BEFORE: Dense(before), AFTER: Dense(after), BM25: Bm25()}
    if static is not None:
        rankers[STATIC] = Dense(static)
    elsewhere = draw(general, seed, bounds or GENERAL) if general else None
    parts = 2 if elsewhere else 1
    sheet = _sheet(trial, answer_all(rankers, trial, part_of(progress, 0, parts)))
    other = _general(before, after, elsewhere, part_of(progress, 1, parts)) if elsewhere else None
    forgetting = other.gains[BEFORE].main if other else None
    gain = sheet.gains[BEFORE].main
    return Verdict(
        promote=gain.is_above_zero,
        rule=RULE,
        reason=_reason(gain),
        gain=gain,
        held_out=sheet,
        general=other,
        forgetting=forgetting,
        notes=tuple(_notes(sheet, forgetting)),
    )


def _general(before: Encoder, after: Encoder, trial: Trial, progress: Progress | None) -> Sheet:
    return _sheet(trial, answer_all({BEFORE: Dense(before), AFTER: Dense(after)}, trial, progress))


def _sheet(trial: Trial, answered: Mapping[str, Answered]) -> Sheet:
    return Sheet(
        seed=trial.seed,
        given=trial.given,
        documents=len(trial.pool),
        queries={task.name: len(task.queries) for task in trial.tasks},
        scores={role: found.scores(trial.seed) for role, found in answered.items()},
        gains={role: answered[AFTER].minus(found, trial.seed) for role, found in answered.items() if role != AFTER},
    )


def _reason(gain: Interval) -> str:
    figure = f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
    if gain.is_above_zero:
        return f"better on held-out documents: {figure}"
    if gain.is_below_zero:
        return f"worse on held-out documents: {figure}"
    return f"no better on held-out documents than chance would make it: {figure}"


def _notes(sheet: Sheet, forgetting: Interval | None) -> Iterable[str]:
    for role, name in ((BM25, "words alone (BM25)"), (STATIC, "the static row")):
        if role in sheet.gains and sheet.gains[role].main.is_below_zero:
            yield f"still below {name}: {sheet.gains[role].main.mean:+.4f}"
    if forgetting and forgetting.is_below_zero:
        yield f"lost on general text: {forgetting.mean:+.4f}"
