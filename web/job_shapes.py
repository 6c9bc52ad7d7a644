"""Background work as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from riparian.types import Job
from web.shapes import Shape


class JobShape(Shape):
    """Background work: queued → running → done, failed or cancelled. `done` and `total` count `unit`."""

    id: int
    kind: str
    collection: int | None
    state: str
    stage: str
    done: int
    total: int
    unit: str
    loss: float | None = Field(description="Of late, where something is trained.")
    held_out: dict[str, float] = Field(description="The last figure on what a training holds out, by its name.")
    rate: float | None = Field(description="Units a second in this stage, while it runs.")
    seconds_left: float | None = Field(description="Of this stage.")
    attempts: int
    message: str
    result: dict[str, Any]
    created: datetime
    started: datetime | None
    finished: datetime | None
    cancel_requested: bool


def job(value: Job, now: datetime) -> JobShape:
    return JobShape(
        id=value.id,
        kind=value.kind,
        collection=value.collection_id,
        state=value.state.value,
        stage=value.stage,
        done=value.done,
        total=value.total,
        unit=value.unit,
        loss=value.loss,
        held_out=dict(value.held_out),
        rate=value.rate(now),
        seconds_left=value.seconds_left(now),
        attempts=value.attempts,
        message=value.message,
        result=dict(value.result),
        created=value.created,
        started=value.started,
        finished=value.finished,
        cancel_requested=value.cancel_requested,
    )
