"""Which passages are embedded, the vectors not yet in a generation, and the generations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from riparian.catalog.ids import as_ids, as_ints, in_chunks
from riparian.catalog.models import DocumentRow, GenerationRow, PassageRow, TombstoneRow, VectorRow
from riparian.types import CollectionId, EncoderId, GenerationId, Ids, Matrix, PassageId


@dataclass(frozen=True, slots=True)
class Pending:
    """A passage that has no vector yet, with what the encoder is given."""

    passage_id: PassageId
    key: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Generation:
    """A published folder of vectors. `tombstone` is the last removal it already leaves out."""

    id: GenerationId
    collection_id: CollectionId
    encoder_id: EncoderId
    number: int
    folder: str
    rows: int
    tombstone: int
    state: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Delta:
    """Vectors that stand in SQL: `ids` ascending, `matrix` beside them; `upto` = the highest vector row among them."""

    ids: Ids
    matrix: Matrix
    upto: int


class Vectors:
    def __init__(self, session: Session) -> None:
        self._session = session

    # ---------------------------------------------------------------- embedding

    def pending(self, collection_id: CollectionId, encoder_id: EncoderId, limit: int, after: int = 0) -> list[Pending]:
        """Passages without a vector of this encoder, by id."""
        text = func.substr(DocumentRow.text, PassageRow.start + 1, PassageRow.end - PassageRow.start)
        query = (
            select(PassageRow.id, PassageRow.key, DocumentRow.title, text)
            .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
            .where(PassageRow.collection_id == collection_id, PassageRow.id > after, ~self._embedded(encoder_id))
            .order_by(PassageRow.id)
            .limit(limit)
        )
        return [Pending(PassageId(row[0]), row[1], row[2], row[3]) for row in self._session.execute(query)]

    def pending_count(self, collection_id: CollectionId, encoder_id: EncoderId) -> int:
        query = select(func.count()).select_from(PassageRow)
        return (
            self._session.scalar(query.where(PassageRow.collection_id == collection_id, ~self._embedded(encoder_id)))
            or 0
        )

    def _embedded(self, encoder_id: EncoderId):  # type: ignore[no-untyped-def]  # SQLAlchemy's Exists has no short name
        return (
            select(VectorRow.id)
            .where(VectorRow.passage_id == PassageRow.id, VectorRow.encoder_id == encoder_id)
            .exists()
        )

    def same_key(self, collection_id: CollectionId, encoder_id: EncoderId, keys: Sequence[str]) -> dict[str, PassageId]:
        """For each key, an embedded passage that was given exactly the same text."""
        found: dict[str, PassageId] = {}
        for chunk in in_chunks(list(dict.fromkeys(keys))):
            rows = self._session.execute(
                select(PassageRow.key, func.min(PassageRow.id))
                .join(VectorRow, (VectorRow.passage_id == PassageRow.id) & (VectorRow.encoder_id == encoder_id))
                .where(PassageRow.collection_id == collection_id, PassageRow.key.in_(chunk))
                .group_by(PassageRow.key)
            )
            found.update({row[0]: PassageId(row[1]) for row in rows})
        return found

    def put(self, collection_id: CollectionId, encoder_id: EncoderId, ids: Ids, matrix: Matrix) -> None:
        """One batch: float32 rows beside their passage ids. Passages that were removed meanwhile are left out."""
        alive = self._alive(ids)
        rows = [
            {
                "collection_id": collection_id,
                "encoder_id": encoder_id,
                "passage_id": int(passage),
                "vector": np.ascontiguousarray(row, dtype="<f4").tobytes(),
            }
            for passage, row in zip(ids, matrix, strict=True)
            if int(passage) in alive
        ]
        if rows:
            self._session.execute(insert(VectorRow), rows)

    def _alive(self, ids: Ids) -> set[int]:
        alive: set[int] = set()
        for chunk in in_chunks(as_ints(ids)):
            alive.update(self._session.scalars(select(PassageRow.id).where(PassageRow.id.in_(chunk))))
        return alive

    # ---------------------------------------------------------------- reading

    def delta(self, collection_id: CollectionId, encoder_id: EncoderId, dimension: int, after: int = 0) -> Delta:
        """The vectors of this encoder that no generation holds, those written after the vector row `after`."""
        rows = self._session.execute(
            select(VectorRow.passage_id, VectorRow.vector, VectorRow.id)
            .where(
                VectorRow.collection_id == collection_id,
                VectorRow.encoder_id == encoder_id,
                VectorRow.generation.is_(None),
                VectorRow.vector.is_not(None),
                VectorRow.id > after,
            )
            .order_by(VectorRow.passage_id)
        ).all()
        matrix = np.frombuffer(b"".join(row.vector for row in rows), dtype="<f4").reshape(len(rows), dimension)
        return Delta(as_ids(row.passage_id for row in rows), matrix, max((row.id for row in rows), default=after))

    def embedded_ids(self, collection_id: CollectionId, encoder_id: EncoderId) -> Ids:
        """Every passage that has a vector of this encoder, in a generation or not; ascending."""
        query = select(VectorRow.passage_id).where(
            VectorRow.collection_id == collection_id, VectorRow.encoder_id == encoder_id
        )
        return as_ids(self._session.scalars(query))

    def count(self, collection_id: CollectionId, encoder_id: EncoderId) -> int:
        query = select(func.count()).select_from(VectorRow)
        return (
            self._session.scalar(
                query.where(VectorRow.collection_id == collection_id, VectorRow.encoder_id == encoder_id)
            )
            or 0
        )

    def delta_count(self, collection_id: CollectionId, encoder_id: EncoderId) -> int:
        query = select(func.count()).select_from(VectorRow).where(VectorRow.generation.is_(None))
        return (
            self._session.scalar(
                query.where(VectorRow.collection_id == collection_id, VectorRow.encoder_id == encoder_id)
            )
            or 0
        )

    def encoders(self, collection_id: CollectionId) -> list[EncoderId]:
        """The encoders that the collection has vectors of."""
        query = select(VectorRow.encoder_id).where(VectorRow.collection_id == collection_id).distinct()
        return [EncoderId(found) for found in sorted(self._session.scalars(query))]

    def misshapen(self, collection_id: CollectionId, encoder_id: EncoderId, dimension: int) -> Ids:
        """Passages whose vector in SQL has another length than `dimension`, or is neither there nor in a generation."""
        size = func.length(VectorRow.vector)
        query = select(VectorRow.passage_id).where(
            VectorRow.collection_id == collection_id,
            VectorRow.encoder_id == encoder_id,
            VectorRow.generation.is_(None),
            or_(VectorRow.vector.is_(None), size != 4 * dimension),
        )
        return as_ids(self._session.scalars(query))

    # ---------------------------------------------------------------- generations

    def active(self, collection_id: CollectionId, encoder_id: EncoderId) -> Generation | None:
        return self._in_state(collection_id, encoder_id, "active")

    def previous(self, collection_id: CollectionId, encoder_id: EncoderId) -> Generation | None:
        return self._in_state(collection_id, encoder_id, "previous")

    def _in_state(self, collection_id: CollectionId, encoder_id: EncoderId, state: str) -> Generation | None:
        row = self._session.scalar(
            select(GenerationRow)
            .where(
                GenerationRow.collection_id == collection_id,
                GenerationRow.encoder_id == encoder_id,
                GenerationRow.state == state,
            )
            .order_by(GenerationRow.number.desc())
        )
        return _generation(row) if row is not None else None

    def next_number(self, collection_id: CollectionId, encoder_id: EncoderId) -> int:
        """A number that no generation of this collection and encoder has had."""
        query = select(func.max(GenerationRow.number)).where(
            GenerationRow.collection_id == collection_id, GenerationRow.encoder_id == encoder_id
        )
        return (self._session.scalar(query) or 0) + 1

    def last_tombstone(self, collection_id: CollectionId) -> int:
        query = select(func.max(TombstoneRow.id)).where(TombstoneRow.collection_id == collection_id)
        return self._session.scalar(query) or 0

    def removed_since(self, collection_id: CollectionId, tombstone: int) -> Ids:
        """Passages removed after that tombstone, ascending."""
        query = select(TombstoneRow.passage_id).where(
            TombstoneRow.collection_id == collection_id, TombstoneRow.id > tombstone
        )
        return np.unique(as_ids(self._session.scalars(query)))

    def publish(
        self,
        collection_id: CollectionId,
        encoder_id: EncoderId,
        *,
        number: int,
        folder: str,
        rows: int,
        tombstone: int,
        delta_upto: int,
    ) -> list[Generation]:
        """Makes a written generation the active one and the active one the fallback; the vectors it holds leave SQL.

        Answers with the generations that are no longer needed: their rows are gone, their folders may go.
        """
        old = self._retire(collection_id, encoder_id)
        self._session.add(
            GenerationRow(
                collection_id=collection_id, encoder_id=encoder_id, number=number, folder=folder, rows=rows,
                tombstone=tombstone, state="active",
            )
        )  # fmt: skip
        moved = update(VectorRow).where(
            VectorRow.collection_id == collection_id,
            VectorRow.encoder_id == encoder_id,
            VectorRow.generation.is_(None),
            VectorRow.id <= delta_upto,
        )
        self._session.execute(moved.values(generation=number, vector=None))
        self._session.flush()
        self._drop_tombstones(collection_id)
        return old

    def _retire(self, collection_id: CollectionId, encoder_id: EncoderId) -> list[Generation]:
        rows = self._session.scalars(
            select(GenerationRow).where(
                GenerationRow.collection_id == collection_id, GenerationRow.encoder_id == encoder_id
            )
        ).all()
        gone = [_generation(row) for row in rows if row.state == "previous"]
        for row in rows:
            if row.state == "previous":
                row.state = "gone"  # the row stays so that its number is never given again
            elif row.state == "active":
                row.state = "previous"
        self._session.flush()
        return gone

    def fall_back(self, generation: Generation, to: Generation | None) -> int:
        """Gives up a damaged generation: `to` (or nothing) becomes active, and passages whose vectors only the
        damaged one held are pending again. Answers with how many those are."""
        self._session.execute(update(GenerationRow).where(GenerationRow.id == generation.id).values(state="damaged"))
        if to is not None:
            self._session.execute(update(GenerationRow).where(GenerationRow.id == to.id).values(state="active"))
        newest = to.number if to is not None else 0
        lost = self._session.execute(
            delete(VectorRow).where(
                VectorRow.collection_id == generation.collection_id,
                VectorRow.encoder_id == generation.encoder_id,
                VectorRow.generation > newest,
            )
        )
        return int(lost.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it

    def forget(self, collection_id: CollectionId, encoder_id: EncoderId, passages: Ids) -> None:
        """Makes passages pending again."""
        for chunk in in_chunks(as_ints(passages)):
            self._session.execute(
                delete(VectorRow).where(
                    VectorRow.collection_id == collection_id,
                    VectorRow.encoder_id == encoder_id,
                    VectorRow.passage_id.in_(chunk),
                )
            )

    def forget_encoder(self, collection_id: CollectionId, encoder_id: EncoderId) -> int:
        """Drops every vector of an encoder and answers with how many; the folders of its generations may go then."""
        where = (VectorRow.collection_id == collection_id, VectorRow.encoder_id == encoder_id)
        dropped = self._session.execute(delete(VectorRow).where(*where))
        generations = (GenerationRow.collection_id == collection_id, GenerationRow.encoder_id == encoder_id)
        # the rows stay so that their numbers are never given again
        self._session.execute(update(GenerationRow).where(*generations).values(state="gone"))
        self._drop_tombstones(collection_id)
        return int(dropped.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it

    def bury(self, collection_id: CollectionId, passages: Ids) -> None:
        """Marks passages as removed that a generation holds although the catalog knows nothing of them."""
        rows = [{"collection_id": collection_id, "passage_id": passage} for passage in as_ints(passages)]
        for chunk in in_chunks(rows):
            self._session.execute(insert(TombstoneRow), list(chunk))

    def give_up_fallback(self, generation: Generation) -> None:
        """A generation that is damaged and not the active one: nothing falls back to it."""
        self._session.execute(update(GenerationRow).where(GenerationRow.id == generation.id).values(state="damaged"))

    def live_folders(self, collection_id: CollectionId, encoder_id: EncoderId) -> set[str]:
        """Folders of the active generation and its fallback."""
        query = select(GenerationRow.folder).where(
            GenerationRow.collection_id == collection_id,
            GenerationRow.encoder_id == encoder_id,
            GenerationRow.state.in_(("active", "previous")),
        )
        return set(self._session.scalars(query))

    def _drop_tombstones(self, collection_id: CollectionId) -> None:
        """Removals that every generation in use already leaves out."""
        oldest = self._session.scalar(
            select(func.min(GenerationRow.tombstone)).where(
                GenerationRow.collection_id == collection_id, GenerationRow.state.in_(("active", "previous"))
            )
        )
        if oldest is not None:
            self._session.execute(
                delete(TombstoneRow).where(TombstoneRow.collection_id == collection_id, TombstoneRow.id <= oldest)
            )


def _generation(row: GenerationRow) -> Generation:
    return Generation(
        GenerationId(row.id), CollectionId(row.collection_id), EncoderId(row.encoder_id), row.number, row.folder,
        row.rows, row.tombstone, row.state, row.created,
    )  # fmt: skip
