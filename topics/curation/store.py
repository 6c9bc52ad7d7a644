"""Edits in the catalog, and what pages read derived from them: all inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from riparian.catalog.catalog import Catalog
from riparian.catalog.curation import APPLIED, UNDONE, TopicEdit, Weight
from riparian.types import Ids, Matrix, TopicId, TopicModelId
from topics import mixtures as kept_mixtures
from topics.curation import edits, posteriors
from topics.curation.edits import Curated, TopicState
from topics.curation.mixtures import (
    Marked,
    Mixtures,
    Split,
    Step,
    VectorsOf,
    base,
    derive,
    difference,
    marked,
    matrix,
)

BATCH = 20_000
"""Passages whose mixtures are in memory at once."""
DOCUMENTS = 5_000
"""Documents whose passages are, where an edit changes them."""


@dataclass(frozen=True, slots=True)
class Log:
    """A model's topics before any edit, and its edits: those in force, then those that can be done again."""

    start: Curated
    edits: tuple[TopicEdit, ...]

    @property
    def applied(self) -> tuple[TopicEdit, ...]:
        return tuple(edit for edit in self.edits if edit.state == APPLIED)

    @property
    def undone(self) -> tuple[TopicEdit, ...]:
        return tuple(edit for edit in self.edits if edit.state == UNDONE)

    @property
    def head(self) -> int:
        """The last edit in force, 0 where there is none: what is derived depends on nothing later."""
        return self.applied[-1].id if self.applied else 0

    def now(self) -> Curated:
        return edits.fold(self.start, self.applied)


def no_vectors(passages: Ids) -> tuple[Ids, Matrix]:
    """For what no split step reads."""
    return np.zeros(0, np.int64), np.zeros((0, 1), np.float32)


def needs_vectors(curated: Curated) -> bool:
    return any(isinstance(step, Split) for step in curated.steps)


# ------------------------------------------------------------------------------ beginning


def begin(catalog: Catalog, model_id: TopicModelId) -> None:
    """Settles what the model's topics are before any edit: as they are stored now, each a base topic of its own."""
    catalog.curation.put_parts(model_id, parts(catalog, model_id))
    catalog.curation.put_starts(model_id, _starts(catalog, model_id))


def parts(catalog: Catalog, model_id: TopicModelId) -> dict[int, TopicId]:
    """The topic that each base topic belongs to, by number."""
    settled = catalog.curation.parts(model_id)
    return settled or {topic.number: topic.id for topic in catalog.curation.stored(model_id)}


def _starts(catalog: Catalog, model_id: TopicModelId) -> Mapping[TopicId, Mapping[str, Any]]:
    settled = catalog.curation.starts(model_id)
    return settled or {topic.id: edits.start_data(TopicState(topic)) for topic in catalog.curation.stored(model_id)}


def ensure(catalog: Catalog, model_id: TopicModelId) -> None:
    """Takes in a model that was fitted before its posteriors were kept: no edit has changed its mixtures yet."""
    if catalog.curation.parts(model_id):
        return
    begin(catalog, model_id)
    numbers = {int(topic): number for number, topic in parts(catalog, model_id).items()}
    holding = catalog.curation.holding(numbers)
    entries = catalog.curation.mixtures(model_id, holding)
    stored = _mixtures((passage, numbers[topic], weight) for passage, topic, weight in entries)
    kept = matrix(stored, holding, range(max(numbers.values(), default=0) + 1))
    catalog.curation.put_posteriors(model_id, holding, posteriors.pack(kept))


def log(catalog: Catalog, model_id: TopicModelId) -> Log:
    start = edits.begin(_starts(catalog, model_id), max(parts(catalog, model_id), default=-1) + 1)
    return Log(start, tuple(catalog.curation.edits(model_id)))


# ------------------------------------------------------------------------------ deriving


def derived(
    catalog: Catalog, model_id: TopicModelId, curated: Curated, passages: Ids | None, vectors_of: VectorsOf
) -> Mixtures:
    """Mixtures of those of the passages (None: all) that the model has inferred."""
    belongs = parts(catalog, model_id)
    found, packed = catalog.curation.posteriors(model_id, passages)
    kept = posteriors.unpack(packed, max(belongs, default=0) + 1)
    return derive(base(found, kept, belongs), curated.steps, vectors_of)


def stored_mixtures(catalog: Catalog, model_id: TopicModelId, passages: Ids) -> Mixtures:
    """The mixtures that pages show of these passages."""
    return _mixtures(catalog.curation.mixtures(model_id, passages))


def put(catalog: Catalog, model_id: TopicModelId, found: Ids, kept: csr_matrix) -> None:
    """Stores what the model says of passages (ascending ids), which are all there and have nothing of it yet."""
    catalog.curation.put_posteriors(model_id, found, posteriors.pack(kept))


