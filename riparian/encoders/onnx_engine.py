"""ONNX Runtime on the CPU: the default engine, float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from riparian.errors import BadWeights

# small batches stay in the cache of one core
_BUDGET = 256


class OnnxEngine:
    """Each batch runs on one thread, `threads` batches at once: no time is lost on waiting for each other."""

    def __init__(self, path: Path, threads: int) -> None:
        self._session = open_session(path)
        self._inputs = [value.name for value in self._session.get_inputs()]
        self.name = f"ONNX Runtime {onnxruntime.__version__} on cpu"
        self.budget = _BUDGET
        self.workers = threads
        self.pads = "attention_mask" in self._inputs

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            given = {"input_ids": ids, "attention_mask": mask}
            (found,) = self._session.run(None, {name: given[name] for name in self._inputs})
        except onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException as error:
            if "alloc" in str(error):
                raise MemoryError(str(error)) from error
            raise
        return np.asarray(found, dtype=np.float32)


def open_session(path: Path) -> Any:
    """A single-threaded session of an ONNX file. Raises BadWeights where it cannot be read."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    failures = onnxruntime.capi.onnxruntime_pybind11_state
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (failures.InvalidProtobuf, failures.InvalidGraph, failures.Fail) as error:
        raise BadWeights(path, "an ONNX model", str(error).partition("\n")[0]) from error
