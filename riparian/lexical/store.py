"""One tantivy index on the disk: opened, searched in a fixed order, changed under a lock held by its caller."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from riparian.lexical.vocabulary import Vocabulary
from riparian.types import Ids
from riparian.vectors import exact

_WRITER_BYTES = 50_000_000
_TIES_AHEAD = 32  # hits looked at beyond k, to see whether the k-th has equals
_SPARSE = 0.1  # of the texts: fewer allowed are looked up, more are told apart after the search
_FOOTER = re.compile(rb'\{"version":(\{[^{}]*\}),"crc":(\d+)\}(.{4})\x39\x05\x00\x00\Z', re.DOTALL)
_LONGEST_FOOTER = 400
_PARTS = ("fast", "fieldnorm", "idx", "pos", "store", "term")


@dataclass(frozen=True, slots=True)
class Scored:
    """Documents or passages with their scores, by falling score and rising id. `documents` are those that the
    passages belong to, and the ids themselves for documents."""

    ids: Ids
    documents: Ids
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TermScore:
    """A part of a query: `term` as the index holds it, the query's `words` that it comes from, and what it gives each
    text that it matches."""

    term: str
    words: tuple[str, ...]
    scores: Mapping[int, float]


class TextStore:
    """Texts of one granularity on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._index = tantivy.Index.open(str(folder))
        except (ValueError, OSError) as error:
            raise DamagedIndex(folder, "a lexical index", str(error)) from error
        fields.register(self._index)
        self._index.config_reader("manual", 0)

    @classmethod
    def create(cls, folder: Path) -> TextStore:
        folder.mkdir(parents=True)
        tantivy.Index(fields.schema(), path=str(folder))
        return cls(folder)

    def writer(self) -> Any:
        return self._index.writer(_WRITER_BYTES, 1)

    def remove_leftovers(self) -> None:
        """Deletes segments that belong to no commit, where a writer died; the caller holds the lock for writing."""
        kept = set(_files(json.loads((self._folder / "meta.json").read_bytes())))
        for file in self._folder.glob(f"{'[0-9a-f]' * 32}.*"):
            if file.name not in kept:
                file.unlink()

    def reader(self) -> TextReader:
        """What is committed now."""
        try:
            self._index.reload()
        except ValueError:  # a commit came between reading what belongs to the last one and opening it
            self._index.reload()
        return TextReader(self._index.schema, self._index.searcher())


class TextReader:
    """The texts of one commit, unchanged by later ones. Safe to search from several threads."""

    def __init__(self, schema: Any, searcher: Any) -> None:
        self._schema, self._searcher = schema, searcher
        self._languages = self._count_languages()

    def count(self) -> int:
        return int(self._searcher.num_docs)

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO codes of the texts, the most frequent first; "" for texts of no known language."""
        return self._languages

    def frequency(self, stem: str) -> int:
        """In how many texts a stem stands."""
        return int(self._searcher.doc_freq(fields.BODY, stem))

    @functools.cached_property
    def vocabulary(self) -> Vocabulary:
        """The words of the texts as they are written, read at the first use."""
        return Vocabulary(self._searcher.terms_with_prefix(fields.EXACT, ""))

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

    def term_scores(self, group: Group, languages: Sequence[str] | None, ids: Ids) -> list[TermScore]:
        """What each part of the query gives each of the texts; over the parts it sums to what `best` scores them."""
        wanted = tantivy.Query.term_set_query(self._schema, fields.ID, [int(one) for one in ids])
        must, among = tantivy.Occur.Must, tantivy.Query.const_score_query(wanted, 0.0)
        found = []
        for piece in self._compiler(languages).pieces(group):
            query = tantivy.Query.boolean_query([(must, piece.query), (must, among)])
            hits = self._searcher.search(query, limit=max(1, len(ids)), count=False).hits
            values = self._values(fields.ID, [address for _, address in hits]).tolist()
            scores = dict(zip(values, (float(score) for score, _ in hits), strict=True))
            found.append(TermScore(piece.term, piece.words, scores))
        return found

    def _compiled(self, group: Group, languages: Sequence[str] | None) -> Any:
        return self._compiler(languages).compile(group)

    def _compiler(self, languages: Sequence[str] | None) -> Compiler:
        known = self._languages if languages is None else languages
        return Compiler(self._schema, known, self._searcher.doc_freq, self.count())

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


def verify(folder: Path, meta: str = "") -> None:
    """Compares `meta.json` with its SHA-256 where `meta` gives one, and every file of the commit with the checksum that
    tantivy wrote at its end. DamagedIndex names the first that differs; tantivy itself would read on without a word."""
    path = folder / "meta.json"
    if meta and (found := meta_digest(folder)) != meta:
        raise DamagedIndex(path, f"SHA-256 {meta}", f"SHA-256 {found}" if found else "no file")
    try:
        names = list(_files(json.loads(path.read_bytes())))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedIndex(path, "a lexical index", f"{type(error).__name__}: {error}") from error
    versions = {name: _verify_file(folder / name) for name in names}
    usual = Counter(versions.values()).most_common(1)
    for name, version in versions.items():
        if version != usual[0][0]:  # the one part of a file that its checksum leaves out
            raise DamagedIndex(folder / name, f"version {usual[0][0]}", f"version {version}")


def meta_digest(folder: Path) -> str:
    """SHA-256 (hex) of what the last commit wrote, "" where there is none."""
    try:
        return hashlib.sha256((folder / "meta.json").read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def removed_share(folder: Path) -> float:
    """How many of the texts that the statistics of BM25 count were removed, 0 to 1: they count until the files that
    they stand in are merged, so that the words of texts that are gone weigh on the scores of those that are there."""
    segments = json.loads((folder / "meta.json").read_bytes())["segments"]
    held = sum(int(segment["max_doc"]) for segment in segments)
    gone = sum(int(segment["deletes"]["num_deleted_docs"]) for segment in segments if segment["deletes"] is not None)
    return gone / held if held else 0.0


def _files(meta: dict[str, Any]) -> Iterator[str]:
    """The files that a commit consists of."""
    for segment in meta["segments"]:
        name = segment["segment_id"].replace("-", "")
        yield from (f"{name}.{part}" for part in _PARTS)
        if segment["deletes"] is not None:
            yield f"{name}.{segment['deletes']['opstamp']}.del"


def _verify_file(path: Path) -> str:
    """The version in the file's footer, once its bytes are found to have the checksum that stands there."""
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        raise DamagedIndex(path, "a file of the lexical index", "no file") from None
    footer = _FOOTER.search(bytes(content[-_LONGEST_FOOTER:]))
    if footer is None or int.from_bytes(footer[3], "little") != len(footer[0]) - 8:
        raise DamagedIndex(path, "a checksum at its end", "none")
    expected, found = int(footer[2]), zlib.crc32(content[: len(content) - len(footer[0])])
    if found != expected:
        raise DamagedIndex(path, f"CRC-32 {expected}", f"CRC-32 {found}")
    return footer[1].decode("ascii", "replace")
