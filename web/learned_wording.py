"""Learned labels in words, for pages and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from topics.learned import Told

_SHOWN = 3


def likeliest(told: Sequence[Told]) -> str:
    """sci.space 93%, sci.med 4%, …"""
    return ", ".join(f"{one.label} {one.probability:.0%}" for one in told[:_SHOWN])


def how_well(accuracy: float | None, guess: float | None, held_out: int) -> str:
    """How often labels are told right where the fit did not know them."""
    if accuracy is None:
        return "too few documents carry one to hold any out"
    return (
        f"{accuracy:.1%} of {held_out} documents whose label the fit was not told are told right "
        f"(by the most frequent label {guess or 0.0:.1%})"
    )


def told_after(result: Mapping[str, Any]) -> str:
    """What a fit says of the labels it learned, "" where it learned none."""
    if "held_out" not in result:
        return ""
    scores = result["scores"]
    return f"labels: {how_well(scores.get('label_accuracy'), scores.get('label_guess'), result['held_out'])}"
