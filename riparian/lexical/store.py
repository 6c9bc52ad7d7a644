"""One tantivy index on the disk: opened, searched in a fixed order, changed under a lock held by its caller."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from riparian.errors import DamagedIndex
from riparian.lexical import fields
from riparian.lexical.compile import Compiler
from riparian.lexical.query import Group
from riparian.types import Ids
from riparian.vectors import exact

_WRITER_BYTES = 50_000_000
_TIES_AHEAD = 32  # hits looked at beyond k, to see whether the k-th has equals
_SPARSE = 0.1  # of the texts: fewer allowed are looked up, more are told apart after the search
_MAGIC = 1337  # of tantivy's file footers


@dataclass(frozen=True, slots=True)
class Scored:
    """Documents or passages with their scores, by falling score and rising id. `documents` are those that the
    passages belong to, and the ids themselves for documents."""

    ids: Ids
    documents: Ids
    scores: NDArray[np.float32]


class TextStore:
    """Texts of one granularity. Safe to search from several threads; `reload` shows what was committed since."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._index = tantivy.Index.open(str(folder))
        except (ValueError, OSError) as error:
            raise DamagedIndex(folder, "a lexical index", str(error)) from error
        fields.register(self._index)
        self._index.config_reader("manual", 0)
        self._schema = self._index.schema
        self.reload()

    @classmethod
    def create(cls, folder: Path) -> TextStore:
        folder.mkdir(parents=True)
        index = tantivy.Index(fields.schema(), path=str(folder))
        fields.register(index)
        return cls(folder)

    def reload(self) -> None:
        self._index.reload()
        self._searcher = self._index.searcher()
        self._languages = self._count_languages()

    def writer(self) -> Any:
        return self._index.writer(_WRITER_BYTES, 1)

    def count(self) -> int:
        return int(self._searcher.num_docs)

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO codes of the texts, the most frequent first; "" for texts of no known language."""
        return self._languages

    def all_ids(self) -> Ids:
        return self._unscored(tantivy.Query.all_query())

    def matching(self, group: Group, languages: Sequence[str] | None) -> Ids:
        """Every id that the query matches, ascending."""
        return self._unscored(self._compiled(group, languages))

    def best(self, group: Group, k: int, languages: Sequence[str] | None, field: str, allowed: Ids | None) -> Scored:
        """The k best among the texts whose `field` (a fast field of ids) is allowed, where `allowed` is given."""
        query = self._compiled(group, languages)
        if allowed is None:
            return self._top(query, k, field, None)
        if len(allowed) > _SPARSE * self.count():
            return self._top(query, k, field, np.sort(allowed))
        filter_ = tantivy.Query.term_set_query(self._schema, field, [int(one) for one in allowed])
        none_added = tantivy.Query.const_score_query(filter_, 0.0)
        must = tantivy.Occur.Must
        return self._top(tantivy.Query.boolean_query([(must, query), (must, none_added)]), k, field, None)

    def _compiled(self, group: Group, languages: Sequence[str] | None) -> Any:
        known = self._languages if languages is None else languages
        return Compiler(self._schema, known, self._searcher.doc_freq, self.count()).compile(group)

    def _top(self, query: Any, k: int, field: str, allowed: Ids | None) -> Scored:
        """Looks deeper until k allowed hits are found and nothing beyond them can have the last one's score."""
        everything = max(1, self.count())
        depth = min(everything, k + _TIES_AHEAD)
        while True:
            hits = self._searcher.search(query, limit=depth, count=False).hits
            addresses = [address for _, address in hits]
            scores = np.array([score for score, _ in hits], dtype=np.float32)
            kept = np.arange(len(hits))
            if allowed is not None:
                kept = np.flatnonzero(exact.find(allowed, self._values(field, addresses))[1])
            if len(hits) < depth or depth == everything:
                break
            if len(kept) >= k and scores[kept[k - 1]] > scores[-1]:
                break
            depth = min(everything, depth * 4)
        chosen = [addresses[i] for i in kept]
        ids, documents = self._values(fields.ID, chosen), self._values(fields.DOCUMENT, chosen)
        order = np.lexsort((ids, -scores[kept]))[:k]
        return Scored(ids[order], documents[order], scores[kept][order])

    def _unscored(self, query: Any) -> Ids:
        flat = tantivy.Query.const_score_query(query, 1.0)
        hits = self._searcher.search(flat, limit=max(1, self.count()), count=False).hits
        return np.sort(self._values(fields.ID, [address for _, address in hits]))

    def _values(self, field: str, addresses: Sequence[Any]) -> Ids:
        return np.array(self._searcher.fast_field_values(field, list(addresses)), dtype=np.int64)

    def _count_languages(self) -> tuple[str, ...]:
        counted = self._searcher.terms_with_prefix(fields.LANGUAGE, "")
        ordered = sorted(counted, key=lambda item: (-item[1], item[0]))
        return tuple("" if code == fields.NO_LANGUAGE else code for code, _ in ordered)


def verify(folder: Path) -> None:
    """Compares every finished file with the checksum tantivy wrote at its end; DamagedIndex names the first that
    differs. Tantivy itself reads a damaged file without a word."""
    try:
        names = json.loads((folder / ".managed.json").read_bytes())
        segments = {found["segment_id"].replace("-", "") for found in _meta(folder)["segments"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(folder, "a lexical index", f"{type(error).__name__}: {error}") from error
    for name in sorted(names):
        if name.partition(".")[0] in segments and name != "meta.json":
            _verify_file(folder / name)


def _meta(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_bytes())
    return meta


def _verify_file(path: Path) -> None:
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        raise DamagedIndex(path, "a file of the lexical index", "no file") from None
    length, magic = int.from_bytes(content[-8:-4], "little"), int.from_bytes(content[-4:], "little")
    if len(content) < 8 or magic != _MAGIC or length > len(content) - 8:
        raise DamagedIndex(path, "a checksum at its end", "none")
    end = len(content) - 8 - length
    try:
        expected = json.loads(bytes(content[end:-8]))["crc"]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(path, "a checksum at its end", str(error)) from error
    found = zlib.crc32(content[:end])
    if found != expected:
        raise DamagedIndex(path, f"CRC-32 {expected}", f"CRC-32 {found}")
