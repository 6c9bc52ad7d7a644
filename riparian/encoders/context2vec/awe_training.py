"""Averaged word embeddings from the user's own text: skip-gram with negative sampling (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from riparian.encoders.base import Progress
from riparian.encoders.context2vec.awe import AweEncoder, Reading, Table
from riparian.encoders.context2vec.awe_loading import stop_list
from riparian.encoders.context2vec.corpus import Corpus, gather
from riparian.encoders.context2vec.settings import AweSettings
from riparian.encoders.context2vec.vocabulary import FIRST_WORD
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.storage import write_file
from riparian.errors import BadWeights, Conflict

_PIECE = 2_000
"""Sentences learnt between two reports of progress; a run can go on after any of them."""

_LAST_RATE = 1e-4
_PIECES_APART = 1_000_003
_INPUTS, _OUTPUTS = "inputs", "outputs"


def train(
    texts: Iterable[str],
    settings: AweSettings,
    seed: int,
    progress: Progress | None = None,
    *,
    checkpoint: Path | None = None,
) -> AweEncoder:
    """An encoder over word vectors learnt from `texts`, on one thread.

    The same texts, settings and seed give the same vectors on one machine. `progress` hears (pieces done, pieces in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same vectors;
    Conflict where the file belongs to another run. Raises Invalid for too little text or an unknown language of stop
    words.
    """
    stop = stop_list(settings.stop_words) if settings.stop_words else frozenset[str]()
    corpus = gather(texts, trim=settings.trim, held_out=0.0, seed=seed)
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest]))
    trainer = _Trainer(settings, seed, corpus, checkpoint, run)
    trainer.run(progress)
    report = {
        "settings": settings.to_json(),
        "seed": seed,
        "texts": corpus.texts,
        "sentences": len(corpus.train),
        "words": corpus.words,
        "vocabulary": len(corpus.vocabulary) - FIRST_WORD,
        "text_sha256": corpus.digest,
    }
    provenance = f"trained here on {corpus.words} words of {corpus.texts} texts, {settings.epochs} epochs"
    facts = Facts(
        settings.name, "context2vec-awe", "trained-here", settings.licence, provenance, settings.languages, report
    )
    words, counts = corpus.vocabulary.words[FIRST_WORD:], corpus.counts[FIRST_WORD:]
    reading = Reading(settings.window, stop, settings.idf, settings.vectors)
    return AweEncoder(facts, Table(words, trainer.vectors(), None, counts), reading)


class _Trainer:
    """One run of gensim's word2vec, cut into pieces whose chance comes from the seed and their number alone."""

    def __init__(self, settings: AweSettings, seed: int, corpus: Corpus, checkpoint: Path | None, run: str) -> None:
        from gensim.models import Word2Vec

        self._settings, self._seed, self._corpus = settings, seed, corpus
        self._checkpoint, self._run = checkpoint, run
        self._pieces = -(-len(corpus.train) // _PIECE)
        self._model: Any = Word2Vec(
            vector_size=settings.dimension,
            window=settings.reach,
            min_count=1,
            sample=settings.sample,
            seed=seed % 2**32,
            workers=1,
            sg=1,
            negative=settings.negatives,
            alpha=settings.learning_rate,
            min_alpha=_LAST_RATE,
        )
        words, counts = corpus.vocabulary.words[FIRST_WORD:], corpus.counts[FIRST_WORD:]
        frequencies = {word: int(count) for word, count in zip(words, counts, strict=True)}
        self._model.build_vocab_from_freq(frequencies, corpus_count=len(corpus.train))
        self._piece = self._read()

    @property
    def _total(self) -> int:
        return self._pieces * self._settings.epochs

    def vectors(self) -> NDArray[np.float32]:
        """In the order of the vocabulary."""
        rows = [self._model.wv.key_to_index[word] for word in self._corpus.vocabulary.words[FIRST_WORD:]]
        return np.array(self._model.wv.vectors[rows], dtype=np.float32)

    def run(self, progress: Progress | None) -> None:
        while self._piece < self._total:
            self._learn()
            self._piece += 1
            self._write()
            if progress:
                progress(self._piece, self._total)

    def _learn(self) -> None:
        model, start = self._model, self._piece % self._pieces * _PIECE
        sentences = [list(sentence) for sentence in self._corpus.train[start : start + _PIECE]]
        model.random = np.random.RandomState((self._seed * _PIECES_APART + self._piece) % 2**32)
        model.train(
            sentences,
            total_examples=len(sentences),
            epochs=1,
            start_alpha=self._rate(self._piece),
            end_alpha=self._rate(self._piece + 1),
        )

    def _rate(self, piece: int) -> float:
        return self._settings.learning_rate - (self._settings.learning_rate - _LAST_RATE) * piece / self._total

    def _write(self) -> None:
        if self._checkpoint is None:
            return
        found = {_INPUTS: self._model.wv.vectors, _OUTPUTS: self._model.syn1neg}
        about = {"run": self._run, "piece": str(self._piece)}
        write_file(self._checkpoint, lambda draft: save_file(found, draft, metadata=about))

    def _read(self) -> int:
        path = self._checkpoint
        if path is None or not path.is_file():
            return 0
        try:
            with safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                if about.get("run") != self._run:
                    raise Conflict(f"{path} belongs to a training run with other settings or text; name another")
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except SafetensorError as error:
            raise BadWeights(path, "a safetensors file", str(error)) from error
        for name, own in ((_INPUTS, self._model.wv.vectors), (_OUTPUTS, self._model.syn1neg)):
            if name not in found or found[name].shape != own.shape:
                raise BadWeights(path, f"tensor {name} of shape {own.shape}", "another or none")
            own[:] = found[name]
        return int(about["piece"])
