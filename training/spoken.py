"""A job's progress as a training tells it."""

from __future__ import annotations

import math
import time
from typing import Any

from riparian.jobs import Running

_TOLD_EVERY_S = 0.5
_MEMORY = 0.95


class Spoken:
    """A progress that is written down a few times a second, with the loss of late and the last figure on what is held
    out; it raises Cancelled when the job should stop."""

    def __init__(self, running: Running, stage: str, unit: str) -> None:
        self._running, self._stage, self._unit = running, stage, unit
        self._last, self._loss = 0.0, math.nan
        self._held_out: dict[str, float] = {}
        with running.database.write() as catalog:
            running.checkpoint(catalog, state={"stage": stage}, stage=stage, done=0, total=0, unit=unit)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < _TOLD_EVERY_S and done < total:
            return
        self._last = now
        state: dict[str, Any] = {"stage": self._stage}
        state |= {} if math.isnan(self._loss) else {"loss": round(self._loss, 4)}
        state |= {"held_out": self._held_out} if self._held_out else {}
        with self._running.database.write() as catalog:
            self._running.checkpoint(catalog, state=state, stage=self._stage, done=done, total=total, unit=self._unit)

    def loss(self, value: float) -> None:
        """A running mean: single steps jump about."""
        self._loss = value if math.isnan(self._loss) else _MEMORY * self._loss + (1 - _MEMORY) * value

    def held_out(self, name: str, value: float) -> None:
        """Told at the next word, not later: a look is rare."""
        self._held_out, self._last = {name: round(value, 4)}, 0.0
