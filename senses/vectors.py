"""Vectors of occurrences, computed when a word is first asked for and kept under the encoder's fingerprint.

    <folder>/<first 32 digits of the fingerprint>/<hash of the word>.safetensors

holds, for each occurrence, a 16 byte key (its sentence and place) and four vectors as float16. Keys do not name a
collection: the same sentence elsewhere costs nothing. A file that is lost or damaged is computed anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.errors import TokensUnavailable
from senses.occurrences import Occurrence, Target
from senses.views import NAMES, Views, views_of

logger = logging.getLogger(__name__)

BATCH = 64
FORMAT = "1"
LARGEST_BYTES = 2 << 30
"""What all files may take together; those used longest ago go first."""

Progress = Callable[[int, int], None]

Stacked = NDArray[np.float16]  # (N, 4, token_dim)


def silent(_done: int, _total: int) -> None:
    """Says nothing."""


def check_tells_senses(encoder: Encoder) -> None:
    """TokensUnavailable, saying why, for an encoder that gives no token vectors or the same ones in every sentence."""
    info = encoder.info
    if info.token_dim is None:
        raise TokensUnavailable(
            f"{info.name} gives vectors of whole texts only, none of single words; senses need an encoder with token "
            "vectors such as sentence-transformers (`riparian reindex --encoder sentence-transformers`)"
        )
    if info.contextual == "none":
        raise TokensUnavailable(
            f"{info.name} gives a word the same vector in every sentence, so it cannot tell its senses apart; use a "
            "contextual encoder such as sentence-transformers (`riparian reindex --encoder sentence-transformers`)"
        )


class OccurrenceVectors:
    """Safe to share between threads and processes: a file is written beside and put in place under a lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(
        self, encoder: Encoder, target: Target, occurrences: Sequence[Occurrence], progress: Progress = silent
    ) -> Views:
        """One row for each occurrence in order. Encodes only sentences that are not kept; `progress` counts all and
        may raise, which loses nothing that was computed. TokensUnavailable as `check_tells_senses` says."""
        check_tells_senses(encoder)
        path = self._path(encoder, target)
        with _locked(path):
            kept = _read(path, encoder.info.token_dim)
            self._add_missing(encoder, path, kept, occurrences, progress)
            path.touch()
        if not occurrences:
            return _views(np.zeros((0, len(NAMES), encoder.info.token_dim or 0), dtype=np.float16))
        return _views(np.stack([kept[occurrence.key] for occurrence in occurrences]))

    def missing(self, encoder: Encoder, target: Target, occurrences: Sequence[Occurrence]) -> int:
        """How many sentences would have to be encoded."""
        kept = _read(self._path(encoder, target), encoder.info.token_dim)
        return len({occurrence.key for occurrence in occurrences} - kept.keys())

    def _add_missing(
        self,
        encoder: Encoder,
        path: Path,
        kept: dict[bytes, Stacked],
        occurrences: Sequence[Occurrence],
        progress: Progress,
    ) -> None:
        wanted = list({one.key: one for one in occurrences if one.key not in kept}.values())
        if not wanted:
            return
        before = len(occurrences) - len(wanted)
        try:
            for start in range(0, len(wanted), BATCH):
                progress(before + start, len(occurrences))
                batch = wanted[start : start + BATCH]
                encodings = encoder.encode_tokens([one.sentence for one in batch], "passage")
                for one, encoding in zip(batch, encodings, strict=True):
                    kept[one.key] = views_of(encoding, one.sentence, one.at).astype(np.float16)
        finally:
            _write(path, kept)
            self._sweep(path)
        progress(len(occurrences), len(occurrences))

    def _path(self, encoder: Encoder, target: Target) -> Path:
        said = json.dumps([FORMAT, target.words, target.lemma], ensure_ascii=False)
        name = hashlib.sha256(said.encode()).hexdigest()[:32]
        return self._folder / encoder.fingerprint()[:32] / f"{name}.safetensors"

    def _sweep(self, latest: Path) -> None:
        files = [(path.stat().st_mtime, path.stat().st_size, path) for path in self._folder.glob("*/*.safetensors")]
        room = LARGEST_BYTES - sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if room >= 0:
                return
            if path != latest:
                path.unlink(missing_ok=True)
                room += size


def _locked(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_suffix(".lock"))


def _read(path: Path, width: int | None) -> dict[bytes, Stacked]:
    """Empty where there is no file, or none that can be used."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = load_file(path)
        keys, vectors = found["keys"], found["vectors"]
    except (SafetensorError, KeyError, OSError) as error:
        logger.warning("%s cannot be read (%s) and is computed anew", path, error)
        return {}
    if keys.shape != (len(vectors), 16) or vectors.shape[1:] != (len(NAMES), width) or vectors.dtype != np.float16:
        logger.warning("%s holds vectors of another shape and is computed anew", path)
        return {}
    return {bytes(key): vector for key, vector in zip(keys, vectors, strict=True)}


def _write(path: Path, kept: dict[bytes, Stacked]) -> None:
    from safetensors.numpy import save_file

    if not kept:
        return
    keys = np.frombuffer(b"".join(kept), dtype=np.uint8).reshape(len(kept), 16)
    beside = path.with_suffix(".new")
    save_file({"keys": keys.copy(), "vectors": np.stack(list(kept.values()))}, beside)
    beside.replace(path)


def _views(vectors: Stacked) -> Views:
    """float32 rows of unit length again, so that cosines do not carry the rounding to 16 bits; zero rows stay."""
    rows = vectors.astype(np.float32)
    lengths = np.linalg.norm(rows, axis=2, keepdims=True)
    rows /= np.where(lengths == 0, 1, lengths)
    return Views(*(np.ascontiguousarray(rows[:, number]) for number in range(len(NAMES))))
