"""Base posteriors, parts and starts of topic models, edits, and the derived rows that pages read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Executable, Insert, Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from riparian.catalog.curation_rows import PassagePosteriorRow, TopicEditRow, TopicPartRow, TopicStartRow
from riparian.catalog.ids import as_ids, as_ints, in_chunks
from riparian.catalog.models import (
    Base,
    DocumentRow,
    DocumentTopicRow,
    PassageRow,
    PassageTopicRow,
    TopicModelRow,
    TopicRow,
)
from riparian.types import CollectionId, Ids, PassageId, TopicId, TopicModelId, TopicTerm

APPLIED, UNDONE, DISCARDED, MARK = "applied", "undone", "discarded", "mark"


@dataclass(frozen=True, slots=True)
class TopicEdit:
    """One change by a person as stored; `data` is what `topics.curation.edits` reads and writes."""

    id: int
    collection_id: CollectionId
    model_id: TopicModelId | None
    time: datetime
    author: str
    reason: str
    kind: str
    state: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredTopic:
    """All of a topic's row that edits decide, and nothing that memberships do."""

    id: TopicId
    number: int
    label: str
    terms: tuple[TopicTerm, ...]
    coherence: Mapping[str, float]
    representatives: tuple[PassageId, ...]
    state: str = "active"
    named: bool = False
    hidden: bool = False
    pinned: bool = False
    note: str = ""
    origin: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    """How much of an owner (a passage or a document) a topic is; `top` where it is the owner's main topic."""

    owner: int
    topic: int
    weight: float
    top: bool


