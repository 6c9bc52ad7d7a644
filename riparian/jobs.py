"""Background work as rows: queued in the transaction of the data it concerns, claimed with one statement, held by a
lease that a heartbeat renews, checkpointed per batch. A worker that dies loses its lease and the job runs again
from its checkpoint. The jobs of one collection run one at a time, in the order they were queued.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased

from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.catalog.models import JobRow, utc_now
from riparian.errors import RiparianError, UnknownJob
from riparian.liveness import is_dead, worker_name
from riparian.types import CollectionId, Job, JobId, JobState

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
HEARTBEAT_S = 15.0
MAX_ATTEMPTS = 5  # a job that kills its worker this often without getting on is failed, not tried for ever
INTERRUPTED = "interrupted: its process ended; it goes on where it was once a worker takes it"
_CLAIM_LOCK = 7_270_110  # any number that nothing else in the database locks


class Cancelled(RiparianError):
    """Raised inside a handler when its job was asked to stop or its lease was lost."""


def enqueue(
    catalog: Catalog, kind: str, payload: Mapping[str, Any], collection_id: CollectionId | None = None
) -> JobId:
    """Adds a job in the caller's transaction."""
    row = JobRow(kind=kind, payload=dict(payload), collection_id=collection_id, state=JobState.QUEUED.value)
    catalog.session.add(row)
    catalog.session.flush()
    return JobId(row.id)


def get(catalog: Catalog, job_id: JobId) -> Job:
    row = catalog.session.get(JobRow, job_id)
    if row is None:
        raise UnknownJob(job_id)
    return _job(row)


def listed(
    catalog: Catalog, *, collection_id: CollectionId | None = None, limit: int = 50, before: int | None = None
) -> list[Job]:
    """Newest first."""
    query = select(JobRow).order_by(JobRow.id.desc()).limit(limit)
    if collection_id is not None:
        query = query.where(JobRow.collection_id == collection_id)
    if before is not None:
        query = query.where(JobRow.id < before)
    return [_job(row) for row in catalog.session.scalars(query)]


def unfinished(catalog: Catalog, collection_id: CollectionId, kind: str) -> Job | None:
    """The queued or running job of this kind, if there is one."""
    states = (JobState.QUEUED.value, JobState.RUNNING.value)
    query = select(JobRow).where(JobRow.collection_id == collection_id, JobRow.kind == kind, JobRow.state.in_(states))
    row = catalog.session.scalar(query.order_by(JobRow.id))
    return _job(row) if row is not None else None


def is_running(catalog: Catalog, collection_id: CollectionId) -> bool:
    """Whether a worker holds a job of the collection at this moment."""
    query = select(JobRow.worker).where(
        JobRow.collection_id == collection_id,
        JobRow.state == JobState.RUNNING.value,
        JobRow.lease_until >= utc_now(),
    )
    return any(not is_dead(worker) for worker in catalog.session.scalars(query))


def hold_claims(catalog: Catalog) -> None:
    """No worker starts a job until the caller's write transaction ends."""
    if catalog.session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
        catalog.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _CLAIM_LOCK})


def cancel(catalog: Catalog, job_id: JobId) -> Job:
    """A queued job, or one whose worker is gone, is cancelled at once, a running one at its next checkpoint; a finished
    one stays as it is."""
    row = catalog.session.get(JobRow, job_id)
    if row is None:
        raise UnknownJob(job_id)
    row.cancel_requested = True
    if row.state == JobState.QUEUED.value or _is_lost(row):
        row.state, row.finished = JobState.CANCELLED.value, utc_now()
    catalog.session.flush()
    return _job(row)


