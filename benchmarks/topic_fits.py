"""One fit of a topic model in a process of its own: what it is given, what it answers, what it cost.

Imports NumPy and SciPy alone, so that an environment of peers can run it, too. What is given lies in a folder:
`texts.json` (texts, tokens, vocabulary), `counts.npz`, `vectors.npy`, `word-vectors.npy` and, to fit on parts,
`rows-N.npy`.
"""

from __future__ import annotations

import json
import os
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, load_npz, save_npz

LISTED = 25
_STATUS = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")

Reals = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What every model is fitted on: N texts with their vocabulary words in reading order, counts (N, V) and vectors
    (N, E), and a vector for every word (V, E)."""

    texts: list[str]
    tokens: list[list[str]]
    vocabulary: list[str]
    counts: csr_matrix
    vectors: Reals
    word_vectors: Reals

    def only(self, rows: NDArray[np.int64]) -> Given:
        texts, tokens = [self.texts[i] for i in rows], [self.tokens[i] for i in rows]
        return Given(texts, tokens, self.vocabulary, self.counts[rows], self.vectors[rows], self.word_vectors)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A model's words, best first, at most 25 a topic; the group of each text (-1: none); mixtures (N, K) or None."""

    words: list[list[str]]
    groups: NDArray[np.int64]
    theta: NDArray[Any] | None = None


Fit = Callable[[Given, int, int], Answer]
"""Called with what is given, the number of topics and the seed."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and MiB around the fit only; imports and data are there before."""

    cpu: float
    wall: float
    before: float
    peak: float


def write_given(folder: Path, given: Given) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "vectors.npy", given.vectors)
    np.save(folder / "word-vectors.npy", given.word_vectors)
    save_npz(folder / "counts.npz", given.counts)
    record = {"texts": given.texts, "tokens": given.tokens, "vocabulary": given.vocabulary}
    (folder / "texts.json").write_text(json.dumps(record), encoding="utf-8")


def read_given(folder: Path, part: str = "") -> Given:
    """`part` names one of the folder's parts (rows-PART.npy), "" all texts."""
    record = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors, words = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("vectors", "word-vectors"))
    counts = csr_matrix(load_npz(folder / "counts.npz"))
    given = Given(record["texts"], record["tokens"], record["vocabulary"], counts, vectors, words)
    return given.only(np.load(folder / f"rows-{part}.npy", allow_pickle=False)) if part else given


def top_words(scores: NDArray[Any], vocabulary: list[str]) -> list[list[str]]:
    """The 25 best words of each topic (K, V)."""
    return [[vocabulary[w] for w in np.argsort(-row, kind="stable")[:LISTED]] for row in np.asarray(scores)]


def measured(fit: Callable[[], Answer]) -> tuple[Answer, Cost]:
    """The answer of `fit` and what it cost, threads included."""
    watch = _Memory()
    before = watch.now()
    started, used = time.perf_counter(), _cpu()
    with watch:
        answer = fit()
    return answer, Cost(_cpu() - used, time.perf_counter() - started, before, watch.peak)


def write_answer(path: Path, answer: Answer, cost: Cost) -> None:
    theta = np.zeros((0, 0), np.float32) if answer.theta is None else np.asarray(answer.theta, np.float32)
    np.savez(path.with_suffix(".npz"), groups=np.asarray(answer.groups, np.int64), theta=theta)
    record = {"words": answer.words, "cost": {name: getattr(cost, name) for name in ("cpu", "wall", "before", "peak")}}
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(record), encoding="utf-8")
    draft.replace(path)  # last: a fit that is there is whole


def read_answer(path: Path) -> tuple[Answer, Cost]:
    record = json.loads(path.read_text(encoding="utf-8"))
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
        groups, theta = arrays["groups"], arrays["theta"]
    return Answer(record["words"], groups, theta if theta.size else None), Cost(**record["cost"])


def run(fits: dict[str, Fit], prepare: Callable[[str], object], arguments: list[str]) -> None:
    """The process: FOLDER PART MODEL TOPICS SEED OUT. `prepare` imports what the model needs."""
    folder, part, model, topics, seed, out = arguments
    prepare(model)
    given = read_given(Path(folder), part)
    answer, cost = measured(lambda: fits[model](given, int(topics), int(seed)))
    write_answer(Path(out), answer, cost)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class _Memory(threading.Thread):
    """Looks at the resident set of this process every 20 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._over = 0.0, threading.Event()

    def now(self) -> float:
        """MiB."""
        return int(_STATUS.read_text(encoding="ascii").split()[1]) * _PAGE / 2**20

    def run(self) -> None:
        while not self._over.wait(0.02):
            self.peak = max(self.peak, self.now())

    def __enter__(self) -> _Memory:
        self.peak = self.now()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        self.peak = max(self.peak, self.now())
