"""Where commands meet the environment: settings, services, and how data is printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from riparian.config import Settings
from riparian.errors import Invalid

if TYPE_CHECKING:
    from web.wiring import Services

EPILOG = (
    "Settings come from the environment (RIPARIAN_DATA_DIR, DATABASE_URL, HF_HOME, …; see docs/settings.md). "
    "Exit codes: 0 done, 1 other trouble, 2 usage or input, 3 not possible now, 4 not there, 5 in the way."
)


class Edge:
    """The settings and services of one command line; nothing is built before it is asked for."""

    def __init__(self) -> None:
        self.data_dir: Path | None = None
        self.given: dict[str, Any] = {}

    @cached_property
    def settings(self) -> Settings:
        given = {name: value for name, value in self.given.items() if value is not None}
        if self.data_dir is not None:
            given["data_dir"] = self.data_dir
        try:
            return Settings(**given)
        except ValidationError as error:
            raise Invalid("; ".join(f"setting {e['loc'][0]}: {e['msg']}" for e in error.errors())) from error

    @cached_property
    def services(self) -> Services:
        from web import logs
        from web.wiring import build

        logs.configure(self.settings)
        return build(self.settings)


def _remember(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.ensure_object(Edge).data_dir = value.expanduser().absolute()


data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    expose_value=False,
    is_eager=True,
    callback=_remember,
    metavar="DIR",
    help="Where Riparian keeps its data [default: $RIPARIAN_DATA_DIR, else ~/.local/share/riparian].",
)


def command(name: str, **options: Any) -> Callable[[Callable[..., None]], click.Command]:
    """A command that is handed the Edge first and takes --data-dir behind its name too."""

    def make(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def handed(*values: Any, **named: Any) -> None:
            function(click.get_current_context().ensure_object(Edge), *values, **named)

        return click.command(name, cls=click.Command, **options)(data_dir_option(handed))

    return make


def subcommand(group: click.Group, name: str, **options: Any) -> Callable[[Callable[..., None]], click.Command]:
    """The same, as part of a group."""

    def make(function: Callable[..., None]) -> click.Command:
        made = command(name, **options)(function)
        group.add_command(made)
        return made

    return make


collection_option = click.option("--collection", "-c", metavar="NAME", help="The collection [default: the only one].")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of text, as wide as their widest cell."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def print(self) -> None:
        lines = (self.heads, *self.rows)
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.heads))]
        for line in lines:
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    return Table(tuple(heads), tuple(tuple(plain(str(cell)) for cell in row) for row in rows))


def plain(text: str) -> str:
    """The text with its line breaks and control characters written out: a file's name must not move a terminal's
    cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def only_collection(edge: Edge, name: str | None) -> str:
    """The named collection, or the only one there is. Invalid when it has to be said which."""
    if name is not None:
        return name
    names = [collection.name for collection in edge.services.collections()]
    if len(names) == 1:
        return names[0]
    if not names:
        raise Invalid("there is no collection yet; make one with `riparian add PATH --collection NAME`")
    raise Invalid(f"say which collection: --collection {' | '.join(names)}")
