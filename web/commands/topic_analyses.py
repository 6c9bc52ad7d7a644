"""`riparian topics tree | over-time | groups | quality | labels | map | stretches`."""

from __future__ import annotations

from typing import get_args

import click

from riparian.types import CollectionId, DocumentId, JobId, TopicId
from topics.analysis import labels as labelling
from topics.analysis import tree as trees
from topics.analysis.groups import Compared
from topics.analysis.period_words import MUCH_MORE
from topics.analysis.periods import OverTime, Timeline, Unit
from topics.analysis.service import MAP, QUALITY, Closely
from topics.analysis.tree import Node
from topics.curation.requests import Relabel
from web import topic_analysis_shapes as shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json, table
from web.wiring import Services

_TICKS = "▁▂▃▄▅▆▇█"


@command("tree")
@collection_option
@click.option("--level", type=click.IntRange(1, 500), help="Cut the tree at so many groups [default: all of it].")
@json_option
def tree(edge: Edge, collection: str | None, level: int | None, as_json: bool) -> None:
    """The topics as a tree: near ones joined first, so that any level is a grouping of the ones below."""
    root = edge.services.analyses.tree(_collection(edge, collection))
    if as_json:
        print_json(shapes.level(root, level).json_value())
        return
    for node in [root] if level is None else trees.cut(root, level):
        _print_node(node, 0)


def _print_node(node: Node, depth: int) -> None:
    indent = "  " * depth
    named = node.label if node.topic else click.style(node.label, bold=True)
    number = f"  (topic {node.topic.id})" if node.topic else ""
    click.echo(f"{node.share:6.1%} {indent}{named}{number}")
    for child in node.children:
        _print_node(child, depth + 1)


@command("over-time")
@collection_option
@click.option("--by", "unit", type=click.Choice(get_args(Unit)), help="Length of a period [default: by the dates].")
@json_option
def over_time(edge: Edge, collection: str | None, unit: Unit | None, as_json: bool) -> None:
    """Shares of the topics in periods of the documents' dates, and which change by more than chance."""
    found = edge.services.analyses.over_time(_collection(edge, collection), unit)
    if as_json:
        print_json(shapes.over_time(found).json_value())
        return
    click.echo(f"{found.documents} documents by {found.unit}, {found.periods[0].name} to {found.periods[-1].name}")
    rows = [
        (line.topic.id, f"{line.share:6.1%}", _ticks(line), f"{line.q:.3f}", *_change(line, found))
        for line in found.timelines
    ]
    table(("id", "share", "over time", "q", "high in", "label"), rows).print()
    for line in found.timelines:
        if line.changes and any(line.words):
            _print_words(line, found)


def _print_words(line: Timeline, found: OverTime) -> None:
    """Of a topic that changes, the words of each period; those in capitals are twice as frequent as usual, or more."""
    click.echo(f"\n{click.style(line.topic.label, bold=True)} (topic {line.topic.id})")
    for period, words in zip(found.periods, line.words, strict=True):
        if words:
            shown = " ".join(one.word.upper() if one.times >= MUCH_MORE else one.word for one in words)
            click.echo(f"  {period.name}  {shown}")


def _ticks(line: Timeline) -> str:
    most = max((share for share in line.shares if share is not None), default=0.0)
    return "".join(
        " " if share is None else _TICKS[min(int(share / most * 7.99), 7) if most else 0] for share in line.shares
    )


def _change(line: Timeline, found: OverTime) -> tuple[str, str]:
    high = ", ".join(found.periods[period].name for period in line.high)
    return high or ("changes" if line.changes else ""), line.topic.label


@command("groups")
@click.option("--by", "field", required=True, metavar="FIELD", help="author, type, language, year or meta.<key>.")
@click.option("--most", default=8, show_default=True, type=click.IntRange(1, 50), help="Groups at most.")
@collection_option
@json_option
def groups(edge: Edge, field: str, most: int, collection: str | None, as_json: bool) -> None:
    """Which topics the documents of each group have more or less of than the rest."""
    collection_id = _collection(edge, collection)
    found = edge.services.analyses.groups(collection_id, field, most)
    if as_json:
        print_json(shapes.groups(found).json_value())
    else:
        _print_groups(found)


def _print_groups(found: Compared) -> None:
    rows = [
        (
            group.value,
            group.documents,
            f"{c.share:6.1%}",
            f"{c.rest:6.1%}",
            _odds(c.log_odds, c.low, c.high),
            f"{c.q:.3f}",
            c.topic.label,
        )
        for group in found.groups
        for c in sorted(group.contrasts, key=lambda c: -abs(c.log_odds))
        if c.differs
    ]
    if rows:
        table((found.field, "documents", "share", "rest", "log odds (95 %)", "q", "topic"), rows).print()
    else:
        click.echo(f"no topic differs between the {len(found.groups)} groups by more than chance")


def _odds(value: float, low: float, high: float) -> str:
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


