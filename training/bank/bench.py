"""Word vectors in context, measured: one and the same, or apart by meaning? One row for each encoder.

Facts hold or do not, for any weights: a static encoder gives a word one vector, a contextual one gives it another in
another sentence, and context2vec's context does not see the word that stands in it. How well the senses separate is a
figure, and says something of trained weights only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import words
from riparian.encoders.base import Encoder, Progress
from riparian.errors import Invalid
from riparian.types import Matrix
from training.bank.occurrences import Occurrence
from training.bank.separation import Separation, separation

GOAL_AUC = 0.8
"""What real pretrained weights must reach."""

_OTHER_WORDS = ("river", "house")
"""What is put into a word's place to see which part of the vector does not know of it."""
_SLOTS = 8  # occurrences that are looked at with another word in their place


@dataclass(frozen=True, slots=True)
class BankRow:
    """JSON-able: one encoder over labelled occurrences.

    `level` is what was compared: the word's own vector, or that of the whole text where the encoder has no others.
    `pairs` of occurrences in different texts were compared, `equal` of them are the same to the bit; `identical` means
    all. `slot_blind` of `dimension` numbers tell contexts apart and yet stay the same to the bit when another word
    stands in the place: a vector of the context alone. Words that the encoder does not know are left out and counted.
    `separation` holds the figures of each word, `auc` is their mean; `text_auc` the same for the vectors of the whole
    texts.
    """

    name: str
    kind: str
    origin: str
    contextual: str
    level: Literal["word", "text"]
    dimension: int
    occurrences: int
    unknown: int
    pairs: int
    equal: int
    identical: bool
    slot_blind: int
    separation: Mapping[str, Separation]
    auc: float
    text_auc: float

    @property
    def broken_facts(self) -> tuple[str, ...]:
        """What does not hold though it must, whatever the weights; () where all is well."""
        return tuple(_broken(self))

    @property
    def separates(self) -> bool:
        """Whether it reaches GOAL_AUC: asked of real pretrained weights, told of others."""
        return self.auc >= GOAL_AUC


def bank(
    encoder: Encoder,
    occurrences: Sequence[Occurrence],
    seed: int = 0,
    permutations: int = 1000,
    progress: Progress | None = None,
) -> BankRow:
    """The encoder's row. `progress` hears (occurrences done, in all).

    Invalid where no word is left with two senses of two known occurrences each.
    """
    vectors, known = _vectors(encoder, occurrences, progress)
    chosen = [one for one, there in zip(occurrences, known, strict=True) if there]
    rows = vectors[np.array(known, dtype=np.bool_)]
    by_word = {word: [row for row, one in enumerate(chosen) if one.word == word] for word in _in_order(chosen)}
    found = _separations(chosen, rows, by_word, seed, permutations)
    if not found:
        raise Invalid("no word is left of which the encoder knows two senses, twice each; give more occurrences")
    texts = encoder.encode_passages([one.text for one in chosen], "passage")
    pairs, equal = _equal_pairs(chosen, rows, by_word)
    info = encoder.info
    return BankRow(
        name=info.name,
        kind=info.kind,
        origin=info.origin,
        contextual=info.contextual,
        level="text" if info.token_dim is None else "word",
        dimension=rows.shape[1],
        occurrences=len(chosen),
        unknown=len(occurrences) - len(chosen),
        pairs=pairs,
        equal=equal,
        identical=equal == pairs,
        slot_blind=0 if info.token_dim is None else _slot_blind(encoder, chosen[:_SLOTS], rows[:_SLOTS]),
        separation=found,
        auc=_mean_auc(found),
        text_auc=_mean_auc(_separations(chosen, texts, by_word, seed, permutations=0)),
    )


def _vectors(
    encoder: Encoder, occurrences: Sequence[Occurrence], progress: Progress | None
) -> tuple[Matrix, list[bool]]:
    """(N, d) rows, and which of them stand for something known."""
    if encoder.info.token_dim is None:
        texts = encoder.encode_passages([one.text for one in occurrences], "passage", progress)
        return texts, [bool(row.any()) for row in texts]
    rows = np.zeros((len(occurrences), encoder.info.token_dim), dtype=np.float32)
    known = []
    for number, one in enumerate(occurrences):
        rows[number], there = _at(encoder, one)
        known.append(there)
        if progress:
            progress(number + 1, len(occurrences))
    return rows, known


def _at(encoder: Encoder, one: Occurrence) -> tuple[NDArray[np.float32], bool]:
    """The word's vector, and whether it is known. Encoded alone: equal bits must not depend on the company."""
    aligned = words.align(encoder.encode_tokens([one.text])[0], [(one.start, one.end)])
    return aligned.vectors[0], bool(aligned.known[0])


def _separations(
    occurrences: Sequence[Occurrence],
    rows: Matrix,
    by_word: Mapping[str, Sequence[int]],
    seed: int,
    permutations: int,
) -> dict[str, Separation]:
    """Word → figures, for those with two senses."""
    return {
        word: found
        for word, at in by_word.items()
        if (found := separation(rows[at], [occurrences[row].sense for row in at], seed, permutations))
    }


def _mean_auc(found: Mapping[str, Separation]) -> float:
    return float(np.mean([one.auc for one in found.values()]))


def _equal_pairs(
    occurrences: Sequence[Occurrence], rows: Matrix, by_word: Mapping[str, Sequence[int]]
) -> tuple[int, int]:
    """Pairs of one word in different texts, and how many of them have equal vectors."""
    pairs = [
        bool(np.array_equal(rows[first], rows[second]))
        for at in by_word.values()
        for first, second in combinations(at, 2)
        if occurrences[first].text != occurrences[second].text
    ]
    return len(pairs), sum(pairs)


def _slot_blind(encoder: Encoder, occurrences: Sequence[Occurrence], rows: Matrix) -> int:
    """How many numbers of the vector tell contexts apart, yet are the same whichever word stands in the place."""
    blind = np.asarray((rows != rows[0]).any(axis=0), dtype=np.bool_)
    for one, row in zip(occurrences, rows, strict=True):
        for other in _replaced(one):
            there, known = _at(encoder, other)
            if known:
                blind &= there == row
    return int(blind.sum())


def _replaced(one: Occurrence) -> Iterator[Occurrence]:
    for word in _OTHER_WORDS:
        text = f"{one.text[: one.start]}{word}{one.text[one.end :]}"
        yield Occurrence(word, one.sense, text, one.start, one.start + len(word))


def _in_order(occurrences: Sequence[Occurrence]) -> list[str]:
    return list(dict.fromkeys(one.word for one in occurrences))


def _broken(row: BankRow) -> Iterator[str]:
    if row.contextual == "none" and not row.identical and row.level == "word":
        yield f"static, but {row.pairs - row.equal} of {row.pairs} pairs have different vectors"
    if row.contextual != "none" and row.equal:
        yield f"contextual, but {row.equal} of {row.pairs} pairs in different texts have equal vectors"
    if row.kind.startswith("context2vec") and 2 * row.slot_blind < row.dimension:
        yield f"its context sees the word in its place: only {row.slot_blind} of {row.dimension} numbers stay the same"
