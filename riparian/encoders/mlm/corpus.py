"""Text to train language models on: sentences, held-out sentences, blocks of token ids, batches. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from riparian.encoders import batches
from riparian.encoders.held_out import share_of
from riparian.errors import Invalid
from riparian.text import sentences

Group = tuple[str, ...]
"""The sentences of one text, in order."""

Block = tuple[int, ...]
"""Token ids without special tokens: sentences of one text that follow each other."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """`digest` is the SHA-256 over all sentences in order, held out or not."""

    train: tuple[Group, ...]
    held_out: tuple[Group, ...]
    digest: str

    def sentences(self) -> Iterator[str]:
        """Those that are trained on."""
        return (sentence for group in self.train for sentence in group)


def gather(texts: Iterable[str], held_out: float, seed: int) -> Corpus:
    """Equal sentences are held out together or not at all.

    Raises Invalid where the text is too little to train on and to judge by.
    """
    train: list[Group] = []
    judge: list[Group] = []
    total, count = hashlib.sha256(), 0
    for text in texts:
        sides: tuple[list[str], list[str]] = ([], [])
        for span in sentences(text):
            sentence = text[span.start : span.end]
            key = sentence.encode("utf-8", "surrogatepass")
            total.update(key + b"\n")
            sides[share_of(key, seed) < held_out].append(sentence)
        count += len(sides[0]) + len(sides[1])
        train.append(tuple(sides[0]))
        judge.append(tuple(sides[1]))
    if not any(train) or not any(judge):
        raise Invalid(f"{count} sentences are too few to train a language model on; give more text")
    return Corpus(tuple(filter(None, train)), tuple(filter(None, judge)), total.hexdigest())


def blocks(groups: Iterable[Group], tokenizer: Tokenizer, size: int) -> list[Block]:
    """Sentences of one text side by side as long as they fit into `size` tokens; longer ones in stretches."""
    return [block for group in groups for block in _packed(group, tokenizer, size)]


def plan(found: Sequence[Block], budget: int, seed: int, epoch: int) -> list[batches.Batch]:
    """Every block once, in batches of like length; the same batches in every epoch, in another order."""
    planned = batches.by_length([len(block) + 2 for block in found], budget)
    order = np.random.default_rng([seed, epoch]).permutation(len(planned))
    return [planned[at] for at in order]


def framed(rows: Sequence[Block], begin: int, end: int, padding: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(B, L) ids, each row between its marks, and the (B, L) mask of what is not padding."""
    shape = (len(rows), max(len(row) for row in rows) + 2)
    ids = np.full(shape, padding, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row) + 2] = (begin, *row, end)
        mask[number, : len(row) + 2] = 1
    return ids, mask


def counts(found: Iterable[Block], size: int) -> NDArray[np.int64]:
    """How often each of `size` token ids stands in the blocks."""
    return np.bincount(np.fromiter((token for block in found for token in block), dtype=np.int64), minlength=size)


def _packed(group: Group, tokenizer: Tokenizer, size: int) -> Iterator[Block]:
    row: list[int] = []
    for pieces in tokenizer.encode_batch_fast(list(group), add_special_tokens=False):
        if row and len(row) + len(pieces.ids) > size:
            yield tuple(row)
            row = []
        row += pieces.ids
        while len(row) > size:
            yield tuple(row[:size])
            row = row[size:]
    if row:
        yield tuple(row)
