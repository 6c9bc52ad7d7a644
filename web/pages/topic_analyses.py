"""Analyses of topics: tree, time, groups, quality, map, one topic closely, and the stretches of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.errors import BadQuery
from riparian.types import Collection, CollectionId, Document, DocumentId, JobId, Topic, TopicId
from topics.analysis import tree as trees
from topics.analysis.doubt import Stretch
from topics.analysis.groups import Compared, Contrast
from topics.analysis.period_words import PeriodWord
from topics.analysis.periods import OverTime, Timeline, Unit
from topics.analysis.places import Drawn
from topics.analysis.service import MAP, QUALITY
from topics.analysis.tree import Node
from web import learned_wording, pasted, uploads
from web.pages import archive, charts
from web.pages.blueprint import blueprint
from web.pages.query import whole
from web.wiring import services

MOST_POINTS = 3_000
"""Passages drawn on one map page; of more, evenly spread ones, which the page says."""
_STRONGEST = 6


@dataclass(frozen=True, slots=True)
class Branch:
    """A node as the page prints it: its per cent is the sum of those printed below it."""

    node: Node
    percent: float
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A topic over time with its drawing, the documents that make the change, and its words where periods have any."""

    line: Timeline
    bars: charts.Bars
    drivers: tuple[tuple[Document, float, str], ...]
    words: tuple[tuple[str, tuple[PeriodWord, ...]], ...]


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group with the topics that it has more of and less of than the rest, the strongest first."""

    value: str
    documents: int
    more: tuple[Contrast, ...]
    less: tuple[Contrast, ...]


@dataclass(frozen=True, slots=True)
class Patch:
    """The points of one topic on the map."""

    topic: Topic | None
    colour: str
    points: tuple[charts.Point, ...]


@dataclass(frozen=True, slots=True)
class ShownMap:
    """What is drawn: `points` of the `all` passages on the map."""

    patches: tuple[Patch, ...]
    names: tuple[charts.Name, ...]
    points: int
    all: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text with its topic, and the text where it is printed."""

    stretch: Stretch
    topic: Topic
    text: str


@blueprint.get("/c/<collection>/topics/tree")
def topic_tree(collection: str) -> ResponseReturnValue:
    """The tree, cut at `level` groups."""
    found = _collection(collection)
    root = services().analyses.tree(found.id)
    number = len(list(root.topics()))
    usual = next((level for level in trees.levels(number) if level >= 6), number)
    level = min(max(1, whole(request.args, "level", usual)), number)
    groups = [_branch(node, _percents(root)) for node in trees.cut(root, level)]
    return render_template(
        "topic_tree.html", collection=found, groups=groups, level=level, levels=trees.levels(number), number=number,
    )  # fmt: skip


def _percents(root: Node) -> dict[TopicId, float]:
    topics = list(root.topics())
    shown = charts.percents([topic.share for topic in topics])
    return {topic.id: percent for topic, percent in zip(topics, shown, strict=True)}


def _branch(node: Node, percents: Mapping[TopicId, float]) -> Branch:
    branches = tuple(_branch(child, percents) for child in node.children)
    percent = percents[node.topic.id] if node.topic else round(sum(branch.percent for branch in branches), 1)
    return Branch(node, percent, branches)


@blueprint.get("/c/<collection>/topics/time")
def topics_over_time(collection: str) -> ResponseReturnValue:
    """Topics over time, those that change first; `by` names the unit."""
    found = _collection(collection)
    by = request.args.get("by", "")
    if by and by not in get_args(Unit):
        raise BadQuery(f"cannot cut time by {by!r}; by {', '.join(get_args(Unit))}")
    try:
        over = services().analyses.over_time(found.id, by or None)  # type: ignore[arg-type]  # checked above
    except BadQuery as reason:  # a collection without dates is nobody's mistake
        return render_template("topic_time.html", collection=found, over=None, reason=str(reason), units=get_args(Unit))
    layers, ticks = charts.bank(over)
    with services().database.read() as catalog:
        documents = catalog.documents.many(d.document_id for line in over.timelines for d in line.drivers)
        tints = archive.tints(archive.topics_of(catalog, found.id))
    lines = [_line(line, over, documents) for line in over.timelines]
    return render_template(
        "topic_time.html", collection=found, over=over, layers=layers, ticks=ticks, tints=tints, units=get_args(Unit),
        changing=[shown for shown in lines if shown.line.changes],
        steady=[shown for shown in lines if not shown.line.changes],
    )  # fmt: skip


