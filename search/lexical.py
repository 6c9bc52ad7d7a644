"""The words of a query against a collection's lexical index: candidates, constraints, best places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import regex

from riparian.lexical.analysis import guess_language, identifier, plain_words, stemming
from riparian.lexical.highlight import spans
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import Clause, Group, Node, Occur, Phrase, Terms, Weighted, Word, bag, parse, wanted
from riparian.types import Ids, Respelt, Span
from search.fusion import Ranking
from search.layout import Layout


@dataclass(frozen=True, slots=True)
class Words:
    """A query as the lexical index reads it. `typed` is what the user wrote.

    `is_identifier` = it is nothing but identifiers (CVE-2021-44228, a@b.org), whose meaning tells nothing. `liked` and
    `disliked` are stems that move the ranking, by weight (`steering.py`); they match nothing by themselves. `respelt`
    are words that `group` also looks for by what looks like them (`fuzzy.py`); `said` is the query without these.
    """

    index: LexicalIndex
    group: Group
    typed: str
    is_identifier: bool = False
    liked: tuple[tuple[str, float], ...] = ()
    disliked: tuple[tuple[str, float], ...] = ()
    respelt: tuple[Respelt, ...] = ()
    said: Group | None = None

    @classmethod
    def of_query(cls, index: LexicalIndex, typed: str) -> Words:
        """Reads the operators of the query language. BadQuery for a query without a word."""
        group = parse(typed)
        names = _identifiers(group)
        # inside an address or a link an identifier is found by its parts in their order
        phrases = tuple(Clause(Occur.MAY, Phrase(name)) for name in names)
        return cls(index, Group(group.clauses + phrases), typed, bool(names))

    @classmethod
    def of_text(cls, index: LexicalIndex, text: str) -> Words:
        """A text in which nothing is an operator."""
        return cls(index, bag(text), text)

    @property
    def meaning(self) -> str:
        """What an encoder is given: the text as typed, or, where operators were, what they ask for; with words that no
        document holds as they were probably meant."""
        said = self.said or self.group
        if self.is_identifier or all(_is_wish(clause) for clause in said.clauses):
            return _as_meant(self.typed, self.respelt)
        return _as_meant(" ".join(node.text for node in wanted(said)), self.respelt)

    @property
    def stems(self) -> frozenset[str]:
        """Of what is asked for, in the languages of the collection; stop words are left out."""
        plain = [word for node in wanted(self.said or self.group) for word in plain_words(node.text)]
        own = stemming(guess_language(plain, self.index.languages))
        kept = [word for word in plain if own(word) is not None]
        found = {stemming(language)(word) for language in self.index.languages for word in kept}
        return frozenset(stem for stem in found if stem is not None)

    @property
    def meant(self) -> frozenset[str]:
        """`stems`, and those of the likeliest words for what no document holds."""
        likeliest = {one.used[0] for one in self.respelt if one.unknown}
        found = {stemming(language)(word) for language in self.index.languages for word in likeliest}
        return self.stems | {stem for stem in found if stem is not None}

    @property
    def known_share(self) -> float:
        """The share of the words that tell something of which it was not to be guessed what was meant."""
        guessed = sum(one.unknown for one in self.respelt)
        if not guessed:
            return 1.0
        plain = {word for node in wanted(self.said or self.group) for word in plain_words(node.text)}
        own = stemming(guess_language(sorted(plain), self.index.languages))
        return 1 - guessed / max(guessed, sum(own(word) is not None for word in plain))

    def ranking(self, count: int, allowed: Ids | None) -> Ranking:
        """The best documents by BM25 over title and text, moved by the stems liked and disliked."""
        moved = (Clause(Occur.MAY, Terms(self.liked)),) if self.liked else ()
        found = self.index.search_documents(Group(self.group.clauses + moved), count, allowed=allowed)
        if not self.disliked or not len(found.ids):
            return Ranking.of(found.ids, found.scores, floor=0.0)
        against = Group((Clause(Occur.MAY, Terms(self.disliked)),))
        worse = self.index.search_documents(against, len(found.ids), allowed=np.sort(found.ids))
        scores = dict(zip(worse.ids.tolist(), worse.scores.tolist(), strict=True))
        lost = np.array([scores.get(one, 0.0) for one in found.ids.tolist()])
        return Ranking.of(found.ids, np.maximum(0.0, found.scores.astype(np.float64) - lost), floor=0.0)

    def matches(self, allowed: Ids | None) -> Ids:
        """Every document that matches, ascending."""
        found = self.index.matches(self.group)
        return found if allowed is None else np.intersect1d(found, allowed, assume_unique=True)

    def eligible(self, layout: Layout) -> Ids | None:
        """The documents that meet what the query requires and excludes, ascending; None where it does neither."""
        hard = constraints(self.group)
        if hard is None:
            return None
        found = self.index.matches(hard)
        return found[layout.has(found)]

    def places(self, documents: Ids, passages: int) -> Places:
        """BM25 of the documents' passages; `passages` = how many these are."""
        found = self.index.search_passages(self.group, max(1, passages), documents=documents, loose=True)
        scores = dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
        return Places(dict(zip(found.ids.tolist(), found.documents.tolist(), strict=True)), scores)

    def marks(self, text: str, language: str) -> list[Span]:
        """What of a text the query matched, in order, without overlaps."""
        return spans(self.group, text, language, self.index.languages)


@dataclass(frozen=True, slots=True)
class Places:
    """Passages that hold a word of the query: the document and the score of each."""

    documents: Mapping[int, int]
    scores: Mapping[int, float]

    def shares(self) -> dict[int, float]:
        """Each score as a share of the largest in its document."""
        tops: dict[int, float] = {}
        for passage, score in self.scores.items():
            tops[self.documents[passage]] = max(score, tops.get(self.documents[passage], 0.0))
        return {passage: score / tops[self.documents[passage]] for passage, score in self.scores.items() if score > 0}


def constraints(group: Group) -> Group | None:
    """What every hit must meet, whichever retriever found it; None where the query only wishes.

    Required and excluded clauses. Where nothing is required and no bare word stands among the alternatives, one of
    the alternatives must hold too: someone who types ``flood* OR "high water"`` asks for these.
    """
    hard = tuple(clause for clause in group.clauses if clause.occur is not Occur.MAY)
    alternatives = tuple(clause for clause in group.clauses if clause.occur is Occur.MAY)
    required = any(clause.occur is Occur.MUST for clause in hard)
    if alternatives and not required and not any(_is_bare(clause.node) for clause in alternatives):
        hard += (Clause(Occur.MUST, Group(alternatives)),)
    return Group(hard) if hard else None


def _as_meant(text: str, found: tuple[Respelt, ...]) -> str:
    for one in found:
        if one.unknown:
            pattern = rf"(?<![\p{{L}}\p{{N}}]){regex.escape(one.typed)}(?![\p{{L}}\p{{N}}])"
            text = regex.sub(pattern, one.used[0], text, flags=regex.IGNORECASE)
    return text


def _is_bare(node: Node) -> bool:
    return isinstance(node, Word | Terms) or (isinstance(node, Weighted) and _is_bare(node.node))


def _identifiers(group: Group) -> list[str]:
    """The identifiers of a query that is nothing else; empty for any other."""
    words = [clause.node.text for clause in group.clauses if _is_wish(clause) and isinstance(clause.node, Word)]
    only = len(words) == len(group.clauses) and all(identifier(word) is not None for word in words)
    return words if only else []


def _is_wish(clause: Clause) -> bool:
    return clause.occur is Occur.MAY and isinstance(clause.node, Word)
