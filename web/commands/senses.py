"""`riparian senses`."""

from __future__ import annotations

import sys

import click

from riparian.catalog.senses import SenseId
from riparian.errors import Invalid
from senses.service import Found
from web import sense_shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, plain, print_json, table
from web.sense_shapes import SensesShape


@command("senses")
@click.argument("word", required=False)
@collection_option
@click.option("--lemma", is_flag=True, help="All forms of the word: bank, banks, banking.")
@click.option("--senses", "number", type=click.IntRange(1, 100), help="Divide into so many.")
@click.option("--anew", is_flag=True, help="Find them again; names given by hand are lost.")
@click.option("--save", type=(click.IntRange(1), str), metavar="ID NAME", help="Keep sense ID under NAME.")
@click.option("--merge", metavar="ID,ID…", help="Take these senses for one.")
@click.option("--split", type=click.IntRange(1), metavar="ID", help="Divide sense ID in two.")
@click.option("--undo", is_flag=True, help="Take back the last --senses, --merge or --split of WORD.")
@click.option("--self-test", "tests", is_flag=True, help="How far senses can be trusted here: words made of two.")
@json_option
def senses_command(
    edge: Edge,
    word: str | None,
    collection: str | None,
    lemma: bool,
    number: int | None,
    anew: bool,
    save: tuple[int, str] | None,
    merge: str | None,
    split: int | None,
    undo: bool,
    tests: bool,
    as_json: bool,
) -> None:
    """The senses that WORD has in a collection: what is near each, how often, three examples, change over time.

    Without WORD, the senses that were saved. The first time the sentences of the word are encoded; then it answers
    from a cache.

    \b
    riparian senses bank --collection papers
    riparian senses "river bank" --json
    riparian senses bank --senses 3
    riparian senses bank --save 12 river
    riparian search flood --sense 12
    """
    service = edge.services.senses
    if save is not None:
        service.save(SenseId(save[0]), save[1])
    if merge is not None:
        _show(edge, service.merge([SenseId(one) for one in _ids(merge)]), as_json)
    elif split is not None:
        _show(edge, service.split(SenseId(split)), as_json)
    elif tests:
        _self_test(edge, only_collection(edge, collection), as_json)
    elif word is None:
        _saved(edge, only_collection(edge, collection), as_json)
    else:
        found = _found(edge, only_collection(edge, collection), word, lemma, number, anew)
        _show(edge, service.undo(found.word.id) if undo else found, as_json)


def _found(edge: Edge, collection: str, word: str, lemma: bool, number: int | None, anew: bool) -> Found:
    """From what is known, else by a job that shows how far it is."""
    from web.commands.progress import run_job

    services = edge.services
    if not anew and number is None and (known := services.senses.known(collection, word, lemma=lemma)) is not None:
        return known
    run_job(services, services.senses.queue(collection, word, lemma=lemma, senses=number, anew=anew))
    return services.senses.find(collection, word, lemma=lemma)


def _ids(listed: str) -> list[int]:
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    if not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise Invalid(f"{listed!r} are no ids of senses; write them as 12,13")
    return [int(part) for part in parts]


def _show(edge: Edge, found: Found, as_json: bool) -> None:
    changed = edge.services.senses.change(found.word.id)
    with edge.services.database.read() as catalog:
        shape = sense_shapes.senses(catalog, found, changed)
    if as_json:
        print_json(shape.json_value())
        return
    _print(shape)


def _print(shape: SensesShape) -> None:
    many = "1 sense" if len(shape.senses) == 1 else f"{len(shape.senses)} senses"
    click.echo(f"{click.style(shape.word, bold=True)}: {many} in {shape.occurrences} occurrences")
    if shape.note:
        click.echo(shape.note)
    for sense in shape.senses:
        title = f"{sense.name} ({sense.label})" if sense.name else sense.label
        click.echo(f"\n[{sense.id}] {click.style(title, bold=True)}: {sense.count} ({sense.share:.0%})")
        click.echo("  near: " + (", ".join(one.word for one in sense.company) or "nothing of its own"))
        if sense.substitutes:
            click.echo("  in its place: " + ", ".join(sense.substitutes))
        for example in sense.examples:
            click.echo(f"  · {plain(' '.join(example.text.split()))[:300]}")
    if shape.change is not None and shape.change.p is not None and len(shape.senses) > 1:
        click.echo(f"\nOver time (p = {shape.change.p:.3f} that chance would do as much):")
        rows = [
            (f"{one.first} – {one.last}", one.occurrences, *(f"{share:.0%}" for share in one.shares))
            for one in shape.change.periods
        ]
        table(("period", "occurrences", *(f"[{one}]" for one in shape.change.senses)), rows).print()
        for document in shape.change.turning:
            click.echo(f"  turning: {document.date} {plain(document.name)}")


def _saved(edge: Edge, collection: str, as_json: bool) -> None:
    with edge.services.database.read() as catalog:
        found = catalog.senses.saved(catalog.collections.named(collection).id)
        listed = sense_shapes.many(catalog, found)
    if as_json:
        print_json({"senses": [shape.json_value() for shape in listed]})
        return
    table(
        ("id", "word", "name", "occurrences", "near"), [(s.id, s.word, s.name, s.count, s.label) for s in found]
    ).print()


def _self_test(edge: Edge, collection: str, as_json: bool) -> None:
    def told(stage: str, done: int, total: int) -> None:
        click.echo(f"{stage} {done} of {total}", file=sys.stderr)

    shape = sense_shapes.self_test(edge.services.senses.self_test(collection, told))
    if as_json:
        print_json(shape.json_value())
        return
    click.echo(f"kept whole when alone: {shape.kept_whole:.0%} of words")
    for share, ari in shape.ari.items():
        click.echo(f"two words as one, the second {float(share):.0%}: agreement (ARI) {ari:.2f}")
    rows = [(t.first, t.second or "alone", f"{t.share:.0%}", t.rows, t.found, f"{t.ari:.2f}") for t in shape.trials]
    table(("word", "and", "share", "occurrences", "senses", "ARI"), rows).print()
