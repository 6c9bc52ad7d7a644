"""Training an MT-LSTM on parallel text (McCann et al. 2017): English in, another language out.

Only the encoder is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from riparian.device import Device, choose, threads
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.cove.corpus import Corpus, Example, gather, mismatched, perplexity, plan
from riparian.encoders.cove.encoder import CoveEncoder, Model
from riparian.encoders.cove.network import Drop
from riparian.encoders.cove.settings import Settings
from riparian.encoders.cove.translator import Batch, Translator, batch_of
from riparian.encoders.cove.words import Lookup
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.static import StaticEncoder

_CHECKPOINT_EVERY = 200
_STEPS_APART = 1_000_003
_REACH = 0.1

Report = dict[str, Any]


def train(
    pairs: Iterable[tuple[str, str]],
    glove: StaticEncoder,
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> CoveEncoder:
    """An encoder trained to translate `pairs` of (English text, its translation) that reads the vectors of `glove`.

    Its card's `extra["training"]` holds the held-out perplexity with the true sources, with the sources of other pairs
    (how much the encoder says about its text), and of word frequencies alone. The same pairs, vectors, settings and
    seed give the same weights on one machine. `progress` hears (batches done, batches in all) and may raise to stop.
    With `checkpoint`, a run that was stopped goes on where it was, to the same weights; Conflict where the file belongs
    to another run. Raises Invalid for too little text.
    """
    table = glove.table
    lookup = Lookup({word: row for row, word in enumerate(table.words)}, settings.view().lower)
    corpus = gather(pairs, lookup, settings, seed)
    place = choose(device)
    if not place.is_gpu:
        torch.set_num_threads(threads(workers))
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest, glove.fingerprint()]))
    kept = None if checkpoint is None else Checkpoint(checkpoint, run)
    trainer = _Trainer(settings, seed, corpus, glove, place, kept)
    trainer.run(progress)
    return trainer.encoder()


class _Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(
        self,
        settings: Settings,
        seed: int,
        corpus: Corpus,
        glove: StaticEncoder,
        device: Device,
        checkpoint: Checkpoint | None,
    ) -> None:
        self._settings, self._seed, self._corpus, self._device = settings, seed, corpus, device
        self._glove, self._matrix = glove, glove.table.matrix
        self._checkpoint = checkpoint
        self._model = started(settings, self._matrix.shape[1], len(corpus.vocabulary), seed).to(device.name)
        self._parameters = dict(self._model.named_parameters())
        self._optimiser = torch.optim.Adam(self._parameters.values(), lr=settings.learning_rate)
        self._batches = len(plan(corpus.train, settings.batch_words, seed, 0))
        self._step = 0 if checkpoint is None else checkpoint.read(self._parameters, self._optimiser)

    @property
    def _total(self) -> int:
        return self._batches * self._settings.epochs

    def run(self, progress: Progress | None) -> None:
        while self._step < self._total:
            epoch, done = divmod(self._step, self._batches)
            for batch in plan(self._corpus.train, self._settings.batch_words, self._seed, epoch)[done:]:
                self._learn([self._corpus.train[at] for at in batch])
                self._step += 1
                if self._step % _CHECKPOINT_EVERY == 0 or self._step == self._total:
                    self._write()
                if progress:
                    self._tell(progress)

    def _tell(self, progress: Progress) -> None:
        stopped = True
        try:
            progress(self._step, self._total)
            stopped = False
        finally:
            if stopped:
                self._write()

    def _write(self) -> None:
        if self._checkpoint:
            self._checkpoint.write(self._parameters, self._optimiser, self._step)

    def _learn(self, examples: Sequence[Example]) -> None:
        settings = self._settings
        chance = torch.Generator().manual_seed((self._seed * _STEPS_APART + self._step) % 2**63)
        loss = self._model.loss(self._batch(examples), _dropout(settings.dropout, chance))
        self._optimiser.zero_grad()
        (loss / sum(len(example.target) for example in examples)).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), settings.clip_norm)
        for group in self._optimiser.param_groups:
            group["lr"] = settings.learning_rate * (1 - 0.9 * self._step / self._total)
        self._optimiser.step()

    def encoder(self) -> CoveEncoder:
        settings, corpus, glove = self._settings, self._corpus, self._glove
        facts = Facts(
            name=settings.name,
            spec="cove",
            origin="trained-here",
            licence=settings.licence,
            provenance=f"trained here on {corpus.words} words of {len(corpus.train)} pairs, {settings.epochs} epochs, "
            f"reading {glove.info.name}",
            languages=settings.languages,
            training=self._report(),
        )
        found = self._model.encoder.published()
        tensors = {name: value.detach().cpu().numpy().copy() for name, value in found.items()}
        return CoveEncoder(facts, Model(tensors, glove, settings.view()), self._device)

    def _report(self) -> Report:
        corpus = self._corpus
        return {
            "settings": self._settings.to_json(),
            "seed": self._seed,
            "pairs": len(corpus.train),
            "held_out_pairs": len(corpus.held_out),
            "words": corpus.words,
            "words_known": round(corpus.known, 4),
            "vocabulary": len(corpus.vocabulary),
            "text_sha256": corpus.digest,
            "word_vectors_fingerprint": self._glove.fingerprint(),
            **self._perplexities(),
        }

    def _perplexities(self) -> Report:
        """exp of the mean loss over the held-out target words, by true sources, false ones, and none at all."""
        held_out, vocabulary = self._corpus.held_out, self._corpus.vocabulary
        targets = np.concatenate([example.target for example in held_out])
        losses = {
            "perplexity": self._loss(held_out),
            "perplexity_shuffled_sources": self._loss(mismatched(held_out, self._seed)),
            "unigram_perplexity": vocabulary.unigram_loss(targets),
        }
        return {name: perplexity(loss, len(targets)) for name, loss in losses.items()}

    @torch.no_grad()
    def _loss(self, examples: Sequence[Example]) -> float:
        planned = plan(examples, self._settings.batch_words, self._seed, 0)
        return sum(float(self._model.loss(self._batch([examples[at] for at in batch]))) for batch in planned)

    def _batch(self, examples: Sequence[Example]) -> Batch:
        return batch_of(examples, self._matrix, self._device.name)


def started(settings: Settings, width: int, vocabulary: int, seed: int) -> Translator:
    """Start weights uniform in +-0.1, as published."""
    model = Translator(width, settings.hidden, settings.embedding, vocabulary)
    numbers = np.random.default_rng([seed, 1])
    with torch.no_grad():
        for _, value in sorted(model.named_parameters()):
            value.copy_(torch.from_numpy(numbers.uniform(-_REACH, _REACH, tuple(value.shape))))
    return model


def _dropout(share: float, chance: torch.Generator) -> Drop | None:
    if share == 0:
        return None

    def drop(x: Tensor) -> Tensor:
        kept = torch.rand(x.shape, generator=chance) >= share
        return x * kept.to(x.device) / (1 - share)

    return drop
