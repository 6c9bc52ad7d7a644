"""What an encoder is given of a passage. Who indexes and who explains a vector must agree on it."""

from __future__ import annotations

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
