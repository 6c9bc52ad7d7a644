"""The query language: words, "phrases", AND OR NOT, + and -, parentheses, wor*, word~1, "a b"~5, title:word, word^2.

Bare words may each match; what matches more ranks higher. A typed phrase or `title:` must match, unless it stands next
to OR. What is no valid syntax is read as words: a lone quote, an AND at the end, a bracket that is never closed. Only a
query without a letter, digit or identifier is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import regex

from riparian.errors import BadQuery
from riparian.lexical.analysis import plain_words


class Occur(StrEnum):
    MAY = "may"
    MUST = "must"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Word:
    """A run without blanks: one word, or an identifier of several."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in this order, unstemmed, with at most `slop` moves between them."""

    text: str
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Prefix:
    text: str


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words within `distance` (1 or 2) inserted, dropped, changed or swapped letters."""

    text: str
    distance: int


@dataclass(frozen=True, slots=True)
class InTitle:
    node: Node


@dataclass(frozen=True, slots=True)
class Weighted:
    """Counts `weight` times as much as it would."""

    node: Node
    weight: float


@dataclass(frozen=True, slots=True)
class Terms:
    """Stems as they are indexed, each with a weight above 0: what examples of relevant text have in common."""

    stems: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Clause:
    occur: Occur
    node: Node


@dataclass(frozen=True, slots=True)
class Group:
    """With a MUST, MAY clauses only rank; without one, at least one of them holds."""

    clauses: tuple[Clause, ...]


Leaf = Word | Phrase | Prefix | Fuzzy
Node = Leaf | InTitle | Weighted | Terms | Group

PASTED = 64
"""A text of more words is a pasted one: its quotes, dashes and capitals are no operators."""

_DEEPEST = 20
_LARGEST_SLOP = 50

_TOKEN: Any = regex.compile(
    r"\s*(?:"
    r"(?P<open>\()|(?P<close>\))"
    r'|(?<![\p{L}\p{N}])(?:"(?P<phrase>[^"]*)"|“(?P<curly>[^“”]*)”)(?:~(?P<slop>\d{1,4}))?'
    r"(?:\^(?P<weight>\d{1,3}(?:\.\d{1,3})?)(?![^\s)]))?"
    r"|(?P<sign>[+\-])(?=[^\s+\-\d)])"
    r"|(?P<title>title:)(?=[^\s)])"
    r'|(?P<chunk>[^\s"“”]+|["“”])'
    r")",
    regex.IGNORECASE,
)
_FUZZY: Any = regex.compile(r"(.*[\p{L}\p{N}])~([0-9]?)")
_WEIGHTED: Any = regex.compile(r"(.*\p{L}{2}.*)\^(\d{1,3}(?:\.\d{1,3})?)")  # 10^6 and x^2 are none
_PREFIX: Any = regex.compile(r"(.*[\p{L}\p{N}\p{M}])\*+")
_OPERATORS = {"AND": "and", "&&": "and", "OR": "or", "||": "or", "NOT": "not"}


def parse(text: str) -> Group:
    """The query as a tree. BadQuery for one without a letter, digit or identifier; no other text is refused."""
    found = plain_words(text)
    if not found:
        raise BadQuery(f"the query {text[:80]!r} holds no word to search for; type at least one")
    if len(found) > PASTED:
        return bag(text)
    group = _Parser(list(_tokens(text))).parse()
    return group if _says_something(group) else bag(text)


def bag(text: str) -> Group:
    """Every word may match; nothing in the text is an operator."""
    chunks = (chunk for chunk in text.split() if plain_words(chunk))
    return Group(tuple(Clause(Occur.MAY, Word(chunk)) for chunk in chunks))


def loosened(group: Group) -> Group:
    """The same words and phrases with nothing required: for finding the best place inside a document that matched."""
    return Group(tuple(_loose(clause) for clause in group.clauses))


def wanted(group: Group) -> Iterator[Leaf]:
    """The words, phrases and patterns that the query asks for, in order; what it excludes is left out."""
    for clause in group.clauses:
        if clause.occur is Occur.NOT:
            continue
        node = clause.node
        while isinstance(node, InTitle | Weighted):
            node = node.node
        if isinstance(node, Group):
            yield from wanted(node)
        elif not isinstance(node, Terms):
            yield node


def _loose(clause: Clause) -> Clause:
    node = loosened(clause.node) if isinstance(clause.node, Group) else clause.node
    return Clause(Occur.NOT if clause.occur is Occur.NOT else Occur.MAY, node)


def _says_something(group: Group) -> bool:
    return any(_says_something(clause.node) if isinstance(clause.node, Group) else True for clause in group.clauses)


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind`: open, close, and, or, not, must, title, leaf."""

    kind: str
    node: Node | None = None
    text: str = ""


def _tokens(text: str) -> Iterator[_Token]:
    depth = 0
    position = 0
    while (match := _TOKEN.match(text, position)) is not None and match.end() > position:
        position = match.end()
        if match["open"]:
            depth += 1
            yield _Token("open")
        elif match["close"]:
            depth = max(0, depth - 1)
            yield _Token("close")
        elif match["chunk"]:
            chunk, closing = _split_closing(match["chunk"], depth)
            depth -= closing
            yield from _chunk_tokens(chunk)
            yield from (_Token("close") for _ in range(closing))
        else:
            yield from _other_tokens(match)


