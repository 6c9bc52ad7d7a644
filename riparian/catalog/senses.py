"""Senses of words: what was found, how people divided it, where each sense occurs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NewType

from sqlalchemy import case, delete, distinct, func, insert, select, update
from sqlalchemy.orm import Session

from riparian.catalog.ids import as_ints, in_chunks
from riparian.catalog.models import DocumentRow, PassageRow
from riparian.catalog.sense_rows import SenseOccurrenceRow, SenseRow, SenseWordRow
from riparian.errors import UnknownSense
from riparian.types import CollectionId, DocumentId, EncoderId, PassageId

SenseId = NewType("SenseId", int)
SenseWordId = NewType("SenseWordId", int)


@dataclass(frozen=True, slots=True)
class Company:
    """A word that stands near a sense more often than near the word's other senses; `weight` is the log-likelihood
    ratio G² of that (Dunning 1993), `count` the occurrences it stands near."""

    word: str
    weight: float
    count: int


@dataclass(frozen=True, slots=True)
class Example:
    """An occurrence to show: `start` and `end` are code points of the document's text."""

    passage: PassageId
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Division:
    """A sense before it has an id: the groups of the tree it is made of, and how it is told."""

    groups: tuple[int, ...]
    label: str
    company: tuple[Company, ...] = ()
    examples: tuple[Example, ...] = ()
    substitutes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SenseWord:
    """A word that was looked at. `settings` hold what the finder said of its evidence; `tree` its joins."""

    id: SenseWordId
    collection_id: CollectionId
    encoder_id: EncoderId
    word: str
    lemma: bool
    revision: int
    settings: Mapping[str, Any]
    tree: tuple[tuple[int, int, float], ...]
    edits: int


@dataclass(frozen=True, slots=True)
class Sense:
    """One sense as a person meets it. `name` is "" until somebody saved it; `count` and `documents` are counted by
    SQL over occurrences that are there now; `substitutes` are words that could stand in its place."""

    id: SenseId
    word_id: SenseWordId
    word: str
    groups: tuple[int, ...]
    label: str
    name: str
    company: tuple[Company, ...]
    examples: tuple[Example, ...]
    count: int
    documents: int
    substitutes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.name or self.label


@dataclass(frozen=True, slots=True)
class Placed:
    """An occurrence with its place, the finest group it is in, and how doubtful that is (0 sure .. 1 open)."""

    passage: PassageId
    start: int
    end: int
    group: int
    doubt: float = 0.0
    first: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """All that is written of a word at once."""

    collection_id: CollectionId
    encoder_id: EncoderId
    word: str
    lemma: bool
    revision: int
    tree: Sequence[tuple[int, int, float]]
    divisions: Sequence[Division]
    occurrences: Sequence[Placed]
    settings: Mapping[str, Any] = field(default_factory=dict)


