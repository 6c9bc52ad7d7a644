"""Documents: added, changed, removed, and found by filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, undefer

from riparian.catalog.filters import document_clauses
from riparian.catalog.ids import as_ids, as_ints, in_chunks
from riparian.catalog.models import DocumentRow, LexicalChangeRow, PassageRow, TombstoneRow
from riparian.errors import UnknownDocument
from riparian.types import EVERYTHING, Anchor, CollectionId, Document, DocumentId, Extracted, FileId, Filters, Ids


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage to be written: its place and the key of what the encoder is given."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """What the lexical index takes of a document."""

    id: DocumentId
    title: str
    text: str
    language: str
    passages: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it stands in SQL, whole: what a check compares."""

    id: DocumentId
    file_id: FileId | None
    source: str
    title: str
    text: str
    length: int
    digest: str
    passages: tuple[NewPassage, ...]


class Documents:
    def __init__(self, session: Session) -> None:
        self._session = session

    def put(
        self,
        collection_id: CollectionId,
        file_id: FileId | None,
        source: str,
        extracted: Extracted,
        *,
        digest: str,
        passages: Sequence[NewPassage],
        signature: bytes | None = None,
        parent_id: DocumentId | None = None,
    ) -> DocumentId:
        """Adds the document, or brings the one of the same source up to date.

        Passages whose key is unchanged keep their ids, and so their vectors and topics; the others are removed
        (tombstones are written) or added. The change is noted for the lexical index in the same transaction.
        """
        row = self._session.scalar(
            select(DocumentRow).where(DocumentRow.collection_id == collection_id, DocumentRow.source == source)
        )
        if row is None:
            row = DocumentRow(collection_id=collection_id, source=source)
            self._session.add(row)
        row.file_id, row.parent_id, row.title, row.text = file_id, parent_id, extracted.title, extracted.text
        row.length, row.digest, row.signature = len(extracted.text), digest, signature
        row.date, row.author, row.language, row.type = (
            extracted.date, extracted.author, extracted.language, extracted.type,
        )  # fmt: skip
        row.details = dict(extracted.metadata)
        row.anchors = [[anchor.start, anchor.kind, anchor.number] for anchor in extracted.anchors]
        self._session.flush()
        self._put_passages(row, passages)
        self._session.add(LexicalChangeRow(collection_id=collection_id, document_id=row.id))
        self._session.flush()
        return DocumentId(row.id)

    def _put_passages(self, document: DocumentRow, passages: Sequence[NewPassage]) -> None:
        old = list(
            self._session.scalars(
                select(PassageRow).where(PassageRow.document_id == document.id).order_by(PassageRow.position)
            )
        )
        if not old:
            self._session.add_all(_passage_row(document, position, new) for position, new in enumerate(passages))
            return
        kept: dict[str, list[PassageRow]] = {}
        for passage in old:
            kept.setdefault(passage.key, []).append(passage)
        # positions are unique: move the old ones out of the way before they are given out again
        for passage in old:
            passage.position = -1 - passage.position
        self._session.flush()
        for position, new in enumerate(passages):
            same = kept.get(new.key)
            if same:
                passage = same.pop(0)
                passage.position, passage.start, passage.end = position, new.start, new.end
            else:
                self._session.add(_passage_row(document, position, new))
        self._remove_passages(document.collection_id, [p.id for rest in kept.values() for p in rest])

    def _remove_passages(self, collection_id: int, passages: Sequence[int]) -> None:
        for chunk in in_chunks(passages):
            self._session.execute(
                insert(TombstoneRow), [{"collection_id": collection_id, "passage_id": passage} for passage in chunk]
            )
            self._session.execute(delete(PassageRow).where(PassageRow.id.in_(chunk)))

    def remove(self, documents: Sequence[DocumentId]) -> None:
        """Removes documents with their passages, vectors and topic memberships; notes it for the lexical index."""
        for chunk in in_chunks(as_ints(documents)):
            rows = self._session.execute(
                select(DocumentRow.id, DocumentRow.collection_id).where(DocumentRow.id.in_(chunk))
            ).all()
            passages = self._session.execute(
                select(PassageRow.id, PassageRow.collection_id).where(PassageRow.document_id.in_(chunk))
            ).all()
            if passages:
                self._session.execute(
                    insert(TombstoneRow), [{"collection_id": p.collection_id, "passage_id": p.id} for p in passages]
                )
            if rows:
                self._session.execute(
                    insert(LexicalChangeRow), [{"collection_id": r.collection_id, "document_id": r.id} for r in rows]
                )
            self._session.execute(delete(DocumentRow).where(DocumentRow.id.in_(chunk)))
        self._session.expire_all()

    def get(self, document_id: DocumentId) -> Document:
        """With its anchors. UnknownDocument when it is not there."""
        row = self._session.get(DocumentRow, document_id, options=[undefer(DocumentRow.anchors)])
        if row is None:
            raise UnknownDocument(document_id)
        return _document(row, row.anchors)

    def many(self, documents: Iterable[int]) -> dict[DocumentId, Document]:
        """Those of the ids that are there, with anchors."""
        found: dict[DocumentId, Document] = {}
        for chunk in in_chunks(sorted(set(as_ints(list(documents))))):
            rows = self._session.scalars(
                select(DocumentRow).where(DocumentRow.id.in_(chunk)).options(undefer(DocumentRow.anchors))
            )
            found.update({DocumentId(row.id): _document(row, row.anchors) for row in rows})
        return found

    def text(self, document_id: DocumentId) -> str:
        found = self._session.scalar(select(DocumentRow.text).where(DocumentRow.id == document_id))
        if found is None:
            raise UnknownDocument(document_id)
        return found

    def page(
        self, collection_id: CollectionId, filters: Filters = EVERYTHING, *, limit: int = 100, after: int = 0
    ) -> list[Document]:
        """By id, those after `after`."""
        query = (
            select(DocumentRow)
            .where(*document_clauses(collection_id, filters), DocumentRow.id > after)
            .order_by(DocumentRow.id)
            .limit(limit)
        )
        return [_document(row, []) for row in self._session.scalars(query)]

    def ids(self, collection_id: CollectionId, filters: Filters = EVERYTHING) -> Ids:
        """Ids of the documents that meet the filters, ascending."""
        return as_ids(self._session.scalars(select(DocumentRow.id).where(*document_clauses(collection_id, filters))))

    def ids_after(self, collection_id: CollectionId, after: int, limit: int) -> list[DocumentId]:
        """The next ids, ascending."""
        query = select(DocumentRow.id).where(DocumentRow.collection_id == collection_id, DocumentRow.id > after)
        return [DocumentId(found) for found in self._session.scalars(query.order_by(DocumentRow.id).limit(limit))]

    def written(self, documents: Sequence[DocumentId]) -> list[Written]:
        """Those that are there, with their texts and the places of their passages."""
        places: dict[int, list[NewPassage]] = {}
        for passage in self._session.scalars(
            select(PassageRow).where(PassageRow.document_id.in_(documents)).order_by(PassageRow.position)
        ):
            places.setdefault(passage.document_id, []).append(NewPassage(passage.start, passage.end, passage.key))
        rows = self._session.scalars(
            select(DocumentRow).where(DocumentRow.id.in_(documents)).options(undefer(DocumentRow.text))
        )
        return [
            Written(
                DocumentId(row.id),
                FileId(row.file_id) if row.file_id is not None else None,
                row.source,
                row.title,
                row.text,
                row.length,
                row.digest,
                tuple(places.get(row.id, ())),
            )
            for row in rows
        ]

    def by_source(self, collection_id: CollectionId, sources: Sequence[str]) -> dict[str, Document]:
        """Those of the sources that are there, with anchors."""
        found: dict[str, Document] = {}
        for chunk in in_chunks(sources):
            rows = self._session.scalars(
                select(DocumentRow)
                .where(DocumentRow.collection_id == collection_id, DocumentRow.source.in_(chunk))
                .options(undefer(DocumentRow.anchors))
            )
            found.update({row.source: _document(row, row.anchors) for row in rows})
        return found

    def count(self, collection_id: CollectionId, filters: Filters = EVERYTHING) -> int:
        query = select(func.count()).select_from(DocumentRow).where(*document_clauses(collection_id, filters))
        return self._session.scalar(query) or 0

    def of_file(self, file_id: FileId) -> dict[str, DocumentId]:
        """The documents a file gave, by source."""
        rows = self._session.execute(select(DocumentRow.source, DocumentRow.id).where(DocumentRow.file_id == file_id))
        return {row.source: DocumentId(row.id) for row in rows}

    def children(self, document_id: DocumentId) -> list[Document]:
        """Attachments and archive members that came with a document."""
        query = select(DocumentRow).where(DocumentRow.parent_id == document_id).order_by(DocumentRow.id)
        return [_document(row, []) for row in self._session.scalars(query)]

    def languages(self, collection_id: CollectionId) -> dict[str, int]:
        """How many documents each language has ("" = not known)."""
        query = (
            select(DocumentRow.language, func.count())
            .where(DocumentRow.collection_id == collection_id)
            .group_by(DocumentRow.language)
        )
        return {row[0]: row[1] for row in self._session.execute(query)}

    def signatures(self, collection_id: CollectionId) -> dict[DocumentId, bytes]:
        """Near-duplicate signatures of the documents that have one."""
        rows = self._session.execute(
            select(DocumentRow.id, DocumentRow.signature).where(
                DocumentRow.collection_id == collection_id, DocumentRow.signature.is_not(None)
            )
        )
        return {DocumentId(row.id): row.signature for row in rows if row.signature is not None}

    def digests(self, collection_id: CollectionId) -> dict[DocumentId, str]:
        rows = self._session.execute(
            select(DocumentRow.id, DocumentRow.digest).where(DocumentRow.collection_id == collection_id)
        )
        return {DocumentId(row.id): row.digest for row in rows}

    def set_duplicate_groups(self, collection_id: CollectionId, groups: Mapping[DocumentId, int | None]) -> None:
        """Writes each document's group (None = it has no near-duplicate)."""
        rows = [{"id": document, "duplicate_group": group} for document, group in groups.items()]
        for chunk in in_chunks(rows):
            self._session.execute(update(DocumentRow), list(chunk))

    def duplicate_groups(self, collection_id: CollectionId) -> tuple[Ids, Ids]:
        """The documents that have near-duplicates, ids ascending, and beside them their groups."""
        rows = self._session.execute(
            select(DocumentRow.id, DocumentRow.duplicate_group)
            .where(DocumentRow.collection_id == collection_id, DocumentRow.duplicate_group.is_not(None))
            .order_by(DocumentRow.id)
        ).all()
        documents = np.array([row[0] for row in rows], dtype=np.int64)
        return documents, np.array([row[1] for row in rows], dtype=np.int64)

    def duplicates(self, document_id: DocumentId) -> list[Document]:
        """The other documents of its near-duplicate group."""
        group = self._session.scalar(select(DocumentRow.duplicate_group).where(DocumentRow.id == document_id))
        if group is None:
            return []
        query = select(DocumentRow).where(DocumentRow.duplicate_group == group, DocumentRow.id != document_id)
        return [_document(row, []) for row in self._session.scalars(query.order_by(DocumentRow.id))]

    def for_lexical(self, documents: Sequence[DocumentId]) -> list[LexicalDocument]:
        """Those that are there, whole, with their passages cut out."""
        found = []
        for chunk in in_chunks(as_ints(documents), 500):
            places: dict[int, list[PassageRow]] = {}
            for passage in self._session.scalars(
                select(PassageRow).where(PassageRow.document_id.in_(chunk)).order_by(PassageRow.position)
            ):
                places.setdefault(passage.document_id, []).append(passage)
            rows = self._session.execute(
                select(DocumentRow.id, DocumentRow.title, DocumentRow.text, DocumentRow.language)
                .where(DocumentRow.id.in_(chunk))
                .order_by(DocumentRow.id)
            )
            for row in rows:
                cut = tuple((p.id, row.text[p.start : p.end]) for p in places.get(row.id, []))
                found.append(LexicalDocument(DocumentId(row.id), row.title, row.text, row.language, cut))
        return found


def _passage_row(document: DocumentRow, position: int, new: NewPassage) -> PassageRow:
    return PassageRow(
        collection_id=document.collection_id,
        document_id=document.id,
        position=position,
        start=new.start,
        end=new.end,
        key=new.key,
    )


def _document(row: DocumentRow, anchors: Sequence[Sequence[int | str]]) -> Document:
    return Document(
        id=DocumentId(row.id),
        collection_id=CollectionId(row.collection_id),
        file_id=FileId(row.file_id) if row.file_id is not None else None,
        parent_id=DocumentId(row.parent_id) if row.parent_id is not None else None,
        source=row.source,
        title=row.title,
        date=row.date,
        author=row.author,
        language=row.language,
        type=row.type,
        length=row.length,
        digest=row.digest,
        duplicate_group=row.duplicate_group,
        metadata=row.details,
        anchors=tuple(Anchor(int(a[0]), str(a[1]), int(a[2])) for a in anchors),
    )
