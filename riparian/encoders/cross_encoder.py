"""A second opinion on pairs: a model that reads query and passage together and gives one number.

Nogueira and Cho, Passage Re-ranking with BERT, arXiv 1901.04085. Any sequence classifier of the transformers library in
safetensors with one output, or with two, of which the second means "relevant".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import hub
from riparian.encoders.weights import tensors, weight_files
from riparian.errors import BadWeights, Invalid, MissingPath

_AT_ONCE = 16
_LONGEST = 512


class CrossEncoder:
    """Deterministic on one machine. Safe to call from several threads."""

    def __init__(self, folder: Path, name: str, threads: int) -> None:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        files = weight_files(folder)
        _check_head(folder, list(tensors(files)))
        self.name = name
        torch.set_num_threads(threads)
        options = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), **options)
            self._model = AutoModelForSequenceClassification.from_pretrained(
                str(folder), use_safetensors=True, dtype=torch.float32, **options
            ).eval()
        except (OSError, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise BadWeights(folder, "a sequence classifier with its tokenizer", why) from error
        labels = int(self._model.config.num_labels)
        if labels > 2:
            raise BadWeights(folder, "one output, or two", f"{labels}: a classifier of another kind")

    def scores(self, query: str, passages: Sequence[str]) -> NDArray[np.float64]:
        """One number a passage, a larger one for a better answer; comparable for one query only."""
        import torch

        found = [np.zeros(0, dtype=np.float64)]
        for start in range(0, len(passages), _AT_ONCE):
            batch = list(passages[start : start + _AT_ONCE])
            given = self._tokenizer(
                [query] * len(batch), batch, truncation="only_second", max_length=self._longest, padding=True,
                return_tensors="pt",
            )  # fmt: skip
            with torch.inference_mode():
                logits = self._model(**given).logits
            found.append(logits[:, -1].double().numpy() - (logits[:, 0].double().numpy() if logits.shape[1] > 1 else 0))
        return np.concatenate(found)

    @property
    def _longest(self) -> int:
        return int(min(_LONGEST, getattr(self._model.config, "max_position_embeddings", _LONGEST)))


def load(spec: str, threads: int = 1) -> CrossEncoder:
    """`spec` = a folder or a hub id.

    Invalid where it is empty, MissingPath for a folder that is not there, ModelNotInstalled for a hub id that is
    neither cached nor reachable, BadWeights for a model of another kind.
    """
    if not spec.strip():
        raise Invalid(
            "no cross-encoder is set; name a folder or hub id in RIPARIAN_CROSS_ENCODER, such as "
            "cross-encoder/ms-marco-MiniLM-L6-v2, or re-rank with maxsim"
        )
    path = Path(spec).expanduser()
    if path.is_dir():
        return CrossEncoder(path.resolve(), path.name, threads)
    if spec.startswith(("/", ".", "~")) or spec.count("/") != 1:
        raise MissingPath(spec)
    return CrossEncoder(hub.fetch(spec), spec, threads)


def _check_head(folder: Path, names: Sequence[str]) -> None:
    """The transformers library would fill a missing head with random numbers and go on."""
    if not any(name.startswith(("classifier.", "score.")) for name in names):
        raise BadWeights(folder, "a model with a classification head", "an encoder without one")
