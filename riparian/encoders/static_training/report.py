"""From trained vectors to an encoder that says how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.facts import Facts
from riparian.encoders.static import Kind, StaticEncoder
from riparian.encoders.static_training.corpus import Corpus
from riparian.encoders.static_training.settings import GloveSettings, Word2vecSettings
from riparian.encoders.word_vectors import WordVectors
from riparian.errors import Invalid


def encoder_of(
    kind: Kind,
    settings: Word2vecSettings | GloveSettings,
    seed: int,
    corpus: Corpus,
    vectors: NDArray[np.float32],
    more: Mapping[str, Any] | None = None,
) -> StaticEncoder:
    """Its card's `extra["training"]` holds the settings, the text and `more`. Raises Invalid for vectors that are no
    numbers."""
    if not np.isfinite(vectors).all():
        raise Invalid(f"the vectors are no numbers at learning_rate {settings.learning_rate}; give a lower one")
    report = {
        "settings": settings.to_json(),
        "seed": seed,
        "texts": corpus.texts,
        "words": corpus.total,
        "vocabulary": len(corpus.words),
        "text_sha256": corpus.digest,
        **(more or {}),
    }
    provenance = f"trained here on {corpus.total} words of {corpus.texts} texts, {settings.epochs} epochs"
    facts = Facts(settings.name, kind, "trained-here", settings.licence, provenance, settings.languages, report)
    return StaticEncoder(kind, facts, WordVectors(list(corpus.words), vectors))
