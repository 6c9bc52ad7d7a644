"""Where a word stands in a collection: found through the lexical index, placed by exact offsets in the passages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from riparian.catalog.catalog import Catalog
from riparian.catalog.ids import as_ints, in_chunks
from riparian.errors import Invalid
from riparian.lexical.analysis import stemming
from riparian.lexical.index import LexicalIndex
from riparian.lexical.query import Clause, Group, Occur, Phrase, parse
from riparian.text import Word, sentences, words
from riparian.types import DocumentId, Ids, Passage, PassageId, Span
from senses.views import cut_around

LONGEST_TERM = 5
"""Words of a multiword term at most."""

_READ = 2_000  # passages read from the database at a time


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked for: the folded words of a form or term, or, by `lemma`, whatever has the same stems."""

    words: tuple[str, ...]
    lemma: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place of the word. `start` and `end` are code points of the document's text; `sentence` is what is encoded
    (its sentence, cut where that is very long) and `at` the target in it. `passages` are all that hold it, the one it
    is counted in first."""

    document: DocumentId
    passages: tuple[PassageId, ...]
    start: int
    end: int
    sentence: str
    at: Span

    @property
    def key(self) -> bytes:
        """16 bytes by which its vectors are kept: the sentence and the place in it."""
        said = f"{self.at.start}:{self.at.end}:{self.sentence}"
        return hashlib.sha256(said.encode("utf-8", "replace")).digest()[:16]


def target_of(word: str, *, lemma: bool = False) -> Target:
    """Invalid for a text without a word, or a term of more than `LONGEST_TERM` words."""
    found = tuple(one.word for one in words(word))
    if not found:
        raise Invalid(f"{word!r} holds no word; give a word or a term such as bank, or river bank")
    if len(found) > LONGEST_TERM:
        raise Invalid(f"{word!r} has {len(found)} words; a term has {LONGEST_TERM} at most")
    return Target(found, lemma)


def find(catalog: Catalog, index: LexicalIndex, target: Target, *, among: Ids | None = None) -> list[Occurrence]:
    """Every occurrence in the order of documents and places; those in the passages `among` alone where given.

    A word counts once where passages overlap. The number of statements does not grow with single passages.
    """
    passages = _candidates(index, target)
    if among is not None:
        kept = set(as_ints(among))
        passages = [passage for passage in passages if passage in kept]
    found: dict[tuple[int, int], Occurrence] = {}
    for occurrence in _read(catalog, passages, target):
        place = (int(occurrence.document), occurrence.start)
        before = found.get(place)
        found[place] = occurrence if before is None else _joined(before, occurrence)
    return [found[place] for place in sorted(found)]


def in_text(text: str, target: Target, language: str = "") -> list[Span]:
    """Where the target stands in a text, left to right, without overlaps."""
    found, matches, size = words(text), _matcher(target, language), len(target.words)
    spans: list[Span] = []
    for at in range(len(found) - size + 1):
        if (not spans or found[at].start >= spans[-1].end) and matches(found, at):
            spans.append(Span(found[at].start, found[at + size - 1].end))
    return spans


def _candidates(index: LexicalIndex, target: Target) -> list[int]:
    """Passages that may hold it, ascending: more than do, never fewer."""
    _, passages = index.counts()
    query = parse(target.text) if target.lemma else Group((Clause(Occur.MUST, Phrase(target.text)),))
    return sorted(as_ints(index.search_passages(query, passages).ids)) if passages else []


def _read(catalog: Catalog, passages: Sequence[int], target: Target) -> Iterator[Occurrence]:
    for chunk in in_chunks(passages, _READ):
        texts = catalog.passages.many(chunk)
        documents = catalog.documents.many({passage.document_id for passage in texts.values()})
        for passage in sorted(texts.values(), key=lambda one: (one.document_id, one.start)):
            language = documents[passage.document_id].language
            spans = in_text(passage.text, target, language)
            if not spans:
                continue
            around = sentences(passage.text, language)
            for span in spans:
                yield occurrence_in(passage, span, around)


def occurrence_in(passage: Passage, span: Span, around: Sequence[Span]) -> Occurrence:
    """The occurrence at `span` of the passage's text, whose sentences are `around`."""
    text, offset = passage.text, passage.start
    home = next((one for one in around if one.start <= span.start < one.end), Span(0, len(text)))
    home = Span(home.start, max(home.end, span.end))
    sentence = text[home.start : home.end]
    at = Span(span.start - home.start, span.end - home.start)
    cut = cut_around(sentence, at)
    return Occurrence(
        document=passage.document_id,
        passages=(passage.id,),
        start=offset + span.start,
        end=offset + span.end,
        sentence=sentence[cut.start : cut.end],
        at=Span(at.start - cut.start, at.end - cut.start),
    )


def _joined(one: Occurrence, other: Occurrence) -> Occurrence:
    """The same place in two passages: it is read where its sentence is longer, and counted there."""
    best, rest = (other, one) if len(other.sentence) > len(one.sentence) else (one, other)
    passages = (*best.passages, *(p for p in rest.passages if p not in best.passages))
    return Occurrence(best.document, passages, best.start, best.end, best.sentence, best.at)


Matcher = Callable[[Sequence[Word], int], bool]


def _matcher(target: Target, language: str) -> Matcher:
    wanted = target.words
    if not target.lemma:
        return lambda found, at: all(found[at + i].word == word for i, word in enumerate(wanted))
    stem = _stem(language)
    stems = [stem(word) for word in wanted]
    return lambda found, at: all(stem(found[at + i].word) == one for i, one in enumerate(stems))


def _stem(language: str) -> Callable[[str], str]:
    """A stop word is its own stem."""
    known = stemming(language or "en")
    return lambda word: known(word) or word
