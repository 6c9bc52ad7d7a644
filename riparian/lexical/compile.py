"""A query tree as a tantivy query over the fields of `fields.py`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

import tantivy

from riparian.lexical import analysis
from riparian.lexical.fields import BODY, EXACT, IDENTIFIERS, TITLE, TITLE_EXACT
from riparian.lexical.query import Clause, Fuzzy, Group, InTitle, Node, Occur, Phrase, Prefix, Terms, Weighted, Word

MOST_TERMS = 256
"""Distinct stems of a bag that are searched: those of a longer text which tell most, by count times rarity."""

_LONGEST_PHRASE = 64  # words; more do not tell more
_LONGEST_PATTERN = 40  # characters of a prefix or fuzzy word: automata grow with it

_OCCUR = {Occur.MAY: tantivy.Occur.Should, Occur.MUST: tantivy.Occur.Must, Occur.NOT: tantivy.Occur.MustNot}


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a node looks: the fields of stems and of plain words."""

    stems: str
    exact: str


_ANYWHERE, _TITLE = _Scope(BODY, EXACT), _Scope(TITLE, TITLE_EXACT)


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that scores by itself: `term` as the index holds it (a stem, an identifier, a phrase), `words` of the
    query that it comes from."""

    term: str
    words: tuple[str, ...]
    query: Any


class Compiler:
    """`languages` are those of the indexed texts, the most frequent first; `frequency` tells in how many texts a term
    of a field stands, `texts` how many there are."""

    def __init__(self, schema: Any, languages: Sequence[str], frequency: Callable[[str, str], int], texts: int) -> None:
        self._schema, self._languages = schema, tuple(languages) or ("",)
        self._frequency, self._texts = frequency, texts

    def compile(self, group: Group) -> Any:
        """A query that matches and scores as the tree says; one that matches nothing where nothing can."""
        return self._group(group, _ANYWHERE) or tantivy.Query.empty_query()

    def pieces(self, group: Group) -> list[Piece]:
        """What the score of `compile(group)` is the sum of, in order; what is excluded scores nothing and is left out.

        A group in parentheses is one piece, since its parts score only where it holds as a whole.
        """
        found = self._bag(_bag_words(group), _ANYWHERE)
        for clause in group.clauses:
            if _is_bag_word(clause) or clause.occur is Occur.NOT:
                continue
            if isinstance(clause.node, Terms):
                found += [Piece(one[0], (), self._node(Terms((one,)), _ANYWHERE)) for one in clause.node.stems]
                continue
            query, said = self._node(clause.node, _ANYWHERE), _said(clause.node)
            found += [] if query is None else [Piece(said, tuple(said.split()), query)]
        if found:
            return found
        words = _bag_words(group)
        if (left := self._stop_words(words, _ANYWHERE)) is not None:
            return [Piece(" ".join(word.text for word in words), tuple(word.text for word in words), left)]
        return [Piece("*", (), _flat(tantivy.Query.all_query()))] if group.clauses else []

    def _group(self, group: Group, scope: _Scope) -> Any | None:
        words, others = _bag_words(group), [clause for clause in group.clauses if not _is_bag_word(clause)]
        parts = [(tantivy.Occur.Should, piece.query) for piece in self._bag(words, scope)]
        found = ((_OCCUR[clause.occur], self._node(clause.node, scope)) for clause in others)
        parts.extend((occur, part) for occur, part in found if part is not None)
        if all(occur == tantivy.Occur.MustNot for occur, _ in parts):
            left = self._stop_words(words, scope) or (_flat(tantivy.Query.all_query()) if parts else None)
            parts += [] if left is None else [(tantivy.Occur.Must, left)]
        return tantivy.Query.boolean_query(parts) if parts else None

    def _node(self, node: Node, scope: _Scope) -> Any | None:
        """One node that stands for itself; None where it holds no word."""
        match node:
            case Group():
                return self._group(node, scope)
            case InTitle(inner):
                return self._node(inner, _TITLE)
            case Word(text):
                return self._one_word(text, scope)
            case Phrase(text, slop):
                return self._phrase(analysis.plain_words(text)[:_LONGEST_PHRASE], scope, slop)
            case Prefix(text):
                return self._prefix(analysis.plain_words(text), scope)
            case Fuzzy(text, distance):
                return self._fuzzy(text, distance, scope)
            case Weighted(inner, weight):
                return self._boosted(self._node(inner, scope), weight)
            case Terms(stems):
                return _any([self._boosted(self._term(scope.stems, stem), weight) for stem, weight in stems])

    # ---------------------------------------------------------------- a bag of words

    def _bag(self, words: Sequence[Word], scope: _Scope) -> list[Piece]:
        """One weighted piece a distinct stem, and one an identifier; empty where all are stop words."""
        plain = [part for word in words for part in analysis.plain_words(word.text)]
        origins = self._origins(plain)
        pieces = [
            Piece(term, origins.get(term, ()), self._weighted(scope.stems, term, count))
            for term, count in self._telling(self._stems(plain), scope)
        ]
        names = Counter(name for word in words if (name := analysis.identifier(word.text)) is not None)
        return pieces + [
            Piece(name, (name,), self._weighted(IDENTIFIERS, name, count))
            for name, count in names.most_common(MOST_TERMS)
        ]

    def _origins(self, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Stem → the words that have it."""
        found: dict[str, tuple[str, ...]] = {}
        for word in dict.fromkeys(words):
            for stem in {stem for stem in self._all_stems(word) if stem is not None}:
                found[stem] = (*found.get(stem, ()), word)
        return found

    def _stems(self, words: Sequence[str]) -> Counter[str]:
        """Stems in every language of the collection; what is a stop word in the query's own language is left out."""
        own = analysis.stemming(analysis.guess_language(words, self._languages))
        terms: Counter[str] = Counter()
        for word, count in Counter(words).items():
            if own(word) is not None:
                for stem in {stem for stem in self._all_stems(word) if stem is not None}:
                    terms[stem] += count
        return terms

    def _all_stems(self, word: str) -> list[str | None]:
        return [analysis.stemming(language)(word) for language in self._languages]

    def _telling(self, terms: Counter[str], scope: _Scope) -> list[tuple[str, int]]:
        if len(terms) <= MOST_TERMS:
            return list(terms.items())

        def worth(item: tuple[str, int]) -> tuple[float, str]:
            term, count = item
            frequency = self._frequency(scope.stems, term)
            rarity = log1p((self._texts - frequency + 0.5) / (frequency + 0.5)) if frequency else 0.0
            return -count * rarity, term

        return sorted(terms.items(), key=worth)[:MOST_TERMS]

    def _stop_words(self, words: Sequence[Word], scope: _Scope) -> Any | None:
        """A query of nothing but stop words ("to be or not to be") looks for them where they are kept."""
        found = Counter(word for node in words for word in analysis.plain_words(node.text))
        return _any([self._weighted(scope.exact, word, count) for word, count in found.items()])

    def _boosted(self, query: Any | None, weight: float) -> Any | None:
        return None if query is None else tantivy.Query.boost_query(query, weight)

    def _weighted(self, field: str, term: str, count: int) -> Any:
        query = self._term(field, term)
        return query if count == 1 else tantivy.Query.boost_query(query, float(count))

    # ---------------------------------------------------------------- single nodes

    def _one_word(self, text: str, scope: _Scope) -> Any | None:
        """A word that is required or excluded: any of its stems; an identifier's parts in their order."""
        words = analysis.plain_words(text)
        if len(words) != 1:
            name = analysis.identifier(text)
            written = [] if name is None or scope is _TITLE else [self._term(IDENTIFIERS, name)]
            phrase = self._phrase(words[:_LONGEST_PHRASE], scope, 0)
            return _any(written + ([] if phrase is None else [phrase]))
        if (name := analysis.identifier(text)) is not None and scope is not _TITLE:
            return self._term(IDENTIFIERS, name)
        stems = self._stems(words)
        if not stems:
            return self._term(scope.exact, words[0])
        return _any([self._term(scope.stems, stem) for stem in stems])

    def _phrase(self, words: list[str], scope: _Scope, slop: int) -> Any | None:
        if len(words) < 2:
            return self._term(scope.exact, words[0]) if words else None
        return tantivy.Query.phrase_query(self._schema, scope.exact, list(words), slop)

    def _prefix(self, words: list[str], scope: _Scope) -> Any | None:
        if len(words) > 1:
            return tantivy.Query.phrase_prefix_query(self._schema, scope.exact, list(words[:_LONGEST_PHRASE]))
        pattern = re.escape(words[0][:_LONGEST_PATTERN]) + ".*"
        return _flat(tantivy.Query.regex_query(self._schema, scope.exact, pattern))

    def _fuzzy(self, text: str, distance: int, scope: _Scope) -> Any:
        """The word itself ranks above its neighbours."""
        word = analysis.plain_words(text)[0]
        if len(word) > _LONGEST_PATTERN:
            return self._term(scope.exact, word)
        near = tantivy.Query.fuzzy_term_query(self._schema, scope.exact, word, distance)
        return _any([_flat(near), self._term(scope.exact, word)])

    def _term(self, field: str, term: str) -> Any:
        return tantivy.Query.term_query(self._schema, field, term, "freq")


def _bag_words(group: Group) -> list[Word]:
    return [c.node for c in group.clauses if c.occur is Occur.MAY and isinstance(c.node, Word)]


def _said(node: Node) -> str:
    """A node as a person would say it."""
    match node:
        case Group(clauses):
            return " ".join(_said(clause.node) for clause in clauses if clause.occur is not Occur.NOT)
        case InTitle(inner):
            return f"title: {_said(inner)}"
        case Prefix(text):
            return f"{text}*"
        case Weighted(inner, weight):
            return f"{_said(inner)}^{weight:g}"
        case Terms(stems):
            return " ".join(stem for stem, _ in stems)
        case Word(text) | Phrase(text) | Fuzzy(text):
            return text


def _is_bag_word(clause: Clause) -> bool:
    return clause.occur is Occur.MAY and isinstance(clause.node, Word)


def _flat(query: Any) -> Any:
    return tantivy.Query.const_score_query(query, 1.0)


def _any(queries: Sequence[Any]) -> Any | None:
    if len(queries) < 2:
        return queries[0] if queries else None
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])