class Senses:
    def __init__(self, session: Session) -> None:
        self._session = session

    # ---------------------------------------------------------------- words

    def word(self, collection_id: CollectionId, word: str, lemma: bool) -> SenseWord | None:
        row = self._session.scalar(
            select(SenseWordRow).where(
                SenseWordRow.collection_id == collection_id, SenseWordRow.word == word, SenseWordRow.lemma == lemma
            )
        )
        return _word(row) if row is not None else None

    def words(self, collection_id: CollectionId) -> list[SenseWord]:
        """Every word that was looked at, in alphabetical order."""
        query = select(SenseWordRow).where(SenseWordRow.collection_id == collection_id)
        return [_word(row) for row in self._session.scalars(query.order_by(SenseWordRow.word, SenseWordRow.lemma))]

    def get_word(self, word_id: SenseWordId) -> SenseWord:
        row = self._session.get(SenseWordRow, word_id)
        if row is None:
            raise UnknownSense(int(word_id))
        return _word(row)

    def put(self, finding: Finding) -> SenseWordId:
        """Writes what was found, in place of what was known of the word: its senses get new ids."""
        self._session.execute(
            delete(SenseWordRow).where(
                SenseWordRow.collection_id == finding.collection_id,
                SenseWordRow.word == finding.word,
                SenseWordRow.lemma == finding.lemma,
            )
        )
        row = SenseWordRow(
            collection_id=finding.collection_id, encoder_id=finding.encoder_id, word=finding.word,
            lemma=finding.lemma, revision=finding.revision, settings=dict(finding.settings),
            tree=[list(join) for join in finding.tree], history=[],
        )  # fmt: skip
        self._session.add(row)
        self._session.flush()
        word_id = SenseWordId(row.id)
        ids = self._add_senses(word_id, finding.divisions)
        of_group = {group: sense for sense, one in zip(ids, finding.divisions, strict=True) for group in one.groups}
        self._add_occurrences(word_id, finding.occurrences, of_group)
        return word_id

    def set_revision(self, word_id: SenseWordId, revision: int, encoder_id: EncoderId) -> None:
        """Every occurrence up to this revision of the collection has its sense, by the vectors of this encoder."""
        row = self._session.get_one(SenseWordRow, word_id)
        row.revision, row.encoder_id = revision, encoder_id
        self._session.flush()

    def remove_word(self, word_id: SenseWordId) -> None:
        self._session.execute(delete(SenseWordRow).where(SenseWordRow.id == word_id))

    # ---------------------------------------------------------------- senses

    def of_word(self, word_id: SenseWordId) -> list[Sense]:
        """The senses that are shown, the most frequent first."""
        query = _counted().where(SenseRow.word_id == word_id, SenseRow.shown)
        found = [_sense(row) for row in self._session.execute(query)]
        return sorted(found, key=lambda sense: (-sense.count, sense.id))

    def get(self, sense_id: SenseId) -> Sense:
        """Also one that an edit replaced. UnknownSense."""
        row = self._session.execute(_counted().where(SenseRow.id == sense_id)).one_or_none()
        if row is None:
            raise UnknownSense(sense_id)
        return _sense(row)

    def collection_of(self, sense_id: SenseId) -> CollectionId:
        """UnknownSense when it is not there."""
        found = self._session.scalar(
            select(SenseWordRow.collection_id)
            .join(SenseRow, SenseRow.word_id == SenseWordRow.id)
            .where(SenseRow.id == sense_id)
        )
        if found is None:
            raise UnknownSense(sense_id)
        return CollectionId(found)

    def save(self, sense_id: SenseId, name: str) -> None:
        """Names a sense, which keeps it: new documents are given their senses from now on. "" takes the name away."""
        row = self._session.get(SenseRow, sense_id)
        if row is None:
            raise UnknownSense(sense_id)
        row.name = name
        self._session.flush()

    def saved(self, collection_id: CollectionId) -> list[Sense]:
        """Senses with a name, by it."""
        query = _counted().where(SenseWordRow.collection_id == collection_id, SenseRow.shown, SenseRow.name != "")
        return sorted((_sense(row) for row in self._session.execute(query)), key=lambda sense: (sense.name, sense.id))

    def words_with_saved(self, collection_id: CollectionId) -> list[SenseWord]:
        query = (
            select(SenseWordRow)
            .where(SenseWordRow.collection_id == collection_id)
            .where(SenseWordRow.id.in_(select(SenseRow.word_id).where(SenseRow.shown, SenseRow.name != "").distinct()))
        )
        return [_word(row) for row in self._session.scalars(query.order_by(SenseWordRow.id))]

    # ---------------------------------------------------------------- edits

    def divide(self, word_id: SenseWordId, divisions: Sequence[Division]) -> None:
        """Shows these senses instead, which can be undone. One made of the same groups as a sense that is there keeps
        its id and name."""
        before = self._shown_ids(word_id)
        row = self._session.get_one(SenseWordRow, word_id)
        row.history = [*row.history, before]
        known = self._by_groups(word_id)
        wanted = [known.get(_key(one.groups)) for one in divisions]
        added = iter(self._add_senses(word_id, [d for d, old in zip(divisions, wanted, strict=True) if old is None]))
        self._show(word_id, [old if old is not None else next(added) for old in wanted])

    def undo(self, word_id: SenseWordId) -> bool:
        """Shows what was shown before the last edit; False where there is none."""
        row = self._session.get_one(SenseWordRow, word_id)
        if not row.history:
            return False
        *rest, before = row.history
        row.history = rest
        self._show(word_id, before)
        return True

    def _show(self, word_id: SenseWordId, senses: Sequence[int]) -> None:
        rows = {row.id: row for row in self._session.scalars(select(SenseRow).where(SenseRow.word_id == word_id))}
        for row in rows.values():
            row.shown = row.id in senses
        self._session.flush()
        for sense in senses:
            groups = SenseOccurrenceRow.group.in_([int(group) for group in rows[sense].groups])
            self._session.execute(
                update(SenseOccurrenceRow).where(SenseOccurrenceRow.word_id == word_id, groups).values(sense_id=sense)
            )

    def _shown_ids(self, word_id: SenseWordId) -> list[int]:
        return list(
            self._session.scalars(
                select(SenseRow.id).where(SenseRow.word_id == word_id, SenseRow.shown).order_by(SenseRow.id)
            )
        )

    def _by_groups(self, word_id: SenseWordId) -> dict[tuple[int, ...], int]:
        rows = self._session.scalars(select(SenseRow).where(SenseRow.word_id == word_id).order_by(SenseRow.id))
        return {_key(row.groups): row.id for row in rows}

    def _add_senses(self, word_id: SenseWordId, divisions: Sequence[Division]) -> list[int]:
        rows = [
            SenseRow(
                word_id=word_id,
                groups=sorted(int(group) for group in one.groups),
                label=one.label,
                company=[[c.word, c.weight, c.count] for c in one.company],
                examples=[[int(e.passage), e.start, e.end] for e in one.examples],
                substitutes=list(one.substitutes),
            )
            for one in divisions
        ]
        self._session.add_all(rows)
        self._session.flush()
        return [row.id for row in rows]

    # ---------------------------------------------------------------- occurrences

    def add_occurrences(self, word_id: SenseWordId, occurrences: Sequence[Placed]) -> int:
        """Occurrences in documents that came later; each gets the shown sense that its group is part of."""
        shown = self.of_word(word_id)
        of_group = {group: int(sense.id) for sense in shown for group in sense.groups}
        self._add_occurrences(word_id, occurrences, of_group)
        return sum(one.first for one in occurrences)

    def _add_occurrences(
        self, word_id: SenseWordId, occurrences: Sequence[Placed], of_group: Mapping[int, int]
    ) -> None:
        values = [
            {
                "word_id": int(word_id), "passage_id": int(one.passage), "start": one.start, "end": one.end,
                "group": one.group, "sense_id": of_group[one.group], "doubt": one.doubt, "first": one.first,
            }
            for one in occurrences
        ]  # fmt: skip
        for chunk in in_chunks(values):
            self._session.execute(insert(SenseOccurrenceRow), chunk)

    def occurrences(self, word_id: SenseWordId, sense_id: SenseId | None = None) -> list[Placed]:
        """By passage and place; of one sense where it is given. An occurrence in two passages stands there twice."""
        row = SenseOccurrenceRow
        query = select(row.passage_id, row.start, row.end, row.group, row.doubt, row.first)
        query = query.where(row.word_id == word_id)
        if sense_id is not None:
            query = query.where(row.sense_id == sense_id)
        found = self._session.execute(query.order_by(row.passage_id, row.start))
        return [Placed(PassageId(r[0]), r[1], r[2], r[3], r[4], r[5]) for r in found]

    def of_passages(self, passages: Iterable[int]) -> dict[PassageId, list[SenseId]]:
        """The shown senses that occur in each passage."""
        found: dict[PassageId, list[SenseId]] = {}
        row = SenseOccurrenceRow
        for chunk in in_chunks(as_ints(list(passages))):
            query = select(row.passage_id, row.sense_id).where(row.passage_id.in_(chunk)).distinct()
            for passage, sense in self._session.execute(query.order_by(row.passage_id, row.sense_id)):
                found.setdefault(PassageId(passage), []).append(SenseId(sense))
        return found

    def dated(self, word_id: SenseWordId) -> list[tuple[DocumentId, date, SenseId]]:
        """Each occurrence in a document with a date: the document, its date, its sense; in the order of time."""
        row = SenseOccurrenceRow
        query = (
            select(DocumentRow.id, DocumentRow.date, row.sense_id)
            .join(PassageRow, PassageRow.id == row.passage_id)
            .join(DocumentRow, DocumentRow.id == PassageRow.document_id)
            .where(row.word_id == word_id, row.first, DocumentRow.date.is_not(None))
            .order_by(DocumentRow.date, DocumentRow.id, row.start)
        )
        found: Iterable[Any] = self._session.execute(query)
        return [(DocumentId(r[0]), r[1], SenseId(r[2])) for r in found]


