"""Averaged word embeddings from the user's own text: skip-gram with negative sampling (Mikolov et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from riparian.encoders.base import Progress
from riparian.encoders.context2vec.awe import AweEncoder, Reading, Table
from riparian.encoders.context2vec.awe_loading import stop_list
from riparian.encoders.context2vec.corpus import Corpus, gather
from riparian.encoders.context2vec.settings import AweSettings
from riparian.encoders.context2vec.vocabulary import FIRST_WORD
from riparian.encoders.facts import Facts
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.skip_gram import Read, SkipGram

_PIECE = 2_000
"""Sentences learnt between two reports of progress; a run can go on after any of them."""


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
    words, counts = corpus.vocabulary.words[FIRST_WORD:], corpus.counts[FIRST_WORD:]
    model = SkipGram(settings, dict(zip(words, counts.tolist(), strict=True)), *_pieces(corpus), seed)
    model.run(progress, checkpoint, run)
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
    reading = Reading(settings.window, stop, settings.idf, settings.vectors)
    return AweEncoder(facts, Table(words, model.vectors(words), None, counts), reading)


def _pieces(corpus: Corpus) -> tuple[int, Read]:
    def read(piece: int) -> list[list[str]]:
        return [list(sentence) for sentence in corpus.train[piece * _PIECE : (piece + 1) * _PIECE]]

    return -(-len(corpus.train) // _PIECE), read
