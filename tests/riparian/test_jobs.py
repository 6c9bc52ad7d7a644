from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from sqlalchemy import update

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.catalog.engine import Database
from riparian.catalog.models import JobRow, utc_now
from riparian.errors import BadQuery, UnknownJob
from riparian.jobs import Running
from riparian.liveness import is_dead, worker_name
from riparian.types import CollectionId, Job, JobId, JobState


def enqueue(database: Database, kind: str = "work", collection: CollectionId | None = None) -> JobId:
    with database.write() as catalog:
        return jobs.enqueue(catalog, kind, {"n": 1}, collection)


def new_collection(database: Database, name: str) -> CollectionId:
    with database.write() as catalog:
        return catalog.collections.create(name, None, {}).id


def get(database: Database, job: JobId) -> Job:
    with database.read() as catalog:
        return jobs.get(catalog, job)


def let_lease_run_out(database: Database, job: JobId, **values: object) -> None:
    with database.write() as catalog:
        past = utc_now() - timedelta(seconds=1)
        catalog.session.execute(
            update(JobRow).where(JobRow.id == job).values(state="running", worker="x", lease_until=past, **values)
        )


def test_a_job_runs_to_its_end_and_keeps_what_it_answers(database: Database) -> None:
    job = enqueue(database)
    done = jobs.run_one(database, {"work": lambda running: {"got": running.job.payload["n"]}})
    assert done is not None
    assert (done.id, done.state, done.result, done.attempts) == (job, JobState.DONE, {"got": 1}, 1)
    assert done.finished is not None
    assert jobs.run_one(database, {"work": lambda running: None}) is None


def test_the_oldest_job_of_a_known_kind_runs_first(database: Database) -> None:
    enqueue(database, "unknown")
    first, second = enqueue(database), enqueue(database)
    ran = [jobs.run_one(database, {"work": lambda running: None}) for _ in range(3)]
    assert [job and job.id for job in ran] == [first, second, None]


def test_a_job_is_not_queued_when_its_transaction_fails(database: Database) -> None:
    def failing(catalog: Catalog) -> None:
        jobs.enqueue(catalog, "work", {})
        raise BadQuery("no")

    with pytest.raises(BadQuery), database.write() as catalog:
        failing(catalog)
    with database.read() as catalog:
        assert jobs.listed(catalog) == []


def test_four_workers_never_claim_the_same_job(database: Database) -> None:
    wanted = {enqueue(database) for _ in range(24)}
    ran: list[JobId] = []
    lock = threading.Lock()

    def handler(running: Running) -> None:
        with lock:
            ran.append(running.job.id)

    def work() -> None:
        while jobs.run_one(database, {"work": handler}) is not None:
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == sorted(wanted)


def test_jobs_of_one_collection_never_run_at_the_same_time(database: Database) -> None:
    collections = [new_collection(database, name) for name in ("a", "b")]
    for collection in collections * 5:
        enqueue(database, collection=collection)
    running_now: set[CollectionId | None] = set()
    clashes, lock = [], threading.Lock()

    def handler(running: Running) -> None:
        collection = running.job.collection_id
        with lock:
            clashes.extend([collection] if collection in running_now else [])
            running_now.add(collection)
        running.progress("stage", 1, 2, "rows")
        with lock:
            running_now.discard(collection)

    def work() -> None:
        idle = 0
        while idle < 20:
            idle = 0 if jobs.run_one(database, {"work": handler}) is not None else idle + 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clashes == []
    with database.read() as catalog:
        assert {job.state for job in jobs.listed(catalog)} == {JobState.DONE}


def test_a_failing_handler_fails_its_job_with_its_words(database: Database) -> None:
    job = enqueue(database)

    def handler(running: Running) -> None:
        raise BadQuery("the query says nothing")

    jobs.run_one(database, {"work": handler})
    assert (get(database, job).state, get(database, job).message) == (JobState.FAILED, "the query says nothing")


def test_an_interrupt_gives_the_job_back_without_counting_the_attempt(database: Database) -> None:
    job = enqueue(database)

    def handler(running: Running) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.run_one(database, {"work": handler})
    assert (get(database, job).state, get(database, job).attempts) == (JobState.QUEUED, 0)


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_at_its_checkpoint(database: Database) -> None:
    queued, running_job = enqueue(database, "other"), enqueue(database)

    def handler(running: Running) -> None:
        with database.write() as catalog:
            jobs.cancel(catalog, running.job.id)
        running.progress("stage", 1, 2, "rows")
        raise AssertionError("it went on")

    with database.write() as catalog:
        assert jobs.cancel(catalog, queued).state is JobState.CANCELLED
    jobs.run_one(database, {"work": handler})
    assert get(database, running_job).state is JobState.CANCELLED


def test_a_batch_and_its_checkpoint_stand_or_fall_together(database: Database) -> None:
    collection = new_collection(database, "c")
    enqueue(database, collection=collection)

    def handler(running: Running) -> None:
        with database.write() as catalog:
            catalog.collections.touch(collection)
            running.checkpoint(catalog, state={"rows": 1})
        with database.write() as catalog:
            jobs.cancel(catalog, running.job.id)
        with database.write() as catalog:
            catalog.collections.touch(collection)
            running.checkpoint(catalog, state={"rows": 2})

    done = jobs.run_one(database, {"work": handler})
    assert done is not None
    assert (done.state, done.checkpoint) == (JobState.CANCELLED, {"rows": 1})
    with database.read() as catalog:
        assert catalog.collections.revision(collection) == 1


