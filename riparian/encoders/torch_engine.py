"""torch: the reference engine, and the one for GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModel
from transformers.utils import logging as transformers_logging

from riparian.device import Device
from riparian.encoders.weights import bare, check_shapes, tensors, weight_files
from riparian.errors import BadWeights

# what it says of heads that are not read here, and its bars, are nothing that a person can act on
transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

_GPU_BUDGET = 65_536
_CPU_BUDGET = 1_024


class TorchEngine:
    """Last hidden states of a transformers model in float32, without gradients."""

    def __init__(self, folder: Path, device: Device, threads: int) -> None:
        self._device = torch.device(device.name)
        self._model = load_model(folder).to(self._device)
        self.name = f"torch {torch.__version__} on {device.name}"
        self.budget = _GPU_BUDGET if device.is_gpu else _CPU_BUDGET
        self.workers = 1
        self.pads = True
        if not device.is_gpu:
            torch.set_num_threads(threads)

    def states(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                found = self._model(
                    input_ids=torch.from_numpy(ids).to(self._device),
                    attention_mask=torch.from_numpy(mask).to(self._device),
                ).last_hidden_state
                return np.asarray(found.float().cpu().numpy(), dtype=np.float32)
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error


def load_model(folder: Path, attention: str | None = None) -> Any:
    """The transformers model of a folder in float32, evaluation mode.

    Its safetensors are compared with the architecture first. Raises BadWeights naming a missing or mis-shaped tensor.
    """
    config = _config(folder)
    files = weight_files(folder)
    found = tensors(files)
    check_shapes(files[0], bare(found), expected_shapes(config))
    options = {} if attention is None else {"attn_implementation": attention}
    model = AutoModel.from_pretrained(
        str(folder),
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
        **options,
    )
    return model.eval()


def expected_shapes(config: Any) -> dict[str, tuple[int, ...]]:
    """Tensor name → shape that the architecture asks for; poolers are left out, since they are not used."""
    with torch.device("meta"):
        model: Any = AutoModel.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
    return {name: tuple(value.shape) for name, value in model.named_parameters() if not name.startswith("pooler.")}


def _config(folder: Path) -> Any:
    try:
        return AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise BadWeights(folder / "config.json", "a model architecture that transformers knows", why) from error
