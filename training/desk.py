"""Where a training keeps what it has learnt until it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riparian.encoders.storage import write_file

RESULT, REPORT, CHECKPOINT = "encoder", "report.json", "checkpoint.safetensors"


def desk_of(data_dir: Path, wish: Mapping[str, Any]) -> Path:
    """The folder of this wish, made where it is not there: the same for the same wish, so that it goes on when it is
    asked for again."""
    key = hashlib.sha256(json.dumps(dict(wish), sort_keys=True).encode()).hexdigest()[:16]
    desk = data_dir / "training" / key
    desk.mkdir(parents=True, exist_ok=True)
    return desk


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """There whole or not at all."""
    write_file(path, lambda draft: draft.write_text(json.dumps(value, default=str), encoding="utf-8"))
