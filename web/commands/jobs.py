"""`riparian jobs`."""

from __future__ import annotations

import click

from riparian import jobs
from riparian.catalog.models import utc_now
from riparian.types import Job, JobId
from web import job_shapes
from web.commands.edge import Edge, json_option, print_json, subcommand, table


@click.group("jobs")
def jobs_command() -> None:
    """Background work: what waits, runs, is done, and why something failed."""


@subcommand(jobs_command, "list")
@click.option("--collection", "-c", metavar="NAME", help="Only those of this collection.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
@json_option
def list_jobs(edge: Edge, collection: str | None, limit: int, as_json: bool) -> None:
    """Jobs, the newest first."""
    with edge.services.database.read() as catalog:
        only = catalog.collections.named(collection).id if collection else None
        found = jobs.listed(catalog, collection_id=only, limit=limit)
    now = utc_now()
    if as_json:
        print_json({"jobs": [job_shapes.job(job, now).json_value() for job in found]})
        return
    rows = [(job.id, job.kind, job.state.value, _progress(job), job.message) for job in found]
    table(("id", "kind", "state", "progress", "message"), rows).print()


@subcommand(jobs_command, "cancel")
@click.argument("job", type=click.IntRange(1))
@json_option
def cancel(edge: Edge, job: int, as_json: bool) -> None:
    """Stop a job: at once while it waits, at its next batch while it runs."""
    with edge.services.database.write() as catalog:
        found = jobs.cancel(catalog, JobId(job))
    if as_json:
        print_json(job_shapes.job(found, utc_now()).json_value())
    else:
        click.echo(f"job {found.id}: {'will stop' if found.state.value == 'running' else found.state.value}")


def _progress(job: Job) -> str:
    return f"{job.stage} {job.done}/{job.total} {job.unit}".strip() if job.stage else ""
