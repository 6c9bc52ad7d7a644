"""Figures with what they are worth: intervals, and the machine they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 5000
SEED = 1

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the 2.5 and 97.5 percentiles of its bootstrap."""

    mean: float
    low: float
    high: float


def interval(values: Values) -> Interval:
    """The mean with the 2.5 and 97.5 percentiles of the means of bootstrap samples."""
    draws = np.random.default_rng(SEED).integers(0, len(values), size=(DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def interval_of(count: int, figure: Callable[[NDArray[np.int64]], float], draws: int) -> Interval:
    """The same for any figure of rows 0 to `count` - 1."""
    numbers = np.random.default_rng(SEED)
    found = [figure(numbers.integers(0, count, size=count)) for _ in range(draws)]
    low, high = np.percentile(found, [2.5, 97.5])
    return Interval(figure(np.arange(count)), float(low), float(high))


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """Where and with what the figures were measured."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "packages": {name: version(name) for name in packages},
    }


def machine_line(machine: dict[str, Any]) -> str:
    """The same in two lines of text."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['system']}, {machine['processor']}, {machine['cores']} cores, load {machine['load']}\n"
        f"Python {machine['python']}, {packages}"
    )