def _counted() -> Any:
    """Senses with the occurrences that count and the documents they are in."""
    row = SenseOccurrenceRow
    counts = (
        select(
            row.sense_id.label("sense_id"),
            func.sum(case((row.first, 1), else_=0)).label("occurrences"),
            func.count(distinct(PassageRow.document_id)).label("documents"),
        )
        .join(PassageRow, PassageRow.id == row.passage_id)
        .group_by(row.sense_id)
        .subquery()
    )
    return (
        select(SenseRow, SenseWordRow.word, counts.c.occurrences, counts.c.documents)
        .join(SenseWordRow, SenseWordRow.id == SenseRow.word_id)
        .outerjoin(counts, counts.c.sense_id == SenseRow.id)
    )


def _sense(found: Any) -> Sense:
    row, word, occurrences, documents = found
    return Sense(
        id=SenseId(row.id),
        word_id=SenseWordId(row.word_id),
        word=word,
        groups=tuple(row.groups),
        label=row.label,
        name=row.name,
        company=tuple(Company(word, weight, count) for word, weight, count in row.company),
        examples=tuple(Example(PassageId(passage), start, end) for passage, start, end in row.examples),
        count=int(occurrences or 0),
        documents=int(documents or 0),
        substitutes=tuple(row.substitutes),
    )


def _word(row: SenseWordRow) -> SenseWord:
    return SenseWord(
        id=SenseWordId(row.id),
        collection_id=CollectionId(row.collection_id),
        encoder_id=EncoderId(row.encoder_id),
        word=row.word,
        lemma=row.lemma,
        revision=row.revision,
        settings=dict(row.settings),
        tree=tuple((int(a), int(b), float(score)) for a, b, score in row.tree),
        edits=len(row.history),
    )


def _key(groups: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(int(group) for group in groups))
