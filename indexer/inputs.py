"""The keys that tell whether an encoder was given a text before, and whether a document was read before."""

from __future__ import annotations

import hashlib


def key_of(encoder_text: str) -> str:
    """SHA-256 (hex): the same key, the same vector."""
    return hashlib.sha256(encoder_text.encode()).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 (hex) of a document's text: equal for exact duplicates."""
    return hashlib.sha256(text.encode()).hexdigest()
