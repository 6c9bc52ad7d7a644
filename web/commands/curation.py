"""`riparian topics rename | merge | split | move | pin | unpin | seed | hide | show-hidden | note | undo | redo |
history`: topics changed by people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from riparian.catalog.curation import TopicEdit
from riparian.errors import Invalid
from riparian.types import CollectionId, PassageId, TopicId
from topics.curation import requests
from topics.curation.preview import Effect, Standing
from topics.curation.requests import Request
from web import curation_shapes as shapes
from web import curation_wording as wording
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json, table

_TOPIC = click.IntRange(1)


def _edit_options(function: Callable[..., None]) -> Callable[..., None]:
    """What every edit takes."""
    for option in (
        json_option,
        click.option("--author", metavar="NAME", help="Who makes the edit [default: the configured user]."),
        click.option("--reason", default="", metavar="TEXT", help="Why, for the history."),
        click.option("--preview", is_flag=True, help="Show what it would change, and change nothing."),
    ):
        function = option(function)
    return function


@command("rename")
@click.argument("topic", type=_TOPIC)
@click.argument("label")
@_edit_options
def rename(edge: Edge, topic: int, label: str, **options: Any) -> None:
    """Give TOPIC the name LABEL; a refit keeps it."""
    _edit(edge, _collection_of(edge, topic), requests.Rename(TopicId(topic), label), **options)


@command("merge")
@click.argument("topics", type=_TOPIC, nargs=-1, required=True)
@click.option("--into", type=_TOPIC, required=True, help="The topic that takes them in and keeps its name.")
@_edit_options
def merge(edge: Edge, topics: tuple[int, ...], into: int, **options: Any) -> None:
    """Make TOPICS part of another topic."""
    request = requests.Merge(tuple(TopicId(topic) for topic in topics), TopicId(into))
    _edit(edge, _collection_of(edge, into), request, **options)


@command("split")
@click.argument("topic", type=_TOPIC)
@click.option("--parts", type=click.IntRange(2, 50), default=2, show_default=True, help="Into how many.")
@_edit_options
def split(edge: Edge, topic: int, parts: int, **options: Any) -> None:
    """Split TOPIC by the meaning of its passages; the largest part keeps its name."""
    _edit(edge, _collection_of(edge, topic), requests.Split(TopicId(topic), parts), **options)


@command("move")
@click.argument("passages", type=click.IntRange(1), nargs=-1, required=True)
@click.option("--to", type=_TOPIC, help="The topic that becomes their main one.")
@click.option("--new", "label", metavar="LABEL", help="Make a new topic of them.")
@collection_option
@_edit_options
def move(
    edge: Edge, passages: tuple[int, ...], to: int | None, label: str | None, collection: str | None, **options: Any
) -> None:
    """Give PASSAGES another main topic."""
    if (to is None) == (label is None):
        raise Invalid("say where to: --to TOPIC or --new LABEL")
    target: TopicId | str = label or "" if to is None else TopicId(to)
    found = _collection(edge, collection) if to is None else _collection_of(edge, to)
    _edit(edge, found, requests.Move(tuple(PassageId(p) for p in passages), target), **options)


@command("pin")
@click.argument("topic", type=_TOPIC, required=False)
@click.option("--passage", "passages", type=click.IntRange(1), multiple=True, help="Pin this to its main topic.")
@collection_option
@_edit_options
def pin(edge: Edge, topic: int | None, passages: tuple[int, ...], collection: str | None, **options: Any) -> None:
    """Keep TOPIC with all of its passages, or single passages in their topics, whatever a refit finds."""
    key, chosen = _pinned(topic, passages)
    _edit(edge, _collection(edge, collection, topic), requests.Pin(key, chosen), **options)


@command("unpin")
@click.argument("topic", type=_TOPIC, required=False)
@click.option("--passage", "passages", type=click.IntRange(1), multiple=True, help="Unpin this.")
@collection_option
@_edit_options
def unpin(edge: Edge, topic: int | None, passages: tuple[int, ...], collection: str | None, **options: Any) -> None:
    """Leave TOPIC, or single passages, to the next refit again."""
    key, chosen = _pinned(topic, passages)
    _edit(edge, _collection(edge, collection, topic), requests.Unpin(key, chosen), **options)


@command("seed")
@click.argument("words", nargs=-1)
@click.option("--topic", type=_TOPIC, help="The topic that is to be about them.")
@click.option("--label", default="", help="Without --topic: the name of a topic to be found.")
@collection_option
@_edit_options
def seed(
    edge: Edge, words: tuple[str, ...], topic: int | None, label: str, collection: str | None, **options: Any
) -> None:
    """WORDS that a topic is to be about at the next refit; none takes the wish back."""
    request = requests.Seed(words, None if topic is None else TopicId(topic), label)
    _edit(edge, _collection(edge, collection, topic), request, **options)


@command("hide")
@click.argument("topic", type=_TOPIC)
@_edit_options
def hide(edge: Edge, topic: int, **options: Any) -> None:
    """Put TOPIC out of sight: it counts, but lists show it last and facets not at all."""
    _edit(edge, _collection_of(edge, topic), requests.Hide(TopicId(topic)), **options)


@command("show-hidden")
@click.argument("topic", type=_TOPIC, required=False)
@collection_option
@_edit_options
def show_hidden(edge: Edge, topic: int | None, collection: str | None, **options: Any) -> None:
    """Show TOPIC again; without one, list the hidden topics."""
    if topic is not None:
        _edit(edge, _collection_of(edge, topic), requests.Hide(TopicId(topic), hidden=False), **options)
        return
    with edge.services.database.read() as catalog:
        model = catalog.topics.active_model(_collection(edge, collection))
        hidden = [found for found in catalog.topics.of_model(model.id) if found.hidden]
    if options["as_json"]:
        print_json({"topics": [{"id": t.id, "label": t.label, "share": t.share} for t in hidden]})
    else:
        table(("id", "share", "label"), [(t.id, f"{t.share:6.1%}", t.label) for t in hidden]).print()


@command("note")
@click.argument("topic", type=_TOPIC)
@click.argument("text")
@_edit_options
def note(edge: Edge, topic: int, text: str, **options: Any) -> None:
    """Write TEXT beside TOPIC; an empty text takes the note away."""
    _edit(edge, _collection_of(edge, topic), requests.Note(TopicId(topic), text), **options)


@command("undo")
@collection_option
@json_option
def undo(edge: Edge, collection: str | None, as_json: bool) -> None:
    """Take the last edit of topics back."""
    _told(edge.services.curation.undo(_collection(edge, collection)), "taken back", as_json)


@command("redo")
@collection_option
@json_option
def redo(edge: Edge, collection: str | None, as_json: bool) -> None:
    """Make the edit again that was taken back last."""
    _told(edge.services.curation.redo(_collection(edge, collection)), "made again", as_json)


@command("history")
@collection_option
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@json_option
def history(edge: Edge, collection: str | None, limit: int, as_json: bool) -> None:
    """Who changed the topics, when and why; newest first."""
    found = edge.services.curation.history(_collection(edge, collection), limit=limit)
    if as_json:
        print_json({"edits": [shapes.edit(edit).json_value() for edit in found]})
        return
    with edge.services.database.read() as catalog:
        labels = catalog.curation.labels({topic for edit in found for topic in wording.topics_of(edit)})
    rows = [(f"{e.time:%Y-%m-%d %H:%M}", e.author, e.state, wording.sentence(e, labels), e.reason) for e in found]
    table(("time", "by", "state", "edit", "reason"), rows).print()


# ------------------------------------------------------------------------------ parts


def _edit(
    edge: Edge,
    collection: CollectionId,
    request: Request,
    *,
    preview: bool,
    reason: str,
    author: str | None,
    as_json: bool,
) -> None:
    curation = edge.services.curation
    if preview:
        stored, effect = None, curation.preview(collection, request)
    else:
        signed = edge.settings.author if author is None else author
        stored, effect = curation.edit(collection, request, author=signed, reason=reason)
    if as_json:
        print_json(shapes.edited(stored, effect).json_value())
    else:
        _print_effect(effect, made=stored is not None)


def _print_effect(effect: Effect, *, made: bool) -> None:
    click.echo(f"{effect.passages} passages {'have' if made else 'would have'} another mixture of topics")
    rows = []
    for change in effect.changes:
        rows.append((change.topic if change.topic > 0 else "new", "before", *_standing(change.before)))
        rows.append(("", "after", *_standing(change.after)))
    if rows:
        table(("topic", "", "passages", "share", "NPMI", "label", "words"), rows).print()
    for name, before in effect.quality_before.items():
        click.echo(f"{name}: {before:.3f} → {effect.quality_after.get(name, float('nan')):.3f}")


def _standing(value: Standing | None) -> tuple[object, ...]:
    if value is None:
        return ("", "", "", "not there", "")
    npmi = "" if value.npmi is None else f"{value.npmi:.3f}"
    return (value.passages, f"{value.share:6.1%}", npmi, value.label, " ".join(value.words[:8]))


def _told(edit: TopicEdit, what: str, as_json: bool) -> None:
    if as_json:
        print_json(shapes.edit(edit).json_value())
    else:
        click.echo(f"{edit.kind} {what}")


def _pinned(topic: int | None, passages: tuple[int, ...]) -> tuple[TopicId | None, tuple[PassageId, ...]]:
    if (topic is None) == (not passages):
        raise Invalid("name a TOPIC, or passages with --passage")
    return (None if topic is None else TopicId(topic)), tuple(PassageId(p) for p in passages)


def _collection(edge: Edge, name: str | None, topic: int | None = None) -> CollectionId:
    if topic is not None:
        return _collection_of(edge, topic)
    with edge.services.database.read() as catalog:
        return catalog.collections.named(only_collection(edge, name)).id


def _collection_of(edge: Edge, topic: int) -> CollectionId:
    with edge.services.database.read() as catalog:
        return catalog.topics.collection_of(TopicId(topic))


CURATION = (rename, merge, split, move, pin, unpin, seed, hide, show_hidden, note, undo, redo, history)
