"""Models with a question-answering head over the tokens: where in a passage an answer begins and ends.

The head of Devlin et al. 2019, section 4.2: question and passage are read together, each token of the passage has a
score as first and as last of the answer, the first special token stands for "no answer" (section 4.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian import device as devices
from riparian.encoders.transformer_files import find
from riparian.encoders.weights import bare, check_shapes, tensors, weight_files
from riparian.errors import BadWeights, Invalid

LONGEST = 30
"""Tokens of an answer at most."""

_STRIDE, _MOST = 128, 384
_BATCH = 16
_INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


@dataclass(frozen=True, slots=True)
class FoundSpan:
    """Half-open code points of the passage, None where it has no word; `margin` = by how much the two scores of the
    best span are above those of "no answer"."""

    start: int | None
    end: int | None
    margin: float


class SpanReader:
    """A model folder or hub id whose weights carry a question-answering head (safetensors). Safe to share between
    threads; BadWeights where a tensor is missing or mis-shaped, ModelNotInstalled, MissingPath."""

    def __init__(self, spec: str, *, device: str = "auto") -> None:
        if not spec:
            raise Invalid("name a model with a question-answering head: a folder or a hub id")
        self._source = find("bert", spec)
        self._device = devices.choose(device).name
        self._tokenizer = _tokenizer(self._source.folder, self._longest)

    @property
    def name(self) -> str:
        return self._source.name

    def read(self, question: str, passages: Sequence[str]) -> list[FoundSpan]:
        """One a passage, in order; a long passage is read in overlapping windows and the best of them counts."""
        pieces = [self._tokenizer.encode(question, passage) for passage in passages]
        windows = [(row, one) for row, first in enumerate(pieces) for one in (first, *first.overflowing)]
        best = [FoundSpan(None, None, -np.inf) for _ in passages]
        for at in range(0, len(windows), _BATCH):
            batch = windows[at : at + _BATCH]
            for (row, window), scores in zip(batch, self._scores([one for _, one in batch]), strict=True):
                found = best_span(scores, np.array(window.sequence_ids, dtype=object) == 1, window.offsets)
                if found.margin > best[row].margin:
                    best[row] = found
        return best

    def _scores(self, windows: Sequence[Any]) -> list[NDArray[np.float64]]:
        """(T, 2) of each window: as first and as last token of the answer."""
        import torch

        longest = max(len(one.ids) for one in windows)
        given = {
            name: torch.tensor([getattr(one, field) + [0] * (longest - len(one.ids)) for one in windows])
            for name, field in _INPUTS.items()
        }
        if not self._reads_types:
            del given["token_type_ids"]
        with torch.inference_mode():
            found = self._model(**{name: value.to(self._device) for name, value in given.items()})
        both = torch.stack([found.start_logits, found.end_logits], dim=2).double().cpu().numpy()
        return [scores[: len(one.ids)] for scores, one in zip(both, windows, strict=True)]

    @cached_property
    def _model(self) -> Any:
        import torch
        from transformers import AutoModelForQuestionAnswering
        from transformers.utils import logging

        quiet: Any = logging
        quiet.set_verbosity_error()
        quiet.disable_progress_bar()
        folder = self._source.folder
        files = weight_files(folder)
        check_shapes(files[0], bare(tensors(files)), _expected(self._config))
        model = AutoModelForQuestionAnswering.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
        return model.eval().to(self._device)

    @cached_property
    def _config(self) -> Any:
        from transformers import AutoConfig

        folder = self._source.folder
        try:
            return AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError) as error:
            why = str(error).partition("\n")[0]
            raise BadWeights(folder / "config.json", "a model architecture that transformers knows", why) from error

    @property
    def _longest(self) -> int:
        return min(_MOST, int(getattr(self._config, "max_position_embeddings", _MOST)))

    @property
    def _reads_types(self) -> bool:
        return int(getattr(self._config, "type_vocab_size", 0) or 0) > 1


def best_span(scores: NDArray[np.float64], inside: NDArray[np.bool_], offsets: Sequence[tuple[int, int]]) -> FoundSpan:
    """Of (T, 2) scores: the span of at most `LONGEST` tokens of the passage with the highest sum, of equals the first;
    the first token of all stands for "no answer"."""
    tokens = np.flatnonzero(inside)
    if not len(tokens):
        return FoundSpan(None, None, -np.inf)
    sums = np.full((len(tokens), LONGEST), -np.inf)
    for more in range(min(LONGEST, len(tokens))):
        sums[: len(tokens) - more, more] = scores[tokens[: len(tokens) - more], 0] + scores[tokens[more:], 1]
    first, more = divmod(int(sums.argmax()), LONGEST)
    margin = float(sums[first, more] - scores[0].sum())
    return FoundSpan(int(offsets[tokens[first]][0]), int(offsets[tokens[first + more]][1]), margin)


def _tokenizer(folder: Path, longest: int) -> Any:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if not path.is_file():
        raise BadWeights(path, "a tokenizer of the tokenizers library", "no file")
    found = Tokenizer.from_file(str(path))
    found.no_padding()
    found.enable_truncation(longest, stride=min(_STRIDE, longest // 4), strategy="only_second")
    return found


def _expected(config: Any) -> dict[str, tuple[int, ...]]:
    import torch
    from transformers import AutoModelForQuestionAnswering

    with torch.device("meta"):
        make: Any = AutoModelForQuestionAnswering.from_config
        model = make(config, trust_remote_code=False)
    prefix = f"{model.base_model_prefix}."
    return {name.removeprefix(prefix): tuple(value.shape) for name, value in model.named_parameters()}
