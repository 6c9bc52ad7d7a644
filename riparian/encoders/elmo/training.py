"""Training a small biLM on the user's own text (Peters et al. 2018): the published network and objective in small."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from riparian.device import Device, choose
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.elmo import objective
from riparian.encoders.elmo.corpus import Corpus, gather, plan
from riparian.encoders.elmo.encoder import ElmoEncoder, Model
from riparian.encoders.elmo.mix import Mix
from riparian.encoders.elmo.network import BiLM
from riparian.encoders.elmo.objective import BIAS, KERNEL
from riparian.encoders.elmo.settings import Settings
from riparian.encoders.epochs import Epochs
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.steps import Look
from riparian.encoders.training_steps import Steps, draws, dropout, falling, set_rate, use_threads
from riparian.errors import Invalid

Report = dict[str, Any]


def train(
    texts: Iterable[str],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> ElmoEncoder:
    """An encoder trained on `texts`, every sentence from the zero state; its card's `extra["training"]` holds the
    held-out perplexity of both directions beside that of word frequencies alone.

    The same texts, settings and seed give the same weights on one machine. `progress` hears (batches done, batches in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same weights;
    Conflict where the file belongs to another run. Raises Invalid for too little text, and for a learning rate at which
    the weights are no numbers any more.
    """
    options = settings.options()
    corpus = gather(
        texts,
        most_bytes=options.max_characters - 2,
        vocabulary=settings.vocabulary,
        held_out=settings.held_out,
        seed=seed,
    )
    place = choose(device)
    use_threads(place, workers)
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest]))
    trainer = _Trainer(settings, seed, corpus, place)
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
    return trainer.encoder()


class _Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, settings: Settings, seed: int, corpus: Corpus, device: Device) -> None:
        self._settings, self._seed, self._corpus, self._device = settings, seed, corpus, device
        self._parameters = {
            name: torch.from_numpy(value).to(device.name).requires_grad_()
            for name, value in initial(settings, len(corpus.vocabulary), seed).items()
        }
        self._bilm = BiLM(settings.options(), self._parameters)
        self._optimiser = torch.optim.Adam(self._parameters.values(), lr=settings.learning_rate)
        self._epochs = Epochs(lambda epoch: plan(corpus.train, settings.batch_words, seed, epoch))
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        Steps(self._total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("perplexity", self._perplexity)
        )

    def _learn(self, step: int) -> Tensor:
        settings, vocabulary = self._settings, self._corpus.vocabulary
        chance = draws(self._seed, step)
        sentences = [self._corpus.train[at] for at in self._epochs.batch(step)]
        noise = objective.draw(vocabulary, settings.samples, chance, self._bilm.device)
        found = objective.predictions(self._bilm, sentences, vocabulary, dropout(settings.dropout, chance))
        kernel, bias = self._parameters[KERNEL], self._parameters[BIAS]
        loss = sum((objective.loss(way, kernel, bias, noise) for way in found), start=torch.zeros(()))
        self._optimiser.zero_grad()
        loss = loss / sum(len(way.targets) for way in found)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), settings.clip_norm)
        set_rate(self._optimiser, settings.learning_rate * falling(step, self._total))
        self._optimiser.step()
        return loss.detach()

    def encoder(self) -> ElmoEncoder:
        settings, corpus = self._settings, self._corpus
        if not all(bool(value.isfinite().all()) for value in self._parameters.values()):
            raise Invalid(f"the weights are no numbers at learning_rate {settings.learning_rate}; give a lower one")
        report = self._report()
        facts = Facts(
            name=settings.name,
            spec="elmo",
            origin="trained-here",
            licence=settings.licence,
            provenance=f"trained here on {corpus.words} words of {corpus.texts} texts, {settings.epochs} epochs",
            languages=settings.languages,
            training=report,
        )
        options = settings.options()
        tensors = {name: self._parameters[name].detach().cpu().numpy().copy() for name in options.shapes()}
        return ElmoEncoder(facts, Model(options, tensors, Mix.uniform(options.layers + 1)), self._device)

    def _report(self) -> Report:
        corpus = self._corpus
        return {
            "settings": self._settings.to_json(),
            "seed": self._seed,
            "texts": corpus.texts,
            "sentences": len(corpus.train),
            "words": corpus.words,
            "vocabulary": len(corpus.vocabulary),
            "text_sha256": corpus.digest,
            "held_out_sentences": len(corpus.held_out),
            **self._perplexities(),
        }

    def _perplexity(self) -> float:
        """The mean of the two directions."""
        found = self._perplexities()
        return float(found["perplexity_forward"] + found["perplexity_backward"]) / 2

    @torch.no_grad()
    def _perplexities(self) -> Report:
        """exp of the mean loss over the held-out sentences, by the whole softmax."""
        losses, plain, counts = [0.0, 0.0], [0.0, 0.0], [0, 0]
        held_out, vocabulary = self._corpus.held_out, self._corpus.vocabulary
        for batch in plan(held_out, self._settings.batch_words, self._seed, 0):
            found = objective.predictions(self._bilm, [held_out[at] for at in batch], vocabulary)
            for way, each in enumerate(found):
                losses[way] += float(objective.loss(each, self._parameters[KERNEL], self._parameters[BIAS], None))
                plain[way] += objective.unigram_loss(each.targets, vocabulary)
                counts[way] += len(each.targets)
        means = [total / counts[way % 2] for way, total in enumerate(losses + plain)]
        names = ("perplexity_forward", "perplexity_backward", "unigram_forward", "unigram_backward")
        return {name: round(math.exp(min(mean, 100.0)), 2) for name, mean in zip(names, means, strict=True)}


def initial(settings: Settings, vocabulary: int, seed: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Start weights as in the published training code: narrow uniform filters, carry bias -2 (highways open late),
    Glorot's uniform range for the LSTMs."""
    numbers = np.random.default_rng([seed, 1])
    shapes = {
        **settings.options().shapes(),
        KERNEL: (vocabulary, settings.projection),
        BIAS: (vocabulary,),
    }
    return {name: _start(name, shape, numbers).astype(np.float32) for name, shape in shapes.items()}


def _start(name: str, shape: tuple[int, ...], numbers: np.random.Generator) -> np.ndarray[Any, Any]:
    kind = name.rpartition("/")[2]
    ranges: Mapping[str, Callable[[], np.ndarray[Any, Any]]] = {
        "char_embed": lambda: numbers.uniform(-1, 1, shape),
        "b_carry": lambda: np.full(shape, -2.0),
        "W_carry": lambda: numbers.normal(0, shape[0] ** -0.5, shape),
        "W_transform": lambda: numbers.normal(0, shape[0] ** -0.5, shape),
        "W_proj": lambda: numbers.normal(0, shape[0] ** -0.5, shape),
        "W": lambda: numbers.normal(0, shape[1] ** -0.5, shape),
    }
    if kind in ranges:
        return ranges[kind]()
    if len(shape) == 1:
        return np.zeros(shape)
    reach = 0.05 if kind.startswith("W_cnn") else math.sqrt(6 / sum(shape))
    return numbers.uniform(-reach, reach, shape)
