"""Which languages a collection is in, and whether its encoder knows them: told before embedding begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.encoders.language_advice import advise
from riparian.encoders.languages import gauge
from riparian.types import CollectionId

_LANGUAGES = 5  # the most frequent are looked at
_PASSAGES = 64  # of each


@dataclass(frozen=True, slots=True)
class LanguagesSeen:
    """JSON for a job's result. `languages`: documents of each language and, where passages were looked at, what the
    encoder makes of it (`Gauge`); `advice`: an `Advice`, None where the encoder will do."""

    languages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    advice: Mapping[str, Any] | None = None


def look(database: Database, collection_id: CollectionId, encoder: Encoder) -> LanguagesSeen:
    """Cuts some passages of each main language into tokens; embeds nothing."""
    with database.read() as catalog:
        counts = catalog.documents.languages(collection_id)
        main = sorted((one for one in counts if one), key=lambda one: (-counts[one], one))[:_LANGUAGES]
        texts = {one: catalog.passages.first(collection_id, one, _PASSAGES) for one in main}
    found = gauge(encoder, texts)
    advice = advise(counts, encoder.info.name, encoder.info.languages, {one: g.verdict for one, g in found.items()})
    languages = {
        one: {"documents": number, **(found[one].json_value() if one in found else {})}
        for one, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    }
    return LanguagesSeen(languages, advice.json_value() if advice else None)


def counted(catalog: Catalog, collection_id: CollectionId, encoder: StoredEncoder) -> LanguagesSeen:
    """The same without a look at the passages: no encoder is loaded."""
    counts = catalog.documents.languages(collection_id)
    advice = advise(counts, encoder.name, encoder.card.get("languages", ()))
    languages = {one: {"documents": number} for one, number in sorted(counts.items(), key=lambda i: (-i[1], i[0]))}
    return LanguagesSeen(languages, advice.json_value() if advice else None)
