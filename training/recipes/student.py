"""A transformer that is trained further: its network with gradients, read and pooled as its encoder does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from riparian.device import Device
from riparian.encoders.subwords import FILE as TOKENIZER
from riparian.encoders.subwords import Subwords
from riparian.encoders.torch_engine import TorchEngine, load_model
from riparian.encoders.transformer import TransformerEncoder
from riparian.errors import Invalid
from riparian.types import Role

_MASKS = ("[MASK]", "<mask>")
_FILES = ("tokenizer_config.json", "special_tokens_map.json")


class Student:
    """The network in float32 and training mode. `longest` counts special tokens; longer texts are cut to it, since a
    text is learnt from by its beginning."""

    def __init__(self, encoder: TransformerEncoder, device: Device, *, longest: int, dropout: float) -> None:
        self.encoder, self.device = encoder, device
        self.source, self.recipe, self.subwords = encoder.parts
        self.longest = min(longest, self.recipe.max_length)
        self.padded = bool(getattr(self.recipe, "padded", False))
        self.keeps: Callable[[], Mapping[str, Tensor]] = dict
        """What a lesson has saved beside the network, by its name in the folder."""
        self.network: Any = load_model(self.source.folder).to(device.name)
        for module in self.network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = dropout
        self.network.train()

    @property
    def width(self) -> int:
        return int(self.network.config.hidden_size)

    @property
    def vocabulary(self) -> int:
        return int(self.network.get_input_embeddings().weight.shape[0])

    def mask_token(self) -> str | None:
        """What the tokenizer hides a token behind, None where it knows none."""
        return next((token for token in _MASKS if self._number(token) is not None), None)

    def token_numbers(self) -> tuple[int, list[int]] | None:
        """The mask token's id and the ids that no text consists of; None without a mask token."""
        mask = self.mask_token()
        if mask is None:
            return None
        number = self._number(mask)
        assert number is not None
        return number, [number, self.subwords.padding, *self.subwords.prefix, *self.subwords.suffix]

    def _number(self, token: str) -> int | None:
        found: int | None = Tokenizer.from_str(self.subwords.json()).token_to_id(token)
        return found

    def parameters(self, frozen: int) -> dict[str, Tensor]:
        """What is learnt: everything but poolers; with `frozen`, neither the embeddings nor that many lowest layers.

        Invalid where there are not so many layers.
        """
        kept = {name: value for name, value in self.network.named_parameters() if not name.startswith("pooler.")}
        if not frozen:
            return kept
        layers = _layers(kept)
        if frozen > len(layers):
            raise Invalid(f"frozen is {frozen}, and the transformer has {len(layers)} layers")
        still = ("embeddings.", *layers[:frozen])
        learnt = {name: value for name, value in kept.items() if not name.startswith(still)}
        for name, value in self.network.named_parameters():
            value.requires_grad_(name in learnt)
        return learnt

    def read(self, texts: Sequence[str], role: Role) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L) ids, the mask of what is there, and the mask of what is pooled."""
        prompt = self.recipe.prompt(role)
        prefix, suffix = self.subwords.prefix, self.subwords.suffix
        room = max(1, self.longest - self.subwords.special)
        found = self.subwords.ids(texts, prompt)
        rows = [(prefix + one.ids[:room] + suffix, len(prefix) + one.prompt) for one in found]
        length = self.recipe.max_length if self.padded else max(len(row) for row, _ in rows)
        ids = np.full((len(rows), length), self.subwords.padding, dtype=np.int64)
        mask, pooled = np.zeros_like(ids), np.zeros_like(ids)
        for number, (row, skip) in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
            pooled[number, 0 if self.recipe.include_prompt else skip : len(row)] = 1
        return tuple(torch.from_numpy(each).to(self.device.name) for each in (ids, mask, pooled))  # type: ignore[return-value]

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L, H) states of the last layer."""
        found: Tensor = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        return found

    def vectors(self, texts: Sequence[str], role: Role = "passage") -> Tensor:
        """(N, H) vectors as the encoder pools them, not of unit length."""
        ids, mask, pooled = self.read(texts, role)
        return self.pooled(self.states(ids, mask), pooled)

    def pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        """The pooling of the encoder's recipe: mean, first token or maximum; of all positions where it is padded."""
        if self.padded:
            return states.mean(dim=1)
        if self.recipe.pooling == "cls":
            return states[:, 0]
        if self.recipe.pooling == "max":
            return states.masked_fill(mask.unsqueeze(2) == 0, float("-inf")).amax(dim=1)
        weights = mask.unsqueeze(2).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)

    def save(self, into: Path, name: str, how: str, report: Mapping[str, Any]) -> None:
        """The tuned encoder, of the same kind as it was; the pooler, which nothing trains or reads, is left out."""
        network = self.network.eval()
        kept = _named(network, self.keeps())
        into.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into.parent) as desk:
            draft = Path(desk)
            network.save_pretrained(draft, state_dict=kept)
            (draft / TOKENIZER).write_text(self.subwords.json(), encoding="utf-8")
            for file in _FILES:
                if (self.source.folder / file).is_file():
                    (draft / file).write_bytes((self.source.folder / file).read_bytes())
            old = self.source
            tuned = replace(
                old,
                root=draft,
                folder=draft,
                spec=f"{old.kind}:{into}",
                name=name,
                provenance=f"{old.name} ({old.provenance}), {how}",
                origin="fine-tuned",
            )
            recipe = replace(self.recipe, training=dict(report))
            engine = TorchEngine(draft, Device("cpu", "saving"), 1)
            type(self.encoder)(tuned, recipe, Subwords(draft, recipe.lower), engine).save(into)


def _named(network: Any, beside: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's tensors; under the names that a model with a head gives its body where there is a head."""
    kept = {name: value for name, value in network.state_dict().items() if not name.startswith("pooler.")}
    if not beside:
        return kept
    return {f"{network.base_model_prefix}.{name}": value for name, value in kept.items()} | dict(beside)


def _layers(parameters: Mapping[str, Tensor]) -> list[str]:
    """The beginnings of the names of each layer's parameters, the lowest layer first."""
    found: dict[int, str] = {}
    for name in parameters:
        parts = name.split(".")
        at = next((number for number, part in enumerate(parts) if part in ("layer", "layers")), None)
        if at is not None and at + 1 < len(parts) and parts[at + 1].isdigit():
            found[int(parts[at + 1])] = ".".join(parts[: at + 2]) + "."
    return [found[number] for number in sorted(found)]
