"""View matching as an encoder: a query is read by the first view's tower, a passage by the second's.

This is what some accounts call "Cross-View Training": matching a text and a picture, a title and a body. The published
Cross-View Training is another thing (kind `cvt`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from riparian.device import Device
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.model_folder import Recipe
from riparian.encoders.parts import Parts
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.encoders.subwords import FILE as TOKENIZER
from riparian.encoders.subwords import Subwords
from riparian.encoders.transformer import TransformerEncoder
from riparian.encoders.transformer_files import Source
from riparian.encoders.view_match.material import checked
from riparian.encoders.view_match.network import FeatureTower, Shape, View, Views
from riparian.errors import Invalid
from riparian.types import Matrix, Role

CONFIG, WEIGHTS = "config.json", "model.safetensors"
METHOD = "view matching (not the published Cross-View Training)"

_GPU_BUDGET, _CPU_BUDGET = 65_536, 1_024
_ROWS = 4_096


class TowerEngine:
    """States of one view's text tower."""

    def __init__(self, network: Views, view: View, device: Device) -> None:
        self._network, self._view, self._device = network, view, device.name
        self.name = f"torch {torch.__version__} on {device.name}"
        self.budget = _GPU_BUDGET if device.is_gpu else _CPU_BUDGET
        self.workers = 1
        self.pads = True

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                put = (torch.from_numpy(found).to(self._device) for found in (ids, mask))
                return np.asarray(self._network.states(self._view, *put).cpu().numpy(), dtype=np.float32)
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error


class ViewMatchEncoder:
    """Two towers over one vocabulary. Where the second view is no text, both roles read with the text tower."""

    def __init__(
        self, source: Source, shape: Shape, network: Views, training: Mapping[str, Any], device: Device
    ) -> None:
        subwords = Subwords(source.folder)
        recipe = Recipe(max_length=shape.longest)
        views: dict[Role, View] = {"query": "first", "passage": "first" if shape.features else "second"}
        network = network.to(device.name).eval()
        self._readers = {
            role: TransformerEncoder(source, recipe, subwords, TowerEngine(network, view, device))
            for role, view in views.items()
        }
        self._source, self._shape, self._training, self._device = source, shape, dict(training), device
        self._features = network.second if isinstance(network.second, FeatureTower) else None

    @property
    def info(self) -> EncoderInfo:
        views = ["text", f"{self._shape.features} features" if self._features else "text"]
        plain = self._readers["passage"].info
        extra = plain.extra | {"what": METHOD, "views": views, "training": self._training}
        return replace(plain, method="as-described", extra=extra)

    def fingerprint(self) -> str:
        """Over both towers, whichever role it is asked for."""
        return self._readers["passage"].fingerprint()

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return self._readers["passage"].tokenize(texts)

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether it is a piece of the vocabulary, not the unknown piece."""
        return self._readers["passage"].known(texts)

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        return self._readers[role].encode_tokens(texts, role)

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        return self._readers[role].encode_passages(texts, role, progress)

    def summands(self, texts: Sequence[str], role: Role = "passage") -> list[Parts] | None:
        return self._readers[role].summands(texts, role)

    def encode_features(self, features: Matrix) -> Matrix:
        """(N, features) numbers → (N, passage_dim) unit rows beside those of texts.

        Raises Invalid where the second view is a text, or for a matrix of another width or without finite numbers.
        """
        if self._features is None:
            raise Invalid(f"{self._source.name} matches two texts and reads no features")
        rows = checked(features)
        if rows.shape[1] != self._shape.features:
            raise Invalid(f"{self._source.name} reads {self._shape.features} features a row, not {rows.shape[1]}")
        found = [self._read(rows[start : start + _ROWS]) for start in range(0, len(rows), _ROWS)]
        return unit_rows(np.concatenate([np.zeros((0, self._shape.dimension), dtype=np.float32), *found]))

    def save(self, folder: Path) -> None:
        with saving(folder, self, {"training": self._training}) as draft:
            for name in (CONFIG, WEIGHTS, TOKENIZER):
                shutil.copyfile(self._source.folder / name, draft / name)

    def _read(self, rows: Matrix) -> Matrix:
        assert self._features is not None
        with torch.inference_mode():
            return np.asarray(self._features(torch.from_numpy(rows).to(self._device.name)).cpu().numpy())


def write_config(folder: Path, shape: Shape) -> None:
    """Writes `config.json`."""
    (folder / CONFIG).write_text(json.dumps(shape.config(), indent=2) + "\n", encoding="utf-8")
