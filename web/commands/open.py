"""`riparian open`: a folder in, searchable passages and browsable topics out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from indexer.scan import real_path
from riparian.errors import RiparianError
from riparian.types import JobId
from web.commands.edge import Edge, command
from web.commands.summary import Summary, summarise

if TYPE_CHECKING:
    from web.wiring import Services

SAMPLE = "sample"
_QUESTIONS = {SAMPLE: "forest on fire near houses"}  # the best hits share no word with it


@command("open")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--no-serve", is_flag=True, help="Index and find topics, print a summary, and end.")
@click.option("--collection", "-c", metavar="NAME", help="Name the collection [default: the folder's name].")
@click.option("--encoder", metavar="KIND", help="What turns texts into vectors (see `riparian encoders list`).")
@click.option("--host", help="Address to serve at [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to serve at; 0 picks a free one [default: 8642].")
def open_command(
    edge: Edge,
    folder: Path | None,
    no_serve: bool,
    collection: str | None,
    encoder: str | None,
    host: str | None,
    port: int | None,
) -> None:
    """Index FOLDER, find its topics, serve it. Without FOLDER: the sample archive.

    The pages answer before indexing ends: search by words works as soon as the first files are read. Opened again,
    only what has changed is done. The last line of --no-serve is one JSON object.

    \b
    riparian open
    riparian open ~/papers
    riparian open --no-serve ~/papers
    """
    edge.given.update(host=host, port=port)
    name = collection or (_name(edge, folder) if folder else SAMPLE)
    began = time.perf_counter()
    job = _index(edge, name, folder, encoder)
    if no_serve:
        _finish(edge, name, job).print(time.perf_counter() - began)
    else:
        _serve(edge, name, job)


def _name(edge: Edge, folder: Path) -> str:
    """The collection that the folder was opened as before, else its name, numbered when another folder has it."""
    path = folder.expanduser().resolve()
    with edge.services.database.read() as catalog:
        taken = {c.name: [root.path for root in catalog.collections.roots(c.id)] for c in catalog.collections.all()}
    for name, roots in taken.items():
        if [real_path(root) for root in roots] == [path]:
            return name
    plain = path.name or "root"
    numbered = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in numbered if name not in taken)


def _index(edge: Edge, name: str, folder: Path | None, encoder: str | None) -> JobId:
    indexer = edge.services.indexer
    return indexer.add(name, [folder], encoder=encoder) if folder else indexer.add_sample(name, encoder)


def _finish(edge: Edge, name: str, job: JobId) -> Summary:
    """Runs all there is to do, here."""
    from web.commands.progress import run_follow_up, run_job

    services = edge.services
    seconds = {stage: round(s, 2) for stage, s in dict(run_job(services, job).result.get("seconds", {})).items()}
    began = time.perf_counter()
    note = ""
    try:
        if not _has_topics(services, name):
            run_job(services, services.fit_topics(name))
    except RiparianError as error:  # a folder with too little text for topics is searchable all the same
        note = f"no topics: {error}"
    seconds["topics"] = round(time.perf_counter() - began, 2)
    run_follow_up(services, name)
    return summarise(services, name, seconds, note)


def _has_topics(services: Services, name: str) -> bool:
    with services.database.read() as catalog:
        models = catalog.topics.models(catalog.collections.named(name).id)
    return any(model.active for model in models)


def _serve(edge: Edge, name: str, job: JobId) -> None:
    from web.commands.progress import shown
    from web.serve import serve

    services = edge.services
    queued = [job] if _has_topics(services, name) else [job, services.fit_topics(name)]
    with shown(services, *queued):
        serve(services, ready=lambda url: _welcome(url, name))


def _welcome(url: str, name: str) -> None:
    place, question = quote(name, safe=""), quote(_QUESTIONS.get(name, "what is this about"))
    click.echo(f"Riparian is at {url}  (Ctrl-C ends it)\n\nThree things to try:")
    click.echo(f"  search by meaning    {url}c/{place}/search?q={question}")
    click.echo(f"  browse the topics    {url}c/{place}/topics")
    click.echo(f"  ask from a program   curl '{url}api/v1/collections/{place}/search?q={question}'\n")
