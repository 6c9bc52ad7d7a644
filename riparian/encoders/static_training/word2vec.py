"""word2vec on the user's own text: skip-gram with negative sampling (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from riparian.encoders.base import Progress
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.skip_gram import SkipGram
from riparian.encoders.static import StaticEncoder
from riparian.encoders.static_training.corpus import Corpus, gather
from riparian.encoders.static_training.report import encoder_of
from riparian.encoders.static_training.settings import Word2vecSettings

_PIECE = 50_000
"""Words learnt between two reports of progress; a run can go on after any of them."""


def train(
    texts: Iterable[str],
    settings: Word2vecSettings,
    seed: int,
    progress: Progress | None = None,
    *,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> StaticEncoder:
    """An encoder over word vectors learnt from `texts`, on one thread of the CPU whatever `device` and `workers` say:
    more threads would give other vectors at each run.

    The same texts, settings and seed give the same vectors on one machine. `progress` hears (pieces done, pieces in
    all) and may raise to stop. With `checkpoint`, a run that was stopped goes on where it was, to the same vectors;
    Conflict where the file belongs to another run. Raises Invalid for too little text.
    """
    corpus = gather(texts, settings.trim)
    pieces = _pieces(corpus)

    def read(piece: int) -> list[list[str]]:
        return [[corpus.words[number] for number in stretch] for stretch in corpus.stretches[pieces[piece]]]

    counts = dict(zip(corpus.words, corpus.counts.tolist(), strict=True))
    model = SkipGram(settings, counts, len(pieces), read, seed)
    model.run(progress, checkpoint, text_digest(canonical(["word2vec", settings.to_json(), seed, corpus.digest])))
    return encoder_of("word2vec", settings, seed, corpus, model.vectors(corpus.words))


def _pieces(corpus: Corpus) -> list[slice]:
    """Stretches of about `_PIECE` words each."""
    found, first, size = [], 0, 0
    for number, stretch in enumerate(corpus.stretches, start=1):
        size += len(stretch)
        if size >= _PIECE or number == len(corpus.stretches):
            found.append(slice(first, number))
            first, size = number, 0
    return found
