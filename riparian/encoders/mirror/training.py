"""Mirror-tuning: a transformer learns to compare sentences from nothing but sentences.

Liu, Vulić, Korhonen and Collier 2021, "Fast, Effective, and Self-Supervised": each string is paired with itself; the
second view has a few characters hidden, both pass through dropout, and NT-Xent tells them from all others.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from riparian.device import Device, choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.mirror.encoder import MirrorEncoder
from riparian.encoders.mirror.objective import alignment, nt_xent, uniformity
from riparian.encoders.mirror.recipe import recipe
from riparian.encoders.mirror.settings import Settings
from riparian.encoders.mirror.views import masked
from riparian.encoders.model_folder import plain_recipe
from riparian.encoders.steps import Look
from riparian.encoders.storage import read_json
from riparian.encoders.subwords import FILE as TOKENIZER
from riparian.encoders.subwords import Subwords
from riparian.encoders.torch_engine import TorchEngine, load_model
from riparian.encoders.training_steps import Steps, chance, use_threads
from riparian.encoders.transformer_files import Source, find
from riparian.encoders.weights import digest, tensors, weight_files
from riparian.errors import AlreadyExists, BadWeights, Invalid

Report = dict[str, Any]

_SAMPLE = 512
_JUDGING = 2**31
_FILES = ("tokenizer_config.json", "special_tokens_map.json")


def mirror_tune(
    base: str,
    strings: Sequence[str],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    into: Path,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> Path:
    """Tunes the transformer of `base` (a model folder or hub id) and answers with `into`, a saved `mirror-bert`
    encoder whose card tells alignment and uniformity before and after.

    Nothing but strings is looked at: no labels, no pairs; equal strings count once. The same strings, settings and
    seed give the same weights on one machine. `progress` hears (batches done, batches in all) and may raise to stop;
    with `checkpoint`, a stopped run goes on to the same weights, and Conflict is raised where the file belongs to
    another run. Raises Invalid for what is no string and for fewer than two, AlreadyExists where `into` is there and
    not empty, BadWeights for a tokenizer without a mask token, and what `find` raises.
    """
    if into.exists() and any(into.iterdir()):
        raise AlreadyExists(f"{into} is not empty; give a new folder to save into")
    distinct = _distinct(strings)
    place = choose(device)
    use_threads(place, workers)
    source = find("mirror-bert", base)
    start = digest(tensors(weight_files(source.folder)))
    sha256 = hashlib.sha256("\x1f".join(distinct).encode("utf-8", "surrogatepass")).hexdigest()
    run = text_digest(canonical([settings.to_json(), seed, sha256, start]))
    trainer = _Trainer(settings, seed, distinct, _model(source, settings, seed, place))
    before = trainer.judged()
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
    report = {
        "settings": settings.to_json(),
        "seed": seed,
        "base": source.name,
        "base_sha256": start,
        "strings": len(distinct),
        "strings_sha256": sha256,
        "before": before,
        "after": trainer.judged(),
    }
    _save(source, trainer.model, settings, report, into)
    return into


@dataclass(frozen=True, slots=True)
class _Model:
    """The network in float32 with its tokenizer; `length` counts special tokens."""

    network: Any
    tokenizer: Tokenizer
    mask: str
    length: int
    device: Device

    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """(B, L) ids and mask; what is beyond the longest input is cut, as published."""
        rows = self.tokenizer.encode_batch(list(texts), add_special_tokens=True)
        ids = torch.tensor([row.ids for row in rows], device=self.device.name)
        return ids, torch.tensor([row.attention_mask for row in rows], device=self.device.name)


class _Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, settings: Settings, seed: int, strings: Sequence[str], model: _Model) -> None:
        self._settings, self._seed, self._strings, self.model = settings, seed, strings, model
        self._parameters = {
            name: value for name, value in model.network.named_parameters() if not name.startswith("pooler.")
        }
        self._optimiser = torch.optim.AdamW(
            self._parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._batches = len(strings) // settings.batch + (len(strings) % settings.batch > 1)

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        total = self._batches * self._settings.epochs
        Steps(total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("alignment", lambda: float(self.judged()["alignment"]))
        )

    def _learn(self, step: int) -> Tensor:
        epoch, at = divmod(step, self._batches)
        order = np.random.default_rng([self._seed, epoch]).permutation(len(self._strings))
        batch = [self._strings[row] for row in order[at * self._settings.batch : (at + 1) * self._settings.batch]]
        first, second = self._views(batch, step)
        self._optimiser.zero_grad()
        loss = nt_xent(first, second, self._settings.temperature)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return loss.detach()

    def _views(self, texts: Sequence[str], step: int) -> tuple[Tensor, Tensor]:
        """(N, H) vectors of the strings and of their other views, both under dropout."""
        settings = self._settings
        numbers = np.random.default_rng([self._seed, step, 1])
        others = [masked(text, self.model.mask, settings.span, settings.shortest, numbers) for text in texts]
        with chance(self._seed, step, self.model.device):
            ids, mask = self.model.read([*texts, *others])
            states = self.model.network(input_ids=ids, attention_mask=mask).last_hidden_state
        found = self._pooled(states, mask)
        return found[: len(texts)], found[len(texts) :]

    def _pooled(self, states: Tensor, mask: Tensor) -> Tensor:
        if self._settings.pooling == "cls":
            return states[:, 0]
        if self._settings.pooling == "paper_padded_mean":
            return states.mean(dim=1)
        weights = mask.unsqueeze(2).to(states.dtype)
        return (states * weights).sum(dim=1) / weights.sum(dim=1)

    @torch.no_grad()
    def judged(self) -> Report:
        """Alignment of the two views, and uniformity of the first ones, over the same strings before and after."""
        numbers = np.random.default_rng([self._seed, 2])
        rows = numbers.permutation(len(self._strings))[:_SAMPLE]
        views = [
            self._views(part, _JUDGING + at) for at, part in enumerate(_parts([self._strings[row] for row in rows]))
        ]
        first, second = (torch.cat(side).cpu() for side in zip(*views, strict=True))
        return {"alignment": round(alignment(first, second), 4), "uniformity": round(uniformity(first), 4)}


def _distinct(strings: Sequence[str]) -> list[str]:
    if isinstance(strings, str) or not all(isinstance(text, str) for text in strings):
        raise Invalid("mirror tuning takes a list of strings and nothing else: no pairs, no scores")
    found = [text for text in dict.fromkeys(strings) if text.strip()]
    if len(found) < 2:
        raise Invalid(f"{len(found)} different strings are too few to mirror-tune on; give at least 2, better 10,000")
    return found


def _parts(texts: Sequence[str], size: int = 64) -> Iterator[Sequence[str]]:
    for first in range(0, len(texts), size):
        yield texts[first : first + size]


def _model(source: Source, settings: Settings, seed: int, device: Device) -> _Model:
    subwords = Subwords(source.folder)
    length = min(settings.max_tokens, plain_recipe(source.root).max_length)
    tokenizer = Tokenizer.from_str(subwords.json())
    tokenizer.enable_truncation(length)
    padded = settings.pooling == "paper_padded_mean"
    pad = next((token for token in ("[PAD]", "<pad>") if tokenizer.token_to_id(token) is not None), "[PAD]")
    tokenizer.enable_padding(length=length if padded else None, pad_id=subwords.padding, pad_token=pad)
    mask = settings.mask or _mask_token(source, tokenizer)
    with chance(seed, -1, device):
        network = load_model(source.folder).to(device.name)
    _drop(network, settings.dropout)
    network.train()
    return _Model(network, tokenizer, mask, length, device)


def _mask_token(source: Source, tokenizer: Tokenizer) -> str:
    """The tokenizer's own mask token, as its files name it."""
    for name in reversed(_FILES):
        path = source.folder / name
        named = read_json(path).get("mask_token") if path.is_file() else None
        token = named.get("content") if isinstance(named, dict) else named
        if isinstance(token, str):
            return token
    found = [token for token in ("[MASK]", "<mask>") if tokenizer.token_to_id(token) is not None]
    if not found:
        raise BadWeights(source.folder, "a tokenizer with a mask token", "none; give settings.mask or span 0")
    return found[0]