@dataclass(frozen=True, slots=True)
class Running:
    """A handler's hold on its job. Every method raises Cancelled when the job should stop."""

    database: Database
    job: Job
    worker: str

    def progress(self, stage: str, done: int, total: int, unit: str) -> None:
        """Says how far the work is; for a person, nothing depends on it."""
        with self.database.write() as catalog:
            self.checkpoint(catalog, stage=stage, done=done, total=total, unit=unit)

    def checkpoint(
        self,
        catalog: Catalog,
        *,
        state: Mapping[str, Any] | None = None,
        stage: str | None = None,
        done: int | None = None,
        total: int | None = None,
        unit: str | None = None,
    ) -> None:
        """Records progress in the transaction of a batch, so that the batch and the record stand or fall together.

        `state` is what a later run goes on from; giving it says that the job got on, which earns new attempts.
        """
        row = _held(catalog.session, self.job.id, self.worker)
        if row is None or row.cancel_requested:
            raise Cancelled(f"job {self.job.id} was cancelled")
        row.lease_until = utc_now() + LEASE
        if state is not None:
            row.checkpoint, row.attempts = dict(state), 1
        if stage is not None and (stage != row.stage or row.stage_started is None):
            row.stage, row.stage_started, row.stage_from = stage, utc_now(), done or 0
        row.done = done if done is not None else row.done
        row.total = total if total is not None else row.total
        row.unit = unit if unit is not None else row.unit
        catalog.session.flush()


Handler = Callable[[Running], Mapping[str, Any] | None]
"""Does the work of one kind of job; what it returns becomes the job's `result`."""


def run_one(
    database: Database, handlers: Mapping[str, Handler], *, worker: str | None = None, only: JobId | None = None
) -> Job | None:
    """Claims the oldest waiting job (or `only` that one) and runs it to its end; None when none can start, also since
    another job of the same collection runs.

    An error of the handler fails the job with the error's text. KeyboardInterrupt gives the job back to the queue.
    """
    name = worker or worker_name()
    job = _claim(database, tuple(handlers), name, only)
    if job is None:
        return None
    running = Running(database, job, name)
    with _heartbeat(running):
        try:
            result = handlers[job.kind](running)
        except Cancelled:
            return _finish(running, JobState.CANCELLED, "cancelled", {})
        except KeyboardInterrupt:
            _give_back(running)
            raise
        except Exception as error:  # the worker must outlive any handler
            if _is_gone(running):  # and so is what the handler worked on
                return replace(job, state=JobState.CANCELLED, message="its collection was removed")
            if not isinstance(error, RiparianError):
                logger.exception("job %s (%s) failed", job.id, job.kind)
            return _finish(running, JobState.FAILED, str(error) or type(error).__name__, {})
    return _finish(running, JobState.DONE, "", dict(result or {}))


def _claim(database: Database, kinds: tuple[str, ...], worker: str, only: JobId | None) -> Job | None:
    with database.write() as catalog:
        session = catalog.session
        hold_claims(catalog)  # two workers must not start two jobs of one collection at the same moment
        _end_leases_of_the_dead(session)
        _fail_hopeless(session)
        now = utc_now()
        claimed = session.scalar(
            update(JobRow)
            .where(JobRow.id == _oldest_waiting(kinds, only).scalar_subquery())
            .values(
                state=JobState.RUNNING.value,
                worker=worker,
                lease_until=now + LEASE,
                attempts=JobRow.attempts + 1,
                started=now,
                stage_started=None,
                message="",
            )
            .returning(JobRow)
        )
        return _job(claimed) if claimed is not None else None


def _oldest_waiting(kinds: tuple[str, ...], only: JobId | None) -> Select[int]:
    """The first job that is queued, or whose worker is lost, while no other job of its collection runs."""
    now, other = utc_now(), aliased(JobRow)
    lost = and_(JobRow.state == JobState.RUNNING.value, JobRow.lease_until < now)
    busy = (
        select(other.id)
        .where(other.collection_id == JobRow.collection_id, other.id != JobRow.id)
        .where(other.state == JobState.RUNNING.value, other.lease_until >= now)
        .exists()
    )
    waiting = select(JobRow.id).where(or_(JobRow.state == JobState.QUEUED.value, lost), JobRow.kind.in_(kinds), ~busy)
    if only is not None:
        waiting = waiting.where(JobRow.id == only)
    return waiting.order_by(JobRow.id).limit(1)


