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

from riparian.device import Device, choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.cove.corpus import Corpus, Example, gather, mismatched, perplexity, plan
from riparian.encoders.cove.encoder import CoveEncoder, Model
from riparian.encoders.cove.settings import Settings
from riparian.encoders.cove.translator import Batch, Translator, batch_of
from riparian.encoders.cove.words import Lookup
from riparian.encoders.epochs import Epochs
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.static import StaticEncoder
from riparian.encoders.steps import Look
from riparian.encoders.training_steps import Steps, draws, dropout, falling, set_rate, use_threads

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
    use_threads(place, workers)
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest, glove.fingerprint()]))
    trainer = _Trainer(settings, seed, corpus, glove, place)
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
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
    ) -> None:
        self._settings, self._seed, self._corpus, self._device = settings, seed, corpus, device
        self._glove, self._matrix = glove, glove.table.matrix
        self._model = started(settings, self._matrix.shape[1], len(corpus.vocabulary), seed).to(device.name)
        self._parameters = dict(self._model.named_parameters())
        self._optimiser = torch.optim.Adam(self._parameters.values(), lr=settings.learning_rate)
        self._epochs = Epochs(lambda epoch: plan(corpus.train, settings.batch_words, seed, epoch))
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        Steps(self._total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("perplexity", self._perplexity)
        )

    def _learn(self, step: int) -> Tensor:
        settings, corpus = self._settings, self._corpus
        examples = [corpus.train[at] for at in self._epochs.batch(step)]
        chance = draws(self._seed, step)
        loss = self._model.loss(self._batch(examples), dropout(settings.dropout, chance))
        self._optimiser.zero_grad()
        loss = loss / sum(len(example.target) for example in examples)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), settings.clip_norm)
        set_rate(self._optimiser, settings.learning_rate * falling(step, self._total))
        self._optimiser.step()
        return loss.detach()

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

    def _perplexity(self) -> float:
        held_out = self._corpus.held_out
        return perplexity(self._loss(held_out), sum(len(example.target) for example in held_out))

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