def _other_tokens(match: Any) -> Iterator[_Token]:
    if match["sign"]:
        yield _Token("must" if match["sign"] == "+" else "not")
    elif match["title"]:
        yield _Token("title")
    else:
        phrase = match["phrase"] if match["phrase"] is not None else match["curly"]
        if plain_words(phrase):
            found = Phrase(phrase, min(int(match["slop"] or 0), _LARGEST_SLOP))
            yield _Token("leaf", _weighted(found, match["weight"]))


def _split_closing(chunk: str, depth: int) -> tuple[str, int]:
    """Takes the brackets off the end that close a group opened outside the chunk: "f(x))" keeps one."""
    bare = chunk.rstrip(")")
    closing = max(0, min(depth, chunk.count(")") - chunk.count("("), len(chunk) - len(bare)))
    return chunk[: len(chunk) - closing], closing


def _chunk_tokens(chunk: str) -> Iterator[_Token]:
    if chunk in _OPERATORS:
        yield _Token(_OPERATORS[chunk], text=chunk)
    elif plain_words(chunk):
        yield _Token("leaf", _leaf(chunk))


def _weighted(node: Node, weight: str | None) -> Node:
    """A weight of 0 leaves a node that is looked for and counts nothing."""
    return node if weight is None else Weighted(node, float(weight))


def _leaf(chunk: str) -> Node:
    if (match := _WEIGHTED.fullmatch(chunk)) is not None:
        return _weighted(_leaf(match[1]), match[2])
    if (match := _PREFIX.fullmatch(chunk)) is not None:
        return Prefix(match[1])
    if (match := _FUZZY.fullmatch(chunk)) is not None and len(plain_words(match[1])) == 1:
        default = 1 if len(match[1]) <= 5 else 2
        distance = min(2, int(match[2])) if match[2] else default
        return Fuzzy(match[1], distance) if distance else Phrase(match[1])
    return Word(chunk)


class _Parser:
    """Recursive descent: a group is chains side by side, a chain is clauses joined by AND."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def parse(self) -> Group:
        return self._group(0)

    def _group(self, depth: int) -> Group:
        clauses: list[Clause] = []
        after_or = False
        while (kind := self._kind()) != "end":
            if kind == "close":
                self._at += 1
                if depth:
                    break
            elif kind in ("or", "and"):
                self._at += 1
                after_or = kind == "or"
            else:
                chain = self._chain(depth)
                clauses.extend(self._joined(chain, after_or or self._kind() == "or"))
                after_or = False
        return Group(tuple(clauses))

    def _joined(self, chain: list[Clause], beside_or: bool) -> list[Clause]:
        """A chain as clauses of its group: a phrase and a field are required, unless an OR stands beside them."""
        if len(chain) > 1:
            required = tuple(_required(clause) for clause in chain)
            return [Clause(Occur.MAY, Group(required))]
        return [
            Clause(Occur.MUST, clause.node)
            if _is_strict(clause.node) and clause.occur is Occur.MAY and not beside_or
            else clause
            for clause in chain
        ]

    def _chain(self, depth: int) -> list[Clause]:
        chain = self._clause(depth)
        while self._kind() == "and" and self._kind(1) not in ("end", "close", "and", "or"):
            self._at += 1
            chain += self._clause(depth)
        return chain

    def _clause(self, depth: int) -> list[Clause]:
        """One clause, or none where signs stand before nothing."""
        occur = Occur.MAY
        while (kind := self._kind()) in ("not", "must"):
            self._at += 1
            if kind == "must":
                occur = occur if occur is Occur.NOT else Occur.MUST
            else:
                occur = Occur.MAY if occur is Occur.NOT else Occur.NOT
        node = self._node(depth)
        return [] if node is None else [Clause(occur, node)]

    def _node(self, depth: int) -> Node | None:
        kind = self._kind()
        if kind in ("end", "close", "and", "or"):
            return None
        token = self._tokens[self._at]
        self._at += 1
        if kind == "title":
            inner = self._node(depth)
            return None if inner is None else InTitle(inner)
        if kind == "open":
            return self._inside(depth)
        return token.node

    def _inside(self, depth: int) -> Node | None:
        if depth >= _DEEPEST:
            return None  # the bracket counts for nothing, what it holds goes on in this group
        group = self._group(depth + 1)
        if len(group.clauses) == 1 and group.clauses[0].occur is Occur.MAY:
            return group.clauses[0].node
        return group if group.clauses else None

    def _kind(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at].kind if at < len(self._tokens) else "end"


def _is_strict(node: Node) -> bool:
    """What must match where nothing else is said."""
    return isinstance(node, Phrase | InTitle) or (isinstance(node, Weighted) and _is_strict(node.node))


def _required(clause: Clause) -> Clause:
    return clause if clause.occur is Occur.NOT else Clause(Occur.MUST, clause.node)
