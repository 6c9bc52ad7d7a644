"""`riparian add` and `riparian sync`."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.readers.base import ReadOptions
from riparian.types import Job, JobId
from web import collection_shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, plain, print_json
from web.languages import told_of

_SHOWN_FAILURES = 10


@command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--collection", "-c", required=True, metavar="NAME", help="Add to this collection; made if new.")
@click.option(
    "--encoder",
    metavar="KIND",
    help="What turns texts into vectors: a kind, a model folder or a hub id (see `riparian encoders list`).",
)
@click.option(
    "--text-column", default="", metavar="COLUMN", help="In tables: which column is the text [default: guessed]."
)
@click.option("--title-column", default="", metavar="COLUMN", help="… the title.")
@click.option("--date-column", default="", metavar="COLUMN", help="… the date.")
@click.option("--author-column", default="", metavar="COLUMN", help="… the author.")
@click.option("--language-column", default="", metavar="COLUMN", help="… the language (en, de, …).")
@click.option("--id-column", default="", metavar="COLUMN", help="… the row's own name.")
@click.option("--background", is_flag=True, help="Only queue it, for a `riparian worker` or `riparian serve`.")
@json_option
def add_command(
    edge: Edge,
    paths: tuple[Path, ...],
    collection: str,
    encoder: str | None,
    text_column: str,
    title_column: str,
    date_column: str,
    author_column: str,
    language_column: str,
    id_column: str,
    background: bool,
    as_json: bool,
) -> None:
    """Index files and folders: PDF, Word, slides, tables, mail, web pages, e-books, archives, plain text.

    Every row of a table (CSV, TSV, JSON lines, Parquet) is a document. What cannot be read is listed with its reason,
    and the rest goes on. Stopped half way, the same command goes on from there; what is unchanged is not done again.

    \b
    riparian add ~/papers --collection papers
    riparian add reviews.csv --collection reviews --text-column body --date-column posted
    """
    options = ReadOptions(
        text_column=text_column,
        title_column=title_column,
        date_column=date_column,
        author_column=author_column,
        language_column=language_column,
        id_column=id_column,
    )
    job = edge.services.indexer.add(collection, paths, options, encoder)
    _finish(edge, collection, job, background=background, as_json=as_json)


@command("sync")
@collection_option
@click.option("--background", is_flag=True, help="Only queue it, for a `riparian worker` or `riparian serve`.")
@json_option
def sync_command(edge: Edge, collection: str | None, background: bool, as_json: bool) -> None:
    """Look at everything that was added again: what is new, changed, renamed or gone since."""
    name = only_collection(edge, collection)
    _finish(edge, name, edge.services.indexer.sync(name), background=background, as_json=as_json)


def _finish(edge: Edge, collection: str, job_id: JobId, *, background: bool, as_json: bool) -> None:
    from web.commands.progress import run_follow_up, run_job

    if background:
        print_json({"job": job_id}) if as_json else click.echo(f"queued as job {job_id}")
        return
    done = run_job(edge.services, job_id)
    run_follow_up(edge.services, collection)
    _say(edge, collection, done, as_json=as_json)


def _say(edge: Edge, name: str, job: Job, *, as_json: bool) -> None:
    with edge.services.database.read() as catalog:
        collection = catalog.collections.named(name)
        failures = catalog.files.failures(collection.id, limit=_SHOWN_FAILURES)
    if as_json:
        print_json(
            {
                "collection": name,
                "documents": collection.documents,
                "passages": collection.passages,
                "failures": collection.failures,
                "failed": [collection_shapes.failure(row).json_value() for row in failures],
                "result": dict(job.result),
            }
        )
        return
    click.echo(f"{name}: {collection.documents} documents, {collection.passages} passages")
    if advice := told_of(job.result.get("advice"), name):
        click.echo(advice)
    for path in job.result.get("missing", ()):
        click.echo(f"  not there: {plain(path)} (its documents are kept)", err=True)
    for row in failures:
        click.echo(f"  not read: {plain(row.path)}: {plain(row.reason)}", err=True)
    if collection.failures > len(failures):
        click.echo(f"  … and {collection.failures - len(failures)} more", err=True)
