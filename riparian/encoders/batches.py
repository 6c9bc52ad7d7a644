"""Batches of similar length within a token budget, run on several threads, stoppable between batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

Batch = tuple[int, ...]
"""Row numbers that are computed together."""


def by_length(lengths: Sequence[int], budget: int, pads: bool = True) -> list[Batch]:
    """Every row once, longest first, in batches whose padded size (rows x longest) stays within `budget` tokens.

    A row longer than the budget is a batch of its own. Without `pads` the rows of a batch have one length.
    """
    batches: list[Batch] = []
    current: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        longest = lengths[current[0]] if current else 0
        if current and ((len(current) + 1) * longest > budget or (lengths[row] < longest and not pads)):
            batches.append(tuple(current))
            current = []
        current.append(row)
    if current:
        batches.append(tuple(current))
    return batches


def run(
    batches: Sequence[Batch], compute: Callable[[Batch], T], threads: int
) -> Generator[tuple[Batch, T], None, None]:
    """(batch, result) as they are ready, in the order of `batches`. Closing the iterator stops before the next batch.

    A batch that runs out of memory (MemoryError) is halved until single rows remain.
    """
    if threads <= 1 or len(batches) <= 1:
        for batch in batches:
            yield from _halving(batch, compute)
        return
    with ThreadPoolExecutor(max_workers=min(threads, len(batches))) as workers:
        waiting: deque[Future[list[tuple[Batch, T]]]] = deque()
        try:
            for batch in batches:
                waiting.append(workers.submit(_halving, batch, compute))
                if len(waiting) > 2 * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _halving(batch: Batch, compute: Callable[[Batch], T]) -> list[tuple[Batch, T]]:
    try:
        return [(batch, compute(batch))]
    except MemoryError:
        if len(batch) == 1:
            raise
    middle = len(batch) // 2
    return _halving(batch[:middle], compute) + _halving(batch[middle:], compute)
