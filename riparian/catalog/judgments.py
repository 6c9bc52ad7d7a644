"""Judgments: how relevant people found documents for their queries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, select
from sqlalchemy.orm import Session, aliased

from riparian.catalog.ids import as_ints, in_chunks
from riparian.catalog.models import DocumentRow, PassageRow
from riparian.catalog.steering_rows import JudgmentRow
from riparian.errors import Invalid, UnknownDocument, UnknownPassage
from riparian.text import collapse
from riparian.types import CollectionId, DocumentId, PassageId

RELEVANT, IRRELEVANT = 1.0, 0.0
"""The grades of a tick and of a cross; a grade above 0 is relevant."""

HIGHEST_GRADE = 1000.0


@dataclass(frozen=True, slots=True)
class NewJudgment:
    """Where a passage is given, the document is its own."""

    query: str
    document_id: DocumentId
    passage_id: PassageId | None = None
    grade: float = RELEVANT


@dataclass(frozen=True, slots=True)
class Judgment:
    """`document_id` is None while no document stands under `source`; `passage_id` where the document as a whole was
    judged, or the passage is no more."""

    id: int
    query: str
    document_id: DocumentId | None
    passage_id: PassageId | None
    source: str
    grade: float
    author: str
    created: datetime

    @property
    def is_relevant(self) -> bool:
        return self.grade > 0


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query with how many documents were found relevant for it, and how many not."""

    query: str
    relevant: int
    irrelevant: int
    latest: datetime


