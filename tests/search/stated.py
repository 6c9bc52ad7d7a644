"""The same archive with an encoder that gives token states: what is found is put in order once more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from indexer.embedding import encoded_with_states
from riparian.encoders.base import States, Through
from riparian.encoders.hashing import HashingEncoder
from riparian.encoders.pool import EncoderPool
from riparian.inputs import encoder_input
from riparian.types import Matrix, Role
from riparian.vectors.state_store import StateStore
from riparian.vectors.token_states import TokenStates
from search.service import SearchService
from tests.search.world import World


class StatedEncoder(HashingEncoder):
    """Gives token states with its vectors, as a transformer does."""

    def encode_both(self, texts: Sequence[str], role: Role, through: Through) -> tuple[Matrix, list[States]]:
        full = self.encode_tokens(texts, role)
        return self.encode_passages(texts, role), [States(e.tokens, e.offsets, through(e.vectors)) for e in full]


class StatedPool(EncoderPool):
    def load(self, spec: str) -> StatedEncoder:
        return StatedEncoder(int(spec.partition(":")[2]))


class StatedWorld(World):
    """`embed` keeps the states too; `plain` is the same search without them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, encoder="hashing:64", encoders=StatedPool(folder / "cache"))
        self.plain = self.search
        self.states = StateStore(self.database, folder)
        self.search = self.at_depth()

    def at_depth(self, depth: int = 1000) -> SearchService:
        return SearchService(
            self.database, self.encoders, self.vectors, self.lexical, depth=depth, states=self.states
        )  # fmt: skip

    @property
    def held(self) -> TokenStates:
        assert self.encoder is not None
        return self.states.snapshot(self.id, self.encoder)

    def embed(self, limit: int = 10_000) -> None:
        assert self.encoder is not None
        encoder = self.encoders.of(self.encoder)
        assert isinstance(encoder, StatedEncoder)
        parts = self.held.parts
        with self.database.read() as catalog:
            pending = catalog.vectors.pending(self.id, self.encoder.id, limit)
        texts = [encoder_input(passage.title, passage.text) for passage in pending]
        matrix, basis, rows = encoded_with_states(encoder, texts, parts[-1].basis if parts else None)
        ids = [passage.passage_id for passage in pending]
        draft = self.states.draft(self.id, self.encoder, dict(zip(ids, rows, strict=True)), basis)
        with self.database.write() as catalog:
            catalog.vectors.put(self.id, self.encoder.id, np.array(ids, dtype=np.int64), matrix)
            draft.publish(catalog)
            catalog.collections.touch(self.id)
