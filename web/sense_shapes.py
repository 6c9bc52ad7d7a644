"""Senses of words as JSON: the same in the API and in `--json` of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field

from riparian.catalog.catalog import Catalog
from riparian.catalog.senses import Example, Sense
from riparian.text import sentences
from riparian.types import Document, Passage, PassageId, Span
from senses.selftest import Report
from senses.service import Changed, Found
from web import shapes
from web.shapes import DocumentRef, Shape, SpanShape


class CompanyShape(Shape):
    """A word that stands near this sense more than near the others; `weight` is the log-likelihood ratio of that."""

    word: str
    weight: float
    count: int


class SenseExample(Shape):
    """An occurrence in its sentence; `target` is a span of `text`, `start` and `end` are of the document's text."""

    document: DocumentRef
    passage: int
    start: int
    end: int
    text: str
    target: SpanShape


class SenseShape(Shape):
    id: int
    word: str
    label: str = Field(description="The words that tell it from the others.")
    name: str = Field(description='The name it was saved under; "" where it was not.')
    count: int = Field(description="Occurrences.")
    documents: int
    share: float = Field(description="Of the word's occurrences.")
    company: list[CompanyShape]
    substitutes: list[str] = Field(description="Words that could stand in its place, by the encoder's reading.")
    examples: list[SenseExample]


class PeriodShape(Shape):
    """`shares` of the senses, in the order of `senses`, sum to 1."""

    first: date
    last: date
    occurrences: int
    documents: int
    shares: list[float]


class ChangeShape(Shape):
    """`p` is the part of archives with shuffled dates whose periods differ as much; null where there is too little."""

    senses: list[int]
    periods: list[PeriodShape]
    statistic: float
    p: float | None
    turning: list[DocumentRef] = Field(description="Documents that moved the shares most, in the order of time.")


class SensesShape(Shape):
    """A word's senses, the most frequent first. `weak`: one sense more or fewer is nearly as likely."""

    word: str
    word_id: int
    lemma: bool
    collection: str
    occurrences: int
    weak: bool
    note: str = Field(description="What a person should know of the evidence.")
    most: int = Field(description="Into how many senses the occurrences can be divided at most.")
    edits: int = Field(description="How often the division was changed by hand; each can be undone.")
    senses: list[SenseShape]
    change: ChangeShape | None = Field(description="Shares over time, where documents have dates.")


class TrialShape(Shape):
    first: str
    second: str
    share: float
    rows: int
    found: int
    ari: float
    rest: float


class SelfTestShape(Shape):
    """`kept_whole`: the share of words alone that were given one sense; `ari`: of two words taken for one, by the
    share of the rarer."""

    kept_whole: float
    ari: dict[str, float]
    trials: list[TrialShape]


def note_of(found: Found) -> str:
    """One sentence on how far the division can be trusted."""
    settings, senses = found.word.settings, len(found.senses)
    if settings.get("few"):
        return "The word occurs too rarely here to tell senses apart."
    if found.word.edits:
        return "Divided by hand."
    if not settings.get("weak"):
        return "" if senses > 1 else "Nothing in the contexts speaks for more than one sense."
    if senses > 1:
        return "The evidence is weak: one sense more or fewer is nearly as likely."
    return "One sense is more likely than two, but not by much."


def senses(catalog: Catalog, found: Found, changed: Changed | None) -> SensesShape:
    total = sum(sense.count for sense in found.senses)
    return SensesShape(
        word=found.word.word,
        word_id=int(found.word.id),
        lemma=found.word.lemma,
        collection=catalog.collections.get(found.word.collection_id).name,
        occurrences=total,
        weak=bool(found.word.settings.get("weak")),
        note=note_of(found),
        most=len(found.word.tree) + 1,
        edits=found.word.edits,
        senses=many(catalog, found.senses, total),
        change=None if changed is None or not changed.change.periods else change(catalog, changed),
    )


def many(catalog: Catalog, values: Sequence[Sense], total: int | None = None) -> list[SenseShape]:
    """`total` is the number of the word's occurrences, by default of these senses together."""
    passages = catalog.passages.many(example.passage for sense in values for example in sense.examples)
    documents = catalog.documents.many({passage.document_id for passage in passages.values()})
    whole = total if total is not None else sum(sense.count for sense in values)
    return [_sense(sense, whole, passages, documents) for sense in values]


def _sense(
    sense: Sense, total: int, passages: Mapping[PassageId, Passage], documents: Mapping[Any, Document]
) -> SenseShape:
    return SenseShape(
        id=int(sense.id),
        word=sense.word,
        label=sense.label,
        name=sense.name,
        count=sense.count,
        documents=sense.documents,
        share=round(sense.count / total, 4) if total else 0.0,
        company=[CompanyShape(word=one.word, weight=one.weight, count=one.count) for one in sense.company],
        substitutes=list(sense.substitutes),
        examples=[
            _example(example, passages[example.passage], documents)
            for example in sense.examples
            if example.passage in passages
        ],
    )


def _example(example: Example, passage: Passage, documents: Mapping[Any, Document]) -> SenseExample:
    document = documents[passage.document_id]
    at = Span(example.start - passage.start, example.end - passage.start)
    around = sentences(passage.text, document.language)
    home = next((one for one in around if one.start <= at.start < one.end), Span(0, len(passage.text)))
    return SenseExample(
        document=shapes.document_ref(document),
        passage=int(passage.id),
        start=example.start,
        end=example.end,
        text=passage.text[home.start : max(home.end, at.end)],
        target=SpanShape(start=at.start - home.start, end=at.end - home.start),
    )


def change(catalog: Catalog, value: Changed) -> ChangeShape:
    documents = catalog.documents.many(value.change.turning)
    return ChangeShape(
        senses=[int(sense.id) for sense in value.senses],
        periods=[
            PeriodShape(
                first=one.first,
                last=one.last,
                occurrences=one.occurrences,
                documents=one.documents,
                shares=list(one.shares),
            )
            for one in value.change.periods
        ],
        statistic=value.change.statistic,
        p=value.change.p,
        turning=[shapes.document_ref(documents[one]) for one in documents],
    )


def self_test(value: Report) -> SelfTestShape:
    return SelfTestShape(
        kept_whole=value.kept_whole,
        ari={str(share): ari for share, ari in value.ari.items()},
        trials=[
            TrialShape(
                first=one.first,
                second=one.second,
                share=one.share,
                rows=one.rows,
                found=one.found,
                ari=one.ari,
                rest=round(one.rest, 4),
            )
            for one in value.trials
        ],
    )
