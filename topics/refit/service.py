"""Refits: a new model that takes over what people did, looked at first, applied at a word, and taken back at another.

A proposal is a stored model that nothing shows. Applying it moves the topics that it knows again to it, and derives all
that pages read in the same transaction: a reader, or a process that dies, sees the old topics or the new ones whole.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from riparian import device
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.errors import Conflict, NotFound
from riparian.failpoints import failpoint
from riparian.jobs import Handler, Running
from riparian.types import CollectionId, JobId, TopicModelId, TopicModelInfo
from topics import files, learning, mending, stored_counts
from topics.asked import Asked, AskedAgain
from topics.base import Progress, silent
from topics.corpus import Corpus
from topics.curation import store
from topics.curation.edits import Curated
from topics.curation.mixtures import Mixtures
from topics.curation.service import CurationService
from topics.discover import discover
from topics.queueing import REFIT, is_outdated, queue_refit
from topics.refit import guiding, reporting, storing
from topics.refit.recognising import Refitted, recognise
from topics.refit.reporting import Report
from topics.refit.storing import BEFORE, PROPOSED
from topics.service import TopicService, model_settings

logger = logging.getLogger(__name__)

_GUIDED, _STARTED = ("joint",), ("kmeans", "combined", "zeroshot")
"""Kinds that are told all that people settled when they are fitted, and kinds that start from the topics' centres."""


AS_BEFORE = AskedAgain()


