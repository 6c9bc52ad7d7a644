"""`riparian serve` and `riparian worker`."""

from __future__ import annotations

import click

from web.commands.edge import Edge, command


@command("serve")
@click.option("--host", help="Address to serve at [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to serve at; 0 picks a free one [default: 8642].")
@click.option(
    "--allow-remote", is_flag=True, help="Serve at an address that others can reach. Nobody is asked who they are."
)
@click.option("--no-worker", is_flag=True, help="Leave jobs to a `riparian worker`.")
def serve_command(edge: Edge, host: str | None, port: int | None, allow_remote: bool, no_worker: bool) -> None:
    """Serve the pages and the JSON API, and work off the jobs that wait, until Ctrl-C."""
    edge.given.update(host=host, port=port)
    from web.serve import serve

    serve(edge.services, allow_remote=allow_remote, work=not no_worker, ready=_say)


def _say(url: str) -> None:
    click.echo(f"Riparian is at {url}  (Ctrl-C ends it)")


@command("worker")
def worker_command(edge: Edge) -> None:
    """Work off the jobs that wait, until SIGTERM or Ctrl-C.

    The job that runs then is given back at its next batch, and goes on from there when a worker takes it again.
    """
    from web.worker import run_until_signalled

    services = edge.services
    click.echo("waiting for jobs (Ctrl-C ends it)", err=True)
    run_until_signalled(services)