@command("quality")
@click.option("--measure", is_flag=True, help="Measure anew: refits on parts of the documents, which takes minutes.")
@collection_option
@json_option
def quality(edge: Edge, measure: bool, collection: str | None, as_json: bool) -> None:
    """How good each topic is: words on unseen documents, what is its own, whether it would be found again."""
    services, collection_id = edge.services, _collection(edge, collection)
    found = None if measure else services.analyses.quality(collection_id)
    if found is None:
        _run(services, collection_id, QUALITY)
        found = services.analyses.quality(collection_id)
    assert found is not None
    if as_json:
        print_json(shapes.quality(found).json_value())
        return
    names = {topic.id: topic.label for topic in services.topics.topics(collection_id)}
    rows = [
        (
            topic,
            _number(q.npmi),
            _number(q.npmi_held_out),
            _number(q.exclusivity),
            _number(q.stability),
            _number(q.observed),
            names.get(topic, ""),
        )
        for topic, q in sorted(found.topics.items(), key=lambda pair: -pair[1].stability)
    ]
    table(("id", "NPMI", "unseen", "exclusive", "stability", "observed", "label"), rows).print()
    click.echo(
        f"the forecast of stability was off by {found.error:.3f} in fresh draws (their own noise: {found.noise:.3f})"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


@command("labels")
@click.option(
    "--by", "by", default="phrases", show_default=True, metavar="KIND",
    help="phrases, sentence, or the name of an installed labeller (entry point of riparian.topic_labels).",
)  # fmt: skip
@click.option("--apply", is_flag=True, help="Give the topics these names; without it they are only shown.")
@collection_option
@json_option
def labels(edge: Edge, by: str, apply: bool, collection: str | None, as_json: bool) -> None:
    """Other names for the topics: from their phrases, a sentence, or an installed labeller."""
    services, collection_id = edge.services, _collection(edge, collection)
    if by not in labelling.BUILT_IN:
        labelling.labeller(by)  # refuse an unknown one before the work
    elif services.analyses.quality(collection_id) is None:
        _run(services, collection_id, QUALITY)
    found = services.analyses.named(collection_id, by)
    if apply:
        request = Relabel(tuple((topic.id, label) for topic, label in found))
        services.curation.edit(collection_id, request, author=edge.settings.author, reason=f"labels by {by}")
    if as_json:
        print_json(
            {
                "by": by,
                "applied": apply,
                "topics": [{"topic": t.id, "label": label, "was": t.label} for t, label in found],
            }
        )
        return
    table(("id", "label", "was"), [(topic.id, label, topic.label) for topic, label in found]).print()


@command("map")
@click.option("--draw", is_flag=True, help="Draw it anew; what is on it keeps its place.")
@collection_option
@json_option
def map_(edge: Edge, draw: bool, collection: str | None, as_json: bool) -> None:
    """Where passages and topics lie on the map of the collection; it is drawn where there is none."""
    services, collection_id = edge.services, _collection(edge, collection)
    if draw or services.analyses.map(collection_id) is None:
        _run(services, collection_id, MAP)
    found = services.analyses.map(collection_id)
    assert found is not None
    if as_json:
        print_json(shapes.placed(found).json_value())
        return
    rows = [(topic, f"{x:+.2f}", f"{y:+.2f}", found.labels[topic]) for topic, (x, y) in found.topics.items()]
    table(("id", "x", "y", "label"), rows).print()


@command("stretches")
@click.argument("document", type=click.IntRange(1))
@json_option
def stretches(edge: Edge, document: int, as_json: bool) -> None:
    """The stretches of DOCUMENT (its id) by topic, with how sure each is."""
    services = edge.services
    found = services.analyses.stretches(DocumentId(document))
    with services.database.read() as catalog:
        model = catalog.topics.active_model(catalog.documents.get(DocumentId(document)).collection_id)
        names = {topic.id: topic.label for topic in catalog.topics.of_model(model.id)}
    if as_json:
        print_json(shapes.stretches(found, names).json_value())
        return
    rows = [(s.span.start, s.span.end, f"{s.weight:.0%}", f"{s.doubt.margin:.2f}", names[s.topic_id]) for s in found]
    table(("from", "to", "weight", "margin", "topic"), rows).print()


def show_closely(edge: Edge, topic: int) -> None:
    """The second half of `riparian topics show`: neighbours, doubt, passages at the border, what was measured."""
    found = edge.services.analyses.closely(TopicId(topic))
    click.echo(f"\n{_said(found)}")
    for other, similarity in found.nearest:
        click.echo(f"  like {other.label} (topic {other.id}): {similarity:.2f}")
    for passage, near, other in found.borderline:
        text = " ".join(passage.text.split())[:200]
        click.echo(f"\n  {near.weight:.0%}, nearly {other.label} (by {near.margin:.2f}): {text}")


def _said(found: Closely) -> str:
    said = f"doubt {found.doubt:.2f}, own words {found.own_words:.0%}"
    if found.quality is None:
        return f"{said}; `riparian topics quality` tells more"
    q = found.quality
    unseen = "" if q.npmi_held_out is None else f", NPMI on unseen documents {q.npmi_held_out:.2f}"
    return f"{said}, stability {q.stability:.2f} (in fresh draws {q.observed:.2f}){unseen}"


def _run(services: Services, collection_id: CollectionId, kind: str) -> None:
    from web.commands.progress import run_job

    with services.database.write() as catalog:
        job: JobId = services.analyses.queue(catalog, collection_id, kind)
    run_job(services, job)


def _collection(edge: Edge, name: str | None) -> CollectionId:
    with edge.services.database.read() as catalog:
        return catalog.collections.named(only_collection(edge, name)).id


ANALYSES: tuple[click.Command, ...] = (tree, over_time, groups, quality, labels, map_, stretches)
"""What `riparian topics` has of this module."""
