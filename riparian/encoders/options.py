"""How an encoder is to be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """How to load: where converted weights are cached, on what to compute. None of it changes a vector's meaning.

    `threads` 0 = the cores this process may use. `engine` is for kinds that have a choice.
    """

    cache_dir: Path
    device: str = "auto"
    threads: int = 0
    engine: str = "auto"
