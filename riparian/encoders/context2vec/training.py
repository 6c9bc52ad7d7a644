"""Training context2vec on the user's own text (Melamud et al. 2016): the published network and objective in small."""

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
from riparian.encoders.context2vec import objective
from riparian.encoders.context2vec.corpus import Corpus, Sentence, gather
from riparian.encoders.context2vec.encoder import LstmEncoder, Model
from riparian.encoders.context2vec.network import TARGETS, Arrays, Network, Sizes
from riparian.encoders.context2vec.settings import Settings
from riparian.encoders.context2vec.vocabulary import FIRST_WORD
from riparian.encoders.elmo.corpus import plan
from riparian.encoders.epochs import Epochs
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.steps import Look
from riparian.encoders.training_steps import Steps, draws, use_threads

_MOST_JUDGED = 10_000


def train(
    texts: Iterable[str],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> LstmEncoder:
    """An encoder trained on `texts`; its card's `extra["training"]` holds the mean reciprocal rank of held-out words
    in their slots beside that of ranking words by frequency.

    The same texts, settings and seed give the same weights on one machine. `progress` hears (batches done, batches in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same weights;
    Conflict where the file belongs to another run. Raises Invalid for too little text.
    """
    corpus = gather(texts, trim=settings.trim, held_out=settings.held_out, seed=seed)
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
        sizes = Sizes(len(corpus.vocabulary), settings.unit, 2 * settings.unit, 2 * settings.unit, settings.deep)
        self._network = Network(sizes, initial(sizes, seed)).to(device.name)
        self._parameters = {name: value for name, value in self._network.named_parameters() if value.requires_grad}
        self._optimiser = torch.optim.Adam(self._parameters.values(), lr=settings.learning_rate)
        self._shares = objective.shares(corpus.counts)
        self._epochs = Epochs(lambda epoch: plan(corpus.train, settings.batch_words, seed, epoch))
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        Steps(self._total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("mean reciprocal rank", self._reciprocal_rank)
        )

    def _learn(self, step: int) -> Tensor:
        contexts, own = self._slots([self._corpus.train[at] for at in self._epochs.batch(step)])
        chance = draws(self._seed, step)
        loss = objective.loss(contexts, own, self._noise(len(own), chance), self._network.targets)
        self._optimiser.zero_grad()
        loss = loss / len(own)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._settings.clip_norm)
        self._optimiser.step()
        return loss.detach()

    def _noise(self, slots: int, chance: torch.Generator) -> Tensor:
        count = slots * self._settings.negatives
        drawn = torch.multinomial(self._shares, count, replacement=True, generator=chance)
        return drawn.reshape(slots, -1).to(self._network.device)

    def _slots(self, sentences: Sequence[Sentence]) -> tuple[Tensor, Tensor]:
        """(N, out) contexts of all words of the sentences, and the number of each word."""
        rows = [self._corpus.vocabulary.numbers(sentence) for sentence in sentences]
        contexts = self._network(rows)
        lengths = torch.tensor([len(row) for row in rows])
        real = torch.arange(contexts.shape[1]) < lengths[:, None]
        own = torch.tensor([number for row in rows for number in row])
        return contexts[real.to(contexts.device)], own.to(contexts.device)

    def encoder(self) -> LstmEncoder:
        settings, corpus = self._settings, self._corpus
        facts = Facts(
            name=settings.name,
            spec="context2vec-lstm",
            origin="trained-here",
            licence=settings.licence,
            provenance=f"trained here on {corpus.words} words of {corpus.texts} texts, {settings.epochs} epochs",
            languages=settings.languages,
            training=self._report(),
        )
        model = Model(self._network.sizes, corpus.vocabulary, self._network.published(), settings.vectors)
        return LstmEncoder(facts, model, self._device)

    def _report(self) -> dict[str, Any]:
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
            **self._judged(),
        }

    def _reciprocal_rank(self) -> float:
        return float(self._judged()["mean_reciprocal_rank"])

    @torch.no_grad()
    def _judged(self) -> dict[str, Any]:
        """Mean reciprocal ranks and mean loss over the first held-out words; words that are unknown are no target."""
        ranks: list[Tensor] = []
        own: list[Tensor] = []
        losses, seen = 0.0, 0
        chance = torch.Generator().manual_seed(self._seed)
        for batch in plan(self._corpus.held_out, self._settings.batch_words, self._seed, 0):
            contexts, words = self._slots([self._corpus.held_out[at] for at in batch])
            losses += float(objective.loss(contexts, words, self._noise(len(words), chance), self._network.targets))
            known = words >= FIRST_WORD
            ranks.append(objective.ranks(contexts[known], words[known], self._network.targets))
            own.append(words[known])
            seen += len(words)
            if seen >= _MOST_JUDGED:
                break
        frequency = objective.frequency_ranks(torch.cat(own).cpu().numpy(), self._corpus.counts)
        found = torch.cat(ranks).double().cpu().numpy()
        return {
            "held_out_words": len(found),
            "loss": round(losses / max(seen, 1), 4),
            "mean_reciprocal_rank": round(float(np.mean(1 / found)) if len(found) else 0.0, 4),
            "frequency_reciprocal_rank": round(float(np.mean(1 / frequency)) if len(found) else 0.0, 4),
        }


def initial(sizes: Sizes, seed: int) -> Arrays:
    """Start weights as in the published training code: words N(0, 1/V), layers N(0, 1/inputs), biases 0 but 1 for
    forget gates, targets 0."""
    numbers = np.random.default_rng([seed, 1])
    found: Arrays = {}
    for name, shape in sizes.shapes().items():
        if name == TARGETS:
            found[name] = np.zeros(shape, dtype=np.float32)
        elif name.endswith("upward/b"):
            found[name] = np.tile(np.array([0, 0, 1, 0], dtype=np.float32), shape[0] // 4)
        elif name.endswith("/b"):
            found[name] = np.zeros(shape, dtype=np.float32)
        else:
            inputs = shape[0] if "embed" in name else shape[1]
            found[name] = numbers.normal(0, inputs**-0.5, shape).astype(np.float32)
    return found