def _line(line: Timeline, over: OverTime, documents: Mapping[DocumentId, Document]) -> ShownLine:
    drivers = tuple(
        (documents[d.document_id], d.part, over.periods[d.period].name)
        for d in line.drivers
        if d.document_id in documents
    )
    words = tuple((period.name, found) for period, found in zip(over.periods, line.words, strict=True) if found)
    return ShownLine(line, charts.bars(line, over), drivers, words)


@blueprint.get("/c/<collection>/topics/groups")
def topic_groups(collection: str) -> ResponseReturnValue:
    """The groups of the field `by` compared; without one, only the choice."""
    found = _collection(collection)
    by = request.args.get("by", "").strip()
    compared, reason = _compared(found.id, by)
    return render_template(
        "topic_groups.html",
        collection=found,
        by=by,
        fields=services().analyses.fields(found.id),
        compared=compared,
        reason=reason,
        groups=_groups(compared) if compared else [],
        widest=_widest(compared) if compared else 1.0,
    )


def _compared(collection_id: CollectionId, by: str) -> tuple[Compared | None, str]:
    """The comparison, or why there is none: a field whose values are too few is nobody's mistake."""
    try:
        return (services().analyses.groups(collection_id, by) if by else None), ""
    except BadQuery as reason:
        return None, str(reason)


def _groups(compared: Compared) -> list[ShownGroup]:
    made = []
    for group in compared.groups:
        differing = sorted((c for c in group.contrasts if c.differs), key=lambda c: -abs(c.share - c.rest))
        more = tuple(c for c in differing if c.share > c.rest)[:_STRONGEST]
        less = tuple(c for c in differing if c.share <= c.rest)[:_STRONGEST]
        made.append(ShownGroup(group.value, group.documents, more, less))
    return made


def _widest(compared: Compared) -> float:
    return max((max(c.share, c.rest) for g in compared.groups for c in g.contrasts if c.differs), default=1.0)


@blueprint.get("/c/<collection>/topics/quality")
def topic_quality(collection: str) -> ResponseReturnValue:
    """What the last quality job found, the least stable topics first."""
    found = _collection(collection)
    report = services().analyses.quality(found.id)
    with services().database.read() as catalog:
        topics = {topic.id: topic for topic in archive.topics_of(catalog, found.id)}
        tints = archive.tints(list(topics.values()))
    rows = sorted(report.topics.items(), key=lambda pair: pair[1].stability) if report else []
    return render_template(
        "topic_quality.html", collection=found, report=report, tints=tints,
        rows=[(topics[topic], quality) for topic, quality in rows if topic in topics],
    )  # fmt: skip


@blueprint.post("/c/<collection>/topics/quality")
def measure_topics(collection: str) -> ResponseReturnValue:
    return redirect(url_for(".job", job=_queued(collection, QUALITY)), 303)


@blueprint.get("/c/<collection>/topics/map")
def topic_map(collection: str) -> ResponseReturnValue:
    """The map of the collection, with every topic where most of its passages lie."""
    found = _collection(collection)
    drawn = services().analyses.map(found.id)
    with services().database.read() as catalog:
        topics = archive.topics_of(catalog, found.id)
    shown = _shown(drawn, topics) if drawn else None
    return render_template(
        "topic_map.html", collection=found, drawn=drawn, shown=shown, width=charts.MAP_WIDTH, height=charts.MAP_HEIGHT
    )  # fmt: skip


@blueprint.post("/c/<collection>/topics/map")
def draw_map(collection: str) -> ResponseReturnValue:
    return redirect(url_for(".job", job=_queued(collection, MAP)), 303)


def _shown(drawn: Drawn, topics: Sequence[Topic]) -> ShownMap:
    """Passages without a topic first, so that they lie below; names of the larger topics before others."""
    number = len(drawn.map.passages)
    some = np.unique(np.linspace(0, number - 1, min(number, MOST_POINTS)).astype(np.int64))
    frame = charts.frame(drawn.map.places)
    colours = charts.hues(len(topics))
    patches = [Patch(None, "#b8b4a8", _points(drawn, some[drawn.main[some] == 0], frame))]
    labels = []
    for topic, colour in zip(topics, colours, strict=True):
        if topic.id in drawn.topics:
            rows = some[drawn.main[some] == topic.id]
            patches.append(Patch(topic, archive.hue(topic) or colour, _points(drawn, rows, frame)))
            labels.append((int(topic.id), topic.label.replace(" · ", ", "), *frame.place(*drawn.topics[topic.id])))
    return ShownMap(tuple(patches), tuple(charts.names(labels)), len(some), number)


