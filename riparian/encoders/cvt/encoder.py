"""Cross-View Training (Clark et al. 2018) as an encoder: the states of its two layers, and the tagger on top of them.

Sentences are read one by one, each from the zero state, so that a vector depends on its sentence alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from riparian.device import Device
from riparian.encoders import batches, windows
from riparian.encoders.base import EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.cvt import files, words
from riparian.encoders.cvt.corpus import WHOLE_WORDS
from riparian.encoders.cvt.files import Arrays
from riparian.encoders.cvt.modules import PRIMARY, Module
from riparian.encoders.cvt.network import Reader, Sizes
from riparian.encoders.cvt.stretches import MAX_SENTENCE, Text, cut, grouped
from riparian.encoders.cvt.words import Words
from riparian.encoders.elmo import words as cutting
from riparian.encoders.fingerprint import canonical, fingerprint, tensors_digest, text_digest
from riparian.encoders.pooling import unit_rows
from riparian.encoders.saved import saving
from riparian.errors import Invalid
from riparian.types import Matrix, Role

Shown = Literal["both", "bi"]
"""A token's vector: the states of both layers, [uni; bi], or those of the second alone."""

SHOWN: tuple[Shown, ...] = ("both", "bi")

_BUDGETS = {"cpu": 1_024, "gpu": 32_768}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says."""

    name: str
    spec: str
    licence: str
    provenance: str
    languages: tuple[str, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    origin: Literal["trained-here", "fine-tuned"] = "trained-here"

    def told(self, training: Mapping[str, Any]) -> Facts:
        """The same with a report of the training."""
        return replace(self, training=training)


@dataclass(frozen=True, slots=True)
class Model:
    """`tensors` of the encoder and `tagger` of the primary module, as `Reader` and `Module` name theirs; `words` that
    have a vector of their own; whether text is read in lower case; `tags` by number; and what is shown."""

    sizes: Sizes
    tensors: Arrays
    words: tuple[str, ...]
    lower: bool
    tags: tuple[str, ...]
    tagger: Arrays
    shown: Shown = "both"

    @property
    def dimension(self) -> int:
        return self.sizes.second_width + (self.sizes.first_width if self.shown == "both" else 0)


class CvtEncoder:
    """Token vector = [uni; bi], the states of the first layer and of the second; passage = unit mean of them."""

    def __init__(self, facts: Facts, model: Model, device: Device) -> None:
        self._facts, self.model, self._device = facts, model, device
        self._words = Words(model.words, model.sizes.most_characters, model.lower)
        self._reader = Reader(model.sizes)
        self._primary = Module(PRIMARY, model.sizes, len(model.tags))
        for module, arrays in ((self._reader, model.tensors), (self._primary, model.tagger)):
            module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
            module.to(device.name).requires_grad_(False).eval()
        self._budget = _BUDGETS["gpu" if device.is_gpu else "cpu"]

    @property
    def info(self) -> EncoderInfo:
        facts, model = self._facts, self.model
        return EncoderInfo(
            kind="cvt",
            name=facts.name,
            spec=facts.spec,
            origin=facts.origin,
            contextual="full",
            token_dim=model.dimension,
            passage_dim=model.dimension,
            max_tokens=None,
            pooling="mean",
            languages=facts.languages,
            licence=facts.licence,
            method="published",
            provenance=facts.provenance,
            extra={
                "parameters": sum(array.size for array in model.tensors.values()),
                "words": len(model.words),
                "vectors": model.shown,
                "tags": list(model.tags),
                **({"training": dict(facts.training)} if facts.training else {}),
            },
        )

    def fingerprint(self) -> str:
        return self._fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [cutting.cut(text, WHOLE_WORDS).tokens for text in texts]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        """Of each token of each text: whether its word has a vector of its own beside its spelling."""
        forms = ([w.lower() for w in own.tokens] if self.model.lower else own.tokens for own in self.tokenize(texts))
        return [np.array([self._words.row(w) != words.UNKNOWN for w in row], dtype=np.bool_) for row in forms]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        tokens = self.tokenize(texts)
        found = (self._seen(states) for states in self._states(map(_text, texts)))
        return [
            Encoding(own.tokens, own.offsets, vectors, np.ones(len(vectors), dtype=np.bool_))
            for own, vectors in zip(tokens, found, strict=True)
        ]

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        distinct = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        copies = np.bincount([distinct[text] for text in texts], minlength=len(distinct))
        rows = np.zeros((len(distinct), self.model.dimension), dtype=np.float32)
        done = 0
        for group in grouped(map(_text, distinct)):
            for states in self._group(group):
                if len(states):
                    rows[done] = self._seen(states).mean(axis=0, dtype=np.float64)
                done += 1
            if progress:
                progress(int(copies[:done].sum()), len(texts))
        return unit_rows(rows)[[distinct[text] for text in texts]].reshape(-1, self.model.dimension)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """The tag of every word of sentences that are cut into words already."""
        tags = self.model.tags
        return [tuple(tags[at] for at in scores.argmax(axis=1)) for scores in self.tag_probabilities(sentences)]

    def tag_probabilities(self, sentences: Sequence[Sequence[str]]) -> list[Matrix]:
        """(words, tags) of each sentence, columns in the order of `model.tags`. Raises Invalid for an empty word."""
        for number, found in enumerate(sentences, start=1):
            if not all(found):
                raise Invalid(f"sentence {number} has an empty word; leave it out")
        whole = (Text(tuple(found), ((0, len(found)),) if found else ()) for found in sentences)
        return [self._tagged(states) for states in self._states(whole)]

    def save(self, folder: Path) -> None:
        model = self.model
        settings = {
            "sizes": model.sizes.to_json(),
            "lower": model.lower,
            "tags": list(model.tags),
            "vectors": model.shown,
            "training": dict(self._facts.training),
        }
        with saving(folder, self, settings) as draft:
            files.write(draft / files.WEIGHTS, model.tensors)
            files.write(draft / files.TAGGER, model.tagger)
            files.write_words(draft / files.VOCABULARY, model.words)

    def using(self, shown: Shown, spec: str) -> CvtEncoder:
        """The same weights, other states shown."""
        return CvtEncoder(replace(self._facts, spec=spec), replace(self.model, shown=shown), self._device)

    # ---------------------------------------------------------------- computing

    def _seen(self, states: Matrix) -> Matrix:
        return states if self.model.shown == "both" else states[:, self.model.sizes.first_width :]

    def _tagged(self, states: Matrix) -> Matrix:
        found, first = torch.from_numpy(states).to(self._device.name), self.model.sizes.first_width
        with torch.inference_mode():
            seen = [found[:, :first], found[:, first:]]
            return np.asarray(torch.softmax(self._primary.scores(seen), dim=1).cpu().numpy(), dtype=np.float32)

    def _states(self, texts: Iterator[Text]) -> Iterator[Matrix]:
        for group in grouped(texts):
            yield from self._group(group)

    def _group(self, texts: Sequence[Text]) -> list[Matrix]:
        """(words, first and second width) of each text."""
        width = self.model.sizes.first_width + self.model.sizes.second_width
        found = [np.zeros((len(text.words), width), dtype=np.float32) for text in texts]
        stretches = cut(texts)

        def compute(batch: batches.Batch) -> list[Matrix]:
            return self._read([texts[s.text].words[s.first : s.end] for s in (stretches[at] for at in batch)])

        planned = batches.by_length([stretch.size + 2 for stretch in stretches], self._budget)
        for batch, states in batches.run(planned, compute, threads=1):
            for stretch, own in zip((stretches[at] for at in batch), states, strict=True):
                found[stretch.text][stretch.start : stretch.stop] = own[stretch.own]
        return found

    def _read(self, sentences: Sequence[Sequence[str]]) -> list[Matrix]:
        try:
            with torch.inference_mode():
                states = self._reader(self._words.batch(sentences, self._device.name))
                found = torch.cat([states.ahead, states.back, states.both], dim=2).cpu().numpy()
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise MemoryError(str(error)) from error
        return [found[row, 1 : len(own) + 1] for row, own in enumerate(sentences)]

    @cached_property
    def _fingerprint(self) -> str:
        model = self.model
        parts = {
            "kind": "cvt",
            "tensors": tensors_digest(model.tensors),
            "vocabulary": text_digest(canonical(list(model.words))),
            "most_characters": model.sizes.most_characters,
            "lower": model.lower,
            "vectors": model.shown,
            "tokens": cutting.VERSION,
            "forms": words.VERSION,
            "max_sentence": MAX_SENTENCE,
            "overlap": windows.OVERLAP,
            "pooling": "mean",
            "normalise": True,
            "metric": "inner_product",
            "dimension": model.dimension,
        }
        return fingerprint(parts)


def _text(text: str) -> Text:
    found = cutting.cut(text, WHOLE_WORDS)
    return Text(found.tokens.tokens, found.sentences)
