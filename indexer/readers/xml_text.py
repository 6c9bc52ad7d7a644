"""XML of any kind: the text of its elements in order."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from indexer.readers.base import Readings, ReadOptions
from riparian.types import Extracted


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file. Entities are not expanded, nothing is fetched, depth is limited by the parser."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(path.read_bytes(), parser)
    lines = (" ".join(line.split()) for line in " ".join(root.itertext()).splitlines())
    yield Extracted(member="", text="\n".join(line for line in lines if line))
