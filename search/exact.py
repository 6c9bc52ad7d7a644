"""Words that name few documents win when they are typed, also inside a longer query.

A **code** (CVE-2021-44228, INV-00231, a@b.org, a number of six digits or more) is made to name one thing, and nobody
types it in passing: the documents that hold one come first. That holds while few do: at most one in `ONE_IN`, or `FEW`.

Any other word that at most `FEW` documents hold, and at most one in `ONE_IN`, counts beyond its share of BM25, the more
the fewer they are: one that holds it gains `LIFT` over their number, as a share of the best score. In a query of ten
words a name that a single document holds is a tenth of what is met, and nearness in meaning alone would outweigh it.
The gain is small enough not to put a document first that holds the rare word and nothing else of a long question.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import regex

from riparian.lexical.analysis import identifier, plain_words
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import Clause, Group, Occur, Weighted, Word
from riparian.types import Ids
from search.fusion import Ranking
from search.lexical import Words
from search.ranking import Ranked

FEW = 5
LIFT = 0.1
ONE_IN = 50

_MOST_WORDS = 64
"""Of a longer query, which is a pasted text, no word is typed on purpose."""

_LONG = 12
_BY_LETTER = regex.compile(r"\p{L}.*\d|\d.*[-_/.:#].*\p{L}|\d.*\p{L}.*[-_/.:#]")
_LETTER = regex.compile(r"\p{L}")
_DIGIT = regex.compile(r"\d")
_ADDRESS = regex.compile(r"\S+@\S+\.\S+|\w+://\S+")
_RUN = regex.compile(r"\d{3}")
_NUMBER = regex.compile(r"\d{6,}")


@dataclass(frozen=True, slots=True)
class Held:
    """`codes` of the query that few documents hold, the documents `holding` one, ascending, and what a document gains
    by the rare words that it holds."""

    codes: tuple[str, ...]
    holding: Ids
    gains: dict[int, float]

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"the documents that hold {', '.join(self.codes)} come first",) if self.codes else ()


NOTHING = Held((), np.empty(0, dtype=np.int64), {})


def held(words: Words | None) -> Held:
    """What of a query few documents hold; nothing of a query that is nothing but identifiers, which goes by words."""
    if words is None or words.is_identifier:
        return NOTHING
    typed = list(dict.fromkeys(_typed(words.said or words.group)))
    if not 0 < len(typed) <= _MOST_WORDS:
        return NOTHING
    codes, holding, gains = [], set[int](), dict[int, float]()
    share = words.index.counts()[0] // ONE_IN
    for word in typed:
        if is_code(word):
            found = _holding(words.index, word, max(FEW, share))
            codes += [word] if found else []
            holding.update(found)
        elif found := _rare(words.index, word, min(FEW, share)):
            for document in found:
                gains[document] = max(gains.get(document, 0.0), LIFT / len(found))
    return Held(tuple(codes), np.array(sorted(holding), dtype=np.int64), gains)


def is_code(word: str) -> bool:
    """Letters and at least four digits, three of them in a row (not H3K79me2, 1990s or 5000rpm), three parts of which
    two hold a digit (GHSA-qcx9-j53g-ccgf), a number of six digits or more, or an address."""
    if _ADDRESS.fullmatch(word) or _NUMBER.fullmatch(word):
        return True
    parts = word.split("-")
    if len(word) >= _LONG and len(parts) > 2 and sum(_DIGIT.search(part) is not None for part in parts) > 1:
        return _LETTER.search(word) is not None
    return len(_DIGIT.findall(word)) >= 4 and _RUN.search(word) is not None and _BY_LETTER.search(word) is not None


def lifted(ranked: Ranked, found: Held) -> Ranked:
    """The same with what documents gain by rare words, where both words and meaning ranked."""
    if not found.gains or not 0 < ranked.weight < 1 or not len(ranked.ranking):
        return ranked
    ids, scores = ranked.ranking.ids, ranked.ranking.scores
    gained = np.array([found.gains.get(document, 0.0) for document in ids.tolist()]) * float(scores.max())
    counted = np.isin(ids, ranked.counted)
    order = np.lexsort((np.arange(len(ids)), -np.round(scores + gained, 12), ~counted))
    return replace(ranked, ranking=Ranking(ids[order], (scores + gained)[order], ranked.ranking.floor))


def codes_first(ranked: Ranked, found: Held) -> Ranked:
    """The same with the documents that hold a code before the others, each in their order."""
    if not len(found.holding) or not 0 < ranked.weight < 1:
        return ranked
    ranking = ranked.ranking
    order = np.argsort(~(np.isin(ranking.ids, found.holding) & np.isin(ranking.ids, ranked.counted)), kind="stable")
    return replace(ranked, ranking=Ranking(ranking.ids[order], ranking.scores[order], ranking.floor))


def _typed(group: Group) -> Iterator[str]:
    """The bare words that may match; what is required or excluded is not ranked by being rare."""
    for clause in group.clauses:
        node = clause.node.node if isinstance(clause.node, Weighted) else clause.node
        if clause.occur is Occur.MAY and isinstance(node, Group):  # a bracket in a sentence
            yield from _typed(node)
        elif clause.occur is Occur.MAY and isinstance(node, Word):
            yield node.text.rstrip(".,;:!?)]}\"'”’").lstrip("([{\"'“‘").removesuffix("'s").removesuffix("’s")


def _rare(index: LexicalIndex, word: str, most: int) -> list[int]:
    """The documents that hold a word, where these are at most so many; else none."""
    if identifier(word) is None:
        [*stems] = Words(index, Group((Clause(Occur.MAY, Word(word)),)), word).stems
        if not stems or not 0 < max(index.frequencies(stems)) <= most:
            return []
    return _holding(index, word, most)


def _holding(index: LexicalIndex, word: str, most: int) -> list[int]:
    """The documents that hold it, where these are at most so many; else none."""
    if not plain_words(word):
        return []
    found: list[int] = index.search_documents(Group((Clause(Occur.MUST, Word(word)),)), most + 1).ids.tolist()
    return found if len(found) <= most else []
