"""Near-duplicates of a real archive stand under the best of them: 2,651 advisories, many told for several packages."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from indexer.duplicates import group, signature
from riparian.text import content_digest
from riparian.types import DocumentId
from search.request import SearchRequest
from tests.evaldata import folder
from tests.search.world import Text, World


def grouped(tmp_path: Path) -> tuple[World, Mapping[DocumentId, str], Mapping[DocumentId, int]]:
    """The archive, each document's text and the group of those that have one."""
    with gzip.open(folder("topics-pysec-advisories") / "docs.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    world = World(tmp_path)
    ids = world.fill(*(Text(row["id"], row["text"], title=row["title"]) for row in rows))
    texts = {number: row["text"] for number, row in zip(ids, rows, strict=True)}
    groups = group({number: signature(text) for number, text in texts.items()})
    with world.database.write() as catalog:
        catalog.documents.set_duplicate_groups(world.id, groups)
        catalog.collections.touch(world.id)
    return world, texts, groups


@pytest.mark.slow
def test_an_advisory_told_for_several_packages_is_one_hit_with_the_others_under_it(tmp_path: Path):
    world, texts, groups = grouped(tmp_path)
    sizes = Counter(groups.values())
    copies = 0
    for query in ("heap buffer overflow in TensorFlow Lite", "cross-site scripting in Plone", "integer overflow"):
        every = world.search.search(SearchRequest("papers", query, k=1000, collapse=False, sentences=False))
        shown = world.search.search(SearchRequest("papers", query, k=40, sentences=False))
        order = [hit.document.id for hit in every.hits]
        own = [groups.get(number, -number) for number in order]
        firsts = [number for place, number in enumerate(order) if own[place] not in own[:place]]
        assert [hit.document.id for hit in shown.hits] == firsts[:40]
        digests = [content_digest(texts[hit.document.id]) for hit in shown.hits]
        assert len(set(digests)) == len(digests)
        copies += 40 - len({content_digest(texts[number]) for number in order[:40]})
        for hit in shown.hits:
            name = groups.get(hit.document.id)
            assert hit.duplicates == (sizes[name] - 1 if name is not None else 0), texts[hit.document.id]
        assert shown.total == every.total
    assert copies > 0  # among the first hits there was something to put under another
