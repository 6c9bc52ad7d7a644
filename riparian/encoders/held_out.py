"""Which part of a text judges a model and is never trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def key_of(words: Iterable[str]) -> bytes:
    """What stands for a sentence, whatever characters are in it."""
    return "\x1f".join(words).encode("utf-8", "surrogatepass")


def share_of(sentence: bytes, seed: int) -> float:
    """A number in [0, 1) that depends on the sentence and the seed alone: below the share that is held out, it is. So
    equal sentences are held out together or not at all."""
    digest = hashlib.sha256(f"{seed} ".encode() + sentence).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
