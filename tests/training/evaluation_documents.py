"""Documents to judge encoders by: real news, small."""

from __future__ import annotations

from functools import cache
from itertools import islice

from indexer.sample import sample_documents
from training.collected import Source


@cache
def news(count: int = 60, first: int = 0) -> tuple[Source, ...]:
    """Stories without titles."""
    stories = islice(sample_documents(), first, first + count)
    return tuple(Source(number, number, "", one.text, "en") for number, one in enumerate(stories, start=first + 1))


@cache
def titled(count: int = 40) -> tuple[Source, ...]:
    """The same with their first words as titles."""
    return tuple(Source(one.id, one.group, f"Story {one.id} of the day", one.text, "en") for one in news(count))
