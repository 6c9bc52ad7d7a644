"""Every setting, command, option, route and exit code is documented, and the documentation is the program's own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from riparian.config import Settings
from web.api import api
from web.cli import cli
from web.errors import EXIT_CODES, STATUSES

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands(cli, "riparian"))


def test_the_reference_is_what_the_program_says() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0), f"run python docs/generate.py\n{done.stderr}"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description
    assert f"`RIPARIAN_{name.upper()}`" in page("settings.md")


@pytest.mark.parametrize("path", [path for path in COMMANDS if path != "riparian"])
def test_every_command_and_option_is_documented(path: str) -> None:
    section = re.split(rf"^##+ `{path}`$", page("cli.md"), flags=re.MULTILINE)[1]
    section = re.split(r"^##+ `", section, flags=re.MULTILINE)[0]
    for parameter in COMMANDS[path].params:
        if isinstance(parameter, click.Option) and parameter.name != "data_dir":
            assert parameter.help, f"{path} {parameter.opts[0]} has no help"
            assert all(f"`{name}`" in section for name in parameter.opts)


@pytest.mark.parametrize("path", api.paths)
def test_every_route_is_documented(path: str) -> None:
    for method in ("get", "post", "put", "patch", "delete"):
        operation = getattr(api.paths[path], method)
        if operation is not None:
            assert operation.summary
            assert f"#### `{method.upper()} {path}`" in page("api.md")


@pytest.mark.parametrize("probe", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_every_probe_is_documented(probe: str) -> None:
    assert f"`GET {probe}`" in page("api.md")


def test_every_exit_code_and_status_is_documented() -> None:
    for code in EXIT_CODES.values():
        assert f"| {code} |" in page("cli.md")
    for status in set(STATUSES.values()) - {500}:
        assert re.search(rf"\b{status}\b", page("api.md"))
