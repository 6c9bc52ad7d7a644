"""The reading list: documents and passages put aside, with notes and tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from riparian.catalog.ids import in_chunks
from riparian.catalog.models import DocumentRow, PassageRow
from riparian.catalog.steering_rows import ReadingItemRow, ReadingTagRow
from riparian.errors import Invalid, UnknownDocument, UnknownPassage, UnknownReadingItem
from riparian.types import CollectionId, DocumentId, PassageId

LONGEST_TAG = 100
LONGEST_NOTE = 20_000
MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class ReadingItem:
    """`document_id` is None where the document was removed since; `title` and `source` are those it had when it was put
    aside. `tags` in alphabetical order."""

    id: int
    collection_id: CollectionId
    document_id: DocumentId | None
    passage_id: PassageId | None
    title: str
    source: str
    query: str
    note: str
    tags: tuple[str, ...]
    author: str
    created: datetime


class ReadingList:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        document_id: DocumentId | None = None,
        passage_id: PassageId | None = None,
        *,
        query: str = "",
        note: str = "",
        tags: Sequence[str] = (),
        author: str = "",
    ) -> ReadingItem:
        """A document, or a passage with its document. UnknownDocument, UnknownPassage; Invalid for neither, and for a
        note or tag that is too long."""
        document = self._document(document_id, passage_id)
        row = ReadingItemRow(
            collection_id=document.collection_id, document_id=document.id, passage_id=passage_id,
            title=document.title, source=document.source, query=query, note=_note(note), author=author,
        )  # fmt: skip
        self._session.add(row)
        self._session.flush()
        self._tag(row.id, tags)
        return self.get(row.id)

    def all(self, collection_id: CollectionId | None = None, tag: str = "") -> list[ReadingItem]:
        """The one put aside last first; of one collection, and with one tag, where these are given."""
        query = select(ReadingItemRow).order_by(ReadingItemRow.id.desc())
        if collection_id is not None:
            query = query.where(ReadingItemRow.collection_id == collection_id)
        if tag:
            tagged = select(ReadingTagRow.item_id).where(ReadingTagRow.tag == tag)
            query = query.where(ReadingItemRow.id.in_(tagged))
        rows = list(self._session.scalars(query))
        tags = self._tags_of([row.id for row in rows])
        return [_item(row, tags.get(row.id, ())) for row in rows]

    def get(self, item_id: int) -> ReadingItem:
        """UnknownReadingItem."""
        row = self._row(item_id)
        return _item(row, self._tags_of([row.id]).get(row.id, ()))

    def change(self, item_id: int, *, note: str | None = None, tags: Sequence[str] | None = None) -> ReadingItem:
        """Another note or other tags; None leaves what is there."""
        row = self._row(item_id)
        if note is not None:
            row.note = _note(note)
        if tags is not None:
            self._session.execute(delete(ReadingTagRow).where(ReadingTagRow.item_id == item_id))
            self._tag(item_id, tags)
        self._session.flush()
        return self.get(item_id)

    def remove(self, item_id: int) -> None:
        self._session.delete(self._row(item_id))
        self._session.flush()

    def tags(self, collection_id: CollectionId | None = None) -> dict[str, int]:
        """How many items carry each tag, by tag."""
        query = select(ReadingTagRow.tag, func.count()).group_by(ReadingTagRow.tag).order_by(ReadingTagRow.tag)
        if collection_id is not None:
            query = query.join(ReadingItemRow, ReadingItemRow.id == ReadingTagRow.item_id).where(
                ReadingItemRow.collection_id == collection_id
            )
        return {row[0]: row[1] for row in self._session.execute(query)}

    # ---------------------------------------------------------------- steps

    def _document(self, document_id: DocumentId | None, passage_id: PassageId | None) -> DocumentRow:
        if passage_id is not None:
            owner = self._session.scalar(select(PassageRow.document_id).where(PassageRow.id == passage_id))
            if owner is None or document_id not in (None, owner):
                raise UnknownPassage(passage_id)
            document_id = DocumentId(owner)
        if document_id is None:
            raise Invalid("name a document or a passage to put aside")
        found = self._session.get(DocumentRow, document_id)
        if found is None:
            raise UnknownDocument(document_id)
        return found

    def _row(self, item_id: int) -> ReadingItemRow:
        row = self._session.get(ReadingItemRow, item_id)
        if row is None:
            raise UnknownReadingItem(item_id)
        return row

    def _tag(self, item_id: int, tags: Sequence[str]) -> None:
        self._session.add_all([ReadingTagRow(item_id=item_id, tag=tag) for tag in cleaned(tags)])
        self._session.flush()

    def _tags_of(self, items: Sequence[int]) -> dict[int, tuple[str, ...]]:
        found: dict[int, tuple[str, ...]] = {}
        for chunk in in_chunks(items):
            rows = self._session.execute(
                select(ReadingTagRow.item_id, ReadingTagRow.tag)
                .where(ReadingTagRow.item_id.in_(chunk))
                .order_by(ReadingTagRow.item_id, ReadingTagRow.tag)
            )
            for row in rows:
                found[row.item_id] = (*found.get(row.item_id, ()), row.tag)
        return found


def cleaned(tags: Iterable[str]) -> list[str]:
    """Each tag once, without white space around it, in alphabetical order. Invalid for one too long or too many."""
    found = sorted({" ".join(tag.split()) for tag in tags} - {""})
    if len(found) > MOST_TAGS:
        raise Invalid(f"an item carries at most {MOST_TAGS} tags, not {len(found)}")
    for tag in found:
        if len(tag) > LONGEST_TAG:
            raise Invalid(f"a tag has at most {LONGEST_TAG} characters, {tag[:30]!r}… has {len(tag)}")
    return found


def _note(text: str) -> str:
    if len(text) > LONGEST_NOTE:
        raise Invalid(f"a note has at most {LONGEST_NOTE} characters, this one has {len(text)}")
    return text.strip()


def _item(row: ReadingItemRow, tags: tuple[str, ...]) -> ReadingItem:
    return ReadingItem(
        id=row.id,
        collection_id=CollectionId(row.collection_id),
        document_id=DocumentId(row.document_id) if row.document_id is not None else None,
        passage_id=PassageId(row.passage_id) if row.passage_id is not None else None,
        title=row.title,
        source=row.source,
        query=row.query,
        note=row.note,
        tags=tags,
        author=row.author,
        created=row.created,
    )
