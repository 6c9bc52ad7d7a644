"""What the encoder is given of a passage, and the key that tells whether it was given that before."""

from __future__ import annotations

import hashlib

LONGEST_TITLE = 200
"""Characters of a title that go before each passage; a longer one is cut at a word."""


def encoder_input(title: str, text: str) -> str:
    """The document's title, a line end, the passage; the passage alone where it begins with the title anyway."""
    short = shortened(title)
    if not short or text.lstrip().startswith(short):
        return text
    return f"{short}\n{text}"


def shortened(title: str) -> str:
    title = title.strip()
    if len(title) <= LONGEST_TITLE:
        return title
    return title[:LONGEST_TITLE].rsplit(maxsplit=1)[0]


def key_of(encoder_text: str) -> str:
    """SHA-256 (hex): the same key, the same vector."""
    return hashlib.sha256(encoder_text.encode()).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 (hex) of a document's text: equal for exact duplicates."""
    return hashlib.sha256(text.encode()).hexdigest()
