"""The `riparian` command: one module a command in `web/commands/`, imported when it is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from riparian.errors import RiparianError
from web.commands.edge import EPILOG, Edge, data_dir_option

COMMANDS = {
    "open": "web.commands.open",
    "add": "web.commands.add",
    "sync": "web.commands.add",
    "reindex": "web.commands.reindex",
    "switch": "web.commands.reindex",
    "rollback": "web.commands.reindex",
    "search": "web.commands.search",
    "explain": "web.commands.explain",
    "answer": "web.commands.extracts",
    "summary": "web.commands.extracts",
    "topics": "web.commands.topics",
    "senses": "web.commands.senses",
    "collections": "web.commands.collections",
    "serve": "web.commands.serve",
    "worker": "web.commands.serve",
    "jobs": "web.commands.jobs",
    "check": "web.commands.check",
    "encoders": "web.commands.encoders",
    "heads": "web.commands.heads",
    "export": "web.commands.export",
    "judge": "web.commands.judge",
    "saved": "web.commands.saved",
    "batch": "web.commands.batch",
    "reading": "web.commands.reading",
    "calibrate": "web.commands.calibrate",
    "evaluate": "web.commands.evaluate",
    "db": "web.commands.db",
}


class Lazy(click.Group):
    """Finds commands by name, so that `riparian search` imports what searching needs and no more."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), f"{cmd_name}_command")
        return command


@click.group(cls=Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="riparian")
@data_dir_option
@click.pass_context
def cli(context: click.Context) -> None:
    """Search a document archive by meaning in context, and see what it is about.

    \b
    riparian open                    try it on the sample archive that comes along
    riparian open ~/papers           index a folder, find its topics, serve it
    riparian search "river bank" --collection papers
    """
    context.ensure_object(Edge)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and exits: 0 done, 1 other trouble, 2 usage or input, 3 not possible now, 4 not there, 5 in the
    way. Trouble is one line on standard error."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of a command line."""
    try:
        done = cli.main(list(arguments) if arguments is not None else None, "riparian", standalone_mode=False)
        return done if isinstance(done, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("riparian: stopped; the same command goes on from here", err=True)
        return 130
    except BrokenPipeError:  # the reader of the pipe has enough; keep the interpreter from saying so at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the outermost place; what was not foreseen is shown whole, to be reported
        from web.errors import exit_code_of, translated

        ours = error if isinstance(error, RiparianError) else translated(error)
        if ours is None and not isinstance(error, OSError):
            raise
        click.echo(f"riparian: {ours or error}", err=True)
        return exit_code_of(ours) if ours is not None else 1


if __name__ == "__main__":
    main()
