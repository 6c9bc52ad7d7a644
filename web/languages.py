"""What a person is told where a collection's encoder does not know its language."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.encoders.language_advice import Advice, advise
from riparian.encoders.languages import Verdict
from riparian.types import Collection, JobState

_JOBS_BACK = 20


def advice_on(catalog: Catalog, collection: Collection) -> Advice | None:
    """By the languages of its documents now, and what the encoder that is searched with states, or its tokens told."""
    if collection.encoder_id is None:
        return None
    encoder = catalog.encoders.get(collection.encoder_id)
    counts, stated = catalog.documents.languages(collection.id), encoder.card.get("languages", ())
    return advise(counts, encoder.name, stated, {} if stated else _verdicts(catalog, collection, encoder.name))


def _verdicts(catalog: Catalog, collection: Collection, encoder: str) -> dict[str, Verdict]:
    """What the last indexing with this encoder made of the languages."""
    for job in jobs.listed(catalog, collection_id=collection.id, limit=_JOBS_BACK):
        if job.kind == "index" and job.state is JobState.DONE and job.result.get("encoder") == encoder:
            found = {code: one.get("verdict") for code, one in job.result.get("languages", {}).items()}
            if any(found.values()):
                return {code: Verdict(verdict) for code, verdict in found.items() if verdict}
    return {}


def told(sentence: str, suggestion: str, collection: str) -> str:
    """For a terminal: the sentence of an `Advice`, and the command that follows it."""
    if not suggestion:
        return sentence
    return f"{sentence} To switch: riparian reindex --collection {shlex.quote(collection)} --encoder {suggestion}"


def told_of(advice: Mapping[str, Any] | None, collection: str) -> str:
    """The same of an advice in a job's result, "" where there is none."""
    return told(str(advice["sentence"]), str(advice["suggestion"]), collection) if advice else ""
