"""What points at answers, by name: a head that was learnt here, or a model with a question-answering head."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

from riparian.encoders.extractive import FoundSpan, SpanReader
from riparian.errors import Invalid
from search.answers import ReadSpans
from training.heads.service import KeptHead, UnknownHead

TASK = "answers"


class Heads(Protocol):
    """What is asked of `HeadService`."""

    def get(self, name: str) -> KeptHead: ...

    def apply(self, name: str, texts: Sequence[str], question: str = "") -> list[dict[str, Any]]: ...


class SpanReaders:
    """Loaded at their first use and kept. Safe to share between threads."""

    def __init__(self, heads: Heads, device: str) -> None:
        self._heads, self._device = heads, device
        self._models: dict[str, SpanReader] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> ReadSpans:
        """Invalid for a head that answers no questions; MissingPath, ModelNotInstalled or BadWeights for what is
        neither a head nor a model."""
        try:
            head = self._heads.get(name)
        except UnknownHead:
            return self._model(name).read
        if head.card.task != TASK:
            raise Invalid(f"the head {name} is for {head.card.task}; one for {TASK} points at answers")
        return lambda question, passages: self._by_head(name, question, passages)

    def _by_head(self, name: str, question: str, passages: Sequence[str]) -> list[FoundSpan]:
        found = self._heads.apply(name, list(passages), question)
        return [FoundSpan(one["start"], one["end"], float(one["margin"])) for one in found]

    def _model(self, spec: str) -> SpanReader:
        with self._lock:
            if spec not in self._models:
                self._models[spec] = SpanReader(spec, device=self._device)
            return self._models[spec]
