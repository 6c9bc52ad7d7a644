"""Words that no document holds, and the words of the collection that were probably meant.

An unknown word is looked for by those that look like it (`vocabulary.py`), which count less than words as they were
typed. Asked for everything (`on`), a word that is known also finds rare words that look like it: what a scanner made of
it. What is required, excluded, in quotes or a pattern is taken at its word, and so are identifiers and pasted texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from riparian.lexical.analysis import identifier, plain_words, stemming
from riparian.lexical.query import PASTED, Clause, Group, Occur, Weighted, Word
from riparian.types import Respelt
from search.lexical import Words
from search.request import Fuzziness

NEAREST, OTHERS = 0.8, 0.4
"""What the nearest look-alike counts, and each of the others that are as near; a word as typed counts 1."""

MOST = 3
"""Look-alikes of an unknown word."""

SCANNED = 0.4
"""What a rare look-alike of a word that is known counts."""

_RARE = 2  # documents
_MOST_SCANNED = 5
_LEAST_LETTERS = 5  # of a known word: shorter ones have look-alikes that are words of their own


def respelt(words: Words, fuzziness: Fuzziness) -> Words:
    """The same, looking for what was probably meant as well."""
    typed = list(_typed(words.group))
    if fuzziness is Fuzziness.OFF or words.is_identifier or not 0 < len(typed) <= PASTED:
        return words
    found = [one for word in dict.fromkeys(typed) if (one := _unknown(words, word)) is not None]
    if fuzziness is Fuzziness.ON:
        known = set(typed) - {one.typed for one in found}
        found += [one for word in dict.fromkeys(typed) if word in known and (one := _scanned(words, word)) is not None]
    if not found:
        return words
    clauses = tuple(clause for one in found for clause in _clauses(one))
    return replace(words, group=Group(words.group.clauses + clauses), said=words.group, respelt=tuple(found))


def _typed(group: Group) -> Iterator[str]:
    """The folded words that may match, identifiers left out."""
    for clause in group.clauses:
        node = clause.node.node if isinstance(clause.node, Weighted) else clause.node
        if clause.occur is not Occur.MAY:
            continue
        if isinstance(node, Group):
            yield from _typed(node)
        elif isinstance(node, Word) and identifier(node.text) is None:
            yield from plain_words(node.text)


def _unknown(words: Words, word: str) -> Respelt | None:
    """What a word that no document holds, in any form, may be; None for one that is held, or is like nothing."""
    index = words.index
    stems = [stemming(language)(word) for language in index.languages]
    if None in stems or index.vocabulary.documents(word) or any(index.frequencies([s for s in stems if s])):
        return None
    near = index.vocabulary.near(word)
    nearest = [one.word for one in near if one.distance == near[0].distance][:MOST]
    return Respelt(word, tuple(nearest), unknown=True) if nearest else None


def _scanned(words: Words, word: str) -> Respelt | None:
    """What a scanner may have made of a word: look-alikes in one or two documents, fewer than hold the word, that are
    no other form of it."""
    vocabulary, languages = words.index.vocabulary, words.index.languages
    if len(word) < _LEAST_LETTERS or any(stemming(language)(word) is None for language in languages):
        return None
    own = {stemming(language)(word) for language in languages}
    most = min(_RARE, vocabulary.documents(word) - 1)
    near = [
        one.word
        for one in vocabulary.near(word)
        if one.documents <= most and not own & {stemming(language)(one.word) for language in languages}
    ]
    return Respelt(word, tuple(near[:_MOST_SCANNED]), unknown=False) if near else None


def _clauses(one: Respelt) -> Iterator[Clause]:
    for place, word in enumerate(one.used):
        weight = (OTHERS if place else NEAREST) if one.unknown else SCANNED
        yield Clause(Occur.MAY, Weighted(Word(word), weight))
