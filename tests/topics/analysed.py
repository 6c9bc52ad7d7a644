"""Mixtures as analyses read them, and dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from riparian.types import DocumentId, Topic, TopicId, TopicModelId, TopicTerm
from topics.analysis.material import Mixtures

Reals = NDArray[np.float64]
START = date(2001, 1, 1)


def topic(number: int) -> Topic:
    terms = (TopicTerm(f"word{number}", 0.5),)
    return Topic(TopicId(number + 1), TopicModelId(1), number, f"topic {number}", terms, 0.1, 1, 1, {}, ())


def mixtures(theta: Reals) -> Mixtures:
    rows = np.arange(1, len(theta) + 1, dtype=np.int64)
    return Mixtures(rows, csr_matrix(theta), tuple(topic(k) for k in range(theta.shape[1])))


def dated(days: NDArray[np.int64]) -> dict[DocumentId, date]:
    return {DocumentId(row + 1): START + timedelta(days=int(day)) for row, day in enumerate(days)}
