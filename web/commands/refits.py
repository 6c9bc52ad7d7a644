"""`riparian topics refit | proposal | apply | discard | rollback | drift | codebook | agreement`."""

from __future__ import annotations

from pathlib import Path

import click

from riparian.errors import Invalid
from riparian.types import CollectionId
from topics.curation import agreement as agreements
from topics.curation import codebook as codebooks
from topics.curation.codebook import FORMATS, Codebook
from topics.refit.drift import Drift
from topics.refit.service import Proposal
from web import curation_shapes, topic_shapes
from web import refit_shapes as refitted
from web.commands.asking import asked, asked_options
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json, table

_reason = click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
_author = click.option("--author", metavar="NAME", help="Who decides [default: the configured user].")
_format = click.option("--format", "form", type=click.Choice(FORMATS), help="[default: by the file's name, else json]")
_LONGEST_FILE = 100_000_000


@command("refit")
@collection_option
@asked_options(
    "How many at least [default: as many as there are].", "[default: the kind of the topics shown]", "as before"
)
@json_option
def refit(
    edge: Edge,
    collection: str | None,
    topics: int | None,
    kind: str | None,
    seed: int | None,
    labels: str | None,
    words: int | None,
    options: tuple[str, ...],
    as_json: bool,
) -> None:
    """Find topics anew under all that people changed, and propose them; nothing is shown before `topics apply`.

    What is not said stays as it was asked for the last time.
    """
    from web.commands.progress import run_job

    services, found = edge.services, _collection(edge, collection)
    run_job(services, services.refits.queue(found, asked(topics, kind, seed, labels, words, options)))
    show_proposal(services.refits.proposal(found), as_json)


@command("proposal")
@collection_option
@json_option
def proposal(edge: Edge, collection: str | None, as_json: bool) -> None:
    """What the refit that waits would change."""
    show_proposal(edge.services.refits.proposal(_collection(edge, collection)), as_json)


@command("apply")
@collection_option
@_reason
@_author
@json_option
def apply(edge: Edge, collection: str | None, reason: str, author: str | None, as_json: bool) -> None:
    """Show the proposed topics; `topics rollback` takes it back."""
    info = edge.services.apply_refit(_collection(edge, collection), author=_signed(edge, author), reason=reason)
    if as_json:
        print_json(topic_shapes.topic_model(info).json_value())
    else:
        click.echo(f"{info.topics} topics are shown")


@command("discard")
@collection_option
def discard(edge: Edge, collection: str | None) -> None:
    """Throw the proposed refit away."""
    edge.services.refits.discard(_collection(edge, collection))
    click.echo("the proposal is gone")


@command("rollback")
@collection_option
@_reason
@_author
@json_option
def rollback(edge: Edge, collection: str | None, reason: str, author: str | None, as_json: bool) -> None:
    """Show the topics before the last refit again, with their edits; the refit is a proposal again."""
    info = edge.services.refits.rollback(_collection(edge, collection), author=_signed(edge, author), reason=reason)
    if as_json:
        print_json(topic_shapes.topic_model(info).json_value())
    else:
        click.echo(f"{info.topics} topics are shown again")


@command("drift")
@collection_option
@json_option
def drift(edge: Edge, collection: str | None, as_json: bool) -> None:
    """Whether the topics still fit what came since they were found, and which themes they lack."""
    found = edge.services.drift.drift(_collection(edge, collection))
    if as_json:
        print_json(refitted.drift(found).json_value())
    else:
        _print_drift(found)


@click.group("codebook")
def codebook() -> None:
    """The topics with all that people said of them, as a file."""


@command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@_format
@collection_option
def export_codebook(edge: Edge, file: Path | None, form: str | None, collection: str | None) -> None:
    """Write the codebook to FILE, or print it."""
    text = codebooks.write(edge.services.curation.codebook(_collection(edge, collection)), _form(file, form))
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8", newline="")


@command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_format
@collection_option
@_reason
@_author
@json_option
def import_codebook(
    edge: Edge,
    file: Path,
    form: str | None,
    collection: str | None,
    reason: str,
    author: str | None,
    as_json: bool,
) -> None:
    """Make the topics say what a codebook says; one edit, which `topics undo` takes back."""
    edit, effect, taken = edge.services.curation.take_codebook(
        _collection(edge, collection), _read(file, form), author=_signed(edge, author), reason=reason
    )
    if as_json:
        print_json(refitted.taken(curation_shapes.edit(edit), curation_shapes.effect(effect), taken).json_value())
        return
    click.echo(f"{taken.met} topics met, {taken.made} made, {taken.wished} wished for at the next refit")
    click.echo(f"{taken.passages} passages placed, {taken.passages_left} are not here or pinned elsewhere")


