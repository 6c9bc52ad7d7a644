"""Training a small two-direction transformer on the user's own text: each half guesses the token that comes next."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from riparian.device import Device, choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.epochs import Epochs
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.mlm import wordpiece
from riparian.encoders.mlm.corpus import Block, Corpus, blocks, counts, framed, gather, plan
from riparian.encoders.steps import Look
from riparian.encoders.storage import write_file
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.encoders.transformer_files import Source
from riparian.encoders.twin.encoder import WEIGHTS, write_config
from riparian.encoders.twin.loading import KIND, opened
from riparian.encoders.twin.network import Twin
from riparian.encoders.twin.settings import Settings
from riparian.errors import AlreadyExists

Report = dict[str, Any]


def train(
    texts: Iterable[str],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    into: Path,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> Path:
    """Writes the saved encoder `into` and answers with it; its card holds the held-out perplexity of both halves
    beside that of token frequencies alone.

    The same texts, settings and seed give the same weights on one machine. `progress` hears (batches done, batches in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same weights;
    Conflict where the file belongs to another run. Raises Invalid for too little text, AlreadyExists where `into` is
    there and not empty.
    """
    if into.exists() and any(into.iterdir()):
        raise AlreadyExists(f"{into} is not empty; give a new folder to save into")
    corpus = gather(texts, settings.held_out, seed)
    place = choose(device)
    use_threads(place, workers)
    tokenizer = wordpiece.learn(corpus.sentences(), settings.vocabulary, settings.lower)
    trainer = _Trainer(settings, seed, corpus, tokenizer, place)
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest]))
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
    _save(trainer.network, tokenizer, settings, trainer.report(), into)
    return into


class _Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, settings: Settings, seed: int, corpus: Corpus, tokenizer: Tokenizer, device: Device) -> None:
        self._settings, self._seed, self._corpus, self._device = settings, seed, corpus, device
        ends = (wordpiece.BEGIN, wordpiece.END, wordpiece.PADDING)
        self._ends = tuple(wordpiece.number(tokenizer, token) for token in ends)
        self._size = tokenizer.get_vocab_size()
        self._train = blocks(corpus.train, tokenizer, settings.longest - 2)
        self._held_out = blocks(corpus.held_out, tokenizer, settings.longest - 2)
        with chance(seed, -1, device):
            self.network = Twin(settings.shape(self._size), settings.dropout).to(device.name)
        self._parameters = dict(self.network.named_parameters())
        self._optimiser = torch.optim.AdamW(
            self._parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._epochs = Epochs(lambda epoch: plan(self._train, settings.batch_tokens, seed, epoch))
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        self.network.train()
        Steps(self._total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("perplexity", self._perplexity)
        )
        self.network.eval()

    def _learn(self, step: int) -> Tensor:
        batch = self._epochs.batch(step)
        with chance(self._seed, step, self._device):
            losses = [functional.cross_entropy(*way) for way in self._guesses([self._train[row] for row in batch])]
            loss = torch.stack(losses).mean()
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._settings.clip_norm)
        set_rate(self._optimiser, self._settings.learning_rate * warmed_up(step, self._total))
        self._optimiser.step()
        return loss.detach()

    def _guesses(self, rows: list[Block]) -> list[tuple[Tensor, Tensor]]:
        """For each half: (M, V) scores, and the (M,) tokens that come next in its reading order."""
        ids, mask = (torch.from_numpy(found).to(self._device.name) for found in framed(rows, *self._ends))
        left, right = self.network(ids, mask)
        both = mask[:, 1:] == 1  # a token here, and so one before it
        return [
            (self.network.scores(left[:, :-1][both]), ids[:, 1:][both]),
            (self.network.scores(right[:, 1:][both]), ids[:, :-1][both]),
        ]

    def report(self) -> Report:
        return {
            "settings": self._settings.to_json(),
            "seed": self._seed,
            "texts_sha256": self._corpus.digest,
            "sentences": sum(map(len, self._corpus.train)),
            "tokens": sum(map(len, self._train)),
            "held_out_tokens": sum(map(len, self._held_out)),
            "vocabulary": self._size,
            **self._perplexities(),
        }

    def _perplexity(self) -> float:
        """The mean of the two halves."""
        self.network.eval()
        found = self._perplexities()
        self.network.train()
        return float(found["perplexity_left"] + found["perplexity_right"]) / 2

    @torch.no_grad()
    def _perplexities(self) -> Report:
        """exp of the mean loss over held-out text; frequencies count from one."""
        sums = np.zeros((2, 3))
        for batch in plan(self._held_out, self._settings.batch_tokens, 0, 0):
            for way, (scores, targets) in enumerate(self._guesses([self._held_out[row] for row in batch])):
                loss = float(functional.cross_entropy(scores, targets, reduction="sum"))
                sums[way] += [len(targets), loss, -float(self._plain(way)[targets.cpu()].sum())]
        names = ("perplexity_left", "unigram_left", "perplexity_right", "unigram_right")
        means = (sums[:, 1:] / sums[:, :1]).reshape(-1)
        return {name: round(math.exp(min(float(mean), 100.0)), 2) for name, mean in zip(names, means, strict=True)}

    def _plain(self, way: int) -> Tensor:
        """Log frequencies of what a half must guess: every token, and the mark at its end."""
        seen = counts(self._train, self._size)
        seen[self._ends[1 - way]] += len(self._train)
        return torch.from_numpy(np.log((seen + 1) / (seen + 1).sum()))


def _save(network: Twin, tokenizer: Tokenizer, settings: Settings, report: Report, into: Path) -> None:
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent) as name:
        draft = Path(name)
        found = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
        write_file(draft / WEIGHTS, lambda path: save_file(found, path))
        write_config(draft, settings.shape(tokenizer.get_vocab_size()).config())
        wordpiece.write(draft, tokenizer, settings.longest, settings.lower)
        made = f"trained here on {report['tokens']} tokens, {settings.epochs} epochs"
        source = Source(
            KIND,
            draft,
            draft,
            f"{KIND}:{into}",
            settings.name,
            settings.licence,
            settings.languages,
            made,
            "trained-here",
        )
        opened(source, report, Device("cpu", "saving")).save(into)
