"""Files the indexer met, and why some could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from riparian.catalog.ids import as_ints, in_chunks
from riparian.catalog.models import DocumentRow, FailureRow, FileRow, utc_now
from riparian.types import CollectionId, FileId, ReadFailure
from riparian.types import FileRow as FileValue


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What was seen of a file last time: enough to tell whether it changed."""

    id: FileId
    root_id: int | None
    path: str
    size: int
    mtime_ns: int
    digest: str
    state: str
    seen: datetime


class Files:
    def __init__(self, session: Session) -> None:
        self._session = session

    def known(self, collection_id: CollectionId) -> dict[str, KnownFile]:
        """Every file of the collection by its path."""
        rows = self._session.scalars(select(FileRow).where(FileRow.collection_id == collection_id))
        return {row.path: _known(row) for row in rows}

    def put(
        self,
        collection_id: CollectionId,
        *,
        root_id: int | None,
        path: str,
        source: str,
        size: int,
        mtime_ns: int,
        digest: str,
        state: str,
        reason: str = "",
        failures: Sequence[ReadFailure] = (),
    ) -> FileId:
        """Writes what is known of a file now; its earlier member failures are replaced."""
        row = self._session.scalar(select(FileRow).where(FileRow.collection_id == collection_id, FileRow.path == path))
        if row is None:
            row = FileRow(collection_id=collection_id, path=path)
            self._session.add(row)
        row.root_id, row.source, row.size, row.mtime_ns = root_id, source, size, mtime_ns
        row.digest, row.state, row.reason, row.seen = digest, state, reason, utc_now()
        self._session.flush()
        self._session.execute(delete(FailureRow).where(FailureRow.file_id == row.id))
        self._session.add_all(FailureRow(file_id=row.id, member=f.member, reason=f.reason) for f in failures)
        self._session.flush()
        return FileId(row.id)

    def add_failures(self, file_id: FileId, failures: Sequence[ReadFailure]) -> None:
        """More members of a file that is still being read."""
        self._session.add_all(FailureRow(file_id=file_id, member=f.member, reason=f.reason) for f in failures)
        self._session.flush()

    def finish(self, file_id: FileId, *, state: str, reason: str = "") -> None:
        """Marks a file as wholly read (or failed): until then a restart reads it again."""
        row = self._session.get_one(FileRow, file_id)
        row.state, row.reason, row.seen = state, reason, utc_now()
        self._session.flush()

    def move(self, file_id: FileId, *, path: str, source: str, mtime_ns: int, root_id: int | None) -> None:
        """A file whose content is the same under another name: its documents keep their ids."""
        row = self._session.get_one(FileRow, file_id)
        old = row.source
        row.path, row.source, row.mtime_ns, row.root_id, row.seen = path, source, mtime_ns, root_id, utc_now()
        for document in self._session.scalars(select(DocumentRow).where(DocumentRow.file_id == file_id)):
            document.source = source + document.source[len(old) :]
        self._session.flush()

    def touch(self, file_id: FileId, mtime_ns: int) -> None:
        """A file that was written again with the same content."""
        self._session.get_one(FileRow, file_id).mtime_ns = mtime_ns
        self._session.flush()

    def read_again(self, files: Sequence[FileId]) -> None:
        """Makes the next job that looks at them read them from the start."""
        for chunk in in_chunks(as_ints(files)):
            self._session.execute(update(FileRow).where(FileRow.id.in_(chunk)).values(state="reading", digest=""))

    def remove(self, file_id: FileId) -> None:
        """The row alone: remove its documents first (`documents.remove`)."""
        self._session.execute(delete(FileRow).where(FileRow.id == file_id))

    def failures(self, collection_id: CollectionId, *, limit: int = 1000, after: int = 0) -> list[FileValue]:
        """Unreadable files, then unreadable members of readable files ("file!member"), each with its reason."""
        whole = select(FileRow).where(
            FileRow.collection_id == collection_id, FileRow.state == "failed", FileRow.id > after
        )
        found = [self._value(row) for row in self._session.scalars(whole.order_by(FileRow.id).limit(limit))]
        members = (
            select(FileRow, FailureRow)
            .join(FailureRow, FailureRow.file_id == FileRow.id)
            .where(FileRow.collection_id == collection_id, FileRow.id > after)
            .order_by(FileRow.id, FailureRow.id)
            .limit(limit - len(found))
        )
        for row, failure in self._session.execute(members):
            value = self._value(row)
            found.append(_as_member(value, failure.member, failure.reason))
        return found

    def page(self, collection_id: CollectionId, *, limit: int = 100, after: int = 0) -> list[FileValue]:
        """Files by id, with how many documents each gave."""
        query = select(FileRow).where(FileRow.collection_id == collection_id, FileRow.id > after)
        return [self._value(row) for row in self._session.scalars(query.order_by(FileRow.id).limit(limit))]

    def count(self, collection_id: CollectionId, state: str | None = None) -> int:
        where: list[ColumnElement[bool]] = [FileRow.collection_id == collection_id]
        if state is not None:
            where.append(FileRow.state == state)
        return self._session.scalar(select(func.count()).select_from(FileRow).where(*where)) or 0

    def _value(self, row: FileRow) -> FileValue:
        documents = select(func.count()).select_from(DocumentRow).where(DocumentRow.file_id == row.id)
        return FileValue(
            id=FileId(row.id),
            collection_id=CollectionId(row.collection_id),
            path=row.source,
            size=row.size,
            state=row.state,  # type: ignore[arg-type]  # only these states are written
            reason=row.reason,
            documents=self._session.scalar(documents) or 0,
            seen=row.seen,
        )


def _as_member(file: FileValue, member: str, reason: str) -> FileValue:
    path = f"{file.path}!{member}" if member else file.path
    return FileValue(file.id, file.collection_id, path, 0, "failed", reason, 0, file.seen)


def _known(row: FileRow) -> KnownFile:
    return KnownFile(FileId(row.id), row.root_id, row.path, row.size, row.mtime_ns, row.digest, row.state, row.seen)