def rewrite(
    catalog: Catalog,
    model_id: TopicModelId,
    curated: Curated,
    passages: Ids,
    vectors_of: VectorsOf,
    *,
    replaced: Sequence[TopicModelId] = (),
) -> None:
    """Derives the rows of these passages and their documents anew, in place of what they had under the model and the
    `replaced` ones; the topics' own rows are there already."""
    models = [model_id, *replaced]
    for batch in _batches(passages):
        mixed = derived(catalog, model_id, curated, batch, vectors_of)
        catalog.curation.replace_passages(models, batch, _weights(mixed))
    documents = np.unique(np.fromiter(catalog.passages.documents_of(passages.tolist()).values(), np.int64))
    for batch in _batches(documents):
        catalog.curation.replace_documents(models, batch, _weights(_of_documents(catalog, model_id, batch)))


def change(
    catalog: Catalog, model_id: TopicModelId, before: Curated, after: Curated, passages: Ids, vectors_of: VectorsOf
) -> None:
    """What an edit changes in the rows of these passages and their documents, which say what `before` says; the topics'
    own rows are there already. Rows that stay as they are are neither read nor written."""
    owners = catalog.passages.documents_of(passages.tolist()).values()
    documents = np.unique(np.fromiter(owners, np.int64, len(owners)))
    belongs = parts(catalog, model_id)
    shared = _shared(before.steps, after.steps)
    for begin_at in range(0, len(documents), DOCUMENTS):
        placed = np.array(catalog.curation.passages_of(documents[begin_at : begin_at + DOCUMENTS]), np.int64)
        found, packed = catalog.curation.posteriors(model_id, placed[:, 0])
        kept = posteriors.unpack(packed, max(belongs, default=0) + 1)
        common = derive(base(found, kept, belongs), before.steps[:shared], vectors_of)
        now = derive(common, after.steps[shared:], vectors_of)
        if any(isinstance(step, Split) for step in before.steps[shared:]):
            was = stored_mixtures(catalog, model_id, found)  # a split can be undone without its vectors
        else:
            was = derive(common, before.steps[shared:], vectors_of)
        catalog.curation.change_passages(*_difference(was, now))
        catalog.curation.change_documents(*_difference(_means(was, placed), _means(now, placed)))


def _shared(before: Sequence[Step], after: Sequence[Step]) -> int:
    """How many steps both begin with."""
    same = (one is other or one == other for one, other in zip(before, after, strict=False))
    return next((place for place, alike in enumerate(same) if not alike), min(len(before), len(after)))


def _difference(was: Mixtures, now: Mixtures) -> tuple[list[Weight], list[Weight], list[Weight]]:
    found = difference(was, now)
    gone, changed, fresh = ([*_listed(entries)] for entries in (found.gone, found.changed, found.fresh))
    return gone, changed, fresh


def put_topics(catalog: Catalog, model_id: TopicModelId, curated: Curated) -> None:
    """The rows of all topics; rows that the curated state does not know are removed with their memberships."""
    catalog.curation.put_topics(model_id, curated.stored())
    left = {topic.id for topic in catalog.curation.stored(model_id)} - set(curated.topics)
    catalog.curation.remove_topics(left)


def affected(catalog: Catalog, changes: Iterable[edits.Edit]) -> Ids:
    """Passages whose mixtures these edits, in force or not, can change."""
    touched = [edits.touched(edit) for edit in changes]
    topics = frozenset[int]().union(*(t for t, _ in touched))
    passages = frozenset[int]().union(*(p for _, p in touched))
    held = catalog.curation.holding(sorted(topics)) if topics else np.zeros(0, np.int64)
    return np.union1d(held, np.fromiter(passages, np.int64, len(passages)))


def _of_documents(catalog: Catalog, model_id: TopicModelId, documents: Ids) -> Mixtures:
    """The mean of their passages' stored mixtures by length."""
    placed = np.array(catalog.curation.passages_of(documents), np.int64).reshape(-1, 3)
    return _means(_mixtures(catalog.curation.mixtures(model_id, placed[:, 0])), placed)


def _means(stored: Mixtures, placed: Ids) -> Mixtures:
    """Of documents, from the mixtures of their passages; `placed` (N, 3): passage, document, characters."""
    inside = np.isin(placed[:, 0], stored.passages)
    topics = np.unique(stored.topics)
    passages = matrix(stored, placed[inside, 0], topics.tolist())
    ids, means = kept_mixtures.of_documents(passages, placed[inside, 1], placed[inside, 2])
    means = means.sorted_indices()
    return Mixtures(np.repeat(ids, np.diff(means.indptr)), topics[means.indices], means.data)


def _mixtures(entries: Iterable[tuple[int, int, float]]) -> Mixtures:
    rows = sorted(entries)
    return Mixtures(
        np.fromiter((row[0] for row in rows), np.int64, len(rows)),
        np.fromiter((row[1] for row in rows), np.int64, len(rows)),
        np.fromiter((row[2] for row in rows), np.float64, len(rows)),
    )


def _weights(mixed: Mixtures) -> Iterator[Weight]:
    return _listed(marked(mixed))


def _listed(entries: Marked) -> Iterator[Weight]:
    columns = (entries.owners.tolist(), entries.topics.tolist(), entries.weights.tolist(), entries.top.tolist())
    for owner, topic, weight, is_top in zip(*columns, strict=True):
        yield Weight(owner, topic, weight, is_top)


def _batches(ids: Ids) -> Iterator[Ids]:
    for begin_at in range(0, len(ids), BATCH):
        yield ids[begin_at : begin_at + BATCH]
