"""A training run on disk, to go on where it stopped: parameters, the optimiser's moments, the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from riparian.encoders.storage import write_file
from riparian.errors import BadWeights, Conflict

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A safetensors file of one run; `run` names its settings, seed and text."""

    path: Path
    run: str

    def write(self, parameters: Mapping[str, Tensor], optimiser: torch.optim.Adam, step: int) -> None:
        """There whole or not at all."""
        found = {f"model/{name}": value.detach().cpu().contiguous() for name, value in parameters.items()}
        for name, value in parameters.items():
            for moment in _MOMENTS:
                if moment in optimiser.state[value]:
                    found[f"{moment}/{name}"] = optimiser.state[value][moment].detach().cpu().contiguous()
        about = {"run": self.run, "step": str(step)}
        write_file(self.path, lambda draft: save_file(found, draft, metadata=about))

    def read(self, parameters: Mapping[str, Tensor], optimiser: torch.optim.Adam) -> int:
        """Fills parameters and moments and answers with the step; 0, and nothing filled, where there is no file.

        Raises Conflict for the file of another run, BadWeights for one that is damaged.
        """
        if not self.path.is_file():
            return 0
        try:
            with safe_open(self.path, framework="pt") as file:
                about = file.metadata() or {}
                if about.get("run") != self.run:
                    raise Conflict(f"{self.path} belongs to a training run with other settings or text; name another")
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except SafetensorError as error:
            raise BadWeights(self.path, "a safetensors file", str(error)) from error
        for name, value in parameters.items():
            self._fill(name, value, found, optimiser)
        return int(about["step"])

    def _fill(self, name: str, value: Tensor, found: Mapping[str, Tensor], optimiser: torch.optim.Adam) -> None:
        saved = found.get(f"model/{name}")
        if saved is None or saved.shape != value.shape:
            shape = "no such tensor" if saved is None else f"shape {tuple(saved.shape)}"
            raise BadWeights(self.path, f"tensor {name} of shape {tuple(value.shape)}", shape)
        with torch.no_grad():
            value.copy_(saved)
        moments = {moment: found[f"{moment}/{name}"] for moment in _MOMENTS if f"{moment}/{name}" in found}
        if moments:
            optimiser.state[value] = {key: _placed(key, moment, value) for key, moment in moments.items()}


def _placed(key: str, moment: Tensor, value: Tensor) -> Tensor:
    return moment if key == "step" else moment.to(value.device)