def _points(drawn: Drawn, rows: NDArray[np.int64], frame: charts.Frame) -> tuple[charts.Point, ...]:
    places = zip(drawn.map.passages[rows].tolist(), drawn.map.places[rows].tolist(), strict=True)
    return tuple(charts.Point(passage, *frame.place(x, y)) for passage, (x, y) in places)


@blueprint.get("/t/<int:topic>/closely")
def topic_closely(topic: int) -> ResponseReturnValue:
    """One topic closely: what is like it, passages at its border, how sure it is."""
    found = services().analyses.closely(TopicId(topic))
    with services().database.read() as catalog:
        collection = catalog.collections.get(catalog.topics.collection_of(TopicId(topic)))
        documents = catalog.documents.many({passage.document_id for passage, _, _ in found.borderline})
        tints = archive.tints(catalog.topics.of_model(found.topic.model_id))
    return render_template(
        "topic_closely.html", collection=collection, found=found, documents=documents, tints=tints
    )  # fmt: skip


@blueprint.get("/d/<int:document>/topics")
def document_topics(document: int) -> ResponseReturnValue:
    """The stretches of a document by topic."""
    stretches = services().analyses.stretches(DocumentId(document))
    with services().database.read() as catalog:
        found = catalog.documents.get(DocumentId(document))
        text = catalog.documents.text(found.id)
        collection = catalog.collections.get(found.collection_id)
        pieces, tints = _pieces(catalog, collection, stretches, text)
    labelled = services().learned.of_document(found.id) if services().learned.field(collection.id) else None
    each = labelled.passages if labelled else ()
    return render_template(
        "topic_stretches.html", collection=collection, document=found, pieces=pieces, tints=tints, length=len(text),
        labelled=labelled, told=labelled and learned_wording.likeliest(labelled.told),
        told_of={one.passage_id: learned_wording.likeliest(one.told[:1]) for one in each},
    )  # fmt: skip


@blueprint.get("/c/<collection>/topics/text")
def topics_of_text(collection: str) -> ResponseReturnValue:
    """The form for a text of one's own."""
    return _text_page(_collection(collection), "")


@blueprint.post("/c/<collection>/topics/text")
def find_topics_of_text(collection: str) -> ResponseReturnValue:
    """The stretches of the pasted text, or of the uploaded file where nothing was pasted."""
    file = request.files.get("file")
    text = request.form.get("text", "").strip()
    if not text and file is not None and file.filename:
        text = uploads.text_of(services().settings, file)
    if not text:
        raise BadQuery("there is no text to find topics for; paste one or choose a file")
    return _text_page(_collection(collection), text)


def _text_page(collection: Collection, text: str) -> ResponseReturnValue:
    looked = pasted.Looked([], ())
    if text:
        with services().gate:
            looked = pasted.look(services(), collection.id, text)
    with services().database.read() as catalog:
        pieces, tints = _pieces(catalog, collection, looked.stretches, text)
    field = services().learned.field(collection.id) if looked.told else None
    return render_template(
        "topic_text.html", collection=collection, pieces=pieces, tints=tints, text=text, length=len(text),
        field=field, told=learned_wording.likeliest(looked.told),
    )  # fmt: skip


def _pieces(
    catalog: Catalog, collection: Collection, stretches: Sequence[Stretch], text: str
) -> tuple[list[Piece], dict[TopicId, int]]:
    topics = archive.topics_of(catalog, collection.id)
    by_id = {topic.id: topic for topic in topics}
    pieces = [Piece(s, by_id[s.topic_id], text[s.span.start : s.span.end]) for s in stretches]
    return pieces, archive.tints(topics)


def _collection(name: str) -> Collection:
    with services().database.read() as catalog:
        return catalog.collections.named(name)


def _queued(collection: str, kind: str) -> JobId:
    with services().database.write() as catalog:
        return services().analyses.queue(catalog, catalog.collections.named(collection).id, kind)
