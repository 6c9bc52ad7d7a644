"""The lexical indexes of all collections: opened when first asked for, kept up with the catalog, rebuilt from it."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

from riparian.catalog.documents import LexicalDocument
from riparian.catalog.engine import Database
from riparian.errors import DamagedIndex, NotIndexedYet
from riparian.failpoints import failpoint
from riparian.lexical.index import Change, LexicalIndex, rebuild
from riparian.types import CollectionId, DocumentId

logger = logging.getLogger(__name__)

_BATCH = 500

REMOVED_SHARE = 0.05
"""Of what the statistics count: from more removed texts on, the index is built anew. That takes less time than it took
to encode the texts that replaced them."""


class LexicalStore:
    """Safe to share between threads. An index that is missing or damaged is rebuilt from the catalog when opened."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database, self._folder = database, data_dir / "lexical"
        self._open: dict[CollectionId, LexicalIndex] = {}
        self._lock = threading.Lock()

    def folder(self, collection_id: CollectionId) -> Path:
        return self._folder / str(collection_id)

    def index(self, collection_id: CollectionId) -> LexicalIndex:
        """The collection's index; its checksums were compared when it was opened."""
        with self._lock:
            if collection_id not in self._open:
                self._open[collection_id] = self._opened(collection_id)
            return self._open[collection_id]

    def catch_up(self, collection_id: CollectionId) -> int:
        """Takes in every change that the catalog noted and answers with how many documents that were.

        Changes are forgotten after they are committed here: a kill in between applies them again, which is harmless.
        """
        index, taken = self.index(collection_id), 0
        while documents := self._take_batch(collection_id, index):
            taken += documents
        return taken

    def rebuild(self, collection_id: CollectionId) -> LexicalIndex:
        """A new index of all the catalog's documents, in place of whatever there is."""
        with self._lock:
            self._rebuild(collection_id)
            self._open[collection_id] = LexicalIndex.open(self.folder(collection_id), create=False, verify=False)
            return self._open[collection_id]

    def compact(self, collection_id: CollectionId, *, force: bool = False) -> bool:
        """Builds the index anew where removed texts weigh on the scores of those that are there, and answers with
        whether it did: above `REMOVED_SHARE` of them, with `force` of any. Searches go on meanwhile.

        Only for a job that holds the collection: a change by another waits until it is done.
        """
        share = self.index(collection_id).removed_share()
        due = share > (0 if force else REMOVED_SHARE)
        if due:
            self._rebuild(collection_id)
        return due

    def remove(self, collection_id: CollectionId) -> None:
        """Deletes the index of a collection that was removed."""
        with self._lock:
            self._open.pop(collection_id, None)
            folder = self.folder(collection_id)
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)

    def _opened(self, collection_id: CollectionId) -> LexicalIndex:
        folder = self.folder(collection_id)
        try:
            return LexicalIndex.open(folder, create=False)
        except NotIndexedYet:
            logger.info("building the lexical index of collection %s", collection_id)
        except DamagedIndex as error:
            logger.error("rebuilding a damaged lexical index: %s", error)
        self._rebuild(collection_id)
        return LexicalIndex.open(folder, create=False, verify=False)

    def _rebuild(self, collection_id: CollectionId) -> None:
        with rebuild(self.folder(collection_id)) as change:
            after = 0
            while page := self._page(collection_id, after):
                _put(change, page)
                after = page[-1].id

    def _page(self, collection_id: CollectionId, after: int) -> list[LexicalDocument]:
        with self._database.read() as catalog:
            ids = catalog.documents.ids_after(collection_id, after, _BATCH)
            return catalog.documents.for_lexical(ids)

    def _take_batch(self, collection_id: CollectionId, index: LexicalIndex) -> int:
        with self._database.read() as catalog:
            if not catalog.lexical.waiting(collection_id):
                return 0
        with index.change() as change:
            # read under the index's own lock, so that nobody commits older texts after newer ones
            with self._database.read() as catalog:
                upto, wanted = catalog.lexical.next(collection_id, _BATCH)
                present = catalog.documents.for_lexical(wanted)
            _put(change, present)
            _remove(change, set(wanted) - {document.id for document in present})
        failpoint("lexical.before-forget")
        with self._database.write() as catalog:
            catalog.lexical.forget(collection_id, upto)
        return len(wanted)


def _put(change: Change, documents: Iterable[LexicalDocument]) -> None:
    for document in documents:
        change.put_document(document.id, document.title, document.text, document.language)
        change.put_passages(document.id, document.passages, document.title, document.language)


def _remove(change: Change, documents: Iterable[DocumentId]) -> None:
    for document in sorted(documents):
        change.remove_document(document)
