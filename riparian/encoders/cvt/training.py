"""Training a small model with Cross-View Training (Clark et al. 2018): labelled and unlabelled batches by turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from riparian.device import Device, choose
from riparian.encoders import batches
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.cvt import objective
from riparian.encoders.cvt.corpus import Corpus, Example, Shares, gather_cased, gather_tagged, order, plan
from riparian.encoders.cvt.encoder import CvtEncoder, Facts, Model
from riparian.encoders.cvt.judging import judged
from riparian.encoders.cvt.labels import TaggedSentence
from riparian.encoders.cvt.modules import Modules
from riparian.encoders.cvt.network import Reader
from riparian.encoders.cvt.settings import Settings
from riparian.encoders.cvt.words import MARKS, Words
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.static import StaticEncoder
from riparian.encoders.steps import Look
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.encoders.word_tokens import entry
from riparian.errors import Invalid

Report = dict[str, Any]

_LABELLED, _UNLABELLED = 0, 1


def train(
    texts: Iterable[str],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    tagged: Iterable[tuple[Sequence[str], Sequence[str]]] | None = None,
    vectors: StaticEncoder | None = None,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> CvtEncoder:
    """An encoder trained on the unlabelled `texts` and the sentences of `tagged`, pairs of (words, a tag each, "" for
    none known). Without `tagged` the labels are the casing of the texts' words, read in lower case, of which the share
    `settings.labelled` is shown. Words start from their row in `vectors`, where it is given and has them.

    Its card's `extra["training"]` holds the accuracy on held-out sentences beside that of the commonest tag and that of
    each word's commonest tag. The same texts, settings and seed give the same weights on one machine. `progress` hears
    (batches done, batches in all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it
    was, to the same weights; Conflict where the file belongs to another run. Raises Invalid for too little text, word
    vectors of another width than `settings.word_width`, and a learning rate at which the weights are no numbers.
    """
    corpus = _gathered(texts, settings, seed, tagged)
    place = choose(device)
    use_threads(place, workers)
    lower = tagged is None or settings.lower
    start = None if vectors is None else vectors.fingerprint()
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest, lower, start]))
    trainer = Trainer(settings, seed, corpus, lower, place)
    if vectors is not None:
        trainer.start_from(vectors)
    trainer.run(progress, None if checkpoint is None else Checkpoint(checkpoint, run))
    return trainer.encoder("case" if tagged is None else "tags", vectors)


def _gathered(
    texts: Iterable[str],
    settings: Settings,
    seed: int,
    tagged: Iterable[tuple[Sequence[str], Sequence[str]]] | None,
) -> Corpus:
    shares = Shares(settings.held_out, settings.labelled, seed)
    if tagged is None:
        return gather_cased(texts, shares, settings.vocabulary, settings.least_count)
    found = (TaggedSentence(tuple(words), tuple(tags)) for words, tags in tagged)
    return gather_tagged(found, texts, shares, settings.vocabulary, settings.least_count)


class Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, settings: Settings, seed: int, corpus: Corpus, lower: bool, device: Device) -> None:
        self._settings, self._seed, self._corpus, self._device = settings, seed, corpus, device
        self._lower = lower
        self._sizes = settings.sizes(len(corpus.vocabulary))
        self._words = Words(corpus.vocabulary, settings.most_characters, lower)
        with chance(seed, -1, Device("cpu", "the start weights")):
            self.reader, self.modules = Reader(self._sizes), Modules(self._sizes, len(corpus.tags))
        self.reader.to(device.name)
        self.modules.to(device.name)
        self.parameters = {
            **{f"encoder/{name}": value for name, value in self.reader.named_parameters()},
            **{f"modules/{name}": value for name, value in self.modules.named_parameters()},
        }
        self.averages = {name: value.detach().clone() for name, value in self.parameters.items()}
        self._optimiser = torch.optim.Adam(self.parameters.values(), lr=settings.learning_rate)
        self._plans = (
            plan([len(example.words) for example in corpus.labelled], settings.batch_words),
            plan([len(words) for words in corpus.unlabelled], settings.batch_words),
        )
        self._rounds = len(self._plans[_UNLABELLED]) * settings.epochs
        self.total = self._rounds * (2 if settings.cross_view else 1)

    def start_from(self, vectors: StaticEncoder) -> None:
        """Words that the table has begin with its vectors, scaled to the width that the others have."""
        table = vectors.table
        if table.matrix.shape[1] != self._sizes.word_width:
            found = f"{vectors.info.spec} has {table.matrix.shape[1]}"
            raise Invalid(f"word_width is {self._sizes.word_width}, {found} dimensions; set word_width to that")
        rows = {word: row for row, word in enumerate(table.words)}
        names = [entry(word, rows) for word in self._corpus.vocabulary]
        known = [(MARKS + at, rows[name]) for at, name in enumerate(names) if name is not None]
        if not known:
            return
        chosen = np.asarray(table.matrix[[row for _, row in known]], dtype=np.float32)
        chosen = chosen / max(float(np.sqrt((chosen**2).sum(axis=1).mean())), 1e-6)
        places = torch.tensor([at for at, _ in known])
        with torch.no_grad():
            for weight in (self.reader.words.weight, self.averages["encoder/words.weight"]):
                weight[places] = torch.from_numpy(chosen).to(weight.device)

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        kept = {**self.parameters, **{f"average/{name}": value for name, value in self.averages.items()}}
        Steps(self.total, kept, self._optimiser, checkpoint).run(self.learn, progress, Look("accuracy", self._accuracy))

    def learn(self, step: int) -> Tensor | None:
        """One batch; answers with the loss of a labelled one. That of an unlabelled one is another measure."""
        settings = self._settings
        at, part = divmod(step, 2) if settings.cross_view else (step, _LABELLED)
        with chance(self._seed, step, self._device):
            loss = self._labelled_loss(at) if part == _LABELLED else self._unlabelled_loss(at)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), settings.clip_norm)
        set_rate(self._optimiser, settings.learning_rate * warmed_up(step, self.total))
        self._optimiser.step()
        self._average(step)
        return loss.detach() if part == _LABELLED else None

    def _labelled_loss(self, at: int) -> Tensor:
        examples = [self._corpus.labelled[row] for row in self._batch(_LABELLED, at)]
        batch = self._words.batch([example.words for example in examples], self._device.name)
        tags = numbered(examples, batch.mask)
        return objective.labelled(
            self.reader, self.modules.primary, batch, tags, self._settings.dropout, self._settings.smoothing
        )

    def _unlabelled_loss(self, at: int) -> Tensor:
        sentences = [self._corpus.unlabelled[row] for row in self._batch(_UNLABELLED, at)]
        batch = self._words.batch(sentences, self._device.name)
        return objective.unlabelled(self.reader, self.modules, batch, self._settings.dropout_unlabelled)

    def _batch(self, part: int, at: int) -> batches.Batch:
        planned = self._plans[part]
        epoch, number = divmod(at, len(planned))
        return planned[int(order(len(planned), self._seed, part, epoch)[number])]

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """The published average, and a shorter one as long as there are few steps to average over."""
        decay = min(self._settings.average, (1 + step) / (10 + step))
        for name, value in self.parameters.items():
            self.averages[name].lerp_(value, 1 - decay)

    def encoder(self, labels: str, vectors: StaticEncoder | None) -> CvtEncoder:
        settings, corpus = self._settings, self._corpus
        if not all(bool(value.isfinite().all()) for value in self.averages.values()):
            raise Invalid(f"the weights are no numbers at learning_rate {settings.learning_rate}; give a lower one")
        counts = f"{len(corpus.labelled)} labelled and {len(corpus.unlabelled)} unlabelled sentences"
        start = "" if vectors is None else f", words from {vectors.info.name}"
        model = self._model()
        facts = Facts(
            name=settings.name,
            spec="cvt",
            licence=settings.licence,
            provenance=f"trained here on {counts} ({labels}), {settings.epochs} epochs{start}",
            languages=settings.languages,
        )
        tagger = CvtEncoder(facts, model, self._device)
        report = self._report(labels, vectors) | judged(tagger, corpus)
        return CvtEncoder(facts.told(report), model, self._device)

    def _accuracy(self) -> float:
        """On held-out words, of the averaged weights."""
        facts = Facts(name=self._settings.name, spec="cvt", licence="", provenance="", languages=())
        return float(judged(CvtEncoder(facts, self._model(), self._device), self._corpus)["accuracy"])

    def _model(self) -> Model:
        corpus = self._corpus
        encoder, modules = self._averaged("encoder/"), self._averaged("modules/primary.")
        return Model(self._sizes, encoder, corpus.vocabulary, self._lower, corpus.tags, modules)

    def _averaged(self, prefix: str) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
        return {
            name.removeprefix(prefix): value.cpu().numpy().copy()
            for name, value in self.averages.items()
            if name.startswith(prefix)
        }

    def _report(self, labels: str, vectors: StaticEncoder | None) -> Report:
        corpus = self._corpus
        return {
            "settings": self._settings.to_json(),
            "seed": self._seed,
            "labels": labels,
            "texts": corpus.texts,
            "text_sha256": corpus.digest,
            "tags": len(corpus.tags),
            "labelled_sentences": len(corpus.labelled),
            "labelled_words": sum(len(example.words) for example in corpus.labelled),
            "unlabelled_sentences": len(corpus.unlabelled),
            "unlabelled_words": sum(map(len, corpus.unlabelled)),
            "vocabulary": len(corpus.vocabulary),
            "labelled_steps": self._rounds,
            "unlabelled_steps": self._rounds if self._settings.cross_view else 0,
            **({} if vectors is None else {"word_vectors_fingerprint": vectors.fingerprint()}),
        }


def numbered(examples: Sequence[Example], mask: Tensor) -> Tensor:
    """(B, L) numbers of tags at the places of their words, NO_TAG elsewhere."""
    found = np.full(tuple(mask.shape), objective.NO_TAG, dtype=np.int64)
    for row, example in enumerate(examples):
        found[row, 1 : len(example.tags) + 1] = example.tags
    return torch.from_numpy(found).to(mask.device)
