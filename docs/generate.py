"""Writes the reference sections of settings.md, cli.md and api.md from the program itself.

python docs/generate.py           write them
python docs/generate.py --check   say which are out of date (exit code 1)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from riparian.config import Settings  # noqa: E402  # the checkout's own, whatever else is installed
from web.api.blueprint import api, openapi_app  # noqa: E402
from web.cli import cli  # noqa: E402

BEGIN, END = "<!-- from here: written by docs/generate.py -->", "<!-- to here -->"


def main() -> int:
    stale = [name for name, text in pages().items() if (ROOT / "docs" / name).read_text(encoding="utf-8") != text]
    for name in stale if "--check" not in sys.argv else ():
        (ROOT / "docs" / name).write_text(pages()[name], encoding="utf-8")
    sys.stdout.write("".join(f"{'out of date' if '--check' in sys.argv else 'written'}: docs/{n}\n" for n in stale))
    return 1 if stale and "--check" in sys.argv else 0


def pages() -> Mapping[str, str]:
    """Each page as it should be: its own words, with the reference section renewed."""
    sections = {"settings.md": settings(), "cli.md": commands(), "api.md": operations()}
    return {name: _renewed(ROOT / "docs" / name, "\n".join(lines)) for name, lines in sections.items()}


def _renewed(path: Path, section: str) -> str:
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n\n{section.strip()}\n\n{END}{rest.partition(END)[2]}"


# ------------------------------------------------------------------------------ settings


def settings() -> Iterator[str]:
    yield "| variable | default | what it does |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        default = (
            "`~/.local/share/riparian`" if name == "data_dir" else f"`{field.default}`" if field.default != "" else ""
        )
        also = " (or `DATABASE_URL`)" if name == "database_url" else ""
        yield f"| `RIPARIAN_{name.upper()}`{also} | {default} | {field.description} |"


# ------------------------------------------------------------------------------ commands


def commands() -> Iterator[str]:
    context = click.Context(cli, info_name="riparian")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield from _command(command, f"riparian {name}", "##")


def _command(command: click.Command, path: str, depth: str) -> Iterator[str]:
    yield f"{depth} `{path}`"
    yield ""
    yield from _prose(command.help or "")
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _command(inner, f"{path} {name}", f"{depth}#")
        return
    yield "```"
    yield " ".join([path, *_usage(command)])
    yield "```"
    yield ""
    options = [p for p in command.params if isinstance(p, click.Option) and p.name != "data_dir"]
    if options:
        yield "| option | what it does |"
        yield "|---|---|"
        yield from (_option(option) for option in options)
        yield ""


def _usage(command: click.Command) -> Iterator[str]:
    yield "[OPTIONS]"
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            yield parameter.make_metavar(click.Context(command))


def _prose(text: str) -> Iterator[str]:
    """Paragraphs, and the examples (marked by \\b) as code."""
    for paragraph in text.strip().split("\n\n"):
        lines = [line.strip() for line in paragraph.strip("\n").splitlines()]
        if lines and lines[0] == "\b":
            yield "```sh"
            yield from lines[1:]
            yield "```"
        else:
            yield from lines
        yield ""


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {_value(option)}"
    shown = option.show_default and not isinstance(option.show_default, str)
    default = f" [default: {option.default}]" if shown else ""
    return f"| {names}{value.replace('|', ' or ')} | {option.help}{default} |"


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(f"`{choice}`" for choice in option.type.choices)
    return option.metavar or option.type.name.upper().replace(" RANGE", "")


# ------------------------------------------------------------------------------ the API


def operations() -> Iterator[str]:
    app = openapi_app("web")
    app.register_api(api)
    description = app.api_doc
    for tag in description["tags"]:
        yield f"### {tag['name'].capitalize()}"
        yield ""
        yield tag["description"]
        yield ""
        for path, methods in description["paths"].items():
            for method, operation in methods.items():
                if operation["tags"] == [tag["name"]]:
                    yield from _operation(description, method.upper(), path, operation)


def _operation(description: Any, method: str, path: str, operation: Any) -> Iterator[str]:
    yield f"#### `{method} {path}`"
    yield ""
    answered = next(status for status in operation["responses"] if status.startswith("2"))
    yield f"{operation['summary']}. Answers {answered}{_answer(operation['responses'][answered])}."
    yield ""
    rows = [*_parameters(operation), *_body(description, operation)]
    if rows:
        yield "| name | in | type | meaning |"
        yield "|---|---|---|---|"
        yield from rows
        yield ""


def _answer(response: Any) -> str:
    reference = response.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    return f" with `{reference.rpartition('/')[2]}`" if reference else ""


def _parameters(operation: Any) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            yield _row(parameter["name"], parameter["in"], parameter["schema"], parameter.get("required", False))


def _body(description: Any, operation: Any) -> Iterator[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = description["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        for name, field in schema.get("properties", {}).items():
            yield _row(name, "body", field, name in schema.get("required", ()))


def _row(name: str, place: str, schema: Any, required: bool) -> str:
    meaning = " ".join(str(schema.get("description", "")).split())
    usual = (
        "required"
        if required
        else f"default `{schema['default']}`"
        if schema.get("default") not in (None, "", [])
        else ""
    )
    return f"| `{name}` | {place} | {_type(schema)} | {'; '.join(filter(None, (meaning, usual)))} |"


def _type(schema: Any) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


if __name__ == "__main__":
    sys.exit(main())
