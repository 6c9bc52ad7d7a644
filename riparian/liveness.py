"""Which process holds a job, and whether it is still there: told without waiting for a lease to run out."""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from functools import cache
from pathlib import Path


def worker_name() -> str:
    """A name nobody else has, from which `is_dead` can tell machine and process."""
    return f"{_machine()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def is_dead(worker: str) -> bool:
    """True only for the name of a process of this machine that is gone; False whenever it cannot be told."""
    machine, _, rest = worker.partition(":")
    number, _, _ = rest.partition(":")
    return machine == _machine() and number.isdecimal() and not _runs(int(number))


def _runs(process: int) -> bool:
    if os.name != "posix":  # elsewhere signal 0 is not a question but a signal
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as somebody else
        return True
    return True


@cache
def _machine() -> str:
    """Differs between machines, their restarts, and containers that do not see each other's processes."""
    parts = [platform.node(), _content(Path("/proc/sys/kernel/random/boot_id"))]
    namespace = Path("/proc/self/ns/pid")
    parts.append(os.readlink(namespace) if namespace.exists() else "")  # noqa: PTH115 - not a path but a label
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _content(path: Path) -> str:
    return path.read_text() if path.exists() else ""
