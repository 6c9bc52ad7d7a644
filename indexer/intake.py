"""Files into the catalog: read, split, and written batch by batch, each batch one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from indexer.duplicates import signature
from indexer.inputs import key_of, text_digest
from indexer.passages import split
from indexer.readers.base import ReadOptions
from indexer.sandbox import FileReader
from indexer.scan import Digest, ToRead
from indexer.sources import digest_of
from riparian.catalog.catalog import Catalog
from riparian.catalog.documents import NewPassage
from riparian.encoders.base import Encoder, Offsets
from riparian.inputs import encoder_input, shortened
from riparian.types import CollectionId, Document, DocumentId, Extracted, FileId, PassageSpan, ReadFailure

logger = logging.getLogger(__name__)

_BATCH_DOCUMENTS = 200
_BATCH_CHARACTERS = 2_000_000
_BATCH_SECONDS = 2.0  # a slow file's documents are not kept waiting for company


@dataclass(frozen=True, slots=True)
class Splitting:
    """How a collection's passages are cut: decided when it is made, the same for every encoder it meets later."""

    max_tokens: int | None
    overlap: float

    def spans(self, extracted: Extracted, encoder: Encoder) -> list[PassageSpan]:
        """`encoder` is the one that the collection was made with: its tokens are counted."""

        def offsets_of(text: str) -> Offsets:
            return encoder.tokenize([text])[0].offsets

        title = shortened(extracted.title)
        reserve = len(offsets_of(title)) if title and self.max_tokens else 0
        return split(
            extracted.text,
            offsets_of=offsets_of,
            max_tokens=self.max_tokens,
            # a long title must leave the passage most of the room; the encoder reads what goes beyond in windows
            reserve=min(reserve, (self.max_tokens or 0) // 3),
            overlap=self.overlap,
            language=extracted.language,
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with all that is computed from its text alone."""

    extracted: Extracted
    digest: str
    passages: tuple[NewPassage, ...]
    signature: bytes


def prepare(extracted: Extracted, splitting: Splitting, encoder: Encoder) -> Prepared:
    text = extracted.text
    passages = tuple(
        NewPassage(span.start, span.end, key_of(encoder_input(extracted.title, text[span.start : span.end])))
        for span in splitting.spans(extracted, encoder)
    )
    return Prepared(extracted, text_digest(text), passages, signature(text))


@dataclass(slots=True)
class Counts:
    """What happened so far; kept in the job's checkpoint."""

    files: int = 0
    failed: int = 0
    documents: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class _Intake:
    """A file that is being read: what was read of it and is not written yet."""

    entry: ToRead
    digest: str
    documents: list[Prepared] = field(default_factory=list)
    failures: list[ReadFailure] = field(default_factory=list)
    ended: bool = False
    file_id: FileId | None = None
    written: int = 0
    reason: str = ""
    ids: dict[str, DocumentId] = field(default_factory=dict)
    """Every member's document, by member: parents are found here, and what is not here is stale at the end."""


Write = Callable[[Callable[[Catalog], None]], None]
"""Runs what it is given in a transaction of its own, together with whatever must be recorded with each batch."""


class FileIntake:
    """Reads files one after another and writes them by `write`; `counts` grows as batches are written."""

    def __init__(
        self,
        write: Write,
        collection_id: CollectionId,
        reader: FileReader,
        prepare: Callable[[Extracted], Prepared],
        counts: Counts,
        digest: Digest = digest_of,
    ) -> None:
        self._write, self._collection_id = write, collection_id
        self._reader, self._prepare, self._counts, self._digest = reader, prepare, counts, digest
        self._waiting: list[_Intake] = []
        self._size = self._characters = 0
        self._since = time.monotonic()

    def take(self, entries: Iterable[ToRead], options: Callable[[ToRead], ReadOptions]) -> None:
        """Reads and writes all of them; a file that cannot be read is a row with its reason."""
        for entry in entries:
            self._take_one(entry, options(entry))
        self._flush()

    def _take_one(self, entry: ToRead, options: ReadOptions) -> None:
        try:
            intake = _Intake(entry, self._digest(entry.file.path))
        except OSError as error:
            self._waiting.append(_Intake(entry, "", ended=True, reason=f"cannot be opened: {error.strerror or error}"))
            return
        self._waiting.append(intake)
        for reading in _told_apart(self._reader.read(entry.file.path, options)):
            if isinstance(reading, ReadFailure):
                intake.failures.append(reading)
            else:
                intake.documents.append(self._prepare(reading))
            self._size += 1
            self._characters += len(reading.text) if isinstance(reading, Extracted) else 0
            self._flush_if_full()
        intake.ended = True
        self._size += 1
        self._flush_if_full()

    def _flush_if_full(self) -> None:
        full = self._size >= _BATCH_DOCUMENTS or self._characters >= _BATCH_CHARACTERS
        if full or time.monotonic() - self._since > _BATCH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        waiting = self._waiting
        if not waiting:
            return
        self._write(lambda catalog: self._write_batch(catalog, waiting))
        for intake in waiting:
            intake.documents.clear()
            intake.failures.clear()
        self._waiting = [intake for intake in waiting if not intake.ended]
        self._size = self._characters = 0
        self._since = time.monotonic()

    # ---------------------------------------------------------------- one transaction

    def _write_batch(self, catalog: Catalog, waiting: list[_Intake]) -> None:
        for intake in waiting:
            self._write_file(catalog, intake)

    def _write_file(self, catalog: Catalog, intake: _Intake) -> None:
        if intake.file_id is None:
            intake.file_id = self._put_file(catalog, intake)
        sources = {_source(intake, prepared.extracted.member): prepared for prepared in intake.documents}
        before = catalog.documents.by_source(self._collection_id, list(sources))
        for source, prepared in sources.items():
            self._put_document(catalog, intake, source, prepared, before.get(source))
        failures = self._member_failures(intake)
        if failures:
            catalog.files.add_failures(intake.file_id, failures)
        intake.written += len(sources)
        if intake.ended:
            self._finish(catalog, intake)

    def _put_file(self, catalog: Catalog, intake: _Intake) -> FileId:
        file = intake.entry.file
        return catalog.files.put(
            self._collection_id,
            root_id=intake.entry.root.id,
            path=intake.entry.path,
            source=intake.entry.path,
            size=file.size,
            mtime_ns=file.mtime_ns,
            digest=intake.digest,
            state="reading",
        )

    def _put_document(
        self, catalog: Catalog, intake: _Intake, source: str, prepared: Prepared, before: Document | None
    ) -> None:
        extracted = prepared.extracted
        parent = intake.ids.get(extracted.parent) if extracted.parent is not None else None
        own = before is not None and before.file_id == intake.file_id and not intake.entry.doubted
        if before is not None and own and _is_same(before, prepared, parent):
            intake.ids[extracted.member] = before.id
            self._counts.unchanged += 1
            return
        if before is not None and before.file_id != intake.file_id:
            source = f"{source} ({intake.file_id})"  # "a.zip!b" is a file of its own as well
        intake.ids[extracted.member] = catalog.documents.put(
            self._collection_id,
            intake.file_id,
            source,
            extracted,
            digest=prepared.digest,
            passages=prepared.passages,
            signature=prepared.signature,
            parent_id=parent,
        )
        self._counts.documents += 1

    def _member_failures(self, intake: _Intake) -> list[ReadFailure]:
        """Failures of members; the failure of a file that gave nothing is the file's own reason."""
        kept = []
        for failure in intake.failures:
            if not failure.member and not intake.written and not intake.documents:
                intake.reason = failure.reason
            else:
                kept.append(failure)
        return kept

    def _finish(self, catalog: Catalog, intake: _Intake) -> None:
        assert intake.file_id is not None
        alive = set(intake.ids.values())
        stale = [document for document in catalog.documents.of_file(intake.file_id).values() if document not in alive]
        if stale:
            catalog.documents.remove(stale)
        state = "failed" if intake.reason and not intake.written else "read"
        catalog.files.finish(intake.file_id, state=state, reason=intake.reason if state == "failed" else "")
        self._counts.files += 1
        self._counts.failed += state == "failed"


def _told_apart(readings: Iterable[Extracted | ReadFailure]) -> Iterator[Extracted | ReadFailure]:
    """Documents of one file under different names: the second "b.txt" of an archive is "b.txt (2)"."""
    seen: dict[str, int] = {}
    for reading in readings:
        if isinstance(reading, Extracted):
            number = seen[reading.member] = seen.get(reading.member, 0) + 1
            yield reading if number == 1 else replace(reading, member=f"{reading.member} ({number})".strip())
        else:
            yield reading


def _source(intake: _Intake, member: str) -> str:
    return f"{intake.entry.path}!{member}" if member else intake.entry.path


def _is_same(before: Document, prepared: Prepared, parent: DocumentId | None) -> bool:
    """Whether the stored document says already what was read."""
    new = prepared.extracted
    return (
        before.digest == prepared.digest
        and (before.title, before.date, before.author, before.language, before.type)
        == (new.title, new.date, new.author, new.language, new.type)
        and before.parent_id == parent
        and before.metadata == dict(new.metadata)
        and before.anchors == tuple(new.anchors)
    )
