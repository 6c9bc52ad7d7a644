"""Runs waiting jobs: a thread beside the server, or a process of its own."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from riparian import jobs
from riparian.catalog.catalog import Catalog
from riparian.errors import RiparianError
from web.wiring import Services

logger = logging.getLogger(__name__)

IDLE_S = 1.0
RETRY_S = 5.0  # after trouble with the database itself


@dataclass(frozen=True, slots=True)
class Stoppable(jobs.Running):
    """A hold on a job that gives the job back to the queue at its next batch once `stop` is set."""

    stop: threading.Event

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
        if self.stop.is_set():
            raise KeyboardInterrupt
        jobs.Running.checkpoint(self, catalog, state=state, stage=stage, done=done, total=total, unit=unit)


class Worker:
    """Takes one job after another until it is stopped. A job that runs then gives its place back at its next batch."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()

    def run(self) -> None:
        """Returns when stopped; never raises for a job's fault."""
        while not self._stop.is_set():
            try:
                if jobs.run_one(self._services.database, self._stoppable()) is None:
                    self._stop.wait(IDLE_S)
            except (SQLAlchemyError, RiparianError):
                logger.exception("the job queue cannot be read; trying again in %s seconds", RETRY_S)
                self._stop.wait(RETRY_S)
            except KeyboardInterrupt:
                return

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        self._stop.set()

    def _stoppable(self) -> dict[str, jobs.Handler]:
        return {kind: self._watched(handler) for kind, handler in self._services.handlers.items()}

    def _watched(self, handler: jobs.Handler) -> jobs.Handler:
        """The handler with a hold on its job that ends it, and gives it back, once the worker is to stop."""
        return lambda running: handler(Stoppable(running.database, running.job, running.worker, self._stop))


def beside(services: Services) -> tuple[Worker, threading.Thread]:
    """A worker that runs in a thread of this process already."""
    worker = Worker(services)
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    return worker, thread


def run_until_signalled(services: Services) -> None:
    """Works until SIGTERM or SIGINT; the running job goes back to the queue at its next batch, at once on a second
    signal."""
    worker = Worker(services)

    def stop(_number: int, _frame: FrameType | None) -> None:
        if worker.stopping:
            raise KeyboardInterrupt
        worker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        worker.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