codebook.add_command(export_codebook)
codebook.add_command(import_codebook)


@command("agreement")
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def agreement(edge: Edge, first: Path, second: Path, as_json: bool) -> None:
    """How far the codebooks FIRST and SECOND put the same passages into the same topics (Cohen's kappa)."""
    found = agreements.agreement(_read(first, None), _read(second, None))
    if as_json:
        print_json(refitted.agreement(found).json_value())
        return
    click.echo(f"kappa {found.kappa:.3f} over {found.passages} passages that both placed")
    click.echo(f"same topic {found.observed:.1%}, by chance {found.expected:.1%}")
    click.echo(f"placed in one codebook alone: {found.only_first} in the first, {found.only_second} in the second")
    if found.apart:
        table(("first", "second", "passages"), found.apart[:20]).print()


# ------------------------------------------------------------------------------ parts


def _collection(edge: Edge, name: str | None) -> CollectionId:
    with edge.services.database.read() as catalog:
        return catalog.collections.named(only_collection(edge, name)).id


def _signed(edge: Edge, author: str | None) -> str:
    return edge.settings.author if author is None else author


def _form(file: Path | None, form: str | None) -> str:
    if form is not None or file is None:
        return form or "json"
    return {".csv": "csv", ".jsonld": "skos"}.get(file.suffix.lower(), "json")


def _read(file: Path, form: str | None) -> Codebook:
    if file.stat().st_size > _LONGEST_FILE:
        raise Invalid(f"{file} is larger than any codebook")
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"{file} is no text in UTF-8") from error
    return codebooks.read(text, _form(file, form))


def show_proposal(found: Proposal, as_json: bool) -> None:
    """What a refit would change, and how to decide."""
    if as_json:
        print_json(refitted.proposal(found).json_value())
        return
    report = found.report
    click.echo(f"{len(report.kept)} topics kept, {len(report.new)} new, {len(report.vanished)} vanish")
    click.echo(f"{report.moved:.1%} of {report.passages} passages change their main topic")
    click.echo(f"{report.settled_kept:.1%} of {report.settled} settled passages keep topic and label")
    for name, value in report.quality.items():
        click.echo(f"{name}: {report.quality_before.get(name, float('nan')):.3f} → {value:.3f}")
    for topic in report.kept:
        words = " ".join([*(f"+{word}" for word in topic.came), *(f"-{word}" for word in topic.went)])
        counts = f"{topic.passages_before} → {topic.passages} passages"
        click.echo(f"  {topic.id}  {topic.label}: {counts}, {topic.moved:.0%} leave  {words}".rstrip())
    for theme in report.new:
        parent = f", split from {theme.split_from}" if theme.split_from else ""
        click.echo(f"  new  {theme.label}: {theme.passages} passages{parent}  {' '.join(theme.words[:8])}")
    for gone in report.vanished:
        click.echo(f"  vanishes  {gone.id}  {gone.label}: {gone.passages} passages, most go to {gone.into}")
    for note in report.notes:
        click.echo(f"note: {note}")
    if found.stale:
        click.echo("the topics were changed since; make the refit again", err=True)


def _print_drift(found: Drift) -> None:
    click.echo(f"{found.passages} passages of {found.documents} documents came since the topics were found")
    if not found.passages:
        return
    said = "they have drifted" if found.drifted else "no drift that chance would not give"
    click.echo(
        f"{said}: {found.company:.0%} of the nearest neighbours of new passages are new, {found.company_by_chance:.0%} "
        f"by chance (p = {found.chance:.2g})"
    )
    click.echo(f"in doubt: {found.doubtful_at_fit:.1%} at the fit, {found.doubtful:.1%} since")
    for theme in found.themes:
        words = " ".join(term.term for term in theme.words[:8])
        click.echo(f"  theme without a topic: {theme.label}, {theme.size} passages  {words}")


REFITS = (refit, proposal, apply, discard, rollback, drift, codebook, agreement)
