"""Encoders side by side over the same documents: how well each finds, what each costs, and what each finds first."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from riparian.encoders.base import Encoder, Progress
from riparian.errors import Invalid
from training.collected import Source
from training.estimate import SAMPLE, Clock, drawn, speed
from training.evaluation.passages import passages
from training.evaluation.rankers import Bm25, Dense
from training.evaluation.scores import Answered, Difference, Scores, answer, part_of
from training.evaluation.shifts import RankShifts, Shelf, rank_shifts
from training.evaluation.trial import Bounds, Trial, draw

FEWEST, MOST = 2, 4
"""Encoders that are compared at once."""

WORDS = "words"
"""The name of the row that stands beside the encoders: BM25."""

Load = Callable[[], Encoder]
"""Loads an encoder anew: the time that it takes is part of what it costs."""

_FLOAT = 4
_PHASES = 3  # answering, measuring the cost, looking at queries


@dataclass(frozen=True, slots=True)
class Cost:
    """JSON-able. `model_mb` is what the encoder takes on the disk as Riparian saves it, in millions of bytes."""

    passages_per_second: float
    passages_per_cpu_second: float
    bytes_per_vector: int
    model_mb: float
    load_seconds: float


@dataclass(frozen=True, slots=True)
class Compared:
    """JSON-able: one row, under the name given. `cost` is None for BM25, which has no vectors."""

    name: str
    encoder: str
    kind: str
    fingerprint: str
    scores: Scores
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """JSON-able. `rows` are the encoders in the order given, then BM25; `differences` holds "a - b" for each two of
    them, question by question; `shifts` one entry for each query that was looked at."""

    seed: int
    given: int
    documents: int
    queries: Mapping[str, int]
    rows: tuple[Compared, ...]
    differences: Mapping[str, Difference]
    shifts: tuple[RankShifts, ...]


def compare(
    encoders: Mapping[str, Load],
    documents: Iterable[Source],
    seed: int,
    *,
    queries: Sequence[str] = (),
    fewest: int = FEWEST,
    bounds: Bounds | None = None,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter,
) -> Comparison:
    """Two to four encoders (one, where `fewest` is 1) over a sample of the documents; `queries` are looked at over the
    same sample.

    Invalid, before any is loaded, for another number of encoders and for too few documents. `progress` hears
    thousandths of each part and may raise to stop.
    """
    if not fewest <= len(encoders) <= MOST:
        raise Invalid(f"{fewest} to {MOST} encoders are compared, not {len(encoders)}")
    if WORDS in encoders:
        raise Invalid(f"{WORDS!r} is the name of the row without an encoder; give the encoder another")
    trial, parts = draw(documents, seed, bounds), len(encoders) + 1
    found = [
        _measured(name, load, trial, queries, part_of(progress, number, parts), clock)
        for number, (name, load) in enumerate(encoders.items())
    ]
    plain = answer(Bm25(), trial, part_of(progress, len(encoders), parts))
    answers = {row.name: answered for row, answered, _ in found} | {WORDS: plain}
    shelves = {row.name: shelf for row, _, shelf in found}
    return Comparison(
        seed=seed,
        given=trial.given,
        documents=len(trial.pool),
        queries={task.name: len(task.queries) for task in trial.tasks},
        rows=(*(row for row, _, _ in found), Compared(WORDS, plain.name, "bm25", "", plain.scores(seed), None)),
        differences={f"{a} - {b}": answers[a].minus(answers[b], seed) for a, b in combinations(answers, 2)},
        shifts=tuple(rank_shifts(query, shelves) for query in queries),
    )


def _measured(
    name: str, load: Load, trial: Trial, queries: Sequence[str], progress: Progress | None, clock: Clock
) -> tuple[Compared, Answered, Shelf]:
    began = clock()
    encoder = load()
    load_seconds = clock() - began
    dense = Dense(encoder)
    answered = answer(dense, trial, part_of(progress, 0, _PHASES))
    cost = _cost(encoder, trial, load_seconds, part_of(progress, 1, _PHASES), clock)
    shelf = Shelf(dense, trial.pool)
    if queries:
        shelf.find(queries[0], progress=part_of(progress, 2, _PHASES))
    info = encoder.info
    row = Compared(name, info.name, info.kind, encoder.fingerprint(), answered.scores(trial.seed), cost)
    return row, answered, shelf


def _cost(encoder: Encoder, trial: Trial, load_seconds: float, progress: Progress | None, clock: Clock) -> Cost:
    measured = speed(encoder, _sample(encoder, trial), progress, clock=clock)
    return Cost(
        passages_per_second=measured.passages_per_second,
        passages_per_cpu_second=measured.passages_per_cpu_second,
        bytes_per_vector=encoder.info.passage_dim * _FLOAT,
        model_mb=saved_bytes(encoder) / 1e6,
        load_seconds=load_seconds,
    )


def _sample(encoder: Encoder, trial: Trial) -> list[str]:
    """Passages in random order, of as many documents as it takes."""
    texts: list[str] = []
    for one in drawn(trial.pool, trial.seed, len(trial.pool)):
        texts += passages(encoder, [one.text], [one.language])[0]
        if len(texts) >= SAMPLE:
            break
    return drawn(texts, trial.seed)


def saved_bytes(encoder: Encoder) -> int:
    """What the encoder's own folder takes, found by saving it for a moment."""
    with tempfile.TemporaryDirectory(prefix="riparian-size-") as scratch:
        folder = Path(scratch) / "encoder"
        encoder.save(folder)
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
