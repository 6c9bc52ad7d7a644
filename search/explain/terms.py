"""BM25 by the query's own words: what each of them adds to a document's score, and how much each tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log1p

import numpy as np

from riparian.lexical.analysis import guess_language, plain_words, stemming
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import Clause, Group, Occur
from riparian.lexical.query import Terms as Stems
from riparian.types import DocumentId
from search.explain.records import Terms, TermShare
from search.lexical import Words


def terms_of(words: Words, documents: Sequence[DocumentId]) -> dict[DocumentId, Terms]:
    """The BM25 score of each document (title and whole text) by the parts of the query, in the query's order.

    Stems that examples of what is wanted or unwanted brought in come last; unwanted ones count below 0.
    """
    ids = np.array(sorted(set(documents)), dtype=np.int64)
    liked = (Clause(Occur.MAY, Stems(words.liked)),) if words.liked else ()
    found = words.index.term_scores(Group(words.group.clauses + liked), ids)
    shares = [(part.term, part.words, part.scores, 1.0) for part in found]
    if words.disliked:
        against = words.index.term_scores(Group((Clause(Occur.MAY, Stems(words.disliked)),)), ids)
        shares += [(part.term, part.words, part.scores, -1.0) for part in against]
    return {
        document: _terms([TermShare(term, own, sign * scores.get(document, 0.0)) for term, own, scores, sign in shares])
        for document in documents
    }


def _terms(shares: list[TermShare]) -> Terms:
    """A word has a stem in each language of the collection: these count together, under the one that adds most."""
    found: dict[tuple[str, ...], list[TermShare]] = {}
    for one in shares:
        found.setdefault(one.words or (one.term,), []).append(one)
    merged = [
        TermShare(max(same, key=lambda one: abs(one.score)).term, same[0].words, sum(one.score for one in same))
        for same in found.values()
    ]
    return Terms(sum(one.score for one in shares), tuple(merged))


def rarity_in(index: LexicalIndex) -> Callable[[Sequence[str]], list[float]]:
    """How much words tell in a collection: the inverse document frequency of the most frequent of their stems; 0 for a
    stop word; that of a word in no document for one that stands in none."""
    return lambda words: _rarities(index, words)


def _rarities(index: LexicalIndex, words: Sequence[str]) -> list[float]:
    plain = [plain_words(word) for word in words]
    languages = index.languages or ("",)
    own = stemming(guess_language([part for parts in plain for part in parts], languages))
    stems = [[stem for part in parts if own(part) is not None for stem in _stems(part, languages)] for parts in plain]
    names = sorted({stem for each in stems for stem in each})
    known = dict(zip(names, index.rarity(names), strict=True))
    unknown = log1p(2 * index.counts()[0] + 1)
    return [min((known[stem] or unknown for stem in each), default=0.0) for each in stems]


def _stems(word: str, languages: Sequence[str]) -> list[str]:
    found = {stemming(language)(word) for language in languages}
    return sorted(stem for stem in found if stem is not None)
