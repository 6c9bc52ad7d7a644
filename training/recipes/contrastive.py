"""Mirror, SimCSE and pairs: what belongs together is told from the rest of its batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from riparian.encoders.batches import Batch
from riparian.encoders.mirror.objective import nt_xent
from riparian.encoders.mirror.views import masked
from riparian.errors import Invalid
from training.material import Pair
from training.recipes.lesson import Settings, shuffled_batches
from training.recipes.losses import ranking_loss
from training.recipes.student import Student

_PASSED_OVER = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSettings(Settings):
    """Liu et al. 2021: `span` characters of strings of at least `shortest` are hidden in the second view."""

    batch: int = 200
    longest: int = 50
    temperature: float = 0.04
    span: int = 5
    shortest: int = 30

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not self.temperature > 0 or self.span < 0:
            raise Invalid("temperature must be above 0, and span not below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimcseSettings(Settings):
    """Gao et al. 2021: two passes of one sentence differ by dropout alone."""

    batch: int = 64
    longest: int = 32
    learning_rate: float = 3e-5
    temperature: float = 0.05

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not self.temperature > 0 or not self.dropout > 0:
            raise Invalid("temperature and dropout must be above 0: nothing but dropout tells the two views apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsSettings(Settings):
    """Henderson et al. 2017: cosines are multiplied by 1/`temperature` (20 by default)."""

    temperature: float = 0.05
    both_ways: bool = True

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not self.temperature > 0:
            raise Invalid(f"temperature must be above 0, not {self.temperature}")


class _Views:
    """Examples of which two views each are told from those of all others."""

    def __init__(self, student: Student, seed: int, batch: int) -> None:
        self._student, self._seed, self._batch = student, seed, batch

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return {}

    def _shuffled(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        return shuffled_batches(rows, self._batch, self._seed, epoch)

    def _halves(self, first: Sequence[str], second: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Both in one pass, so that dropout differs."""
        found = self._student.vectors([*first, *second])
        return found[: len(first)], found[len(first) :]


class MirrorLesson(_Views):
    """Each sentence beside itself with a few characters hidden, both under dropout."""

    def __init__(self, student: Student, settings: MirrorSettings, seed: int, examples: Sequence[str]) -> None:
        super().__init__(student, seed, settings.batch)
        self._settings, self.examples, self._mask = settings, examples, student.mask_token() or ""
        if settings.span and not self._mask:
            raise Invalid("the tokenizer has no mask token to hide characters with; give span=0")

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        return self._shuffled(rows, epoch)

    def views(self, rows: Sequence[int], numbers: np.random.Generator) -> tuple[Tensor, Tensor]:
        texts, how = [self.examples[row] for row in rows], self._settings
        return self._halves(texts, [masked(text, self._mask, how.span, how.shortest, numbers) for text in texts])

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        return nt_xent(*self.views(rows, numbers), self._settings.temperature)


class SimcseLesson(_Views):
    """Each sentence beside itself under other dropout."""

    def __init__(self, student: Student, settings: SimcseSettings, seed: int, examples: Sequence[str]) -> None:
        super().__init__(student, seed, settings.batch)
        self._temperature, self.examples = settings.temperature, examples

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        return self._shuffled(rows, epoch)

    def views(self, rows: Sequence[int], numbers: np.random.Generator) -> tuple[Tensor, Tensor]:
        texts = [self.examples[row] for row in rows]
        return self._halves(texts, texts)

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        return ranking_loss(*self.views(rows, numbers), self._temperature, both_ways=False)


class PairsLesson(_Views):
    """Pairs in batches in which no text stands twice: a text must not be pushed away from its equal."""

    def __init__(self, student: Student, settings: PairsSettings, seed: int, pairs: Sequence[Pair]) -> None:
        super().__init__(student, seed, settings.batch)
        self._settings, self.examples = settings, different(pairs)

    def batches(self, rows: Sequence[int], epoch: int) -> list[Batch]:
        found = distinct_batches([self.examples[row] for row in rows], self._batch, self._seed, epoch)
        return [tuple(rows[at] for at in batch) for batch in found]

    def views(self, rows: Sequence[int], numbers: np.random.Generator) -> tuple[Tensor, Tensor]:
        pairs = [self.examples[row] for row in rows]
        first = self._student.vectors([pair.first for pair in pairs], "query")
        return first, self._student.vectors([pair.second for pair in pairs], "passage")

    def loss(self, rows: Sequence[int], numbers: np.random.Generator) -> Tensor:
        how = self._settings
        return ranking_loss(*self.views(rows, numbers), how.temperature, both_ways=how.both_ways)


def different(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that say something on both sides, once each. Invalid for fewer than two."""
    found = [pair for pair in dict.fromkeys(pairs) if pair.first.strip() and pair.second.strip()]
    if len(found) < 2:
        raise Invalid(f"{len(found)} different pairs are too few to learn from; give at least 2, better 1,000")
    return found


def distinct_batches(pairs: Sequence[Pair], size: int, seed: int, epoch: int) -> list[Batch]:
    """Every pair once in shuffled batches of `size` without an equal text; batches of one pair are left out.

    Invalid where no two pairs can share a batch.
    """
    waiting = deque(int(row) for row in np.random.default_rng([seed, epoch]).permutation(len(pairs)))
    found: list[Batch] = []
    while waiting:
        found.append(_distinct(pairs, size, waiting))
    kept = [batch for batch in found if len(batch) > 1]
    if not kept:
        raise Invalid("all pairs share a text with each other, so that nothing can be told apart")
    return kept


def _distinct(pairs: Sequence[Pair], size: int, waiting: deque[int]) -> Batch:
    """Takes a batch from the front of those waiting; those that must wait for the next stay in front. After many that
    cannot join, the batch is as large as it gets."""
    batch: list[int] = []
    seen: set[str] = set()
    later: list[int] = []
    while waiting and len(batch) < size and len(later) < _PASSED_OVER * size:
        row = waiting.popleft()
        texts = {pairs[row].first, pairs[row].second}
        if texts & seen:
            later.append(row)
        else:
            batch.append(row)
            seen |= texts
    waiting.extendleft(reversed(later))
    return tuple(batch)
