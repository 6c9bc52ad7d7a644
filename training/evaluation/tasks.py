"""Questions whose answer is known without anyone having judged: each document is to be found by a part of itself.

- known item: by its title, or by its first sentence where it has none (Azzopardi and de Rijke, 2006);
- sentence: by a sentence of it, drawn at random;
- half: its second half by its first half (compare the inverse cloze task, Lee et al., 2019).

What is asked with is taken out of the document. Titles are no part of what is searched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from riparian.lexical.analysis import plain_words
from riparian.text import collapse, sentences
from riparian.types import Span
from training.collected import Source

KNOWN_ITEM, SENTENCE, HALF = "known item", "sentence", "half"
TASKS = (KNOWN_ITEM, SENTENCE, HALF)

LONGEST_QUERY = 200
"""Words of a question at most: those of a half beyond them are not asked with, and not searched either."""

_FEWEST_WORDS = 4  # of a sentence that is asked with
_LEAST_LEFT = 40  # characters of what is searched


@dataclass(frozen=True, slots=True)
class Body:
    """What of a document is searched."""

    id: int
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the document that answers it."""

    text: str
    document: int


@dataclass(frozen=True, slots=True)
class Task:
    """Questions to one set of bodies; at most one a document."""

    name: str
    bodies: tuple[Body, ...]
    queries: tuple[Query, ...]


_Asked = tuple[str, str]  # the question, what is left to find
_Ask = Callable[[Source, str], _Asked | None]


def tasks(pool: Sequence[Source], asked: Sequence[Source], seed: int) -> tuple[Task, ...]:
    """The three tasks in the order of TASKS: every document of the pool is searched, those `asked` are asked for where
    they allow it. A title that several documents of the pool have asks for none of them."""
    plain = {one.id: _untitled(one) for one in pool}
    titles = Counter(_folded(one.title) for one in pool)
    makers: dict[str, _Ask] = {
        KNOWN_ITEM: lambda one, text: _known_item(one, text, titles),
        SENTENCE: lambda one, text: _sentence(one, text, seed),
        HALF: _half,
    }
    return tuple(_task(name, maker, pool, plain, asked) for name, maker in makers.items())


def _task(name: str, ask: _Ask, pool: Sequence[Source], plain: dict[int, str], asked: Sequence[Source]) -> Task:
    found = {one.id: made for one in asked if (made := ask(one, plain[one.id]))}
    left = plain | {number: rest for number, (_, rest) in found.items()}
    bodies = tuple(Body(one.id, left[one.id], one.language) for one in pool)
    return Task(name, bodies, tuple(Query(text, number) for number, (text, _) in found.items()))


def _known_item(one: Source, text: str, titles: Counter[str]) -> _Asked | None:
    if plain_words(one.title) and titles[_folded(one.title)] == 1:
        return (collapse(one.title), text) if len(text) >= _LEAST_LEFT else None
    spans = sentences(text, one.language)
    return _without(text, spans[0]) if len(spans) > 1 else None


def _sentence(one: Source, text: str, seed: int) -> _Asked | None:
    spans = [span for span in sentences(text, one.language) if _says_something(text[span.start : span.end])]
    if len(spans) < 2:
        return None
    # by the document's own number: what is drawn does not depend on the other documents
    return _without(text, spans[np.random.default_rng([seed, one.id]).integers(len(spans))])


def _half(one: Source, text: str) -> _Asked | None:
    spans = sentences(text, one.language)
    middle = next((span.start for span in spans if span.start >= len(text) / 2), None)
    if middle is None:
        return None
    first, second = text[:middle], text[middle:]
    query = " ".join(first.split()[:LONGEST_QUERY])
    return (query, second) if _says_something(query) and len(second) >= _LEAST_LEFT else None


def _without(text: str, span: Span) -> _Asked | None:
    """The sentence, and the text without it wherever it stands."""
    sentence = text[span.start : span.end]
    rest = text.replace(sentence, " ")
    return (collapse(sentence), rest) if _says_something(sentence) and len(rest.strip()) >= _LEAST_LEFT else None


def _says_something(text: str) -> bool:
    return len(plain_words(text)) >= _FEWEST_WORDS


def _untitled(one: Source) -> str:
    """The text without the title at its beginning."""
    text, title = one.text.lstrip(), one.title.strip()
    if title and _folded(text[: len(title)]) == _folded(title):
        return text[len(title) :].lstrip()
    return text


def _folded(text: str) -> str:
    return collapse(text).casefold()
