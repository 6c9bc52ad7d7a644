"""Training a view-matching encoder on the user's own documents: which body belongs to this title, and the reverse."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from riparian.device import Device, choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.epochs import Epochs
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.mlm import wordpiece
from riparian.encoders.mlm.corpus import Block, framed
from riparian.encoders.steps import Look
from riparian.encoders.storage import write_file
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.encoders.transformer_files import Source
from riparian.encoders.view_match.encoder import WEIGHTS, ViewMatchEncoder, write_config
from riparian.encoders.view_match.judging import recall
from riparian.encoders.view_match.loading import KIND, opened
from riparian.encoders.view_match.material import Material, feature_pairs, text_pairs
from riparian.encoders.view_match.network import FeatureTower, View, Views, matching_loss
from riparian.encoders.view_match.settings import Settings
from riparian.errors import AlreadyExists
from riparian.types import Matrix

Report = dict[str, Any]

_LOOKING = 2**31


def train(
    pairs: Sequence[tuple[str, str]],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    into: Path,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> Path:
    """Writes the saved encoder of two texts `into` and answers with it; its card holds the recall@1 of the right
    partner among held-out pairs, both ways, beside chance.

    The same pairs, settings and seed give the same weights on one machine. `progress` hears (batches done, batches in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same weights;
    Conflict where the file belongs to another run. Raises Invalid for too few pairs, AlreadyExists where `into` is
    there and not empty.
    """
    _refuse_full(into)
    material = text_pairs(pairs, settings.held_out, seed)
    return _train(material, settings, seed, progress, into, checkpoint, device, workers)


def train_features(
    texts: Sequence[str],
    features: Matrix,
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    into: Path,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> Path:
    """As `train`, with row i of `features` (pictures', sounds', any numbers) in place of a second text.

    Raises Invalid too for another number of rows than of texts and for features that are no finite numbers.
    """
    _refuse_full(into)
    material = feature_pairs(texts, features, settings.held_out, seed)
    return _train(material, settings, seed, progress, into, checkpoint, device, workers)


def _refuse_full(into: Path) -> None:
    if into.exists() and any(into.iterdir()):
        raise AlreadyExists(f"{into} is not empty; give a new folder to save into")


def _train(
    material: Material,
    settings: Settings,
    seed: int,
    progress: Progress | None,
    into: Path,
    checkpoint: Path | None,
    device: str,
    workers: int,
) -> Path:
    place = choose(device)
    use_threads(place, workers)
    words = [side[at] for side in (material.texts, material.partners) if side for at in material.train]
    tokenizer = wordpiece.learn(words, settings.vocabulary, settings.lower)
    trainer = _Trainer(settings, seed, material, tokenizer, place)
    run = text_digest(canonical([settings.to_json(), seed, material.digest]))
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
    _save(trainer, tokenizer, settings, into)
    return into


class _Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, settings: Settings, seed: int, material: Material, tokenizer: Tokenizer, device: Device) -> None:
        self._settings, self._seed, self._material, self._device = settings, seed, material, device
        self._ends = tuple(
            wordpiece.number(tokenizer, token) for token in (wordpiece.BEGIN, wordpiece.END, wordpiece.PADDING)
        )
        self._vocabulary = tokenizer.get_vocab_size()
        self._ids: dict[View, list[Block]] = {
            "first": _ids(tokenizer, material.texts),
            "second": _ids(tokenizer, material.partners),
        }
        self.shape = settings.shape(self._vocabulary, 0 if material.features is None else material.features.shape[1])
        with chance(seed, -1, device):
            self.network = Views(self.shape, settings.dropout)
        self._features = None if material.features is None else torch.from_numpy(material.features)
        if isinstance(self.network.second, FeatureTower) and self._features is not None:
            self.network.second.learn_scale(self._features[material.train])
        self.network.to(device.name)
        self._parameters = dict(self.network.named_parameters())
        self._optimiser = torch.optim.AdamW(
            self._parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._epochs = Epochs(self._plan)
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        self.network.train()
        Steps(self._total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("recall@1", self._recall)
        )
        self.network.eval()

    def _plan(self, epoch: int) -> list[tuple[int, ...]]:
        """Every pair once, in batches of like size: a batch of one pair would teach nothing."""
        order = np.random.default_rng([self._seed, epoch]).permutation(self._material.train)
        count = max(1, round(len(order) / self._settings.batch))
        return [tuple(part.tolist()) for part in np.array_split(order, count)]

    def _learn(self, step: int) -> Tensor:
        rows = list(self._epochs.batch(step))
        numbers = np.random.default_rng([self._seed, step])
        with chance(self._seed, step, self._device):
            first, second = self._text("first", rows, numbers), self._second(rows, numbers)
            loss = matching_loss(first, second, self._equal(rows), self._settings.temperature)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._settings.clip_norm)
        set_rate(self._optimiser, self._settings.learning_rate * warmed_up(step, self._total))
        self._optimiser.step()
        return loss.detach()

    @torch.no_grad()
    def _recall(self) -> float:
        """The share of held-out first texts that find their second one, the same stretches of both at each look."""
        rows, numbers = list(self._material.judge), np.random.default_rng([self._seed, _LOOKING])
        self.network.eval()
        first, second = self._text("first", rows, numbers), self._second(rows, numbers)
        self.network.train()
        return recall(first.cpu().numpy(), second.cpu().numpy()).first_to_second

    def _text(self, view: View, rows: list[int], numbers: np.random.Generator) -> Tensor:
        cut = [_stretch(self._ids[view][row], self._settings.longest - 2, numbers) for row in rows]
        ids, mask = (torch.from_numpy(found).to(self._device.name) for found in framed(cut, *self._ends))
        return self.network.texts(view, ids, mask)

    def _second(self, rows: list[int], numbers: np.random.Generator) -> Tensor:
        if self._features is None:
            return self._text("second", rows, numbers)
        found: Tensor = self.network.second(self._features[rows].to(self._device.name))
        return found

    def _equal(self, rows: list[int]) -> Tensor:
        """(B, B) which pairs share a view."""
        first, second = self._material.first[rows], self._material.second[rows]
        found = (first[:, None] == first) | (second[:, None] == second)
        return torch.from_numpy(found).to(self._device.name)

    def report(self, encoder: ViewMatchEncoder) -> Report:
        material, judged = self._material, list(self._material.judge)
        first = encoder.encode_passages([material.texts[at] for at in judged], "query")
        if material.features is None:
            second = encoder.encode_passages([material.partners[at] for at in judged], "passage")
        else:
            second = encoder.encode_features(material.features[judged])
        found = recall(first, second)
        room = self._settings.longest - 2
        return {
            "settings": self._settings.to_json(),
            "seed": self._seed,
            "pairs_sha256": material.digest,
            "pairs": len(material.train),
            "held_out_pairs": len(judged),
            "longer_than_window": sum(len(ids) > room for texts in self._ids.values() for ids in texts),
            "vocabulary": self._vocabulary,
            "recall_first_to_second": round(found.first_to_second, 4),
            "recall_second_to_first": round(found.second_to_first, 4),
            "recall_by_chance": round(found.chance, 4),
        }


def _ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Block]:
    return [tuple(pieces.ids) for pieces in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def _stretch(ids: Block, room: int, numbers: np.random.Generator) -> Block:
    """The whole text where it fits, else a part that is drawn anew each time."""
    start = int(numbers.integers(len(ids) - room + 1)) if len(ids) > room else 0
    return ids[start : start + room]


def _save(trainer: _Trainer, tokenizer: Tokenizer, settings: Settings, into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as name:
        draft = Path(name)
        found = {name: value.detach().cpu().contiguous() for name, value in trainer.network.state_dict().items()}
        write_file(draft / WEIGHTS, lambda path: save_file(found, path))
        write_config(draft, trainer.shape)
        wordpiece.write(draft, tokenizer, settings.longest, settings.lower)
        cpu = Device("cpu", "saving")
        source = _source(draft, settings, into, "trained here")
        report = trainer.report(opened(source, {}, cpu))
        made = f"trained here on {report['pairs']} pairs, {settings.epochs} epochs"
        opened(_source(draft, settings, into, made), report, cpu).save(into)


def _source(draft: Path, settings: Settings, into: Path, made: str) -> Source:
    spec = f"{KIND}:{into}"
    return Source(KIND, draft, draft, spec, settings.name, settings.licence, settings.languages, made, "trained-here")
