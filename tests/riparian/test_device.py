"""CPU or GPU with a reason, and how many threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from riparian import device
from riparian.errors import Invalid

needs_no_gpu = pytest.mark.skipif(device.choose().is_gpu, reason="this machine has a usable GPU")


def test_the_cpu_is_taken_where_it_is_asked_for() -> None:
    assert device.choose("cpu") == device.Device("cpu", "asked for")


@needs_no_gpu
def test_the_automatic_choice_says_why_it_is_the_cpu() -> None:
    chosen = device.choose()

    assert chosen.name == "cpu"
    assert chosen.reason.startswith(("no NVIDIA driver", "an NVIDIA driver is here, but torch", "torch "))


@needs_no_gpu
@pytest.mark.parametrize("requested", ["cuda", "cuda:0", "cuda:7"])
def test_a_gpu_that_is_asked_for_and_absent_is_an_error_with_a_reason(requested: str) -> None:
    with pytest.raises(Invalid) as caught:
        device.choose(requested)

    assert str(caught.value) == f"device {requested!r} cannot be used: {device.choose().reason}; give auto or cpu"


@pytest.mark.parametrize("word", ["gpu", "cuda:x", "cuda:", "cuda:-1", "CPU", "mps", ""])
def test_another_word_is_refused_with_those_that_are_known(word: str) -> None:
    with pytest.raises(Invalid, match="is not known; give auto, cpu, cuda or cuda:N"):
        device.choose(word)


def test_a_gpu_is_told_from_a_cpu() -> None:
    assert [device.Device(name, "").is_gpu for name in ("cpu", "cuda", "cuda:1")] == [False, True, True]


def test_a_number_of_threads_is_obeyed() -> None:
    assert device.threads(3) == 3


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "damaged"}, None),
        ({"cpu.max": "100 damaged"}, None),
        ({"cpu/cpu.cfs_quota_us": "30000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_threads_keep_within_the_quota_of_the_control_group(
    files: dict[str, str], cores: int | None, tmp_path: Path
) -> None:
    (tmp_path / "cpu").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content)

    assert device.threads(0, tmp_path) == (cores or len(os.sched_getaffinity(0)))


def test_threads_keep_within_the_affinity_and_nothing_heavy_is_loaded() -> None:
    code = (
        "import os, sys; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        "from riparian import device; print(device.threads(0), 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )

    assert done.stdout == "1 False\n"
