"""What a fit is asked for, from the command to the job and into what is stored of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.errors import Invalid
from riparian.types import CollectionId, TopicModelInfo
from topics import kinds
from topics.base import Classes
from topics.discover import check_number

MOST_WORDS = 100_000
_FIELDS = ("author", "type", "language", "year")
_META = "meta."


@dataclass(frozen=True, slots=True)
class Asked:
    """`topics` None lets the texts propose a number; `options` belong to the kind; `labels` names the field of
    documents whose values the model learns beside the words; `words` bounds the vocabulary (None: the usual 2,000)."""

    kind: str = kinds.DEFAULT
    topics: int | None = None
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: str | None = None
    words: int | None = None

    def check(self) -> None:
        """Raises Invalid for what could never work."""
        kinds.check(self.kind)
        check_number(self.topics)
        if self.labels is not None and self.kind not in kinds.LEARN_CLASSES:
            learners = ", ".join(kinds.LEARN_CLASSES)
            raise Invalid(f"topics of kind {self.kind} cannot learn labels; ask for one of these: {learners}")
        if self.words is not None and not 1 <= self.words <= MOST_WORDS:
            raise Invalid(f"a vocabulary of {self.words} words was asked for; ask for 1 to {MOST_WORDS}")

    def payload(self) -> dict[str, Any]:
        """Of a job; what nobody asked for is left out."""
        more = {"options": dict(self.options), "labels": self.labels, "words": self.words}
        return {"kind": self.kind, "topics": self.topics, "seed": self.seed, **{k: v for k, v in more.items() if v}}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Asked:
        """What a job's payload asks for."""
        return cls(
            payload.get("kind") or kinds.DEFAULT,
            payload.get("topics"),
            payload.get("seed") or 0,
            payload.get("options") or {},
            payload.get("labels"),
            payload.get("words"),
        )

    @classmethod
    def of_model(cls, info: TopicModelInfo) -> Asked:
        """What the model was asked for, to be asked for again."""
        given = {key: info.settings.get(key) for key in ("seed", "options", "labels")}
        words = info.settings.get("words_asked")
        return cls.of({"kind": info.kind, "topics": info.settings.get("topics_asked"), "words": words, **given})

    def settings(self) -> dict[str, Any]:
        """What is stored of it with the model."""
        return {
            "topics_asked": self.topics,
            "seed": self.seed,
            "options": dict(self.options),
            **({"labels": self.labels} if self.labels else {}),
            **({"words_asked": self.words} if self.words else {}),
        }


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """What a refit is asked for; what is None stays as it was asked for before. `topics` is the least number, None for
    as many as there are; `labels` "" learns none any more. Options belong to a kind: another kind begins without."""

    kind: str | None = None
    topics: int | None = None
    seed: int | None = None
    options: Mapping[str, Any] | None = None
    labels: str | None = None
    words: int | None = None

    def over(self, info: TopicModelInfo) -> Asked:
        """All that a refit of this model is asked for."""
        before = Asked.of_model(info)
        kind = self.kind or before.kind
        kept = before.options if kind == before.kind else {}
        labels = before.labels if kind in kinds.LEARN_CLASSES else None
        return Asked(
            kind,
            self.topics,
            before.seed if self.seed is None else self.seed,
            kept if self.options is None else self.options,
            labels if self.labels is None else self.labels or None,
            before.words if self.words is None else self.words,
        )

    def payload(self) -> dict[str, Any]:
        """Of a job; what stays as it was is left out."""
        return {
            field.name: dict(value) if isinstance(value, Mapping) else value
            for field in fields(self)
            if (value := getattr(self, field.name)) is not None
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> AskedAgain:
        """What a job's payload asks for."""
        return cls(**{field.name: payload.get(field.name) for field in fields(cls)})


def classes(catalog: Catalog, collection_id: CollectionId, field: str, documents: NDArray[np.int64]) -> Classes:
    """The values of a field as classes of passages, given each one's document; of several values the first by the
    alphabet counts. Raises Invalid for a field that there is not, or fewer than two different values."""
    if field not in _FIELDS and not (field.startswith(_META) and len(field) > len(_META)):
        raise Invalid(f"labels cannot be read from {field!r}; from {', '.join(_FIELDS)} or meta.<key>")
    found = values(catalog, collection_id, field)
    names = tuple(sorted({found[d] for d in np.unique(documents).tolist() if d in found}))
    if len(names) < 2:
        raise Invalid(f"labels need two different values of {field}; the documents carry {len(names)}")
    place = {name: number for number, name in enumerate(names)}
    return Classes(names, np.array([place.get(found.get(d, ""), -1) for d in documents.tolist()], np.int64))


def values(catalog: Catalog, collection_id: CollectionId, field: str) -> dict[int, str]:
    """The label of each document that carries one: of several values the first by the alphabet."""
    found: dict[int, str] = {}
    for document, value in catalog.facets.values(collection_id, field):
        found[document] = min(value, found.get(document, value))
    return found
