"""What `riparian topics fit` and `topics refit` are asked for, alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from riparian.errors import Invalid
from topics.asked import MOST_WORDS, AskedAgain
from topics.kinds import KINDS

FEWEST, MOST = 2, 500


class Number(click.ParamType[int | None]):
    """A number of topics, or `auto` for one that is chosen."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value is None or value == "auto":
            return None
        number = click.IntRange(FEWEST, MOST).convert(value, param, ctx)
        return int(number)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "N|auto"


def asked_options(topics: str, kind: str, kept: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options, gathered by `asked`; the texts say what holds where one is not given."""
    options = (
        click.option("--topics", type=Number(), help=topics),
        click.option("--kind", type=click.Choice(sorted(KINDS)), help=kind),
        click.option("--seed", type=click.IntRange(0), help=f"The same seed, the same topics [default: {kept or 0}]."),
        click.option(
            "--labels",
            metavar="FIELD",
            help="A field of documents (meta.<key>, author, type, language, year) whose values are learned beside the "
            f"words; combined and zeroshot only [default: {kept or 'none'}].",
        ),
        click.option(
            "--words", type=click.IntRange(1, MOST_WORDS), help=f"Size of the vocabulary [default: {kept or 2000}]."
        ),
        click.option(
            "--option",
            "options",
            multiple=True,
            metavar="NAME=VALUE",
            help="A setting of the kind, kl_weight=0.5 for one; given as often as needed. docs/topic-kinds.md lists "
            "them.",
        ),
    )

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def asked(
    topics: int | None, kind: str | None, seed: int | None, labels: str | None, words: int | None,
    options: tuple[str, ...],
) -> AskedAgain:  # fmt: skip
    """None for all that was not said."""
    chosen = dict(_option(text) for text in options)
    return AskedAgain(kind, topics, seed, chosen or None, labels, words)


def _option(text: str) -> tuple[str, Any]:
    """(name, value) of NAME=VALUE; numbers and true or false as such, else the text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid(f"--option takes NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