def test_a_job_whose_lease_ran_out_is_claimed_again_with_its_checkpoint(database: Database) -> None:
    job = enqueue(database)
    let_lease_run_out(database, job, checkpoint={"rows": 7}, attempts=1)
    done = jobs.run_one(database, {"work": lambda running: dict(running.job.checkpoint)})
    assert done is not None
    assert (done.result, done.attempts) == ({"rows": 7}, 2)


def test_a_job_that_kills_its_worker_again_and_again_is_failed(database: Database) -> None:
    job = enqueue(database)
    let_lease_run_out(database, job, attempts=jobs.MAX_ATTEMPTS)
    assert jobs.run_one(database, {"work": lambda running: None}) is None
    assert get(database, job).state is JobState.FAILED
    assert "died 5 times" in get(database, job).message


def test_getting_on_earns_new_attempts(database: Database) -> None:
    job = enqueue(database)
    let_lease_run_out(database, job, attempts=4)

    def handler(running: Running) -> None:
        with database.write() as catalog:
            running.checkpoint(catalog, state={"rows": 1})

    jobs.run_one(database, {"work": handler})
    assert get(database, job).attempts == 1


def test_a_worker_that_lost_its_lease_is_told_to_stop(database: Database) -> None:
    job = enqueue(database)

    def handler(running: Running) -> None:
        let_lease_run_out(database, job)
        running.progress("stage", 1, 2, "rows")

    done = jobs.run_one(database, {"work": handler})
    assert done is not None
    assert done.state is JobState.CANCELLED
    assert get(database, job).state is JobState.QUEUED  # for another worker to take


def test_a_job_of_a_process_that_is_gone_does_not_wait_for_its_lease(database: Database) -> None:
    child = subprocess.run(
        [sys.executable, "-c", "from riparian.liveness import worker_name; print(worker_name())"],
        capture_output=True,
        text=True,
        check=True,
    )
    dead, job = child.stdout.strip(), enqueue(database)
    with database.write() as catalog:
        later = utc_now() + timedelta(hours=1)
        catalog.session.execute(
            update(JobRow).where(JobRow.id == job).values(state="running", worker=dead, lease_until=later, attempts=1)
        )
    told = get(database, job)
    assert (told.state, told.message) == (JobState.QUEUED, jobs.INTERRUPTED)
    done = jobs.run_one(database, {"work": lambda running: None})
    assert done is not None
    assert (done.state, done.message) == (JobState.DONE, "")


def test_a_job_whose_worker_is_gone_is_told_as_waiting_and_cancelled_at_once(database: Database) -> None:
    job, seen = enqueue(database), []
    jobs.run_one(database, {"work": lambda running: seen.append(get(database, running.job.id).state)})
    assert seen == [JobState.RUNNING]
    let_lease_run_out(database, job, attempts=1)
    assert get(database, job).state is JobState.QUEUED
    with database.write() as catalog:
        assert [found.state for found in jobs.listed(catalog)] == [JobState.QUEUED]
        assert jobs.cancel(catalog, job).state is JobState.CANCELLED
    assert jobs.run_one(database, {"work": lambda running: None}) is None


def test_only_a_process_of_this_machine_can_be_told_dead() -> None:
    machine, number, rest = worker_name().split(":")
    assert not is_dead(f"{machine}:{number}:{rest}")
    assert not is_dead(f"elsewhere:999999999:{rest}")
    assert not is_dead("worker-1")
    assert is_dead(f"{machine}:4194305:{rest}")  # above the largest process id Linux gives


def test_the_rate_counts_the_current_stage_only(database: Database) -> None:
    enqueue(database)
    seen: list[Job] = []

    def handler(running: Running) -> None:
        running.progress("read", 5, 5, "files")
        running.progress("embed", 100, 1000, "passages")
        running.progress("embed", 300, 1000, "passages")
        seen.append(get(database, running.job.id))

    jobs.run_one(database, {"work": handler})
    [job] = seen
    assert job.stage_started is not None
    now = job.stage_started + timedelta(seconds=10)
    assert job.stage_from == 100
    assert job.rate(now) == pytest.approx(20.0)
    assert job.seconds_left(now) == pytest.approx(35.0)


def test_an_unknown_job_is_named(database: Database) -> None:
    with pytest.raises(UnknownJob, match="no job 77"), database.read() as catalog:
        jobs.get(catalog, JobId(77))


def test_a_job_whose_collection_is_removed_ends_without_a_fault(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    owner = new_collection(database, "c")
    job = enqueue(database, collection=owner)

    def robbed(_running: Running) -> None:
        with database.write() as catalog:
            catalog.collections.remove(owner)
        raise LookupError("what I worked on is gone")

    done = jobs.run_one(database, {"work": robbed})
    assert done is not None
    assert (done.id, done.state, done.message) == (job, JobState.CANCELLED, "its collection was removed")
    assert caplog.records == []
    with pytest.raises(UnknownJob):
        get(database, job)
