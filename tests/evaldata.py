"""Where evaluation data lies: `RIPARIAN_EVAL_DATA`, else `../shared/data` beside the checkout. Never committed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def folder(name: str) -> Path:
    """A folder of evaluation data; the test is skipped where it is not at hand."""
    default = Path(__file__).parents[2] / "shared" / "data"
    root = Path(os.environ.get("RIPARIAN_EVAL_DATA", default))
    found = root / name
    if not found.is_dir():
        pytest.skip(f"no evaluation data {name!r} below {root} (RIPARIAN_EVAL_DATA names another place)")
    return found
