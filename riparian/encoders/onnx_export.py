"""A transformers model as an ONNX file in the cache, made at first use.

The file is keyed by weights and architecture, written beside its place, synced and renamed. Its SHA-256 stands next
to it and is checked at every load, so a damaged file is made again.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from riparian.encoders.fingerprint import file_digest
from riparian.encoders.model_folder import architecture
from riparian.encoders.storage import write_file
from riparian.encoders.weights import bare, tensors, weight_files

logger = logging.getLogger(__name__)

VARIANT = "fp32.v2"
"""Grows when the export changes."""

_OPSET = 17
_TOLERANCE = 1e-3


class NotExportable(RuntimeError):
    """The architecture cannot be written as ONNX; torch can still run it."""


def exported(folder: Path, key: str, cache_dir: Path) -> Path:
    """The ONNX file of the model in `folder`; made when the cache has none that is whole. One process at a time.

    Raises NotExportable, and BadWeights for mis-shaped weights.
    """
    path = cache_dir / "onnx" / f"{key}.{VARIANT}.onnx"
    if _whole(path):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not _whole(path):
            logger.info("exporting %s to %s", folder, path)
            write_file(path, lambda draft: _export(folder, draft))
            write_file(_seal(path), lambda draft: draft.write_text(file_digest(path), encoding="ascii"))
    return path


def _seal(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _whole(path: Path) -> bool:
    if not (path.is_file() and _seal(path).is_file()):
        return False
    return _seal(path).read_text(encoding="ascii", errors="replace") == file_digest(path)


def _export(folder: Path, draft: Path) -> None:
    """Written from the weights for BERT itself; other architectures are traced by torch."""
    from riparian.encoders import bert_graph

    config, found = architecture(folder), bare(tensors(weight_files(folder)))
    if bert_graph.supports(config, found):
        bert_graph.write(draft, config, found)
    else:
        _trace(folder, draft)


def _trace(folder: Path, draft: Path) -> None:
    import torch

    from riparian.encoders.torch_engine import load_model

    class LastStates(torch.nn.Module):
        """The model with the two inputs that every architecture has."""

        def __init__(self, model: Any, typed: bool) -> None:
            super().__init__()
            self.model, self.typed = model, typed

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
            # all-zero types are computed from the ids, so that their shape stays free in the graph
            types = {"token_type_ids": input_ids * 0} if self.typed else {}
            return self.model(input_ids=input_ids, attention_mask=attention_mask, **types).last_hidden_state

    # traced attention must not branch on the mask: the eager form does not
    model = load_model(folder, attention="eager")
    wrapped = LastStates(model, typed=int(getattr(model.config, "type_vocab_size", 0)) > 0).eval()
    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    axes = {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask", "states")}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # tracer remarks about shapes; the result is compared below
        try:
            torch.onnx.export(
                wrapped,
                (ids, mask),
                str(draft),
                input_names=["input_ids", "attention_mask"],
                output_names=["states"],
                dynamic_axes=axes,
                opset_version=_OPSET,
                dynamo=False,
            )
        except (RuntimeError, TypeError, ValueError) as error:
            raise NotExportable(str(error).partition("\n")[0]) from error
        _compare(wrapped, draft)


def _compare(model: Any, draft: Path) -> None:
    """Raises NotExportable unless the file gives torch's states for shapes that it was not traced with."""
    import torch

    from riparian.encoders.onnx_engine import open_session

    session = open_session(draft)
    for length in (1, 3, 17):
        ids = np.arange(3 * length, dtype=np.int64).reshape(3, length) % 97 + 5
        mask = np.ones_like(ids)
        mask[1, (length + 1) // 2 :] = 0
        expected = model(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        (found,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
        gap = float(np.abs((found - expected)[mask.astype(bool)]).max())
        if not gap <= _TOLERANCE:
            raise NotExportable(f"its ONNX states differ from torch's by {gap:.3g}")
