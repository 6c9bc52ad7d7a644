"""The front door of the room: the senses of a word, dividing them otherwise, keeping them as documents come.

What is found is written to SQL in one transaction; searches filter by it there. Vectors lie in the cache and may be
lost at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.senses import Finding, Placed, Sense, SenseId, SenseWord, SenseWordId
from riparian.encoders.base import Encoder
from riparian.errors import Invalid, UnknownSense
from riparian.jobs import Handler, Running
from riparian.lexical.index import LexicalIndex
from riparian.types import Collection, CollectionId, JobId
from senses import material, selftest, tree
from senses.assign import assigned
from senses.change import Change, Dated, change
from senses.describe import describe
from senses.graph import Labels
from senses.induce import FEWEST, Induction, induce
from senses.material import General, Material, Progress, silent
from senses.occurrences import Target, find, target_of
from senses.queueing import ASSIGN, FIND, queue_assign, queue_find
from senses.vectors import OccurrenceVectors, check_tells_senses

__all__ = ["ASSIGN", "FIND", "SenseService", "queue_assign"]

logger = logging.getLogger(__name__)


class Encoders(Protocol):
    """What `riparian.encoders.pool.EncoderPool` gives: the encoder that a collection was indexed with."""

    def of(self, stored: StoredEncoder) -> Encoder: ...


class Lexical(Protocol):
    """What `riparian.lexical.indexes.LexicalStore` gives."""

    def index(self, collection_id: CollectionId) -> LexicalIndex: ...

    def catch_up(self, collection_id: CollectionId) -> int: ...


def nothing() -> tuple[str, ...]:
    """No general text."""
    return ()


@dataclass(frozen=True, slots=True)
class Found:
    """A word with its senses, the most frequent first."""

    word: SenseWord
    senses: tuple[Sense, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """How a word's senses changed: `senses` are the columns of the periods' shares."""

    senses: tuple[Sense, ...]
    change: Change


class SenseService:
    """Safe to share between threads."""

    def __init__(
        self, database: Database, encoders: Encoders, lexical: Lexical, folder: Path, *, general: General = nothing
    ) -> None:
        """`folder` keeps the vectors; `general` gives text to compare a small archive with."""
        self._database, self._encoders, self._lexical, self._general = database, encoders, lexical, general
        self._vectors = OccurrenceVectors(folder)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of this room, by their kind."""
        return {FIND: self._run_find, ASSIGN: self._run_assign}

    # ---------------------------------------------------------------- finding

    def find(
        self,
        collection: str,
        word: str,
        *,
        lemma: bool = False,
        senses: int | None = None,
        anew: bool = False,
        progress: Progress = silent,
    ) -> Found:
        """The senses of a word: those that are known, brought up to the collection as it is now, or found now.

        `senses` divides the occurrences into so many. `anew` finds them again where they were divided or saved by
        hand, which is lost. UnknownCollection, NotIndexedYet; Invalid for what is no word; TokensUnavailable where the
        encoder cannot tell senses apart. `progress` may raise: then nothing has changed, but vectors are kept.
        """
        target = target_of(word, lemma=lemma)
        read = self._read(collection, target, progress)
        with self._database.read() as catalog:
            known = catalog.senses.word(read.collection.id, target.text, lemma)
        if known is None or anew or not self._can_stay(known, read):
            word_id = self._find_anew(read, progress)
        else:
            word_id = self._bring_up(known, read)
        if senses is not None:
            self.divide_into(word_id, senses)
        return self.of(word_id)

    def of(self, word_id: SenseWordId) -> Found:
        with self._database.read() as catalog:
            return Found(catalog.senses.get_word(word_id), tuple(catalog.senses.of_word(word_id)))

    def known(self, collection: str, word: str, *, lemma: bool = False) -> Found | None:
        """What was found of the word, where nothing in the collection changed since; never computes."""
        target = target_of(word, lemma=lemma)
        with self._database.read() as catalog:
            here = catalog.collections.named(collection)
            found = catalog.senses.word(here.id, target.text, lemma)
            if found is None or found.revision != here.revision or found.encoder_id != here.encoder_id:
                return None
            return Found(found, tuple(catalog.senses.of_word(found.id)))

    def to_encode(self, collection: str, word: str, *, lemma: bool = False) -> int:
        """How many sentences would have to be encoded to answer. TokensUnavailable as `find`."""
        target = target_of(word, lemma=lemma)
        _, encoder, occurrences, _ = self._occurrences(collection, target)
        return self._vectors.missing(encoder, target, occurrences)

    def queue(
        self, collection: str, word: str, *, lemma: bool = False, senses: int | None = None, anew: bool = False
    ) -> JobId:
        """Queues `find`. What can never work is refused at once."""
        target = target_of(word, lemma=lemma)
        with self._database.read() as catalog:
            stored = material.stored_encoder(catalog, catalog.collections.named(collection))
        check_tells_senses(self._encoders.of(stored))
        with self._database.write() as catalog:
            here = catalog.collections.named(collection)
            return queue_find(catalog, here.id, target.text, lemma=lemma, senses=senses, anew=anew)

    def _occurrences(self, collection: str, target: Target) -> tuple[Collection, Encoder, list[Any], StoredEncoder]:
        with self._database.read() as catalog:
            here = catalog.collections.named(collection)
            stored = material.stored_encoder(catalog, here)
        encoder = self._encoders.of(stored)
        check_tells_senses(encoder)
        self._lexical.catch_up(here.id)
        with self._database.read() as catalog:
            here = catalog.collections.named(collection)
            return here, encoder, find(catalog, self._lexical.index(here.id), target), stored

    def _read(self, collection: str, target: Target, progress: Progress) -> Material:
        here, encoder, occurrences, stored = self._occurrences(collection, target)
        with self._database.read() as catalog:
            language = material.main_language(catalog, here)
        views = self._vectors.of(
            encoder, target, occurrences, lambda done, total: progress("vectors of occurrences", done, total)
        )
        return Material(here, stored, target, tuple(occurrences), views, language)

    def _can_stay(self, known: SenseWord, read: Material) -> bool:
        """What people made of a word stays; what was only found is found again when its occurrences change."""
        with self._database.read() as catalog:
            saved = any(sense.name for sense in catalog.senses.of_word(known.id))
            there = {(int(p.passage), p.start) for p in catalog.senses.occurrences(known.id) if p.first}
        if known.edits or saved:
            return True
        return known.encoder_id == read.encoder.id and there == set(material.keys(read.occurrences))

    def _find_anew(self, read: Material, progress: Progress) -> SenseWordId:
        progress("senses", 0, 1)
        rows = read.drawn()
        bags = read.bags()
        if len(rows) >= FEWEST:
            with self._database.read() as catalog:
                encoder = self._encoders.of(read.encoder)
                mean = material.background(catalog, self._vectors, encoder, read, self._general)
            found = induce(read.views.take(rows), bags.weighted()[rows], mean)
        else:
            found = induce(read.views.take(rows), None, None)
        groups, doubt = _all_rows(read, rows, found)
        divisions = describe(read, self._encoders.of(read.encoder), groups, doubt, found.division)
        finding = Finding(
            collection_id=read.collection.id,
            encoder_id=read.encoder.id,
            word=read.target.text,
            lemma=read.target.lemma,
            revision=read.collection.revision,
            tree=found.tree,
            divisions=divisions,
            occurrences=_placed(read, groups, doubt),
            settings=_settings(read, rows, found),
        )
        with self._database.write() as catalog:
            return catalog.senses.put(finding)

    # ---------------------------------------------------------------- documents that came later

    def _bring_up(self, known: SenseWord, read: Material) -> SenseWordId:
        """Occurrences that are new get the senses of their neighbours; those that went, went with their passages."""
        with self._database.read() as catalog:
            there = {(int(p.passage), p.start): p for p in catalog.senses.occurrences(known.id)}
        group_of = [there[key].group if key in there else -1 for key in material.keys(read.occurrences)]
        groups = np.array(group_of, dtype=np.int64)
        fresh = np.flatnonzero(groups < 0)
        if len(fresh) and len(fresh) < len(groups):
            old = np.flatnonzero(groups >= 0)
            groups[fresh], doubt = assigned(read.views.take(old), groups[old], read.views.take(fresh))
        else:
            groups[fresh], doubt = 0, np.ones(len(fresh), dtype=np.float32)
        placed = [
            Placed(passage, one.start, one.end, int(groups[row]), float(doubt[at]), first=not number)
            for at, row in enumerate(fresh)
            for one in [read.occurrences[row]]
            for number, passage in enumerate(one.passages)
            if (int(passage), one.start) not in there
        ]
        with self._database.write() as catalog:
            catalog.senses.add_occurrences(known.id, placed)
            catalog.senses.set_revision(known.id, read.collection.revision, read.encoder.id)
        return known.id

    def assign_new(self, collection_id: CollectionId, progress: Progress = silent) -> int:
        """Gives occurrences in new documents the saved senses of their words; answers with how many words had any."""
        with self._database.read() as catalog:
            here = catalog.collections.get(collection_id)
            behind = [word for word in catalog.senses.words_with_saved(here.id) if word.revision < here.revision]
        for at, word in enumerate(behind):
            progress("words", at, len(behind))
            self._bring_up(word, self._read(here.name, target_of(word.word, lemma=word.lemma), silent))
        return len(behind)

    # ---------------------------------------------------------------- dividing otherwise

    def divide_into(self, word_id: SenseWordId, senses: int) -> Found:
        """So many senses, by cutting the tree elsewhere. Invalid for more than there are finest groups."""
        word = self.of(word_id).word
        return self._divide(word_id, tree.cut_into(word.tree, len(word.tree) + 1, senses))

    def merge(self, senses: Sequence[SenseId]) -> Found:
        """Two senses of a word, or more, as one. UnknownSense; Invalid for senses of different words."""
        chosen = self._shown(senses)
        if len({sense.word_id for sense in chosen}) != 1 or len(chosen) < 2:
            raise Invalid("give two senses or more of one word to merge them")
        found = self.of(chosen[0].word_id)
        merged = tuple(sorted(group for sense in chosen for group in sense.groups))
        rest = [sense.groups for sense in found.senses if sense.id not in set(senses)]
        return self._divide(found.word.id, [*rest, merged])

    def split(self, sense_id: SenseId) -> Found:
        """A sense in two, where it was joined last. Invalid where nothing tells its occurrences apart."""
        [chosen] = self._shown([sense_id])
        found = self.of(chosen.word_id)
        parts = tree.split(found.word.tree, len(found.word.tree) + 1, chosen.groups)
        rest = [sense.groups for sense in found.senses if sense.id != sense_id]
        return self._divide(found.word.id, [*rest, *parts])

    def undo(self, word_id: SenseWordId) -> Found:
        """The division before the last edit. Invalid where there was none."""
        with self._database.write() as catalog:
            if not catalog.senses.undo(word_id):
                raise Invalid("there is nothing to undo: these senses were not divided by hand")
        return self.of(word_id)

    def save(self, sense_id: SenseId, name: str) -> Sense:
        """Keeps a sense under a name; "" forgets it. Invalid for a name of more than 200 characters."""
        name = " ".join(name.split())
        if len(name) > 200:
            raise Invalid("a sense has a name of 200 characters at most")
        with self._database.write() as catalog:
            catalog.senses.save(sense_id, name)
            return catalog.senses.get(sense_id)

    def _shown(self, senses: Sequence[SenseId]) -> list[Sense]:
        with self._database.read() as catalog:
            chosen = [catalog.senses.get(sense) for sense in dict.fromkeys(senses)]
            shown = {one.id for sense in chosen for one in catalog.senses.of_word(sense.word_id)}
        for sense in chosen:
            if sense.id not in shown:
                raise UnknownSense(int(sense.id))
        return chosen

    def _divide(self, word_id: SenseWordId, groups: Sequence[tuple[int, ...]]) -> Found:
        found = self.of(word_id)
        with self._database.read() as catalog:
            name = catalog.collections.get(found.word.collection_id).name
        read = self._read(name, target_of(found.word.word, lemma=found.word.lemma), silent)
        self._bring_up(found.word, read)
        with self._database.read() as catalog:
            there = {(int(p.passage), p.start): p for p in catalog.senses.occurrences(word_id)}
        placed = [there[key] for key in material.keys(read.occurrences)]
        of_row = np.array([one.group for one in placed], dtype=np.int64)
        doubt = np.array([one.doubt for one in placed], dtype=np.float32)
        divisions = describe(read, self._encoders.of(read.encoder), of_row, doubt, sorted(groups))
        with self._database.write() as catalog:
            catalog.senses.divide(word_id, divisions)
        return self.of(word_id)

    # ---------------------------------------------------------------- change over time, self-test

    def change(self, word_id: SenseWordId) -> Changed:
        """The shares of the senses over time, over documents with a date."""
        with self._database.read() as catalog:
            senses = tuple(catalog.senses.of_word(word_id))
            dated = catalog.senses.dated(word_id)
        number = {sense.id: at for at, sense in enumerate(senses)}
        rows = [Dated(int(document), day, number[sense]) for document, day, sense in dated if sense in number]
        return Changed(senses, change(rows, len(senses)))

    def self_test(self, collection: str, progress: Progress = silent) -> selftest.Report:
        """How far senses can be trusted in this collection, by words made of two. TokensUnavailable as `find`."""
        with self._database.read() as catalog:
            here = catalog.collections.named(collection)
            stored = material.stored_encoder(catalog, here)
            language = material.main_language(catalog, here)
            encoder = self._encoders.of(stored)
            check_tells_senses(encoder)
            words = selftest.draw_words(catalog, here, language)
        return selftest.run(words, encoder, self._vectors, self._general, language, progress)

    # ---------------------------------------------------------------- jobs

    def _run_find(self, running: Running) -> Mapping[str, Any]:
        payload = running.job.payload
        with self._database.read() as catalog:
            name = catalog.collections.get(_collection_of(running)).name
        found = self.find(
            name,
            payload["word"],
            lemma=bool(payload.get("lemma")),
            senses=payload.get("senses"),
            anew=bool(payload.get("anew")),
            progress=_told(running),
        )
        return {"word": found.word.word, "lemma": found.word.lemma, "senses": [int(one.id) for one in found.senses]}

    def _run_assign(self, running: Running) -> Mapping[str, Any]:
        return {"words": self.assign_new(_collection_of(running), _told(running))}


