"""`riparian reindex`, `riparian switch` and `riparian rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from riparian.types import JobId
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json

if TYPE_CHECKING:
    from indexer.bindings import Switched

background_option = click.option(
    "--background", is_flag=True, help="Only queue it, for a `riparian worker` or `riparian serve`."
)


@command("reindex")
@collection_option
@click.option("--encoder", required=True, metavar="KIND", help="What turns texts into vectors from now on: a kind, an "
    "encoder of the library, a model folder or a hub id (see `riparian encoders list`).")  # fmt: skip
@click.option("--no-switch", is_flag=True, help="Only make its vectors; searches stay with the encoder they use.")
@background_option
@json_option
def reindex_command(
    edge: Edge, collection: str | None, encoder: str, no_switch: bool, background: bool, as_json: bool
) -> None:
    """Embed a collection with another encoder and search with that.

    Searches use the encoder before until all is done, and its vectors stay: `riparian rollback` goes back at once.
    Stopped half way, the same command goes on from there. Passages stay as they are.

    \b
    riparian reindex --collection papers --encoder papers-elmo
    riparian reindex --collection papers --encoder ~/models/bge-small --no-switch
    """
    name = only_collection(edge, collection)
    job = edge.services.indexer.reindex(name, encoder, switch=not no_switch)
    if background:
        _say_queued(job, as_json=as_json)
    else:
        _say(name, _run(edge, name, job), as_json=as_json)


@command("switch")
@click.argument("encoder")
@collection_option
@background_option
@json_option
def switch_command(edge: Edge, encoder: str, collection: str | None, background: bool, as_json: bool) -> None:
    """Search a collection with ENCODER, one that it has vectors of: a name, a spec, or the start of a fingerprint.

    Documents that were added since it was last in use are embedded first; without any, this is done at once.
    """
    name = only_collection(edge, collection)
    _end(edge, name, edge.services.indexer.switch(name, encoder), background=background, as_json=as_json)


@command("rollback")
@collection_option
@background_option
@json_option
def rollback_command(edge: Edge, collection: str | None, background: bool, as_json: bool) -> None:
    """Search a collection with the encoder before the last switch again. The same once more undoes it."""
    name = only_collection(edge, collection)
    _end(edge, name, edge.services.indexer.rollback(name), background=background, as_json=as_json)


def _end(edge: Edge, name: str, done: Switched, *, background: bool, as_json: bool) -> None:
    if done.job is not None and background:
        _say_queued(done.job, as_json=as_json)
        return
    result = {"encoder": done.encoder.name, "fingerprint": done.encoder.fingerprint, "switched": True}
    if done.job is not None:
        result = _run(edge, name, done.job)
    elif not background:
        _follow_up(edge, name)
    _say(name, result, as_json=as_json)


def _run(edge: Edge, name: str, job: JobId) -> dict[str, Any]:
    from web.commands.progress import run_job

    result = dict(run_job(edge.services, job).result)
    _follow_up(edge, name)
    return result


def _follow_up(edge: Edge, name: str) -> None:
    from web.commands.progress import run_follow_up

    run_follow_up(edge.services, name)


def _say_queued(job: JobId, *, as_json: bool) -> None:
    print_json({"job": job}) if as_json else click.echo(f"queued as job {job}")


def _say(name: str, result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"collection": name} | result)
        return
    done = f"{name}: {result['vectors']} passages embedded; " if "vectors" in result else f"{name}: "
    searched = "searched with" if result["switched"] else "not searched yet with"
    click.echo(f"{done}{searched} {result['encoder']}")
    if not result["switched"]:
        click.echo(f"  to search with it: riparian switch --collection {name} {result['fingerprint'][:12]}")