class Curation:
    def __init__(self, session: Session) -> None:
        self._session = session

    # ---------------------------------------------------------------- what a model said

    def put_posteriors(self, model_id: TopicModelId, passages: Ids, packed: Sequence[bytes]) -> None:
        rows = [
            {"model_id": int(model_id), "passage_id": passage, "weights": value}
            for passage, value in zip(as_ints(passages), packed, strict=True)
        ]
        for chunk in in_chunks(rows):
            self._session.execute(_insert(PassagePosteriorRow), list(chunk))

    def posteriors(self, model_id: TopicModelId, passages: Ids | None = None) -> tuple[Ids, list[bytes]]:
        """Packed base mixtures of those of the passages (None: all) that have one, by ascending id."""
        query = select(PassagePosteriorRow.passage_id, PassagePosteriorRow.weights).where(
            PassagePosteriorRow.model_id == model_id
        )
        if passages is None:
            found = [(int(row[0]), row[1]) for row in self._session.execute(query)]
        else:
            found = [
                (int(row[0]), row[1])
                for chunk in in_chunks(as_ints(passages))
                for row in self._session.execute(query.where(PassagePosteriorRow.passage_id.in_(chunk)))
            ]
        found.sort()
        return as_ids(passage for passage, _ in found), [weights for _, weights in found]

    def inferred(self, model_id: TopicModelId) -> Ids:
        """Passages that have a base mixture, ascending."""
        query = select(PassagePosteriorRow.passage_id).where(PassagePosteriorRow.model_id == model_id)
        return as_ids(self._session.scalars(query))

    def put_parts(self, model_id: TopicModelId, parts: Mapping[int, TopicId]) -> None:
        rows = [{"model_id": int(model_id), "number": k, "topic_id": int(topic)} for k, topic in parts.items()]
        if rows:
            self._session.execute(insert(TopicPartRow), rows)

    def parts(self, model_id: TopicModelId) -> dict[int, TopicId]:
        """The topic that each base topic belongs to, by number; empty before `topics.curation.store.begin`."""
        query = select(TopicPartRow.number, TopicPartRow.topic_id).where(TopicPartRow.model_id == model_id)
        return {row[0]: TopicId(row[1]) for row in self._session.execute(query.order_by(TopicPartRow.number))}

    def put_starts(self, model_id: TopicModelId, starts: Mapping[TopicId, Mapping[str, Any]]) -> None:
        rows = [{"model_id": int(model_id), "topic_id": int(t), "data": dict(data)} for t, data in starts.items()]
        if rows:
            self._session.execute(insert(TopicStartRow), rows)

    def starts(self, model_id: TopicModelId) -> dict[TopicId, Mapping[str, Any]]:
        query = select(TopicStartRow.topic_id, TopicStartRow.data).where(TopicStartRow.model_id == model_id)
        return {TopicId(row[0]): row[1] for row in self._session.execute(query.order_by(TopicStartRow.topic_id))}

    # ---------------------------------------------------------------- edits

    def add_edit(
        self,
        collection_id: CollectionId,
        model_id: TopicModelId,
        *,
        kind: str,
        data: Mapping[str, Any],
        author: str = "",
        reason: str = "",
        state: str = APPLIED,
    ) -> TopicEdit:
        """A new edit behind all others. Those of the model that were undone can no longer be done again."""
        if state == APPLIED:
            self._session.execute(
                update(TopicEditRow)
                .where(TopicEditRow.model_id == model_id, TopicEditRow.state == UNDONE)
                .values(state=DISCARDED)
            )
        last = self._session.scalar(
            select(func.max(TopicEditRow.position)).where(TopicEditRow.collection_id == collection_id)
        )
        row = TopicEditRow(
            collection_id=collection_id, model_id=model_id, position=(last or 0) + 1, kind=kind, state=state,
            data=dict(data), author=author, reason=reason,
        )  # fmt: skip
        self._session.add(row)
        self._session.flush()
        return _edit(row)

    def set_edit(self, edit_id: int, *, state: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        row = self._session.get_one(TopicEditRow, edit_id)
        row.state = state or row.state
        row.data = dict(data) if data is not None else row.data
        self._session.flush()

    def edits(self, model_id: TopicModelId) -> list[TopicEdit]:
        """The model's edits in force and those that were undone and can be done again, oldest first."""
        query = select(TopicEditRow).where(TopicEditRow.model_id == model_id, TopicEditRow.state.in_((APPLIED, UNDONE)))
        return [_edit(row) for row in self._session.scalars(query.order_by(TopicEditRow.id))]

    def history(self, collection_id: CollectionId, *, limit: int = 50, offset: int = 0) -> list[TopicEdit]:
        """Every edit that was ever made, newest first."""
        query = select(TopicEditRow).where(TopicEditRow.collection_id == collection_id)
        query = query.order_by(TopicEditRow.id.desc()).limit(limit).offset(offset)
        return [_edit(row) for row in self._session.scalars(query)]

    # ---------------------------------------------------------------- topics

    def reserve(self, model_id: TopicModelId, numbers: Sequence[int], state: str = "active") -> list[TopicId]:
        """Ids of new topics without content, one for each number."""
        rows = [TopicRow(model_id=model_id, number=number, label="", state=state) for number in numbers]
        self._session.add_all(rows)
        self._session.flush()
        return [TopicId(row.id) for row in rows]

    def put_topics(self, model_id: TopicModelId, topics: Iterable[StoredTopic]) -> None:
        """Makes the model show these topics, each with this content; rows that are not there are made."""
        wanted = {int(topic.id): topic for topic in topics}
        there: set[int] = set()
        for chunk in in_chunks(list(wanted)):
            there.update(self._session.scalars(select(TopicRow.id).where(TopicRow.id.in_(chunk))))
        for values in (_values(model_id, topic) for key, topic in wanted.items() if key in there):
            self._session.execute(update(TopicRow).where(TopicRow.id == values["id"]).values(**values))
        missing = [_values(model_id, topic) for key, topic in wanted.items() if key not in there]
        if missing:
            self._session.execute(insert(TopicRow), missing)
        self._session.expire_all()

    def remove_topics(self, topics: Iterable[int]) -> None:
        for chunk in in_chunks(as_ints(list(topics))):
            self._session.execute(delete(TopicRow).where(TopicRow.id.in_(chunk)))
        self._session.expire_all()

    def stored(self, model_id: TopicModelId) -> list[StoredTopic]:
        """The model's topics as they are stored now, whatever their state, by id."""
        rows = self._session.scalars(select(TopicRow).where(TopicRow.model_id == model_id).order_by(TopicRow.id))
        return [_stored(row) for row in rows]

    def set_colours(self, colours: Mapping[TopicId, str]) -> None:
        """Colours that topics keep from then on, as `web.pages.archive.colour` writes them."""
        for topic, colour in colours.items():
            self._session.execute(update(TopicRow).where(TopicRow.id == topic).values(colour=colour))
        self._session.expire_all()

    def labels(self, topics: Iterable[int]) -> dict[TopicId, str]:
        """Labels of topics in whatever state; ids that are not there are left out."""
        found: dict[TopicId, str] = {}
        for chunk in in_chunks(sorted(set(as_ints(list(topics))))):
            rows = self._session.execute(select(TopicRow.id, TopicRow.label).where(TopicRow.id.in_(chunk)))
            found.update({TopicId(row[0]): row[1] for row in rows})
        return found

    def set_state(self, model_id: TopicModelId, state: str) -> None:
        """Of a model: kept, proposed or before."""
        self._session.execute(update(TopicModelRow).where(TopicModelRow.id == model_id).values(state=state))
        self._session.expire_all()

    def set_settings(self, model_id: TopicModelId, settings: Mapping[str, Any]) -> None:
        self._session.execute(update(TopicModelRow).where(TopicModelRow.id == model_id).values(settings=dict(settings)))
        self._session.expire_all()

    # ---------------------------------------------------------------- derived rows

    def holding(self, topics: Iterable[int]) -> Ids:
        """Passages of which any of the topics has a part, ascending."""
        wanted = as_ints(list(topics))
        query = select(PassageTopicRow.passage_id).where(PassageTopicRow.topic_id.in_(wanted))
        return as_ids(self._session.scalars(query.distinct()))

    def members(self, topics: Iterable[int]) -> dict[PassageId, TopicId]:
        """Passages whose main topic is one of these, with it, by passage."""
        query = select(PassageTopicRow.passage_id, PassageTopicRow.topic_id).where(
            PassageTopicRow.topic_id.in_(as_ints(list(topics))), PassageTopicRow.top
        )
        rows = self._session.execute(query.order_by(PassageTopicRow.passage_id))
        return {PassageId(row[0]): TopicId(row[1]) for row in rows}

    def mains(self, topics: Sequence[int], passages: Ids) -> dict[PassageId, TopicId]:
        """The main topic of those of the passages that have one of these as theirs."""
        query = select(PassageTopicRow.passage_id, PassageTopicRow.topic_id).where(
            PassageTopicRow.topic_id.in_(as_ints(list(topics))), PassageTopicRow.top
        )
        return {
            PassageId(row[0]): TopicId(row[1])
            for chunk in in_chunks(as_ints(passages))
            for row in self._session.execute(query.where(PassageTopicRow.passage_id.in_(chunk)))
        }

    def mixtures(self, model_id: TopicModelId, passages: Ids) -> list[tuple[int, int, float]]:
        """(passage, topic, weight) of everything that is stored of these passages under the model's topics."""
        query = select(PassageTopicRow.passage_id, PassageTopicRow.topic_id, PassageTopicRow.weight).where(
            PassageTopicRow.topic_id.in_(_topics_of([model_id]))
        )
        return [
            (int(row[0]), int(row[1]), float(row[2]))
            for chunk in in_chunks(as_ints(passages))
            for row in self._session.execute(query.where(PassageTopicRow.passage_id.in_(chunk)))
        ]

    def passages_of(self, documents: Ids) -> list[tuple[int, int, int]]:
        """(passage, document, characters) of every passage of these documents, by passage."""
        query = select(PassageRow.id, PassageRow.document_id, PassageRow.end - PassageRow.start)
        rows = [
            (int(row[0]), int(row[1]), int(row[2]))
            for chunk in in_chunks(as_ints(documents))
            for row in self._session.execute(query.where(PassageRow.document_id.in_(chunk)))
        ]
        return sorted(rows)

    def places(self, passages: Iterable[int]) -> dict[PassageId, tuple[str, int, int]]:
        """Where each of the passages lies: its document's source, from which character to which."""
        query = select(PassageRow.id, DocumentRow.source, PassageRow.start, PassageRow.end).join(
            DocumentRow, DocumentRow.id == PassageRow.document_id
        )
        return {
            PassageId(row[0]): (row[1], row[2], row[3])
            for chunk in in_chunks(sorted(set(as_ints(list(passages)))))
            for row in self._session.execute(query.where(PassageRow.id.in_(chunk)))
        }

    def at(
        self, collection_id: CollectionId, places: Sequence[tuple[str, int, int]]
    ) -> dict[tuple[str, int, int], PassageId]:
        """The passages of the collection that lie exactly there."""
        wanted, found = set(places), {}
        query = (
            select(PassageRow.id, DocumentRow.source, PassageRow.start, PassageRow.end)
            .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
            .where(DocumentRow.collection_id == collection_id)
        )
        for chunk in in_chunks(sorted({source for source, _, _ in places})):
            for row in self._session.execute(query.where(DocumentRow.source.in_(chunk))):
                if (row[1], row[2], row[3]) in wanted:
                    found[(row[1], row[2], row[3])] = PassageId(row[0])
        return found

    def replace_passages(self, models: Sequence[TopicModelId], passages: Ids, weights: Iterable[Weight]) -> None:
        """Mixtures of passages in place of all they had in topics of these models."""
        mine = PassageTopicRow.topic_id.in_(_topics_of(models))
        self._replace(PassageTopicRow, "passage_id", mine, as_ints(passages), weights)

    def replace_documents(self, models: Sequence[TopicModelId], documents: Ids, weights: Iterable[Weight]) -> None:
        mine = DocumentTopicRow.topic_id.in_(_topics_of(models))
        self._replace(DocumentTopicRow, "document_id", mine, as_ints(documents), weights)

    def change_passages(self, gone: Sequence[Weight], changed: Sequence[Weight], fresh: Sequence[Weight]) -> None:
        """Removes, changes and adds single weights of passages."""
        self._change(PassageTopicRow, "passage_id", gone, changed, fresh)

    def change_documents(self, gone: Sequence[Weight], changed: Sequence[Weight], fresh: Sequence[Weight]) -> None:
        """Removes, changes and adds single weights of documents."""
        self._change(DocumentTopicRow, "document_id", gone, changed, fresh)

    def clear(self, model_id: TopicModelId) -> None:
        """Removes the derived rows of a model whose topics others do not show."""
        topics = _topics_of([model_id])
        self._session.execute(delete(PassageTopicRow).where(PassageTopicRow.topic_id.in_(topics)))
        self._session.execute(delete(DocumentTopicRow).where(DocumentTopicRow.topic_id.in_(topics)))

    def _replace(
        self,
        table: type[PassageTopicRow] | type[DocumentTopicRow],
        owner: str,
        mine: ColumnElement[bool],
        owners: list[int],
        weights: Iterable[Weight],
    ) -> None:
        for chunk in in_chunks(owners):
            self._session.execute(delete(table).where(getattr(table, owner).in_(chunk), mine))
        rows = [{owner: w.owner, "topic_id": w.topic, "weight": w.weight, "top": w.top} for w in weights]
        for batch in in_chunks(rows):
            self._session.execute(_insert(table), list(batch))

    def _change(
        self,
        table: type[PassageTopicRow] | type[DocumentTopicRow],
        owner: str,
        gone: Sequence[Weight],
        changed: Sequence[Weight],
        fresh: Sequence[Weight],
    ) -> None:
        core = cast(Table, table.__table__)
        this = (core.c[owner] == bindparam("the_owner"), core.c.topic_id == bindparam("the_topic"))
        removed = [{"the_owner": w.owner, "the_topic": w.topic} for w in gone]
        renewed = [
            {"the_owner": w.owner, "the_topic": w.topic, "new_weight": w.weight, "new_top": w.top} for w in changed
        ]
        added = [{owner: w.owner, "topic_id": w.topic, "weight": w.weight, "top": w.top} for w in fresh]
        renewal = update(core).where(*this).values(weight=bindparam("new_weight"), top=bindparam("new_top"))
        self._in_batches(delete(core).where(*this), removed)
        self._in_batches(renewal, renewed)
        self._in_batches(insert(core), added)

    def _in_batches(self, statement: Executable, rows: list[dict[str, Any]]) -> None:
        for batch in in_chunks(rows):
            self._session.execute(statement, list(batch))


def _insert(table: type[Base]) -> Insert:
    """Without the ORM, which would take twice as long."""
    return insert(cast(Table, table.__table__))


def _topics_of(models: Sequence[TopicModelId]) -> Select[int]:
    return select(TopicRow.id).where(TopicRow.model_id.in_(as_ints(list(models))))


def _values(model_id: TopicModelId, topic: StoredTopic) -> dict[str, Any]:
    return {
        "id": int(topic.id),
        "model_id": int(model_id),
        "number": topic.number,
        "label": topic.label,
        "terms": [[term.term, term.weight] for term in topic.terms],
        "coherence": dict(topic.coherence),
        "representatives": as_ints(list(topic.representatives)),
        "state": topic.state,
        "named": topic.named,
        "hidden": topic.hidden,
        "pinned": topic.pinned,
        "note": topic.note,
        "origin": dict(topic.origin or {}),
    }


def _stored(row: TopicRow) -> StoredTopic:
    return StoredTopic(
        id=TopicId(row.id),
        number=row.number,
        label=row.label,
        terms=tuple(TopicTerm(term, share) for term, share in row.terms),
        coherence=row.coherence,
        representatives=tuple(PassageId(p) for p in row.representatives),
        state=row.state,
        named=row.named,
        hidden=row.hidden,
        pinned=row.pinned,
        note=row.note,
        origin=row.origin,
    )


def _edit(row: TopicEditRow) -> TopicEdit:
    return TopicEdit(
        row.id, CollectionId(row.collection_id), None if row.model_id is None else TopicModelId(row.model_id),
        row.time, row.author, row.reason, row.kind, row.state, row.data,
    )  # fmt: skip
