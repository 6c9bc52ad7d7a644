"""How the networks of CombinedTM and ZeroShotTM are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from topics import options

_CHOICES = {"start": ("k-means", "random")}
_BOUNDS = {
    "epochs": (1, 10_000),
    "batch": (2, 1 << 20),
    "hidden": (1, 10_000),
    "dropout": (0, 0.9),
    "validation": (0, 0.5),
}


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How a network is trained. The defaults start from k-means groups and train briefly; `published()` follows
    the papers.

    `validation` is the part of the texts kept aside (where there are 200 or more) to stop once their loss has not
    fallen for `patience` epochs and to go back to the best; 0 trains all `epochs`. `samples` 0 takes theta at the
    posterior's mean, n averages n draws.
    """

    start: str = "k-means"  # or "random"
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 2e-3
    one_cycle: bool = True
    gain: float = 3.0
    hidden: int = 100
    dropout: float = 0.2
    kl_weight: float = 1.0
    label_weight: float = 1.0
    learn_prior: bool = True
    validation: float = 0.0
    patience: int = 5
    samples: int = 0

    @classmethod
    def published(cls) -> NetworkSettings:
        """As in the papers and their reference implementation."""
        return cls(start="random", epochs=100, batch=64, one_cycle=False, gain=1.0, samples=20)


def network_settings(given: Mapping[str, Any]) -> NetworkSettings:
    """Settings from plain values. Invalid names an option that is not there or whose value cannot be."""
    return options.read(NetworkSettings, given, _BOUNDS, _CHOICES)
