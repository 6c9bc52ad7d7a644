"""Runs a job here and shows how far it is on standard error, with rate and time left."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from riparian import jobs
from riparian.errors import NotFound, RiparianError, UnknownJob
from riparian.types import Job, JobId, JobState
from search.calibration import CALIBRATE
from search.saved import CHECK
from senses.queueing import ASSIGN as ASSIGN_SENSES
from topics.queueing import ASSIGN, FIT, REFIT
from web.languages import told_of
from web.wiring import Services

POLL_S = 0.5
_LOGGED_EVERY_S = 10  # where nobody watches, a line now and then is enough
FOLLOW_UPS = (ASSIGN, FIT, REFIT, ASSIGN_SENSES, CALIBRATE, CHECK)
ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobFailed(RiparianError):
    """A job ended without doing its work; says why."""


class Removed(NotFound):
    """The collection went away while its job ran."""

    def __init__(self) -> None:
        super().__init__("the collection was removed while this ran")


def run_job(services: Services, job_id: JobId) -> Job:
    """Runs the job to its end, or follows it where another worker has it. JobFailed when it fails or is cancelled,
    Removed when its collection is gone."""
    try:
        with shown(services, job_id):
            job = _run(services, job_id)
    except KeyboardInterrupt:  # who stops a command does not mean that a worker elsewhere should go on with it
        with services.database.write() as catalog:
            jobs.cancel(catalog, job_id)
        raise
    except UnknownJob as error:
        raise Removed from error
    if job.state is not JobState.DONE:
        raise JobFailed(f"{job.kind} {job.state.value}: {job.message or 'no reason given'}")
    return job


def run_follow_up(services: Services, name: str) -> None:
    """Runs what indexing or a switch queued: topics and senses of new passages, or finding topics in the vectors of the
    new encoder; what scores mean; new hits of saved searches."""
    with services.database.read() as catalog:
        collection_id = catalog.collections.named(name).id
        found = [jobs.unfinished(catalog, collection_id, kind) for kind in FOLLOW_UPS]
    for waiting in found:
        # a fit that somebody asked for is not ours to wait for
        if waiting is not None and (
            waiting.kind in (ASSIGN, ASSIGN_SENSES, CALIBRATE, CHECK) or "encoder" in waiting.payload
        ):
            run_job(services, waiting.id)


def _run(services: Services, job_id: JobId) -> Job:
    pause = threading.Event()
    while True:
        jobs.run_one(services.database, services.handlers, only=job_id)
        job = now(services, job_id)
        if job.state in ENDED:
            return job
        pause.wait(POLL_S)  # another worker has it, or another job of the collection goes first


def now(services: Services, job_id: JobId) -> Job:
    with services.database.read() as catalog:
        return jobs.get(catalog, job_id)


@contextmanager
def shown(services: Services, *job_ids: JobId) -> Iterator[None]:
    """While the block runs, these jobs are shown one after another."""
    stop = threading.Event()
    thread = threading.Thread(target=_show, args=(services, job_ids, stop), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _show(services: Services, job_ids: tuple[JobId, ...], stop: threading.Event) -> None:
    for job_id in job_ids:
        bars, hints = _Bars(), Hints(services)
        try:
            while bars.show(hints.seen(now(services, job_id))) and not stop.wait(POLL_S):
                pass
            bars.show(now(services, job_id))
        except UnknownJob:  # who runs it tells
            return
        finally:
            bars.close()


class Hints:
    """Says once, as soon as a running job knows, that another encoder suits the collection better."""

    def __init__(self, services: Services) -> None:
        self._services, self._said = services, False

    def seen(self, job: Job) -> Job:
        advice = job.checkpoint.get("advice")
        if advice and not self._said and job.state not in ENDED and job.collection_id is not None:
            self._said = True
            with self._services.database.read() as catalog:
                name = catalog.collections.get(job.collection_id).name
            tqdm.write(told_of(advice, name), file=sys.stderr)
        return job


class _Bars:
    """One bar a stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: tqdm[None] | None = None

    def show(self, job: Job) -> bool:
        """Whether there is more to come."""
        if job.stage != self._stage:
            self.close()
            self._stage = job.stage
            self._bar = tqdm(
                desc=job.stage,
                unit=f" {job.unit}",
                initial=job.stage_from,
                dynamic_ncols=True,
                mininterval=POLL_S if sys.stderr.isatty() else _LOGGED_EVERY_S,
            )
        if self._bar is not None:
            self._bar.total = job.total or None
            self._bar.update(max(0, job.done - self._bar.n))
            told = {"loss": job.loss} if job.loss is not None else {}
            if figures := ", ".join(f"{name} {value:.3f}" for name, value in (told | dict(job.held_out)).items()):
                self._bar.set_postfix_str(figures, refresh=False)
        return job.state not in ENDED

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
