"""`riparian encoders`: the library of encoders."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from riparian.encoders import registry
from training.trainers import trainers
from web import encoder_shapes
from web.commands.benches import add_commands as add_benches
from web.commands.edge import Edge, json_option, print_json, subcommand, table
from web.commands.training import add_commands as add_training


@click.group("encoders")
def encoders_command() -> None:
    """What turns texts into vectors: kinds, cards, training, tuning, comparing."""


add_training(encoders_command)
add_benches(encoders_command)


@subcommand(encoders_command, "list")
@json_option
def list_encoders(edge: Edge, as_json: bool) -> None:
    """Kinds that --encoder takes, encoders that were trained or added here, and those that collections use."""
    training = edge.services.training
    with edge.services.database.read() as catalog:
        stored = catalog.encoders.all()
    installed = [encoder_shapes.installed(one, training.users(one)) for one in training.library.installed()]
    if as_json:
        print_json(
            {
                "default": edge.settings.encoder,
                "kinds": list(registry.available()),
                "trained": {kind: how.reads for kind, how in trainers().items()},
                "installed": [one.json_value() for one in installed],
                "encoders": [encoder_shapes.encoder(encoder).json_value() for encoder in stored],
            }
        )
        return
    click.echo(f"kinds: {', '.join(registry.available())}")
    click.echo("also: the path of a model folder, or a hub id such as sentence-transformers/all-MiniLM-L6-v2")
    click.echo(f"trained from text: {', '.join(trainers())}")
    if installed:
        click.echo("trained or added here:")
        rows = [(one.name, one.kind, one.origin, f"{one.bytes / 1e6:.1f} MB", one.provenance) for one in installed]
        table(("name", "kind", "origin", "size", "made from"), rows).print()
    if stored:
        click.echo("in use:")
        table(("name", "kind", "dimension"), [(e.name, e.kind, e.dimension) for e in stored]).print()


@subcommand(encoders_command, "show")
@click.argument("encoder")
@json_option
def show(edge: Edge, encoder: str, as_json: bool) -> None:
    """Load ENCODER (a kind, a name, a folder or hub id) and print its card: method, origin, licence, limits."""
    loaded = edge.services.encoders.load(encoder)
    card = asdict(loaded.info) | {"fingerprint": loaded.fingerprint()}
    if as_json:
        print_json(card)
        return
    width = max(len(name) for name in card)
    for name, value in card.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {value}")


@subcommand(encoders_command, "add")
@click.argument("name")
@click.argument("source", metavar="FOLDER|SPEC")
@json_option
def add(edge: Edge, name: str, source: str, as_json: bool) -> None:
    """Take the encoder at FOLDER, or that SPEC names, into the library as NAME, converted to Riparian's own format.

    \b
    riparian encoders add use-lite ~/Downloads/universal-sentence-encoder-lite
    riparian encoders add news-elmo elmo:/data/elmo/options.json
    """
    path = Path(source).expanduser()
    made = edge.services.training.add(name, str(path.resolve()) if path.exists() else source)
    if as_json:
        print_json(encoder_shapes.installed(made, []).json_value())
    else:
        click.echo(f"{made.name}: {made.card.kind}, {made.bytes / 1e6:.1f} MB; use it with --encoder {made.name}")


@subcommand(encoders_command, "remove")
@click.argument("name")
def remove(edge: Edge, name: str) -> None:
    """Delete the encoder NAME, which no collection may use."""
    edge.services.training.remove(name)
    click.echo(f"removed {name}")
