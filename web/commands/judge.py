"""`riparian judge`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from riparian.catalog.judgments import IRRELEVANT, RELEVANT
from riparian.errors import Invalid
from riparian.types import DocumentId, PassageId
from web import judging, steering_shapes
from web.commands.edge import Edge, collection_option, command, json_option, only_collection, print_json, table

_IDS = "passages by number, documents as d12; several are parted by commas"


@command("judge")
@click.argument("query", required=False)
@click.option("--relevant", "-r", multiple=True, metavar="ID…", help=f"Tick: {_IDS}.")
@click.option("--irrelevant", "-i", multiple=True, metavar="ID…", help=f"Cross: {_IDS}.")
@click.option("--grade", type=click.FloatRange(0, 1000), help="How relevant those of --relevant are [default: 1].")
@click.option("--undo", is_flag=True, help="Take back what was said of QUERY.")
@click.option("--import", "source", type=click.Path(path_type=Path), metavar="PATH", help="Take in those of "
    "a BEIR folder, a TREC file with queries.tsv beside it, a .jsonl with query, document, grade.")  # fmt: skip
@click.option("--export", "target", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write "
    "all judgments of the collection into FOLDER.")  # fmt: skip
@click.option("--form", default="beir", show_default=True, type=click.Choice(["beir", "trec"]), help="Of --export.")
@click.option("--author", default="", help="Whose judgments they are.")
@collection_option
@json_option
def judge_command(
    edge: Edge,
    query: str | None,
    relevant: tuple[str, ...],
    irrelevant: tuple[str, ...],
    grade: float | None,
    undo: bool,
    source: Path | None,
    target: Path | None,
    form: str,
    author: str,
    collection: str | None,
    as_json: bool,
) -> None:
    """Say which hits of QUERY are relevant and which are not; without any of these, list what was said.

    The next search for QUERY goes by it, `riparian evaluate` measures the search by it, and `riparian encoders tune
    --from-judgments` learns from it.

    \b
    riparian judge "who pays for the river wall" --relevant 12,40 --irrelevant 7
    riparian judge --export judged/ --collection papers
    """
    name = only_collection(edge, collection)
    given = [*_given(query, relevant, RELEVANT if grade is None else grade), *_given(query, irrelevant, IRRELEVANT)]
    if undo:
        _undo(edge, name, _asked(query), as_json)
    elif source is not None:
        _import(edge, name, source, author, as_json)
    elif target is not None:
        _export(edge, name, target, form, as_json)
    elif given:
        written = judging.judge(edge.services.database, name, given, author)
        _say({"written": written}, f"{written} judgments kept", as_json)
    else:
        _list(edge, name, query or "", as_json)


def _given(query: str | None, ids: Iterable[str], grade: float) -> list[judging.Given]:
    names = [name.strip() for several in ids for name in several.split(",") if name.strip()]
    return [_one(_asked(query), name, grade) for name in names]


def _one(query: str, name: str, grade: float) -> judging.Given:
    number = name.removeprefix("p").removeprefix("d")
    if not number.isdecimal() or len(number) > 18:
        raise Invalid(f"{name!r} is no number of a passage (12, p12) or document (d12)")
    if name.startswith("d"):
        return judging.Given(query, document=DocumentId(int(number)), grade=grade)
    return judging.Given(query, passage=PassageId(int(number)), grade=grade)


def _asked(query: str | None) -> str:
    if query is None or not query.strip():
        raise Invalid("say which query it is about: riparian judge QUERY --relevant ID")
    return query


def _undo(edge: Edge, name: str, query: str, as_json: bool) -> None:
    with edge.services.database.write() as catalog:
        removed = catalog.judgments.remove(catalog.collections.named(name).id, query)
    _say({"removed": removed}, f"{removed} judgments taken back", as_json)


def _import(edge: Edge, name: str, source: Path, author: str, as_json: bool) -> None:
    done = judging.import_file(edge.services.database, name, source, author)
    unknown = f"; {done.unknown} are of documents that the collection does not hold" if done.unknown else ""
    _say({"written": done.written, "unknown": done.unknown}, f"{done.written} judgments kept{unknown}", as_json)


def _export(edge: Edge, name: str, target: Path, form: str, as_json: bool) -> None:
    write = judging.export_beir if form == "beir" else judging.export_trec
    written = write(edge.services.database, name, target)
    _say({"written": written, "folder": str(target)}, f"{written} judgments written to {target}", as_json)


def _list(edge: Edge, name: str, query: str, as_json: bool) -> None:
    with edge.services.database.read() as catalog:
        collection = catalog.collections.named(name).id
        found = catalog.judgments.page(collection, limit=100_000, query=query)
    if as_json:
        print_json({"judgments": [steering_shapes.judgment(one).json_value() for one in found]})
        return
    rows = [(one.query, f"{one.grade:g}", one.document_id or "gone", one.passage_id or "", one.source) for one in found]
    table(("query", "grade", "document", "passage", "source"), rows).print()


def _say(value: dict[str, object], words: str, as_json: bool) -> None:
    if as_json:
        print_json(value)
    else:
        click.echo(words)
