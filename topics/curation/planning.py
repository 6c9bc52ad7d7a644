"""From a request to an edit: looks up what it needs, refuses what cannot be; writes nothing.

Topics that an edit makes have no id before it is stored: -1, -2, … stand for them until `numbered`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from riparian.catalog.catalog import Catalog
from riparian.errors import Conflict, Invalid, UnknownPassage, UnknownTopic
from riparian.types import Matrix, PassageId, TopicId
from topics.curation import requests
from topics.curation.edits import Curated, Draft, TopicState, centres_data
from topics.curation.mixtures import VectorsOf, nearest
from topics.curation.requests import Request

LONGEST_LABEL = 200
LONGEST_NOTE = 10_000
MOST_PARTS = 50
MOST_SEEDS = 50
_MOST_CLUSTERED = 20_000  # k-means looks at no more of a topic's passages, evenly spread


def plan(catalog: Catalog, curated: Curated, request: Request, vectors_of: VectorsOf) -> Draft:
    """The edit that does what was asked, without words. UnknownTopic, UnknownPassage; Invalid for what can never be;
    Conflict where a pin is in the way."""
    return _PLANS[type(request)](catalog, curated, request, vectors_of)


def numbered(draft: Draft, ids: Sequence[TopicId]) -> Draft:
    """With the ids that new topics got, in place of -1, -2, …"""
    real = {-1 - place: int(topic) for place, topic in enumerate(ids)}
    return Draft(draft.kind, _with_ids(draft.kind, draft.data, real))


def new_numbers(draft: Draft) -> list[int]:
    """The numbers of topics that the edit makes."""
    if draft.kind == "split":
        return list(draft.data["numbers"])
    if draft.kind == "import":
        return [n for part in draft.data["edits"] for n in new_numbers(Draft(part["kind"], part["data"]))]
    made = draft.data.get("made") if draft.kind == "move" else None
    return [made["number"]] if made else []


def _with_ids(kind: str, data: Mapping[str, Any], real: Mapping[int, int]) -> dict[str, Any]:
    found = dict(data)
    if kind == "split":
        found["children"] = [real.get(child, child) for child in found["children"]]
        found["settled"] = _renamed(found["settled"], real)
    if kind == "move":
        found["to"] = real.get(found["to"], found["to"])
    if kind == "pin" and found.get("pins"):
        found["pins"] = _renamed(found["pins"], real)
    if kind in ("note", "hide", "pin", "seed") and found.get("topic") is not None:
        found["topic"] = real.get(found["topic"], found["topic"])
    if kind == "import":
        found["edits"] = [part | {"data": _with_ids(part["kind"], part["data"], real)} for part in found["edits"]]
    if kind != "seed" and "words" in found:
        found["words"] = _renamed(found["words"], real)
    return found


def _renamed(values: Mapping[str, Any], real: Mapping[int, int]) -> dict[str, Any]:
    return {str(real.get(int(key), int(key))): value for key, value in values.items()}


# ------------------------------------------------------------------------------ the kinds


def _rename(_c: Catalog, curated: Curated, request: requests.Rename, _v: VectorsOf) -> Draft:
    return Draft("rename", {"topic": _known(curated, request.topic), "label": checked_label(request.label)})


def _relabel(catalog: Catalog, curated: Curated, request: requests.Relabel, vectors_of: VectorsOf) -> Draft:
    parts = [_rename(catalog, curated, requests.Rename(topic, label), vectors_of) for topic, label in request.labels]
    if not parts:
        raise Invalid("name the topics and their new labels")
    return Draft("import", {"edits": [{"kind": part.kind, "data": part.data} for part in parts]})


def _hide(_c: Catalog, curated: Curated, request: requests.Hide, _v: VectorsOf) -> Draft:
    return Draft("hide", {"topic": _known(curated, request.topic), "hidden": request.hidden})


def _note(_c: Catalog, curated: Curated, request: requests.Note, _v: VectorsOf) -> Draft:
    note = request.note.strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"a note has at most {LONGEST_NOTE:,} characters, this one {len(note):,}")
    return Draft("note", {"topic": _known(curated, request.topic), "note": note})


def _seed(_c: Catalog, curated: Curated, request: requests.Seed, _v: VectorsOf) -> Draft:
    words = list(dict.fromkeys(" ".join(word.split()) for word in request.words if word.strip()))
    if len(words) > MOST_SEEDS:
        raise Invalid(f"a topic takes at most {MOST_SEEDS} seed words, {len(words)} were given")
    if request.topic is not None:
        return Draft("seed", {"topic": _known(curated, request.topic), "words": words})
    return Draft("seed", {"topic": None, "label": checked_label(request.label), "words": words})


def _merge(_c: Catalog, curated: Curated, request: requests.Merge, _v: VectorsOf) -> Draft:
    sources = [_known(curated, topic) for topic in dict.fromkeys(request.topics)]
    into = _known(curated, request.into)
    if into in sources or not sources:
        raise Invalid("name the topics to merge and another one that takes them in")
    for source in sources:
        _free(curated.topics[TopicId(source)])
    return Draft("merge", {"topics": sources, "into": into, "words": {}})


def _move(catalog: Catalog, curated: Curated, request: requests.Move, _v: VectorsOf) -> Draft:
    mains = _mains(catalog, curated, request.passages)
    made = None
    if isinstance(request.to, str):
        to, made = -1, {"number": next_number(curated), "label": checked_label(request.to)}
    else:
        to = _known(curated, request.to)
    moved = sorted(passage for passage, topic in mains.items() if topic != to)
    if not moved:
        raise Invalid("all of these passages have that main topic already")
    pinned = curated.pinned_passages().keys() & set(moved)
    if pinned:
        raise Conflict(f"{len(pinned)} of the passages are pinned to their topics; unpin them first")
    for topic in {mains[passage] for passage in moved}:
        _free(curated.topics[topic])
    return Draft("move", {"passages": [int(p) for p in moved], "to": to, "made": made})


def _pin(catalog: Catalog, curated: Curated, request: requests.Pin, _v: VectorsOf) -> Draft:
    if request.topic is not None:
        return Draft("pin", {"topic": _known(curated, request.topic)})
    pins: dict[str, list[int]] = {}
    for passage, topic in sorted(_mains(catalog, curated, request.passages).items()):
        pins.setdefault(str(int(topic)), []).append(int(passage))
    return Draft("pin", {"topic": None, "pins": pins})


def _unpin(_c: Catalog, curated: Curated, request: requests.Unpin, _v: VectorsOf) -> Draft:
    if request.topic is not None:
        return Draft("unpin", {"topic": _known(curated, request.topic)})
    pinned = curated.pinned_passages()
    loose = sorted(int(passage) for passage in request.passages if int(passage) in pinned)
    if not loose:
        raise Invalid("none of these passages is pinned")
    return Draft("unpin", {"topic": None, "passages": loose})


def _split(catalog: Catalog, curated: Curated, request: requests.Split, vectors_of: VectorsOf) -> Draft:
    topic = _known(curated, request.topic)
    state = curated.topics[TopicId(topic)]
    _free(state)
    if not 2 <= request.parts <= MOST_PARTS:
        raise Invalid(f"a topic can be split into 2 to {MOST_PARTS}, not {request.parts}")
    members = [passage for passage in catalog.curation.members([topic]) if passage not in state.pins]
    found, vectors = vectors_of(np.array(members, np.int64))
    if len(found) < request.parts:
        raise Invalid(f"the topic has {len(found)} passages that could be split, too few for {request.parts} parts")
    centres = split_centres(vectors, request.parts)
    children = [topic, *(-1 - place for place in range(request.parts - 1))]
    first = next_number(curated)
    data = {"children": children, "numbers": list(range(first, first + request.parts - 1)), **centres_data(centres)}
    return Draft("split", data | {"settled": _settled(state, children, centres, vectors_of), "words": {}})


def _settled(
    state: TopicState, children: Sequence[int], centres: Matrix, vectors_of: VectorsOf
) -> dict[str, list[int]]:
    """Where passages that people had moved into the topic go."""
    loose = np.array(sorted((state.moved | state.kept) - state.pins), np.int64)
    found, vectors = vectors_of(loose)
    groups: dict[str, list[int]] = {}
    for passage, child in zip(found.tolist(), nearest(vectors, centres).tolist() if len(found) else [], strict=True):
        groups.setdefault(str(children[child]), []).append(passage)
    return groups


def split_centres(vectors: Matrix, parts: int) -> Matrix:
    """(parts, E) centres of length 1, that of the largest part first. Invalid where the vectors do not fall apart.

    Spherical k-means (Dhillon and Modha 2001): Lloyd's algorithm on vectors of length 1, here scikit-learn's with ten
    starts and a fixed seed.
    """
    from sklearn.cluster import KMeans

    rows = np.linspace(0, len(vectors) - 1, min(len(vectors), _MOST_CLUSTERED)).astype(np.int64)
    unit = _unit(vectors[rows].astype(np.float64))
    if len(np.unique(unit, axis=0)) < parts:
        raise Invalid(f"the topic's passages are too alike to fall into {parts} parts")
    centres = _unit(KMeans(parts, n_init=10, random_state=0).fit(unit).cluster_centers_).astype(np.float32)
    sizes = np.bincount(nearest(vectors, centres), minlength=parts)
    if not sizes.all():
        raise Invalid(f"the topic's passages are too alike to fall into {parts} parts")
    return np.asarray(centres[np.argsort(-sizes, kind="stable")], np.float32)


def _unit(vectors: Any) -> Any:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


# ------------------------------------------------------------------------------ what is checked


def checked_label(label: str) -> str:
    """The label on one line. Invalid when there is none, or one that no page could show."""
    line = " ".join(label.split())
    if not line or len(line) > LONGEST_LABEL:
        raise Invalid(f"a topic needs a name of 1 to {LONGEST_LABEL} characters")
    return line


def next_number(curated: Curated) -> int:
    return max(curated.base, *(state.topic.number + 1 for state in curated.topics.values()))


def _known(curated: Curated, topic: TopicId) -> int:
    state = curated.topics.get(topic)
    if state is None or state.topic.state != "active":
        raise UnknownTopic(topic)
    return int(topic)


def _free(state: TopicState) -> None:
    if state.topic.pinned:
        raise Conflict(f"topic {state.topic.label!r} is pinned; unpin it first")


def _mains(catalog: Catalog, curated: Curated, passages: Sequence[PassageId]) -> dict[PassageId, TopicId]:
    """The main topic of each; UnknownPassage for one that has none in this model."""
    if not passages:
        raise Invalid("name the passages")
    held = catalog.curation.mains(sorted(curated.active()), np.array(sorted(set(passages)), np.int64))
    for passage in passages:
        if passage not in held:
            raise UnknownPassage(passage)
    return held


_PLANS: dict[type[Any], Callable[[Catalog, Curated, Any, VectorsOf], Draft]] = {
    requests.Rename: _rename, requests.Relabel: _relabel, requests.Hide: _hide, requests.Note: _note,
    requests.Seed: _seed,
    requests.Merge: _merge, requests.Split: _split, requests.Move: _move, requests.Pin: _pin, requests.Unpin: _unpin,
}  # fmt: skip