def _drop(network: Any, share: float) -> None:
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share


def _save(source: Source, model: _Model, settings: Settings, report: Report, into: Path) -> None:
    """The weights without the pooler, which nothing here trains or reads."""
    network = model.network.eval()
    kept = {name: value for name, value in network.state_dict().items() if not name.startswith("pooler.")}
    with tempfile.TemporaryDirectory(dir=_nearest(into)) as name:
        draft = Path(name)
        network.save_pretrained(draft, state_dict=kept)
        (draft / TOKENIZER).write_text(Subwords(source.folder).json(), encoding="utf-8")
        for file in _FILES:
            if (source.folder / file).is_file():
                (draft / file).write_bytes((source.folder / file).read_bytes())
        tuned = Source(
            "mirror-bert",
            draft,
            draft,
            f"mirror-bert:{into}",
            settings.name,
            source.licence,
            source.languages,
            f"{source.name} ({source.provenance}), mirror-tuned here on {report['strings']} strings",
            "fine-tuned",
        )
        found = recipe(settings.pooling, plain_recipe(draft).max_length, report)
        MirrorEncoder(tuned, found, Subwords(draft), TorchEngine(draft, Device("cpu", "saving"), 1)).save(into)


def _nearest(into: Path) -> Path:
    into.parent.mkdir(parents=True, exist_ok=True)
    return into.parent
