"""`riparian collections`."""

from __future__ import annotations

import click

from riparian.errors import Invalid
from web import encoder_shapes
from web.api.collections import shape_of
from web.commands.edge import Edge, json_option, print_json, subcommand, table
from web.commands.reindex import background_option

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.group("collections")
def collections_command() -> None:
    """Named sets of documents that are searched together."""


@subcommand(collections_command, "list")
@json_option
def list_collections(edge: Edge, as_json: bool) -> None:
    """Every collection with its counts and encoder."""
    with edge.services.database.read() as catalog:
        found = [shape_of(catalog, collection) for collection in catalog.collections.all()]
    if as_json:
        print_json({"collections": [shape.json_value() for shape in found]})
        return
    rows = [(c.name, c.documents, c.passages, c.failures, c.encoder or "-") for c in found]
    table(("name", "documents", "passages", "failures", "encoder"), rows).print()


@subcommand(collections_command, "remove")
@click.argument("name")
@yes_option
def remove(edge: Edge, name: str, yes: bool) -> None:
    """Remove the collection NAME with all that was derived from it; the files it was made from stay."""
    with edge.services.database.read() as catalog:
        documents = catalog.collections.named(name).documents
    _confirm(f"Remove collection {name!r} with its {documents} documents? The files themselves stay.", yes=yes)
    edge.services.indexer.remove(name)
    click.echo(f"removed {name}")


@subcommand(collections_command, "encoders")
@click.argument("name")
@json_option
def encoders(edge: Edge, name: str, as_json: bool) -> None:
    """The encoders that the collection NAME has vectors of; * marks the one that searches use."""
    found = [encoder_shapes.binding(one) for one in edge.services.indexer.encoders(name)]
    if as_json:
        print_json({"encoders": [shape.json_value() for shape in found]})
        return
    rows = [("*" if e.active else "", e.name, e.fingerprint[:12], e.dimension, e.vectors, e.pending) for e in found]
    table(("", "name", "fingerprint", "dimension", "passages", "pending"), rows).print()


@subcommand(collections_command, "forget-encoder")
@click.argument("name")
@click.argument("encoder")
@yes_option
def forget_encoder(edge: Edge, name: str, encoder: str, yes: bool) -> None:
    """Drop the vectors that the collection NAME has of ENCODER, which searches must not use."""
    _confirm(f"Drop the vectors of {encoder!r} in collection {name!r}? Going back to it means a re-index.", yes=yes)
    click.echo(f"dropped {edge.services.indexer.forget_encoder(name, encoder)} vectors")


@subcommand(collections_command, "token-states")
@click.argument("name")
@background_option
@json_option
def token_states(edge: Edge, name: str, background: bool, as_json: bool) -> None:
    """Make what re-ranking compares for the passages of the collection NAME that have none of it.

    Collections indexed by an earlier version, or with RIPARIAN_TOKEN_STATES=false, have none. Stopped half way, the
    same command goes on from there. Only encoders of the transformers library give token states.
    """
    from web.commands.progress import run_job

    job = edge.services.indexer.make_states(name)
    if background:
        print_json({"job": job}) if as_json else click.echo(f"queued as job {job}")
        return
    result = dict(run_job(edge.services, job).result)
    if as_json:
        print_json({"collection": name} | result)
        return
    size = f"{result['bytes'] / 1e6:.1f} MB in all"
    click.echo(f"{name}: token states made for {result['passages']} passages by {result['encoder']}; {size}")


def _confirm(question: str, *, yes: bool) -> None:
    """Invalid where nobody answers."""
    try:
        if not yes and not click.confirm(question, err=True):
            raise click.Abort
    except click.Abort:
        raise Invalid("nothing was removed; --yes does it without asking") from None
