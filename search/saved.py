"""Saved searches: asked again after the collection has changed, to tell what is new in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.catalog.filters import parse
from riparian.catalog.saved import FreshHit, SavedSearch
from riparian.errors import RiparianError
from riparian.jobs import Handler, Running
from riparian.types import CollectionId, JobId, Mode
from search.request import Fuzziness, SearchRequest
from search.service import SearchService

CHECK = "check-saved"
"""The kind of job that looks for new hits."""

FIRST, MATCHES = 10, 100
"""How many hits of a saved search are looked at: its first page where it goes by meaning, in which everything has some
rank; more where a hit must hold a word."""


def queue_check(catalog: Catalog, collection_id: CollectionId) -> None:
    """Queues looking for new hits where the collection has saved searches; meant for the end of indexing."""
    if catalog.saved.any(collection_id):
        queued(catalog, collection_id)


def queued(catalog: Catalog, collection_id: CollectionId) -> JobId:
    """The job that looks for new hits: one that waits already, else a new one."""
    waiting = jobs.unfinished(catalog, collection_id, CHECK)
    return waiting.id if waiting is not None else jobs.enqueue(catalog, CHECK, {}, collection_id)


def options_of(request: SearchRequest, filters: Sequence[str]) -> dict[str, Any]:
    """What of a search is kept beside its query; `filters` as they were written."""
    usual = SearchRequest(request.collection, request.query)
    kept: dict[str, Any] = {"mode": request.mode.value, "filters": list(filters)}
    if request.weight != usual.weight:
        kept["weight"] = request.weight
    if request.within:
        kept["within"] = list(request.within)
    if not request.feedback:
        kept["feedback"] = False
    if request.fuzzy != usual.fuzzy:
        kept["fuzzy"] = request.fuzzy.value
    return kept


def request_of(collection: str, saved: SavedSearch) -> SearchRequest:
    """The search as it was saved."""
    options = saved.options
    return SearchRequest(
        collection=collection,
        query=saved.query,
        mode=Mode(options.get("mode", Mode.HYBRID)),
        filters=parse(list(options.get("filters", ()))),
        weight=options.get("weight"),
        within=tuple(options.get("within", ())),
        feedback=options.get("feedback", True),
        fuzzy=Fuzziness(options.get("fuzzy", Fuzziness.AUTO)),
    )


@dataclass(frozen=True, slots=True)
class SavedService:
    """Looks for new hits. A hit is new where its passage came after somebody last looked."""

    database: Database
    search: SearchService

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {CHECK: self._run}

    def save(self, name: str, request: SearchRequest, filters: Sequence[str], author: str = "") -> SavedSearch:
        """Keeps a search under a name, with its filters as they are written; what is there now counts as seen.

        UnknownCollection, AlreadyExists, BadFilter, BadQuery; Invalid for a name or query that cannot be.
        """
        parse(list(filters))
        request.check()
        with self.database.write() as catalog:
            collection = catalog.collections.named(request.collection).id
            return catalog.saved.add(collection, name, request.query, options_of(request, filters), author)

    def fresh(self, collection: str, saved: SavedSearch) -> tuple[FreshHit, ...]:
        """The new hits as of now. Errors as in `SearchService.search`."""
        asked = request_of(collection, saved)
        depth = MATCHES if asked.mode is Mode.LEXICAL else FIRST
        answer = self.search.search(replace(asked, k=depth, sentences=False))
        if answer.close is False and asked.mode is not Mode.LEXICAL:  # then its first hits are guesses, new ones too
            return ()
        return tuple(
            FreshHit(hit.document.id, hit.passage.id) for hit in answer.hits if hit.passage.id > saved.seen_passage
        )

    def _run(self, running: Running) -> Mapping[str, Any]:
        assert running.job.collection_id is not None
        with self.database.read() as catalog:
            collection = catalog.collections.get(running.job.collection_id)
            searches = catalog.saved.all(collection.id)
        new, failed = 0, {}
        for done, saved in enumerate(searches):
            running.progress("check", done, len(searches), "searches")
            try:
                found = self.fresh(collection.name, saved)
            except jobs.Cancelled:
                raise
            except RiparianError as error:  # one that cannot be asked now must not keep the others from being asked
                failed[saved.name] = str(error)
                continue
            new += len(found)
            with self.database.write() as catalog:
                catalog.saved.found(saved.id, found, saved.seen_passage)
        return {"searches": len(searches), "new": new, "failed": failed}
