"""`riparian batch`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from tqdm import tqdm

from riparian.catalog.filters import parse
from riparian.errors import UnreadableFile
from riparian.types import Mode
from search.request import LONGEST_PAGE, SearchRequest
from web import batch
from web.batch import Asked, BatchForm
from web.commands.edge import Edge, collection_option, command, only_collection, table
from web.commands.search import FILTER_HELP
from web.export import csv_lines


@command("batch")
@click.argument("queries", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@collection_option
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write the hits here [default: only "
    "the counts are printed].")  # fmt: skip
@click.option("--counts", type=click.Path(path_type=Path, dir_okay=False), help="Write how much each query found here, "
    "as CSV [default: standard output].")  # fmt: skip
@click.option(
    "--form",
    type=click.Choice([form.value for form in BatchForm]),
    help="csv: a row a hit; jsonl: a line a query; trec: a run [default: as the name of --out says, else csv].",
)
@click.option(
    "-k", default=10, show_default=True, type=click.IntRange(1, LONGEST_PAGE), help="Hits of a query at most."
)
@click.option("--mode", default=Mode.HYBRID.value, show_default=True, type=click.Choice([mode.value for mode in Mode]),
    help="Where a query has none of its own.")  # fmt: skip
@click.option("--filter", "filters", multiple=True, metavar="CONDITION", help=FILTER_HELP)
def batch_command(
    edge: Edge,
    queries: Path,
    collection: str | None,
    out: Path | None,
    counts: Path | None,
    form: str | None,
    k: int,
    mode: str,
    filters: tuple[str, ...],
) -> None:
    """Ask every query of a table: QUERIES is a CSV with a column query, and id, mode and filter where wanted.

    A query that cannot be answered is told in its row, and the others are asked.

    \b
    riparian batch queries.csv --out hits.csv --counts counts.csv
    riparian batch queries.csv --out run.trec --form trec -k 1000
    """
    wanted = batch.read_table(_text(queries))
    name = only_collection(edge, collection)
    usual = SearchRequest(name, "", Mode(mode), k=k, sentences=False)
    found: list[Asked] = []
    asked = batch.ask(edge.services.search.search, usual, _shown(wanted), parse(filters))
    if out is None:
        found.extend(asked)
    else:
        with out.open("w", encoding="utf-8", newline="") as file:
            file.writelines(batch.lines(_kept(asked, found), _form(form, out)))
    _tell(found, counts)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\x00", "")
    except UnicodeDecodeError as error:
        raise UnreadableFile(path, f"no text in UTF-8: {error}") from error


def _shown(queries: list[batch.BatchQuery]) -> Iterator[batch.BatchQuery]:
    yield from tqdm(queries, desc="ask", unit=" queries", file=sys.stderr, dynamic_ncols=True)


def _kept(asked: Iterable[Asked], counted: list[Asked]) -> Iterator[Asked]:
    for one in asked:
        counted.append(one)
        yield one


def _form(form: str | None, out: Path) -> BatchForm:
    if form is not None:
        return BatchForm(form)
    return {".jsonl": BatchForm.JSONL, ".ndjson": BatchForm.JSONL, ".trec": BatchForm.TREC, ".run": BatchForm.TREC}.get(
        out.suffix, BatchForm.CSV
    )


def _tell(found: list[Asked], counts: Path | None) -> None:
    rows = [batch.count_of(one) for one in found]
    if counts is not None:
        with counts.open("w", encoding="utf-8", newline="") as file:
            file.writelines(csv_lines(rows, batch.COUNT_COLUMNS))
        return
    shown = [[row[name] if row[name] is not None else "" for name in batch.COUNT_COLUMNS] for row in rows]
    table(batch.COUNT_COLUMNS, shown).print()
