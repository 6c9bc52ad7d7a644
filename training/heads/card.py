"""A saved head on disk: a folder with `head.json` and `head.safetensors`, never pickle.

It belongs to one encoder, named by its fingerprint, and answers with no other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from riparian.encoders.base import Encoder
from riparian.encoders.storage import new_folder, read_json
from riparian.errors import BadWeights, IndexMismatch

CARD, WEIGHTS = "head.json", "head.safetensors"
FORMAT = 1
LEARNT = "learnt"
"""The tensor of digests of the texts that a head has seen while it was learnt."""

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class HeadCard:
    """What `head.json` says. `encoder` holds fingerprint, name, kind and spec; `report` what was measured, on what."""

    task: str
    labels: tuple[str, ...]
    encoder: Mapping[str, str]
    settings: Mapping[str, Any]
    report: Mapping[str, Any] = field(default_factory=dict)

    def meets(self, encoder: Encoder) -> None:
        """IndexMismatch, naming both, where the head was learnt on another encoder."""
        found = encoder.fingerprint()
        if found != self.encoder["fingerprint"]:
            raise IndexMismatch(
                f"the {self.task} head",
                _named(self.encoder["name"], self.encoder["fingerprint"]),
                _named(encoder.info.name, found),
                "give it the encoder it was learnt on, or learn a head on this one",
            )


def described(encoder: Encoder) -> dict[str, str]:
    """What a card says of the encoder below."""
    info = encoder.info
    return {"fingerprint": encoder.fingerprint(), "name": info.name, "kind": info.kind, "spec": info.spec}


def write(folder: Path, card: HeadCard, arrays: Arrays) -> None:
    """There whole or not at all. Raises AlreadyExists where `folder` is there and not empty."""
    record = {
        "format": FORMAT,
        "task": card.task,
        "labels": list(card.labels),
        "encoder": dict(card.encoder),
        "settings": dict(card.settings),
        "report": dict(card.report),
    }
    with new_folder(folder) as draft:
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        (draft / CARD).write_text(text, encoding="utf-8")
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, draft / WEIGHTS)


def is_head(folder: Path) -> bool:
    """Whether the folder holds a saved head."""
    return (folder / CARD).is_file()


def read(folder: Path) -> HeadCard:
    """Raises BadWeights for a card that is missing, damaged or of another format."""
    path = folder / CARD
    raw = read_json(path)
    if raw.get("format") != FORMAT:
        raise BadWeights(path, f"format {FORMAT}", f"format {raw.get('format')!r}")
    match raw:
        case {
            "task": str(task),
            "labels": [*labels],
            "encoder": {"fingerprint": str(), "name": str(), "kind": str(), "spec": str()} as encoder,
            "settings": dict(settings),
            "report": dict(report),
        } if all(isinstance(label, str) for label in labels):
            return HeadCard(task, tuple(labels), encoder, settings, report)
    raise BadWeights(path, "task, labels, encoder, settings and report", f"only {', '.join(raw) or 'nothing'}")


def read_arrays(folder: Path, shapes: Mapping[str, Sequence[int]]) -> dict[str, NDArray[Any]]:
    """The weights. Raises BadWeights naming the first tensor that is missing, mis-shaped or not finite."""
    path = folder / WEIGHTS
    try:
        found: dict[str, NDArray[Any]] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise BadWeights(path, "a safetensors file", str(error)) from error
    for name, shape in shapes.items():
        array = found.get(name)
        if array is None or array.shape != tuple(shape):
            seen = "no such tensor" if array is None else f"shape {array.shape}"
            raise BadWeights(path, f"tensor {name} of shape {tuple(shape)}", seen)
        if not np.isfinite(array).all():
            raise BadWeights(path, f"finite numbers in {name}", "others")
    return found


def _named(name: str, fingerprint: str) -> str:
    return f"{name} ({fingerprint[:12]})"
