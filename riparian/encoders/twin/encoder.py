"""The two-direction transformer as an encoder, and what computes its states.

This is what some accounts call "Mirror-BERT": two models, one left to right and one right to left, put together. The
published Mirror-BERT is another thing (kind `mirror-bert`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from riparian.device import Device
from riparian.encoders.base import EncoderInfo
from riparian.encoders.model_folder import Recipe
from riparian.encoders.saved import saving
from riparian.encoders.subwords import FILE as TOKENIZER
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder
from riparian.encoders.transformer_files import Source
from riparian.encoders.twin.network import Twin

CONFIG, WEIGHTS = "config.json", "model.safetensors"
METHOD = "two-direction transformer (not the published Mirror-BERT)"

_GPU_BUDGET, _CPU_BUDGET = 65_536, 1_024


class TwinEngine:
    """States of both halves side by side: the left half's first."""

    def __init__(self, network: Twin, device: Device) -> None:
        self._network = network.to(device.name).eval()
        self._device = device.name
        self.name = f"torch {torch.__version__} on {device.name}"
        self.budget = _GPU_BUDGET if device.is_gpu else _CPU_BUDGET
        self.workers = 1
        self.pads = True

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                put = (torch.from_numpy(found).to(self._device) for found in (ids, mask))
                found = torch.cat(self._network(*put), dim=2)
                return np.asarray(found.cpu().numpy(), dtype=np.float32)
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error


class TwinEncoder(TransformerEncoder):
    """Token vector = the left half's state beside the right half's; passage = their unit mean, the frame included."""

    def __init__(self, source: Source, longest: int, engine: TwinEngine, training: Mapping[str, Any]) -> None:
        super().__init__(source, Recipe(max_length=longest), Subwords(source.folder), engine)
        self._training = dict(training)

    @property
    def info(self) -> EncoderInfo:
        plain = super().info
        extra = plain.extra | {"what": METHOD, "training": self._training}
        return replace(plain, contextual="left-right", method="as-described", extra=extra)

    def save(self, folder: Path) -> None:
        source = self._source.folder
        with saving(folder, self, {"training": self._training}) as draft:
            for name in (CONFIG, WEIGHTS, TOKENIZER):
                shutil.copyfile(source / name, draft / name)


def write_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Writes `config.json`."""
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
