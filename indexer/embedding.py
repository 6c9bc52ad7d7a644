"""Passages into vectors: batches of about equal length, one transaction each, nothing encoded twice.

Where the encoder gives them in the same pass, the token states that re-ranking compares are kept beside the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.catalog.engine import Database
from riparian.catalog.ids import in_chunks
from riparian.catalog.vectors import Pending
from riparian.encoders.base import Encoder, GivesStates, States
from riparian.failpoints import failpoint
from riparian.inputs import encoder_input
from riparian.types import CollectionId, Ids, Matrix
from riparian.vectors.state_store import Draft, StateStore
from riparian.vectors.store import VectorStore
from riparian.vectors.token_states import Rows, is_kept, main_directions, rounded

BATCH = 256
"""Texts encoded, and vectors committed, at a time: what a kill costs at most."""

BATCH_CHARACTERS = 60_000
"""The same for long texts: a few seconds' work on a slow machine, so that who stops often still comes to an end."""

_WINDOW = 16 * BATCH  # passages looked at together: enough for batches of like length, a few megabytes of text

_Text = tuple[str, list[Pending]]  # what the encoder is given, and the passages that it stands for

Commit = Callable[[Catalog, int], None]
"""Called in the transaction of a batch with the number of passages that it gave vectors to."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """Gives every passage of a collection its vector of one encoder."""

    database: Database
    store: VectorStore
    collection_id: CollectionId
    stored: StoredEncoder
    encoder: Encoder
    states: StateStore | None = None

    def run(self, commit: Commit) -> int:
        """Embeds what is pending and answers with how many texts were encoded.

        Passages that give the encoder exactly the same text share one vector, also with those embedded before.
        """
        encoded, after = 0, 0
        while window := self._window(after):
            after = window[-1].passage_id
            groups = _by_key(window)
            self._copy(groups, commit)
            encoded += self._encode(list(groups.values()), commit)
        return encoded

    def _window(self, after: int) -> list[Pending]:
        with self.database.read() as catalog:
            return catalog.vectors.pending(self.collection_id, self.stored.id, _WINDOW, after)

    def _copy(self, groups: dict[str, list[Pending]], commit: Commit) -> None:
        """Takes out of `groups` those whose text was embedded before, and gives them that vector."""
        with self.database.read() as catalog:
            known = catalog.vectors.same_key(self.collection_id, self.stored.id, list(groups))
        if not known:
            return
        view = self.store.snapshot(self.collection_id, self.stored, wait=True).view
        keys = [key for key, there in zip(known, np.isin(list(known.values()), view.ids), strict=True) if there]
        for batch in in_chunks(keys, BATCH):
            sources = np.array([known[key] for key in batch], dtype=np.int64)
            taken = [groups.pop(key) for key in batch]
            self._put(taken, view.vectors(sources), commit, self._copied(sources, taken))

    def _encode(self, groups: list[list[Pending]], commit: Commit) -> int:
        texts = [(encoder_input(group[0].title, group[0].text), group) for group in groups]
        texts.sort(key=lambda pair: (-len(pair[0]), pair[1][0].passage_id))
        for batch in _batches(texts):
            matrix, draft = self._encoded([text for text, _ in batch], [group for _, group in batch])
            failpoint("embedding.encoded")
            self._put([group for _, group in batch], matrix, commit, draft)
            failpoint("embedding.committed")
        return len(texts)

    def _encoded(self, texts: Sequence[str], groups: Sequence[list[Pending]]) -> tuple[Matrix, Draft | None]:
        if self.states is None or not isinstance(self.encoder, GivesStates):
            return self.encoder.encode_passages(texts, "passage"), None
        matrix, basis, rows = encoded_with_states(self.encoder, texts, self._basis())
        by_passage = {p.passage_id: own for group, own in zip(groups, rows, strict=True) for p in group}
        return matrix, self.states.draft(self.collection_id, self.stored, by_passage, basis)

    def _basis(self) -> Matrix | None:
        """The directions of the states that there are: all of a collection are coordinates along the same ones."""
        assert self.states is not None
        parts = self.states.snapshot(self.collection_id, self.stored).parts
        return parts[-1].basis if parts else None

    def _copied(self, sources: Ids, groups: Sequence[list[Pending]]) -> Draft | None:
        """The states of passages that share the text of others; None where those have none."""
        if self.states is None:
            return None
        snapshot = self.states.snapshot(self.collection_id, self.stored)
        found = snapshot.of(sources.tolist())
        basis = self._basis()
        if basis is None or any(not np.array_equal(own, basis) for own, _ in found.values()):
            return None
        pairs = zip(sources.tolist(), groups, strict=True)
        copies = {p.passage_id: found[source][1] for source, group in pairs if source in found for p in group}
        return self.states.draft(self.collection_id, self.stored, copies, basis) if copies else None

    def _put(self, groups: Sequence[list[Pending]], matrix: Matrix, commit: Commit, draft: Draft | None) -> None:
        """One row of the matrix for every passage of the group beside it."""
        ids, rows = _spread(groups)
        with self.database.write() as catalog:
            catalog.vectors.put(self.collection_id, self.stored.id, ids, matrix[rows])
            if draft is not None:
                draft.publish(catalog)
            catalog.collections.touch(self.collection_id)
            commit(catalog, len(ids))


def encoded_with_states(
    encoder: GivesStates, texts: Sequence[str], basis: Matrix | None
) -> tuple[Matrix, Matrix, list[Rows]]:
    """The texts' vectors, the directions, and the kept rows of each text; the directions are those of the texts
    themselves where `basis` gives none."""
    if basis is None:
        matrix, full = encoder.encode_both(texts, "passage", lambda rows: rows)
        basis = main_directions(np.concatenate([telling(one) for one in full]))
        return matrix, basis, [rounded(telling(one), basis) for one in full]
    known = basis
    matrix, kept = encoder.encode_both(texts, "passage", lambda rows: rounded(rows, known))
    return matrix, known, [telling(one) for one in kept]


def telling(states: States) -> NDArray[Any]:
    """The rows of the tokens that are kept."""
    return states.rows[[is_kept(token) for token in states.tokens]]


def _batches(texts: Iterable[_Text]) -> Iterator[list[_Text]]:
    """In their order, at most `BATCH` of them and `BATCH_CHARACTERS` at a time; a longer one alone."""
    batch: list[_Text] = []
    size = 0
    for text, of in texts:
        if batch and (len(batch) == BATCH or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append((text, of))
        size += len(text)
    if batch:
        yield batch


def _by_key(window: Sequence[Pending]) -> dict[str, list[Pending]]:
    groups: dict[str, list[Pending]] = {}
    for passage in window:
        groups.setdefault(passage.key, []).append(passage)
    return groups


def _spread(groups: Sequence[list[Pending]]) -> tuple[Ids, Ids]:
    pairs = np.array(list(_pairs(groups)), dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _pairs(groups: Sequence[list[Pending]]) -> Iterator[tuple[int, int]]:
    for row, group in enumerate(groups):
        for passage in group:
            yield passage.passage_id, row