def _all_rows(read: Material, rows: Any, found: Induction) -> tuple[Labels, Any]:
    """Groups and doubts of every occurrence, also of those that senses were not found in."""
    if len(rows) == len(read):
        return found.groups, found.doubt
    groups, doubt = np.zeros(len(read), dtype=np.int64), np.ones(len(read), dtype=np.float32)
    rest = np.setdiff1d(np.arange(len(read)), rows)
    groups[rows], doubt[rows] = found.groups, found.doubt
    if len(rows):
        groups[rest], doubt[rest] = assigned(read.views.take(rows), found.groups, read.views.take(rest))
    return groups, doubt


def _placed(read: Material, groups: Labels, doubt: Any) -> list[Placed]:
    return [
        Placed(passage, one.start, one.end, int(groups[row]), round(float(doubt[row]), 4), first=not number)
        for row, one in enumerate(read.occurrences)
        for number, passage in enumerate(one.passages)
    ]


def _settings(read: Material, rows: Any, found: Induction) -> dict[str, Any]:
    few = len(rows) < FEWEST
    return {
        "occurrences": len(read),
        "drawn": len(rows),
        "margin": None if np.isinf(found.margin) else round(found.margin, 3),
        "weak": few or found.weak,
        "few": few,
        "finest": found.finest,
    }


def _collection_of(running: Running) -> CollectionId:
    if running.job.collection_id is None:
        raise ValueError(f"a job of kind {running.job.kind!r} belongs to a collection")
    return running.job.collection_id


def _told(running: Running) -> Callable[[str, int, int], None]:
    return lambda stage, done, total: running.progress(stage, done, total, "sentences")
