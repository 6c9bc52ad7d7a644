"""Loaded encoders, each once a process, checked against the fingerprint that vectors were made with."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path

from riparian.catalog.catalog import Catalog
from riparian.catalog.encoders import StoredEncoder
from riparian.config import Settings
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.library import Library
from riparian.errors import IndexMismatch, MissingPath, UnknownEncoder


class EncoderPool:
    """Loads an encoder at its first use and keeps it. Safe to share between threads."""

    def __init__(
        self,
        cache_dir: Path,
        *,
        device: str = "auto",
        threads: int = 0,
        engine: str = "auto",
        library: Library | None = None,
    ) -> None:
        self._cache_dir, self._device, self._threads, self._engine = cache_dir, device, threads, engine
        self._library = library
        self._loaded: dict[str, Encoder] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_settings(cls, settings: Settings) -> EncoderPool:
        """With the caches and the library of the data folder."""
        return cls(
            settings.data_dir / "cache",
            device=settings.device,
            threads=settings.threads,
            engine=settings.engine,
            library=Library(settings.data_dir / "encoders"),
        )

    def load(self, spec: str) -> Encoder:
        """The encoder that `spec` names, also one of the library by its name; UnknownEncoder, ModelNotInstalled or
        BadWeights when there is none."""
        spec = self._library.spec_of(spec) if self._library else spec
        with self._lock:
            if spec not in self._loaded:
                self._loaded[spec] = self._load(spec)
            return self._loaded[spec]

    def load_anew(self, spec: str) -> Encoder:
        """The same, read from the disk again and not kept: what loading costs can be seen."""
        return self._load(self._library.spec_of(spec) if self._library else spec)

    def _load(self, spec: str) -> Encoder:
        try:
            return registry.load(
                spec, cache_dir=self._cache_dir, device=self._device, threads=self._threads, engine=self._engine
            )
        except UnknownEncoder as error:
            names = [one.name for one in self._library.installed()] if self._library else []
            raise UnknownEncoder(error.name, [*error.known, *names]) from None

    def of(self, stored: StoredEncoder) -> Encoder:
        """The encoder that a collection was indexed with; IndexMismatch when what `spec` loads now is another."""
        encoder = self._found(stored)
        if encoder.fingerprint() != stored.fingerprint:
            found = f"{encoder.info.name} ({encoder.fingerprint()[:12]})"
            raise IndexMismatch("the collection", f"{stored.name} ({stored.fingerprint[:12]})", found)
        return encoder

    def is_loaded(self, stored: StoredEncoder) -> bool:
        return stored.spec in self._loaded

    def _found(self, stored: StoredEncoder) -> Encoder:
        """By its spec; where that is a folder that moved with the data folder, by its fingerprint."""
        try:
            return self.load(stored.spec)
        except MissingPath:
            moved = self._library.with_fingerprint(stored.fingerprint) if self._library else None
            if moved is None:
                raise
            return self.load(str(moved.folder))


def register(catalog: Catalog, encoder: Encoder) -> StoredEncoder:
    """Writes the encoder's card into the catalog and answers with its row."""
    info = encoder.info
    return catalog.encoders.register(
        kind=info.kind,
        spec=info.spec,
        name=info.name,
        fingerprint=encoder.fingerprint(),
        dimension=info.passage_dim,
        card=asdict(info),
    )
