"""Two processes that convert the same model at once: one does the work, both get it, nothing is left over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.riparian.encoder_models import tiny_bert, tiny_glove

CODE = """
import hashlib, sys
from pathlib import Path
from riparian.encoders import registry, onnx_engine, onnx_export, static  # the imports come before the start
print("ready", flush=True)
sys.stdin.readline()
encoder = registry.load(sys.argv[1], cache_dir=Path(sys.argv[2]), threads=1)
rows = encoder.encode_passages(["the river bank", "ducks"], "passage")
print(encoder.fingerprint(), hashlib.sha256(rows.tobytes()).hexdigest())
"""


@pytest.mark.parametrize(("kind", "made"), [("bert", "*.onnx"), ("glove", "model.safetensors")])
def test_two_processes_convert_a_model_once(kind: str, made: str, tmp_path: Path) -> None:
    source = tiny_bert(tmp_path) if kind == "bert" else tiny_glove(tmp_path)
    cache = tmp_path / "cache"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, f"{kind}:{source}", str(cache)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], results
    assert results[0][0] == results[1][0] != ""
    assert len(list(cache.rglob(made))) == 1
    assert [path for path in cache.rglob(".*") if path.suffix == ".part" or path.is_dir()] == []
