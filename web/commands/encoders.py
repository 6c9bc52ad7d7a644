"""`riparian encoders`."""

from __future__ import annotations

from dataclasses import asdict

import click

from riparian.encoders import registry
from web import shapes
from web.commands.edge import Edge, json_option, print_json, subcommand, table


@click.group("encoders")
def encoders_command() -> None:
    """What turns texts into vectors: the kinds there are, and their cards."""


@subcommand(encoders_command, "list")
@json_option
def list_encoders(edge: Edge, as_json: bool) -> None:
    """Kinds that --encoder takes, and the encoders that collections use."""
    with edge.services.database.read() as catalog:
        stored = catalog.encoders.all()
    if as_json:
        print_json(
            {
                "default": edge.settings.encoder,
                "kinds": list(registry.available()),
                "encoders": [shapes.encoder(encoder).json_value() for encoder in stored],
            }
        )
        return
    click.echo(f"kinds: {', '.join(registry.available())}")
    click.echo("also: the path of a model folder, or a hub id such as sentence-transformers/all-MiniLM-L6-v2")
    if stored:
        click.echo("in use:")
        table(("name", "kind", "dimension"), [(e.name, e.kind, e.dimension) for e in stored]).print()


@subcommand(encoders_command, "show")
@click.argument("encoder")
@json_option
def show(edge: Edge, encoder: str, as_json: bool) -> None:
    """Load ENCODER (a kind, folder or hub id) and print its card: method, origin, licence, limits."""
    loaded = edge.services.encoders.load(encoder)
    card = asdict(loaded.info) | {"fingerprint": loaded.fingerprint()}
    if as_json:
        print_json(card)
        return
    width = max(len(name) for name in card)
    for name, value in card.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {value}")