class NoProposal(NotFound):
    def __init__(self, collection: str) -> None:
        super().__init__(f"there is no refit of {collection!r} to look at; make one with `riparian topics refit`")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A refit that waits to be applied. `stale` where the topics were changed after it was made."""

    model: TopicModelInfo
    report: Report
    stale: bool


class RefitService:
    """Safe to share between threads."""

    def __init__(self, database: Database, topics: TopicService, curation: CurationService, settings: Settings) -> None:
        self._database, self._topics, self._curation = database, topics, curation
        self._data_dir: Path = settings.data_dir
        self._device = settings.device

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {REFIT: self._run}

    # ---------------------------------------------------------------- proposing

    def queue(self, collection_id: CollectionId, again: AskedAgain = AS_BEFORE) -> JobId:
        """Queues a refit, unless the same is queued or under way. NoTopicsYet, Invalid for what could never work."""
        with self._database.write() as catalog:
            return queue_refit(catalog, catalog.topics.active_model(collection_id), again)

    def refit(
        self, collection_id: CollectionId, again: AskedAgain = AS_BEFORE, *, progress: Progress = silent
    ) -> Proposal:
        """Fits a new model over what people did and proposes it, in place of an earlier proposal.

        As many topics as there are, and one for each that was wished for, or more where `again` asks for more; in all
        else as the model before was asked for, or as `again` says. NoTopicsYet, NotIndexedYet; Invalid for what cannot
        be asked for; Conflict where the topics were changed meanwhile. `progress` may raise: then nothing has changed,
        and the same refit goes on from the last epochs that were kept.
        """
        self._curation.take_in(collection_id)
        with self._database.read() as catalog:
            info = catalog.topics.active_model(collection_id)
            log = store.log(catalog, info.id)
            shown = _shown(catalog, info.id, log.now())
        asked = again.over(info)
        asked.check()
        encoder, language, found = self._topics.corpus_of(collection_id, progress, asked.words)
        made = self._fit(collection_id, asked, log.now(), shown, found, encoder.fingerprint, progress)
        folder = files.publish(self._data_dir, collection_id, made.discovery.fit.model)
        stored_counts.save(self._data_dir / folder, found.passages, found.bag)
        failpoint("refit.published")
        settings = model_settings(made.discovery, found, asked, language)
        settings["topics_asked"] = again.topics or info.settings.get("topics_asked")
        proposal = {"over": int(info.id), "head": log.head, "report": made.report.data()}
        with self._database.write() as catalog:
            self._check_unchanged(catalog, collection_id, info.id, log.head)
            gone = storing.remove_proposals(catalog, collection_id)
            storing.propose(
                catalog, collection_id, encoder.id, found, made.discovery, made.carried, folder,
                {**settings, "proposal": proposal},
            )  # fmt: skip
        for old in gone:
            files.remove(self._data_dir, old)
        self._topics.sweep(collection_id)
        logger.info("collection %s: a refit proposes %s topics", collection_id, len(made.carried.topics))
        return self.proposal(collection_id)

    def _fit(
        self,
        collection_id: CollectionId,
        asked: Asked,
        curated: Curated,
        shown: Mixtures,
        found: Corpus,
        fingerprint: str,
        progress: Progress,
    ) -> Refitted:
        guided = guiding.guided(curated, shown, found)
        with self._database.read() as catalog:
            lesson = learning.of_field(catalog, collection_id, asked.labels, found)
        discovery = discover(
            asked.kind, found.vectors, found.bag, found.documents,
            encoder=fingerprint, topics=max(asked.topics or 0, len(guided)), seed=asked.seed, options=asked.options,
            guidance=guided.guidance, classes=lesson.told if lesson else None,
            checkpoint=files.checkpoint(self._data_dir, collection_id),
            device=device.choose(self._device).name, progress=progress,
        )  # fmt: skip
        discovery = learning.scored(discovery, lesson, found)
        return recognise(curated, guided, shown, discovery, found, _notes(asked, len(guided)))

    def _run(self, running: Running) -> Mapping[str, Any]:
        if running.job.collection_id is None:
            raise ValueError(f"a job of kind {running.job.kind!r} belongs to a collection")
        payload = running.job.payload
        with self._database.read() as catalog:
            if is_outdated(catalog, running.job.collection_id, payload):
                return {"skipped": "the collection has another encoder by now"}
        proposal = self.refit(
            running.job.collection_id,
            AskedAgain.of(payload),
            progress=lambda stage, done, total: running.progress(stage, done, total, "steps"),
        )
        if payload.get("apply"):
            self.apply(running.job.collection_id)
        report = proposal.report
        return {
            "model": int(proposal.model.id), "topics": len(report.kept) + len(report.new),
            "kept": len(report.kept),
            "new": len(report.new), "vanished": len(report.vanished), "moved": report.moved,
        }  # fmt: skip

    def mend(self, collection_id: CollectionId) -> None:
        """Makes damaged models good as `TopicService.mend` does, and loses nothing that people changed."""
        mending.mend(self._database, self._data_dir, collection_id, {**self._topics.handlers, **self.handlers})

    # ---------------------------------------------------------------- deciding

    def proposal(self, collection_id: CollectionId) -> Proposal:
        """The refit that waits. NoProposal where there is none."""
        with self._database.read() as catalog:
            info = self._proposed(catalog, collection_id)
            stored = info.settings["proposal"]
            stale = not _is_current(catalog, collection_id, stored["over"], stored["head"])
            return Proposal(info, reporting.from_data(stored["report"]), stale)

    def apply(self, collection_id: CollectionId, *, author: str = "", reason: str = "") -> TopicModelInfo:
        """Shows the proposed topics. NoProposal; Conflict where the topics were changed since it was made."""
        with self._database.read() as catalog:
            info = self._proposed(catalog, collection_id)
        vectors_of = self._curation.vectors_of(info)
        vectors_of(np.zeros(0, np.int64))
        with self._database.write() as catalog:
            info = self._proposed(catalog, collection_id)
            stored = info.settings["proposal"]
            self._check_unchanged(catalog, collection_id, TopicModelId(stored["over"]), stored["head"])
            gone = storing.remove_before(catalog, collection_id, keep=TopicModelId(stored["over"]))
            storing.switch(catalog, TopicModelId(stored["over"]), info.id, vectors_of)
            catalog.curation.set_state(TopicModelId(stored["over"]), BEFORE)
            storing.mark(catalog, collection_id, info.id, "refit", {"topics": len(catalog.topics.of_model(info.id))},
                  author, reason)  # fmt: skip
            failpoint("refit.applying")
        failpoint("refit.applied")
        return self._settle(collection_id, info.id, gone)

    def discard(self, collection_id: CollectionId) -> None:
        """Throws the proposal away. NoProposal where there is none."""
        with self._database.write() as catalog:
            self._proposed(catalog, collection_id)
            gone = storing.remove_proposals(catalog, collection_id)
        for folder in gone:
            files.remove(self._data_dir, folder)

    def rollback(self, collection_id: CollectionId, *, author: str = "", reason: str = "") -> TopicModelInfo:
        """Shows the topics before the last refit again, with all edits they had; the refit is a proposal again.

        Conflict where no refit was applied, or where the topics before are of another encoder than the collection has.
        """
        with self._database.read() as catalog:
            info = _before(catalog, collection_id)
        vectors_of = self._curation.vectors_of(info)
        vectors_of(np.zeros(0, np.int64))
        with self._database.write() as catalog:
            info, active = _before(catalog, collection_id), catalog.topics.active_model(collection_id)
            gone = storing.remove_proposals(catalog, collection_id)
            storing.switch(catalog, active.id, info.id, vectors_of)
            catalog.curation.set_state(active.id, PROPOSED)
            storing.mark(catalog, collection_id, info.id, "rollback", {}, author, reason)
            failpoint("refit.rolling-back")
        return self._settle(collection_id, info.id, gone)

    def _settle(self, collection_id: CollectionId, model: TopicModelId, gone: list[str]) -> TopicModelInfo:
        for folder in gone:
            files.remove(self._data_dir, folder)
        self._topics.assign_new(collection_id)
        with self._database.read() as catalog:
            return next(info for info in catalog.topics.models(collection_id) if info.id == model)

    def _proposed(self, catalog: Catalog, collection_id: CollectionId) -> TopicModelInfo:
        for info in catalog.topics.models(collection_id):
            if info.state == PROPOSED:
                return info
        raise NoProposal(catalog.collections.get(collection_id).name)

    def _check_unchanged(self, catalog: Catalog, collection_id: CollectionId, over: TopicModelId, head: int) -> None:
        if not _is_current(catalog, collection_id, over, head):
            raise Conflict("the topics were changed after the refit began; make it again with `riparian topics refit`")


def _notes(asked: Asked, least: int) -> tuple[str, ...]:
    found = []
    if asked.topics is not None and asked.topics < least:
        found.append(
            f"{asked.topics} topics were asked for, and the {least} that there are or were wished for stay: "
            "merge some, or start afresh"
        )
    if asked.kind not in _GUIDED:
        told = (
            "starts from the topics' centres, but"
            if asked.kind in _STARTED
            else "knows nothing of the topics before, and"
        )
        found.append(
            f"a fit of kind {asked.kind} {told} is not told of seeds and single passages; "
            "those are put in their places after"
        )
    return tuple(found)


# ------------------------------------------------------------------------------ what is read


def _shown(catalog: Catalog, model: TopicModelId, curated: Curated) -> Mixtures:
    """The mixtures that pages show now, as they are stored."""
    passages = catalog.curation.holding(sorted(curated.active()))
    return store.stored_mixtures(catalog, model, passages)


def _is_current(catalog: Catalog, collection_id: CollectionId, over: int, head: int) -> bool:
    models = {info.id: info for info in catalog.topics.models(collection_id)}
    info = models.get(TopicModelId(over))
    return info is not None and info.active and store.log(catalog, info.id).head == head


def _before(catalog: Catalog, collection_id: CollectionId) -> TopicModelInfo:
    encoder = catalog.collections.get(collection_id).encoder_id
    for info in catalog.topics.models(collection_id):
        if info.state == BEFORE:
            if info.encoder_id != encoder:
                raise Conflict("the topics before the refit were found with another encoder than the collection has")
            return info
    raise Conflict("no refit was applied that could be taken back")
