"""The lexical index of one collection: BM25 over whole documents and over passages, each with its own statistics.

    state.json          which build is served
    build-3/documents/  a tantivy index of whole documents
    build-3/passages/   a tantivy index of passages

It is derived from the catalog: what is lost or damaged is built again beside the old one (`rebuild`), and switched to
in one step.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from math import log1p
from pathlib import Path
from typing import Any

import tantivy

from riparian.errors import DamagedIndex, NotIndexedYet, StorageFull
from riparian.failpoints import failpoint
from riparian.lexical import fields, state, store
from riparian.lexical.query import Group, loosened, parse
from riparian.lexical.state import State
from riparian.lexical.store import Scored, TermScore, TextReader, TextStore
from riparian.lexical.vocabulary import Vocabulary
from riparian.types import Ids

logger = logging.getLogger(__name__)

WAIT_S = 60.0
"""How long a change waits for another one."""

_PARTS = ("documents", "passages")
_SCHEMA = fields.schema()
_DISK_FULL = ("No space left on device", "os error 28", "Disk quota exceeded", "os error 122")
_FULL_BELOW = 1 << 20  # bytes left


class Change:
    """Additions and removals that are committed together. `revision`, where set, is stored with them."""

    def __init__(self, build: Path) -> None:
        self.revision: int | None = None
        self._document_store, self._passage_store = (TextStore(build / part) for part in _PARTS)
        for text_store in (self._document_store, self._passage_store):
            text_store.remove_leftovers()  # of a process that was killed
        self._documents, self._passages = self._document_store.writer(), self._passage_store.writer()

    def put_document(self, document_id: int, title: str, text: str, language: str) -> None:
        """Adds a document, or replaces what stands under its id. `language` is ISO 639, "" where unknown."""
        _delete(self._documents, fields.ID, document_id)
        self._documents.add_document(fields.document_entry(document_id, title, text, language))

    def put_passages(self, document_id: int, passages: Iterable[tuple[int, str]], title: str, language: str) -> None:
        """The passages (id, text) of a document, in place of those it had."""
        _delete(self._passages, fields.DOCUMENT, document_id)
        for passage_id, text in passages:
            self._passages.add_document(fields.passage_entry(passage_id, document_id, title, text, language))

    def remove_document(self, document_id: int) -> None:
        """The document and its passages; one that is not there is no error."""
        _delete(self._documents, fields.ID, document_id)
        _delete(self._passages, fields.DOCUMENT, document_id)

    def commit(self) -> None:
        """On the disk when it returns."""
        for writer in (self._passages, self._documents):
            writer.commit()
            failpoint("lexical.half-committed")
            writer.wait_merging_threads()

    def roll_back(self) -> None:
        """Forgets what was not committed and frees its room."""
        for text_store, writer in ((self._passage_store, self._passages), (self._document_store, self._documents)):
            try:
                writer.rollback()
                writer.wait_merging_threads()
            except (ValueError, RuntimeError) as error:  # committed already, or broken: what broke it is told
                logger.info("lexical writer cannot roll back: %s", error)
            text_store.remove_leftovers()


class LexicalIndex:
    """Search over what is committed, and changes one at a time. Safe to use from several threads and processes:
    a search sees the latest commit of any of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stamp = state.stamp(folder)
        self._state = state.read(folder)
        self._stores = self._open_build(self._state.build)
        self._readers = self._read()

    @classmethod
    def open(cls, folder: Path, *, create: bool = True, verify: bool = True) -> LexicalIndex:
        """Opens the index in a folder, making an empty one where there is none and `create` is set.

        NotIndexedYet where there is none and it may not be made; DamagedIndex where a file's checksum is wrong or its
        format is another version's: `rebuild(folder)` makes it anew.
        """
        if state.stamp(folder) is None:
            if not create:
                raise NotIndexedYet(f"there is no lexical index in {folder}; add documents first")
            with rebuild(folder):
                pass
        if verify:
            verify_index(folder)
        return cls(folder)

    @property
    def revision(self) -> int:
        """Every change up to here is in what a search sees."""
        self._refresh()
        return self._state.revision

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO codes of the documents, the most frequent first; "" for those of no known language."""
        return self._refresh()[0].languages

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the documents as they are written."""
        return self._refresh()[0].vocabulary

    def counts(self) -> tuple[int, int]:
        """Documents and passages."""
        documents, passages = self._refresh()
        return documents.count(), passages.count()

    def removed_share(self) -> float:
        """Of the documents or passages, whichever is more, how many of those that the statistics count are gone."""
        build = _build(self._folder, state.read(self._folder).build)
        return max(store.removed_share(build / part) for part in _PARTS)

    def document_ids(self) -> Ids:
        """Ascending."""
        return self._refresh()[0].all_ids()

    def passage_ids(self) -> Ids:
        """Ascending."""
        return self._refresh()[1].all_ids()

    # ---------------------------------------------------------------- searching

    def search_documents(
        self, query: str | Group, k: int, languages: Sequence[str] | None = None, allowed: Ids | None = None
    ) -> Scored:
        """The k best documents, among the `allowed` ones when given; shorter where fewer match.

        `languages` are those the query is read in, by default all of the collection's. BadQuery for one without a word.
        """
        documents, _ = self._refresh()
        return documents.best(_parsed(query), k, languages, fields.ID, allowed)

    def search_passages(
        self,
        query: str | Group,
        k: int,
        languages: Sequence[str] | None = None,
        documents: Ids | None = None,
        *,
        loose: bool = False,
    ) -> Scored:
        """The k best passages, among those of `documents` when given. `loose` requires nothing of what the query
        requires: the best places within documents that matched as a whole."""
        _, passages = self._refresh()
        group = _parsed(query)
        return passages.best(loosened(group) if loose else group, k, languages, fields.DOCUMENT, documents)

    def rarity(self, stems: Sequence[str]) -> list[float]:
        """How much each stem tells: its inverse document frequency, ln(1 + (N - n + 1/2) / (n + 1/2)); 0 for one
        that no document holds."""
        documents, _ = self._refresh()
        texts, found = documents.count(), [documents.frequency(stem) for stem in stems]
        return [log1p((texts - count + 0.5) / (count + 0.5)) if count else 0.0 for count in found]

    def frequencies(self, stems: Sequence[str]) -> list[int]:
        """In how many documents each stem stands."""
        documents, _ = self._refresh()
        return [documents.frequency(stem) for stem in stems]

    def matches(self, query: str | Group, languages: Sequence[str] | None = None) -> Ids:
        """Every document that matches, ascending: what facets count."""
        documents, _ = self._refresh()
        return documents.matching(_parsed(query), languages)

    def term_scores(
        self, query: str | Group, documents: Ids, languages: Sequence[str] | None = None
    ) -> list[TermScore]:
        """What each word, phrase or pattern of the query gives each of these documents, in the query's order: summed,
        what `search_documents` scores them."""
        reader, _ = self._refresh()
        return reader.term_scores(_parsed(query), languages, documents)

    # ---------------------------------------------------------------- changing

    @contextmanager
    def change(self, *, wait_s: float = WAIT_S) -> Iterator[Change]:
        """Everything put and removed inside is committed when the block ends, and nothing when it raises.

        A process killed in between leaves the last commit. Conflict where another change lasts longer than `wait_s`.
        """
        with state.write_lock(self._folder, wait_s):
            current = state.read(self._folder)
            with _committed(self._folder, current) as change:
                yield change
        self._refresh()

    def _refresh(self) -> tuple[TextReader, TextReader]:
        """Both granularities as of the latest commit. One look at the state file a call."""
        with self._lock:
            found = state.stamp(self._folder)
            if found != self._stamp:
                fresh = state.read(self._folder)
                if fresh.build != self._state.build:
                    self._stores = self._open_build(fresh.build)
                self._state, self._readers = fresh, self._read()
                self._stamp = found
            return self._readers

    def _open_build(self, number: int) -> tuple[TextStore, TextStore]:
        build = _build(self._folder, number)
        return TextStore(build / "documents"), TextStore(build / "passages")

    def _read(self) -> tuple[TextReader, TextReader]:
        documents, passages = self._stores
        return documents.reader(), passages.reader()


