"""Mirror, SimCSE and pairs: what belongs together is told from the rest of its batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from riparian.encoders.mirror.objective import nt_xent
from riparian.encoders.mirror.views import masked
from riparian.errors import Invalid
from training.material import Material, Pair
from training.recipes.lesson import Settings, batch_of, batches_in, sentences_of
from training.recipes.losses import ranking_loss
from training.recipes.student import Student


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorSettings(Settings):
    """Liu et al. 2021: `span` characters of strings of at least `shortest` are hidden in the second view."""

    batch: int = 64
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


@dataclass(slots=True)
class MirrorLesson:
    """Each sentence beside itself with a few characters hidden, both under dropout."""

    student: Student
    settings: MirrorSettings
    seed: int
    examples: Sequence[str]
    mask: str

    @property
    def steps(self) -> int:
        return batches_in(len(self.examples), self.settings.batch)

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return {}

    def loss(self, step: int) -> Tensor:
        settings = self.settings
        rows = batch_of(len(self.examples), settings.batch, self.seed, step, self.steps)
        texts = [self.examples[row] for row in rows]
        numbers = np.random.default_rng([self.seed, step, 1])
        others = [masked(text, self.mask, settings.span, settings.shortest, numbers) for text in texts]
        found = self.student.vectors([*texts, *others])
        return nt_xent(found[: len(texts)], found[len(texts) :], settings.temperature)


@dataclass(slots=True)
class SimcseLesson:
    """Each sentence beside itself under other dropout."""

    student: Student
    settings: SimcseSettings
    seed: int
    examples: Sequence[str]

    @property
    def steps(self) -> int:
        return batches_in(len(self.examples), self.settings.batch)

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return {}

    def loss(self, step: int) -> Tensor:
        rows = batch_of(len(self.examples), self.settings.batch, self.seed, step, self.steps)
        texts = [self.examples[row] for row in rows]
        found = self.student.vectors([*texts, *texts])
        return ranking_loss(found[: len(texts)], found[len(texts) :], self.settings.temperature, both_ways=False)


class PairsLesson:
    """Pairs in batches in which no text stands twice: a text must not be pushed away from its equal."""

    def __init__(self, student: Student, settings: PairsSettings, seed: int, pairs: Sequence[Pair]) -> None:
        self._student, self._settings, self._seed = student, settings, seed
        self.examples = [pair for pair in dict.fromkeys(pairs) if pair.first.strip() and pair.second.strip()]
        self._plans: dict[int, list[list[int]]] = {}
        if len(self.examples) < 2:
            raise Invalid(f"{len(self.examples)} different pairs are too few to learn from; give at least 2")
        self.steps = min(len(self._plan(epoch)) for epoch in range(settings.epochs))

    @property
    def extra(self) -> Mapping[str, Tensor]:
        return {}

    def loss(self, step: int) -> Tensor:
        epoch, at = divmod(step, self.steps)
        pairs = [self.examples[row] for row in self._plan(epoch)[at]]
        first = self._student.vectors([pair.first for pair in pairs], "query")
        second = self._student.vectors([pair.second for pair in pairs], "passage")
        return ranking_loss(first, second, self._settings.temperature, both_ways=self._settings.both_ways)

    def _plan(self, epoch: int) -> list[list[int]]:
        if epoch not in self._plans:
            self._plans[epoch] = distinct_batches(self.examples, self._settings.batch, self._seed, epoch)
        return self._plans[epoch]


def distinct_batches(pairs: Sequence[Pair], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Every pair once in shuffled batches of `size` without an equal text; batches of one pair are left out.

    Invalid where no two pairs can share a batch.
    """
    waiting = [int(row) for row in np.random.default_rng([seed, epoch]).permutation(len(pairs))]
    found: list[list[int]] = []
    while waiting:
        batch: list[int] = []
        seen: set[str] = set()
        later: list[int] = []
        for number, row in enumerate(waiting):
            texts = {pairs[row].first, pairs[row].second}
            if len(batch) == size:
                later += waiting[number:]
                break
            if texts & seen:
                later.append(row)
            else:
                batch.append(row)
                seen |= texts
        found.append(batch)
        waiting = later
    kept = [batch for batch in found if len(batch) > 1]
    if not kept:
        raise Invalid("all pairs share a text with each other, so that nothing can be told apart")
    return kept


def mirror_lesson(student: Student, settings: MirrorSettings, seed: int, material: Material) -> MirrorLesson:
    """Invalid for a tokenizer without a mask token where `span` is not 0, and for too little text."""
    mask = student.mask_token()
    if mask is None and settings.span:
        raise Invalid("the tokenizer has no mask token to hide characters with; give span=0")
    return MirrorLesson(student, settings, seed, sentences_of(material), mask or "")
