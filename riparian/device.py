"""CPU or GPU, and why; how many cores this process may use. The one place that decides.

Importing this module loads nothing heavy: torch is asked only where a sign of an NVIDIA driver is found.
"""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from riparian.errors import Invalid

_DRIVER_SIGNS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Device:
    """`name` is what torch calls it ("cpu", "cuda", "cuda:1"); `reason` is a line for a person."""

    name: str
    reason: str

    @property
    def is_gpu(self) -> bool:
        return self.name.startswith("cuda")


def choose(requested: str = "auto") -> Device:
    """The device to compute on: "auto" takes a GPU where torch can use one, "cpu" and "cuda[:N]" are obeyed.

    Raises Invalid for another word, and for a GPU that is asked for but cannot be used.
    """
    if requested == "cpu":
        return Device("cpu", "asked for")
    if requested == "auto":
        return _automatic()
    kind, _, number = requested.partition(":")
    if kind != "cuda" or not (number.isdecimal() or requested == "cuda"):
        raise Invalid(f"device {requested!r} is not known; give auto, cpu, cuda or cuda:N")
    usable, why = _gpus()
    if int(number or 0) >= usable:
        raise Invalid(f"device {requested!r} cannot be used: {why}; give auto or cpu")
    return Device(requested, "asked for")


def threads(requested: int = 0, control_group: Path = _CGROUP) -> int:
    """`requested`, or the cores this process may use when it is 0: its CPU affinity, cut by a cgroup quota."""
    if requested > 0:
        return requested
    return max(1, math.ceil(min(_affinity(), _quota(control_group))))


def _automatic() -> Device:
    usable, why = _gpus()
    return Device("cuda" if usable else "cpu", why)


def _gpus() -> tuple[int, str]:
    """How many GPUs torch can use, and a reason. Looks for the driver first: importing torch takes seconds."""
    if not (any(Path(sign).exists() for sign in _DRIVER_SIGNS) or shutil.which("nvidia-smi")):
        return 0, "no NVIDIA driver on this machine"
    import torch

    if torch.version.cuda is None:
        return 0, f"an NVIDIA driver is here, but torch {torch.__version__} is built without CUDA"
    if not torch.cuda.is_available():
        return 0, f"torch {torch.__version__} finds no usable NVIDIA device"
    return torch.cuda.device_count(), f"{torch.cuda.get_device_name(0)} is usable"


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(group: Path) -> float:
    """Cores that the control group allows (versions 2 and 1), infinite where none is set."""
    limit = _read(group / "cpu.max").split()
    if len(limit) == 2 and limit[0].isdecimal() and limit[1].isdecimal() and int(limit[1]) > 0:
        return int(limit[0]) / int(limit[1])
    quota, period = (_read(group / "cpu" / f"cpu.cfs_{part}_us").strip() for part in ("quota", "period"))
    if quota.isdecimal() and period.isdecimal() and int(period) > 0:
        return int(quota) / int(period)
    return math.inf


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