class Judgments:
    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, collection_id: CollectionId, new: Sequence[NewJudgment], author: str = "") -> int:
        """Adds them, in place of what the same author said of the same query and document before; answers with how
        many were written (of two about the same the later counts).

        UnknownDocument or UnknownPassage for one that is not of this collection; Invalid for a query without a sign or
        a grade out of range. Nothing is written then.
        """
        sources = self._checked(collection_id, new)
        latest = {(query_key(one.query), one.document_id): one for one in new}
        self._take_back(collection_id, set(latest), sources, author)
        rows = [
            {
                "collection_id": collection_id, "query": collapse(one.query), "query_key": key,
                "document_id": int(one.document_id), "passage_id": one.passage_id, "source": sources[one.document_id],
                "grade": float(one.grade), "author": author,
            }
            for (key, _), one in latest.items()
        ]  # fmt: skip
        for chunk in in_chunks(rows, 1_000):
            self._session.execute(insert(JudgmentRow), list(chunk))
        return len(rows)

    def of_query(self, collection_id: CollectionId, query: str) -> list[Judgment]:
        """Of this query, by whomever, in the order they were given; those of documents that are there. Where several
        judged the same document, the last word counts."""
        found = self._all(collection_id, JudgmentRow.query_key == query_key(query))
        return list({one.document_id: one for one in found if one.document_id is not None}.values())

    def all(self, collection_id: CollectionId) -> list[Judgment]:
        """In the order they were given."""
        return self._all(collection_id)

    def page(self, collection_id: CollectionId, *, after: int = 0, limit: int = 100, query: str = "") -> list[Judgment]:
        """By id, those after `after`, of one query where it is given."""
        where = [JudgmentRow.id > after]
        if query:
            where.append(JudgmentRow.query_key == query_key(query))
        return self._all(collection_id, *where, limit=limit)

    def queries(self, collection_id: CollectionId) -> list[JudgedQuery]:
        """Every judged query, the one judged last first."""
        relevant = func.sum(case((JudgmentRow.grade > 0, 1), else_=0))
        rows = self._session.execute(
            select(func.max(JudgmentRow.query), relevant, func.count(), func.max(JudgmentRow.created))
            .where(JudgmentRow.collection_id == collection_id)
            .group_by(JudgmentRow.query_key)
            .order_by(func.max(JudgmentRow.id).desc())
        )
        return [JudgedQuery(row[0], int(row[1]), row[2] - int(row[1]), row[3]) for row in rows]

    def count(self, collection_id: CollectionId) -> int:
        query = select(func.count()).select_from(JudgmentRow).where(JudgmentRow.collection_id == collection_id)
        return self._session.scalar(query) or 0

    def remove(self, collection_id: CollectionId, query: str, documents: Iterable[int] = ()) -> int:
        """Takes back what was said of these documents for the query, of all of them where none is named; answers with
        how many judgments that were."""
        wanted = set(as_ints(list(documents)))
        found = self._all(collection_id, JudgmentRow.query_key == query_key(query))
        gone = [one.id for one in found if not wanted or one.document_id in wanted]
        for ids in in_chunks(gone):
            self._session.execute(delete(JudgmentRow).where(JudgmentRow.id.in_(ids)))
        return len(gone)

    # ---------------------------------------------------------------- steps

    def _checked(self, collection_id: CollectionId, new: Sequence[NewJudgment]) -> Mapping[int, str]:
        """The source of each document."""
        for one in new:
            if not collapse(one.query):
                raise Invalid("a judgment is about a query; this one is empty")
            if not 0 <= one.grade <= HIGHEST_GRADE:  # NaN fails this too
                raise Invalid(f"a grade lies between 0 (not relevant) and {HIGHEST_GRADE:g}, not at {one.grade}")
        sources = self._sources(collection_id, {one.document_id for one in new})
        owners = self._owners({one.passage_id for one in new if one.passage_id is not None})
        for one in new:
            if one.document_id not in sources:
                raise UnknownDocument(one.document_id)
            if one.passage_id is not None and owners.get(one.passage_id) != one.document_id:
                raise UnknownPassage(one.passage_id)
        return sources

    def _sources(self, collection_id: CollectionId, documents: Iterable[int]) -> Mapping[int, str]:
        found: dict[int, str] = {}
        for chunk in in_chunks(as_ints(sorted(documents))):
            rows = self._session.execute(
                select(DocumentRow.id, DocumentRow.source).where(
                    DocumentRow.collection_id == collection_id, DocumentRow.id.in_(chunk)
                )
            )
            found.update({row.id: row.source for row in rows})
        return found

    def _owners(self, passages: Iterable[int]) -> Mapping[int, int]:
        found: dict[int, int] = {}
        for chunk in in_chunks(as_ints(sorted(passages))):
            rows = self._session.execute(select(PassageRow.id, PassageRow.document_id).where(PassageRow.id.in_(chunk)))
            found.update({row.id: row.document_id for row in rows})
        return found

    def _take_back(
        self, collection_id: CollectionId, said: set[tuple[str, DocumentId]], sources: Mapping[int, str], author: str
    ) -> None:
        """Deletes what the author said of these queries and documents before, also under a source that was removed."""
        by_source = {(key, sources[document]) for key, document in said}
        old: list[int] = []
        for chunk in in_chunks(sorted({key for key, _ in said})):
            rows = self._session.execute(
                select(JudgmentRow.id, JudgmentRow.query_key, JudgmentRow.document_id, JudgmentRow.source).where(
                    JudgmentRow.collection_id == collection_id,
                    JudgmentRow.author == author,
                    JudgmentRow.query_key.in_(chunk),
                )
            )
            old += [
                row.id
                for row in rows
                if (row.query_key, row.document_id) in said
                or (row.document_id is None and (row.query_key, row.source) in by_source)
            ]
        for ids in in_chunks(old):
            self._session.execute(delete(JudgmentRow).where(JudgmentRow.id.in_(ids)))

    def _all(
        self, collection_id: CollectionId, *where: ColumnElement[bool], limit: int | None = None
    ) -> list[Judgment]:
        rows = self._session.execute(
            select(JudgmentRow, _DOCUMENT)
            .outerjoin(_AGAIN, _CAME_BACK)
            .where(JudgmentRow.collection_id == collection_id, *where)
            .order_by(JudgmentRow.id)
            .limit(limit)
        )
        return [_judgment(row, document) for row, document in rows]


_AGAIN = aliased(DocumentRow)
_CAME_BACK = and_(
    JudgmentRow.document_id.is_(None),
    _AGAIN.collection_id == JudgmentRow.collection_id,
    _AGAIN.source == JudgmentRow.source,
)
_DOCUMENT = func.coalesce(JudgmentRow.document_id, _AGAIN.id)


def query_key(query: str) -> str:
    """The same for queries that differ in capitals and white space alone."""
    return hashlib.sha256(collapse(query).casefold().encode()).hexdigest()


def _judgment(row: JudgmentRow, document: int | None) -> Judgment:
    return Judgment(
        id=row.id,
        query=row.query,
        document_id=DocumentId(document) if document is not None else None,
        passage_id=PassageId(row.passage_id) if row.passage_id is not None else None,
        source=row.source,
        grade=row.grade,
        author=row.author,
        created=row.created,
    )