def verify_index(folder: Path) -> None:
    """Reads every file and compares checksums; DamagedIndex names the first that is wrong."""
    current = state.read(folder)
    for part, meta in zip_longest(_PARTS, current.metas, fillvalue=""):
        store.verify(_build(folder, current.build) / part, meta)


@contextmanager
def rebuild(folder: Path, *, wait_s: float = WAIT_S) -> Iterator[Change]:
    """A new index beside the old one, which serves until the block ends without an error and never after.

    Works on a damaged or missing index. Open `LexicalIndex` objects switch by themselves.
    """
    state.clear(folder)
    with state.write_lock(folder, wait_s):
        number = _next_build(folder)
        build = _build(folder, number)
        try:
            for part in _PARTS:
                TextStore.create(build / part)
            with _committed(folder, State(number, 0)) as change:
                yield change
        except BaseException:
            shutil.rmtree(build, ignore_errors=True)
            raise
        for other in folder.glob("build-*"):
            if other != build:
                shutil.rmtree(other, ignore_errors=True)  # open readers keep what they have mapped


@contextmanager
def _committed(folder: Path, before: State) -> Iterator[Change]:
    """A change of a build, committed when the block ends, and then told by the state file."""
    build = _build(folder, before.build)
    change = Change(build)
    try:
        yield change
        if _is_served(folder, before.build):
            state.write(folder, replace(before, metas=()))  # should a kill come between commit and state
        change.commit()
        failpoint("lexical.before-switch")
        metas = tuple(store.meta_digest(build / part) for part in _PARTS)
        revision = before.revision if change.revision is None else change.revision
        state.write(folder, State(before.build, revision, metas))
    except BaseException as error:
        full = _is_full(folder, error)
        change.roll_back()
        if full:
            raise StorageFull(folder) from error
        raise


def _is_served(folder: Path, number: int) -> bool:
    """Whether the state file names this build; a missing or damaged one names none."""
    try:
        return state.read(folder).build == number
    except DamagedIndex:
        return False


def _is_full(folder: Path, error: BaseException) -> bool:
    """Tantivy tells a full disk as text, or only as a thread that is gone."""
    if any(sign in str(error) for sign in _DISK_FULL):
        return True
    return "writer was killed" in str(error) and shutil.disk_usage(folder).free < _FULL_BELOW


def _delete(writer: Any, field: str, value: int) -> None:
    """By query: tantivy 0.27's `delete_documents_by_term` finds no whole number."""
    writer.delete_documents_by_query(tantivy.Query.term_query(_SCHEMA, field, value))


def _parsed(query: str | Group) -> Group:
    return parse(query) if isinstance(query, str) else query


def _build(folder: Path, number: int) -> Path:
    return folder / f"build-{number}"


def _next_build(folder: Path) -> int:
    taken: list[Any] = [path.name.removeprefix("build-") for path in folder.glob("build-*")]
    return max((int(number) for number in taken if number.isdecimal()), default=0) + 1
