"""How much training fits into the minutes that were granted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from riparian.encoders.base import Progress
from training.budget import LEAST_TEXTS, MOST_EPOCHS, Plan, plan


class Clock:
    """A second passes at each step."""

    def __init__(self, seconds_a_step: float) -> None:
        self.seconds, self._step = 0.0, seconds_a_step

    def now(self) -> float:
        return self.seconds

    def steps(self, total: int) -> Callable[[Progress], None]:
        def train(progress: Progress) -> None:
            for done in range(1, total + 1):
                self.seconds += self._step
                progress(done, total)

        return train


@pytest.mark.parametrize(
    ("minutes", "epochs", "total", "expected"),
    [
        (10, 2, 400, Plan(3, 1.0)),  # 600 steps of a second each, 200 an epoch
        (1, 2, 400, Plan(1, 0.3)),  # not even one epoch fits
        (1000, 2, 4, Plan(MOST_EPOCHS, 1.0)),
    ],
)
def test_what_is_planned_takes_the_minutes(minutes: float, epochs: int, total: int, expected: Plan) -> None:
    clock = Clock(1.0)
    found = plan(minutes, epochs, clock.steps(total), clock.now)
    assert (found.epochs, round(found.share, 2)) == (expected.epochs, expected.share)


def test_the_trial_ends_long_before_the_training_would() -> None:
    clock = Clock(0.1)
    plan(10, 1, clock.steps(100_000), clock.now)
    assert clock.seconds < 21


def test_a_training_that_tells_nothing_is_left_as_it_is() -> None:
    assert plan(1, 7, lambda progress: None) == Plan(7, 1.0)


def test_a_share_keeps_the_order_and_is_the_same_for_a_seed() -> None:
    texts = [str(number) for number in range(1000)]
    chosen = Plan(1, 0.25).chosen(texts, seed=3)
    assert len(chosen) == 250
    assert sorted(chosen, key=int) == chosen
    assert Plan(1, 0.25).chosen(texts, seed=3) == chosen
    assert Plan(1, 1.0).chosen(texts, seed=3) == texts
    assert len(Plan(1, 1e-9).chosen(texts, seed=3)) == LEAST_TEXTS
