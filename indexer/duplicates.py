"""Groups of documents that say the same: MinHash signatures of word triples, found by locality-sensitive hashing.

Broder, "On the resemblance and containment of documents" (1997): the share of equal entries in two signatures
estimates the Jaccard similarity of the sets of word triples.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from zlib import crc32

import numpy as np
from datasketch import LeanMinHash, MinHash, MinHashLSH
from numpy.typing import NDArray

from riparian.text import content_digest, words

THRESHOLD = 0.85
"""Jaccard similarity of word triples from which two texts count as the same: a word in a paragraph may differ."""

SIGNATURE_BYTES = 16 + 4 * 128

_PERMUTATIONS = 128
_SCHEME = "affine32"  # stored signatures depend on it, so it is named and not left to the library's default
_SEED = 1
_SHINGLE = 3
_DIGEST_BYTES = 16
# Bounds the memory for a book: its triples times the permutations.
_BATCH = 4096
# Finding all pairs matters more than a short list: each candidate is checked against the threshold.
_WEIGHTS = (0.2, 0.8)


def signature(text: str) -> bytes:
    """SIGNATURE_BYTES bytes to store with a document: part of its content digest, then 128 MinHash values."""
    hasher = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, hashfunc=int, permutations=_permutations(), scheme=_SCHEME)
    shingles = sorted(_shingles(text))
    for start in range(0, len(shingles), _BATCH):
        hasher.update_batch(shingles[start : start + _BATCH])
    digest = bytes.fromhex(content_digest(text))[:_DIGEST_BYTES]
    values: NDArray[np.uint32] = hasher.hashvalues
    return digest + values.astype("<u4").tobytes()


@functools.cache
def _permutations() -> NDArray[np.uint64]:
    permutations: NDArray[np.uint64] = MinHash(num_perm=_PERMUTATIONS, seed=_SEED, scheme=_SCHEME).permutations
    return permutations


def _shingles(text: str) -> set[int]:
    """Hashes of the runs of three words; of all words together in a shorter text."""
    folded = [word.word for word in words(text)]
    if not folded:
        return set()
    runs = zip(*(folded[start:] for start in range(_SHINGLE)), strict=False) if len(folded) > _SHINGLE else [folded]
    return {crc32(" ".join(run).encode("utf-8", "replace")) for run in runs}


def group(signatures: Mapping[int, bytes], threshold: float = THRESHOLD) -> dict[int, int]:
    """Document id → id of the group, for every document that has a near-duplicate; the others are left out.

    A group is named by its smallest document id. In order of id, a document joins the first group whose named document
    it resembles by `threshold` or more, so likeness is never passed along a chain, and documents that are added with
    larger ids leave the groups of the others as they were. Time grows linearly with the number of documents.
    """
    leaders = _Leaders(threshold)
    joined = {document: leaders.join(document, signatures[document]) for document in sorted(signatures)}
    shared = {leader for document, leader in joined.items() if document != leader}
    return {document: leader for document, leader in joined.items() if leader in shared}


class _Leaders:
    """The first documents of the groups so far."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._index = MinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, weights=_WEIGHTS)
        self._values: dict[int, NDArray[np.uint32]] = {}
        self._by_digest: dict[bytes, int] = {}

    def join(self, document: int, stored: bytes) -> int:
        """The group's first document, `document` itself where it begins a group."""
        digest, values = stored[:_DIGEST_BYTES], np.frombuffer(stored[_DIGEST_BYTES:], dtype="<u4")
        leader = self._by_digest.get(digest)
        if leader is None:
            leader = self._alike(document, values)
            self._by_digest[digest] = leader
        return leader

    def _alike(self, document: int, values: NDArray[np.uint32]) -> int:
        if (values == values.max()).all():  # no word at all: alike only to the very same text
            return document
        sketch = LeanMinHash(seed=_SEED, hashvalues=values, scheme=_SCHEME)
        for leader in sorted(self._index.query(sketch)):
            if (self._values[leader] == values).mean() >= self._threshold:
                return int(leader)
        self._index.insert(document, sketch)
        self._values[document] = values
        return document
