"""A codebook as a SKOS concept scheme (W3C Recommendation of 18 August 2009), written as JSON-LD 1.1.

A topic is a `skos:Concept`: its label a `prefLabel`, its words `altLabel`s, its note a `scopeNote`, labels of topics
that it took in `hiddenLabel`s (no text twice, as S13 of the recommendation asks). What SKOS has no word for, such as
the order of words, stands under Riparian's own terms, so that reading gives back exactly what was written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_TERMS = "urn:riparian:codebook#"
_CONTEXT: dict[str, Any] = {
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dct": "http://purl.org/dc/terms/",
    "riparian": _TERMS,
    "prefLabel": "skos:prefLabel",
    "altLabel": "skos:altLabel",
    "hiddenLabel": "skos:hiddenLabel",
    "scopeNote": "skos:scopeNote",
    "notation": "skos:notation",
    "inScheme": {"@id": "skos:inScheme", "@type": "@id"},
    "title": "dct:title",
    "words": {"@id": "riparian:words", "@container": "@list"},
    "merged": {"@id": "riparian:merged", "@container": "@list"},
    "seeds": {"@id": "riparian:seeds", "@container": "@list"},
    "pins": {"@id": "riparian:pins", "@container": "@list"},
    "moved": {"@id": "riparian:moved", "@container": "@list"},
    "named": "riparian:named",
    "hidden": "riparian:hidden",
    "pinned": "riparian:pinned",
    "source": "riparian:source",
    "start": "riparian:start",
    "end": "riparian:end",
}
_SAME = ("words", "merged", "named", "hidden", "pinned", "seeds", "pins", "moved")
_SCHEME = "urn:riparian:codebook"


def write(collection: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """`entries` as `topics.curation.codebook` writes them in JSON."""
    scheme = {"@id": _SCHEME, "@type": "skos:ConceptScheme", "title": collection}
    graph = [scheme, *(_concept(entry) for entry in entries)]
    return json.dumps({"@context": _CONTEXT, "@graph": graph}, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> tuple[str, list[dict[str, Any]]]:
    """(collection, entries). KeyError or TypeError for what `write` did not make."""
    graph = json.loads(text)["@graph"]
    [scheme] = [node for node in graph if node["@type"] == "skos:ConceptScheme"]
    return scheme["title"], [_entry(node) for node in graph if node["@type"] == "skos:Concept"]


def _concept(entry: Mapping[str, Any]) -> dict[str, Any]:
    also = [word for word in dict.fromkeys(entry["words"]) if word != entry["label"]]
    return {
        "@id": f"{_SCHEME}:topic:{entry['id']}",
        "@type": "skos:Concept",
        "inScheme": _SCHEME,
        "notation": str(entry["id"]),
        "prefLabel": entry["label"],
        "altLabel": also,
        "hiddenLabel": [m for m in dict.fromkeys(entry["merged"]) if m != entry["label"] and m not in also],
        "scopeNote": entry["note"],
        **{name: entry[name] for name in _SAME},
    }


def _entry(node: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": int(node["notation"]),
        "label": node["prefLabel"],
        "note": node["scopeNote"],
        **{name: node[name] for name in _SAME},
    }
