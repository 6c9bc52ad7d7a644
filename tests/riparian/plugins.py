"""Installed packages made on the spot: a module and its entry points, as pip leaves them in site-packages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(site: Path, module: str, source: str, entry_points: Mapping[str, str]) -> None:
    """Writes `module`.py and its metadata with encoders as entry points into `site`, a folder of the import path."""
    (site / f"{module}.py").write_text(source, encoding="utf-8")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    lines = "\n".join(f"{name} = {target}" for name, target in entry_points.items())
    (info / "entry_points.txt").write_text(f"[riparian.encoders]\n{lines}\n", encoding="utf-8")