def _end_leases_of_the_dead(session: Session) -> None:
    """A process of this machine that is gone will not come back: its jobs need not wait for their leases."""
    held = session.execute(
        select(JobRow.id, JobRow.worker).where(JobRow.state == JobState.RUNNING.value, JobRow.lease_until >= utc_now())
    )
    dead = [row.id for row in held if is_dead(row.worker)]
    if dead:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(JobRow).where(JobRow.id.in_(dead)).values(lease_until=past))


def _fail_hopeless(session: Session) -> None:
    """Ends jobs whose worker died too often, and cancelled ones whose worker died."""
    lost = (JobRow.state == JobState.RUNNING.value, JobRow.lease_until < utc_now())
    message = f"its worker died {MAX_ATTEMPTS} times at the same place"
    session.execute(
        update(JobRow).where(*lost, JobRow.cancel_requested).values(state=JobState.CANCELLED.value, finished=utc_now())
    )
    session.execute(
        update(JobRow)
        .where(*lost, JobRow.attempts >= MAX_ATTEMPTS)
        .values(state=JobState.FAILED.value, message=message, finished=utc_now())
    )


@contextmanager
def _heartbeat(running: Running) -> Iterator[None]:
    """Renews the lease while a handler works on something long."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT_S):
            try:
                if not _renew(running):
                    return
            except (SQLAlchemyError, RiparianError) as error:  # the next beat may find the database well again
                logger.warning("the lease of job %s could not be renewed: %s", running.job.id, error)

    thread = threading.Thread(target=beat, name=f"heartbeat-{running.job.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _renew(running: Running) -> bool:
    with running.database.write() as catalog:
        row = _held(catalog.session, running.job.id, running.worker)
        if row is not None:
            row.lease_until = utc_now() + LEASE
        return row is not None


def _held(session: Session, job_id: JobId, worker: str) -> JobRow | None:
    return session.scalar(
        select(JobRow).where(JobRow.id == job_id, JobRow.worker == worker, JobRow.state == JobState.RUNNING.value)
    )


def _is_gone(running: Running) -> bool:
    with running.database.read() as catalog:
        return catalog.session.get(JobRow, running.job.id) is None


def _give_back(running: Running) -> None:
    with running.database.write() as catalog:
        row = _held(catalog.session, running.job.id, running.worker)
        if row is not None:
            # stopped on purpose, not by a fault of the job: the attempt does not count
            row.state, row.lease_until, row.attempts = JobState.QUEUED.value, None, row.attempts - 1


def _finish(running: Running, state: JobState, message: str, result: Mapping[str, Any]) -> Job:
    with running.database.write() as catalog:
        row = _held(catalog.session, running.job.id, running.worker)
        if row is None:  # the lease was lost: another worker has the job now
            return replace(running.job, state=state, message=message)
        row.state, row.message, row.result = state.value, message, dict(result)
        row.finished, row.lease_until = utc_now(), None
        catalog.session.flush()
        return _job(row)


def _is_lost(row: JobRow) -> bool:
    """Whether the row says that a worker has the job although that is known to be gone: the next claim takes it."""
    if row.state != JobState.RUNNING.value:
        return False
    return row.lease_until is None or row.lease_until < utc_now() or is_dead(row.worker)


def _job(row: JobRow) -> Job:
    """As it is told: a job whose worker is gone waits, and says so."""
    lost = _is_lost(row)
    return Job(
        id=JobId(row.id),
        kind=row.kind,
        collection_id=CollectionId(row.collection_id) if row.collection_id is not None else None,
        state=JobState.QUEUED if lost else JobState(row.state),
        payload=row.payload,
        checkpoint=row.checkpoint,
        stage=row.stage,
        done=row.done,
        total=row.total,
        unit=row.unit,
        attempts=row.attempts,
        message=(row.message or INTERRUPTED) if lost else row.message,
        result=row.result,
        created=row.created,
        started=row.started,
        finished=row.finished,
        cancel_requested=row.cancel_requested,
        stage_started=row.stage_started,
        stage_from=row.stage_from,
    )
