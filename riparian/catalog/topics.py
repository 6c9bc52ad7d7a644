"""Topic models, topics and memberships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import Session

from riparian.catalog.ids import as_ids, as_ints, in_chunks
from riparian.catalog.models import (
    CollectionRow,
    DocumentTopicRow,
    PassageRow,
    PassageTopicRow,
    TopicModelRow,
    TopicRow,
)
from riparian.errors import NoTopicsYet, UnknownTopic
from riparian.types import (
    CollectionId,
    DocumentId,
    EncoderId,
    Ids,
    Membership,
    PassageId,
    Topic,
    TopicId,
    TopicModelId,
    TopicModelInfo,
    TopicTerm,
)


@dataclass(frozen=True, slots=True)
class NewTopic:
    """A topic as a fit found it, before it has an id."""

    number: int
    label: str
    terms: tuple[TopicTerm, ...]
    coherence: Mapping[str, float]
    representatives: tuple[PassageId, ...]


class Topics:
    def __init__(self, session: Session) -> None:
        self._session = session

    # ---------------------------------------------------------------- models

    def add_model(
        self,
        collection_id: CollectionId,
        encoder_id: EncoderId,
        *,
        kind: str,
        folder: str,
        settings: Mapping[str, Any],
        scores: Mapping[str, float],
        topics: Sequence[NewTopic],
    ) -> tuple[TopicModelId, dict[int, TopicId]]:
        """A new, inactive model; answers with its id and the topic ids by number."""
        model = TopicModelRow(
            collection_id=collection_id, encoder_id=encoder_id, kind=kind, folder=folder,
            settings=dict(settings), scores=dict(scores), active=False,
        )  # fmt: skip
        self._session.add(model)
        self._session.flush()
        rows = [
            TopicRow(
                model_id=model.id,
                number=topic.number,
                label=topic.label,
                terms=[[term.term, term.weight] for term in topic.terms],
                coherence=dict(topic.coherence),
                representatives=as_ints(list(topic.representatives)),
            )
            for topic in topics
        ]
        self._session.add_all(rows)
        self._session.flush()
        return TopicModelId(model.id), {row.number: TopicId(row.id) for row in rows}

    def set_folder(self, model_id: TopicModelId, folder: str) -> None:
        self._session.get_one(TopicModelRow, model_id).folder = folder
        self._session.flush()

    def activate(self, model_id: TopicModelId) -> None:
        """Makes the model the one that pages, facets and filters show."""
        model = self._session.get_one(TopicModelRow, model_id)
        self._session.execute(
            update(TopicModelRow).where(TopicModelRow.collection_id == model.collection_id).values(active=False)
        )
        self._session.execute(update(TopicModelRow).where(TopicModelRow.id == model_id).values(active=True))
        self._session.expire_all()

    def remove_model(self, model_id: TopicModelId) -> None:
        self._session.execute(delete(TopicModelRow).where(TopicModelRow.id == model_id))

    def models(self, collection_id: CollectionId) -> list[TopicModelInfo]:
        """Newest first."""
        query = select(TopicModelRow).where(TopicModelRow.collection_id == collection_id)
        return [self._info(row) for row in self._session.scalars(query.order_by(TopicModelRow.id.desc()))]

    def active_model(self, collection_id: CollectionId) -> TopicModelInfo:
        """NoTopicsYet when no model was fitted."""
        row = self._active(collection_id)
        if row is None:
            name = self._session.scalar(select(CollectionRow.name).where(CollectionRow.id == collection_id))
            raise NoTopicsYet(f"collection {name!r} has no topics yet; run `riparian topics fit --collection {name}`")
        return self._info(row)

    def folder(self, model_id: TopicModelId) -> str:
        return self._session.get_one(TopicModelRow, model_id).folder

    def _active(self, collection_id: CollectionId) -> TopicModelRow | None:
        return self._session.scalar(
            select(TopicModelRow).where(TopicModelRow.collection_id == collection_id, TopicModelRow.active)
        )

    # ---------------------------------------------------------------- memberships

    def put_passages(self, memberships: Mapping[PassageId, Sequence[Membership]]) -> None:
        """Mixtures of passages (each sums to 1); the heaviest topic is the main one, ties to the smaller id."""
        alive = self._alive(memberships)
        rows = [
            {
                "passage_id": int(passage),
                "topic_id": int(m.topic_id),
                "weight": float(m.weight),
                "top": m is _top(mixture),
            }
            for passage, mixture in memberships.items()
            if int(passage) in alive
            for m in mixture
        ]
        for chunk in in_chunks(rows):
            self._session.execute(insert(PassageTopicRow), list(chunk))

    def _alive(self, passages: Iterable[int]) -> set[int]:
        alive: set[int] = set()
        for chunk in in_chunks(as_ints(list(passages))):
            alive.update(self._session.scalars(select(PassageRow.id).where(PassageRow.id.in_(chunk))))
        return alive

    def put_documents(self, model_id: TopicModelId, memberships: Mapping[DocumentId, Sequence[Membership]]) -> None:
        """Mixtures of documents, in place of those they had in this model."""
        topics = select(TopicRow.id).where(TopicRow.model_id == model_id)
        for chunk in in_chunks(as_ints(list(memberships))):
            self._session.execute(
                delete(DocumentTopicRow).where(
                    DocumentTopicRow.document_id.in_(chunk), DocumentTopicRow.topic_id.in_(topics)
                )
            )
        rows = [
            {
                "document_id": int(document),
                "topic_id": int(m.topic_id),
                "weight": float(m.weight),
                "top": m is _top(mix),
            }
            for document, mix in memberships.items()
            for m in mix
        ]
        for batch in in_chunks(rows):
            self._session.execute(insert(DocumentTopicRow), list(batch))

    def unassigned(self, model_id: TopicModelId, collection_id: CollectionId) -> Ids:
        """Passages that have no topic of this model yet, ascending."""
        has = (
            select(PassageTopicRow.passage_id)
            .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
            .where(TopicRow.model_id == model_id, PassageTopicRow.passage_id == PassageRow.id)
            .exists()
        )
        return as_ids(
            self._session.scalars(select(PassageRow.id).where(PassageRow.collection_id == collection_id, ~has))
        )

    def of_passages(self, model_id: TopicModelId, passages: Iterable[int]) -> dict[PassageId, list[Membership]]:
        """Mixtures, heaviest first."""
        found: dict[PassageId, list[Membership]] = {}
        for chunk in in_chunks(as_ints(list(passages))):
            rows = self._session.execute(
                select(PassageTopicRow.passage_id, PassageTopicRow.topic_id, PassageTopicRow.weight)
                .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
                .where(TopicRow.model_id == model_id, PassageTopicRow.passage_id.in_(chunk))
                .order_by(PassageTopicRow.passage_id, PassageTopicRow.weight.desc(), PassageTopicRow.topic_id)
            )
            for row in rows:
                found.setdefault(PassageId(row[0]), []).append(Membership(TopicId(row[1]), row[2]))
        return found

    def main_of(self, collection_id: CollectionId, passages: Iterable[int]) -> dict[PassageId, TopicId]:
        """The main topic, in the collection's active model, of those passages that have one."""
        found: dict[PassageId, TopicId] = {}
        for chunk in in_chunks(as_ints(list(passages))):
            rows = self._session.execute(
                select(PassageTopicRow.passage_id, PassageTopicRow.topic_id)
                .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
                .join(TopicModelRow, TopicModelRow.id == TopicRow.model_id)
                .where(TopicModelRow.collection_id == collection_id, TopicModelRow.active)
                .where(PassageTopicRow.top, PassageTopicRow.passage_id.in_(chunk))
            )
            found.update({PassageId(row[0]): TopicId(row[1]) for row in rows})
        return found

    def of_document(self, model_id: TopicModelId, document_id: DocumentId) -> list[Membership]:
        """Heaviest first; empty when the document came after the fit and was not inferred yet."""
        rows = self._session.execute(
            select(DocumentTopicRow.topic_id, DocumentTopicRow.weight)
            .join(TopicRow, TopicRow.id == DocumentTopicRow.topic_id)
            .where(TopicRow.model_id == model_id, DocumentTopicRow.document_id == document_id)
            .order_by(DocumentTopicRow.weight.desc(), DocumentTopicRow.topic_id)
        )
        return [Membership(TopicId(row[0]), row[1]) for row in rows]

    def passages_of(self, topic_id: TopicId, *, limit: int = 50, offset: int = 0) -> list[tuple[PassageId, float]]:
        """Passages whose main topic it is, heaviest first."""
        rows = self._session.execute(
            select(PassageTopicRow.passage_id, PassageTopicRow.weight)
            .where(PassageTopicRow.topic_id == topic_id, PassageTopicRow.top)
            .order_by(PassageTopicRow.weight.desc(), PassageTopicRow.passage_id)
            .limit(limit)
            .offset(offset)
        )
        return [(PassageId(row[0]), row[1]) for row in rows]

    def documents_of(self, topic_id: TopicId, *, limit: int = 50, offset: int = 0) -> list[tuple[DocumentId, float]]:
        """Documents with at least one passage whose main topic it is, by the topic's share in the document."""
        has = (
            select(PassageRow.id)
            .join(PassageTopicRow, PassageTopicRow.passage_id == PassageRow.id)
            .where(
                PassageRow.document_id == DocumentTopicRow.document_id,
                PassageTopicRow.topic_id == topic_id,
                PassageTopicRow.top,
            )
            .exists()
        )
        rows = self._session.execute(
            select(DocumentTopicRow.document_id, DocumentTopicRow.weight)
            .where(DocumentTopicRow.topic_id == topic_id, has)
            .order_by(DocumentTopicRow.weight.desc(), DocumentTopicRow.document_id)
            .limit(limit)
            .offset(offset)
        )
        return [(DocumentId(row[0]), row[1]) for row in rows]

    # ---------------------------------------------------------------- topics

    def of_model(self, model_id: TopicModelId) -> list[Topic]:
        """Largest share first, hidden ones too. Shares and counts are what the memberships say now."""
        counts = self._counts(model_id)
        total = sum(weight for weight, _, _ in counts.values()) or 1.0
        rows = self._session.scalars(select(TopicRow).where(TopicRow.model_id == model_id, _shown()))
        topics = [_topic(row, *counts.get(row.id, (0.0, 0, 0)), total) for row in rows]
        return sorted(topics, key=lambda topic: (-topic.share, topic.number))

    def get(self, topic_id: TopicId) -> Topic:
        """UnknownTopic also where it was merged into another or no model shows it any more."""
        model_id = self._session.scalar(select(TopicRow.model_id).where(TopicRow.id == topic_id, _shown()))
        if model_id is None:
            raise UnknownTopic(topic_id)
        return next(topic for topic in self.of_model(TopicModelId(model_id)) if topic.id == topic_id)

    def collection_of(self, topic_id: TopicId) -> CollectionId:
        found = self._session.scalar(
            select(TopicModelRow.collection_id)
            .join(TopicRow, TopicRow.model_id == TopicModelRow.id)
            .where(TopicRow.id == topic_id)
        )
        if found is None:
            raise UnknownTopic(topic_id)
        return CollectionId(found)

    def successor(self, topic_id: TopicId) -> TopicId | None:
        """The topic that it was merged into, in the end; None where it was not merged."""
        found, seen = None, topic_id
        while (row := self._session.get(TopicRow, seen)) is not None and row.state == "merged":
            found = seen = TopicId(row.origin["into"])
        return found

    def _counts(self, model_id: TopicModelId) -> dict[int, tuple[float, int, int]]:
        """Summed weight, passages with it as main topic, documents with such a passage; by topic id."""
        topics = select(TopicRow.id).where(TopicRow.model_id == model_id)
        weights = self._session.execute(
            select(PassageTopicRow.topic_id, func.sum(PassageTopicRow.weight))
            .where(PassageTopicRow.topic_id.in_(topics))
            .group_by(PassageTopicRow.topic_id)
        )
        found = {row[0]: (float(row[1]), 0, 0) for row in weights}
        tops = self._session.execute(
            select(
                PassageTopicRow.topic_id,
                func.count(PassageTopicRow.passage_id),
                func.count(PassageRow.document_id.distinct()),
            )
            .join(PassageRow, PassageRow.id == PassageTopicRow.passage_id)
            .where(PassageTopicRow.topic_id.in_(topics), PassageTopicRow.top)
            .group_by(PassageTopicRow.topic_id)
        )
        for topic, passages, documents in tops:
            found[topic] = (found.get(topic, (0.0, 0, 0))[0], passages, documents)
        return found

    def _info(self, row: TopicModelRow) -> TopicModelInfo:
        topics = (
            self._session.scalar(
                select(func.count()).select_from(TopicRow).where(TopicRow.model_id == row.id, _shown())
            )
            or 0
        )
        passages = self._session.scalar(
            select(func.count())
            .select_from(PassageTopicRow)
            .join(TopicRow, TopicRow.id == PassageTopicRow.topic_id)
            .where(TopicRow.model_id == row.id, PassageTopicRow.top)
        )
        return TopicModelInfo(
            TopicModelId(row.id), CollectionId(row.collection_id), row.kind, EncoderId(row.encoder_id), row.created,
            row.active, row.settings, row.scores, topics, passages or 0, row.state,
        )  # fmt: skip


def _top(mixture: Sequence[Membership]) -> Membership:
    return min(mixture, key=lambda m: (-m.weight, m.topic_id))


def _topic(row: TopicRow, weight: float, passages: int, documents: int, total: float) -> Topic:
    return Topic(
        id=TopicId(row.id),
        model_id=TopicModelId(row.model_id),
        number=row.number,
        label=row.label,
        terms=tuple(TopicTerm(term, share) for term, share in row.terms),
        share=weight / total,
        passages=passages,
        documents=documents,
        coherence=row.coherence,
        representatives=tuple(PassageId(p) for p in row.representatives),
        named=row.named,
        hidden=row.hidden,
        pinned=row.pinned,
        note=row.note,
        colour=row.colour,
        place=None if row.map_x is None or row.map_y is None else (row.map_x, row.map_y),
    )


def _shown() -> ColumnElement[bool]:
    return TopicRow.state == "active"
