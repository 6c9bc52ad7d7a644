"""Word vectors in context, measured: one and the same, or apart by meaning? One row for each encoder.

Facts hold or do not, for any weights: a static encoder gives a word one vector, a contextual one gives it another in
another sentence, and context2vec's context does not see the word that stands in it. How well the senses separate is a
figure, and says something of trained weights only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from riparian.encoders import words
from riparian.encoders.base import Encoder, Progress
from riparian.errors import Invalid
from training.bank.occurrences import Occurrence
from training.bank.separation import Separation, separation

Level = Literal["word", "text"]
Vector = NDArray[np.float32]

GOAL_AUC = 0.8
"""What real pretrained weights must reach."""

_OTHER_WORDS = ("river", "house")
"""What is put into a word's place to see which part of the vector does not know of it."""
_SLOTS = 8  # occurrences that are looked at with another word in their place


@dataclass(frozen=True, slots=True)
class BankRow:
    """JSON-able: one encoder over labelled occurrences.

    `level` is what was compared: the word's own vector, or that of the whole text where the encoder has no others.
    `pairs` of occurrences were compared whose texts the encoder can tell apart, `equal` of them are the same to the
    bit; `identical` means all. `slot_blind` of `dimension` numbers tell contexts apart and yet stay the same to the bit
    when another word stands in the place: a vector of the context alone. Words that the encoder does not know are left
    out and counted. `separation` holds the figures of each word, `auc` is their mean; `text_auc` the same for the
    vectors of the whole texts.
    """

    name: str
    kind: str
    origin: str
    contextual: str
    level: Level
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
    """The encoder's row. `progress` hears (occurrences done, in all) and may raise to stop.

    Invalid where no word is left with two senses of two known occurrences each.
    """
    seen = [found for found in _looked_at(encoder, occurrences, progress) if found.known]
    by_word = {
        word: [one for one in seen if one.of.word == word] for word in dict.fromkeys(one.of.word for one in seen)
    }
    found = _separations(by_word, lambda one: one.vector, seed, permutations)
    if not found:
        raise Invalid("no word is left of which the encoder knows two senses, twice each; give more occurrences")
    texts = dict(zip(seen, encoder.encode_passages([one.of.text for one in seen], "passage"), strict=True))
    pairs, equal = _equal_pairs(encoder, by_word)
    info = encoder.info
    return BankRow(
        name=info.name,
        kind=info.kind,
        origin=info.origin,
        contextual=info.contextual,
        level=_level(encoder),
        dimension=len(seen[0].vector),
        occurrences=len(seen),
        unknown=len(occurrences) - len(seen),
        pairs=pairs,
        equal=equal,
        identical=equal == pairs,
        slot_blind=_slot_blind(encoder, seen[:_SLOTS]) if _level(encoder) == "word" else 0,
        separation=found,
        auc=_mean_auc(found),
        text_auc=_mean_auc(_separations(by_word, texts.__getitem__, seed, permutations=0)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """An occurrence as the encoder sees it: its vector, whether the encoder knows the word, the tokens of the text."""

    of: Occurrence
    vector: Vector
    known: bool
    tokens: tuple[str, ...]


def _level(encoder: Encoder) -> Level:
    return "text" if encoder.info.token_dim is None else "word"


def _looked_at(encoder: Encoder, occurrences: Sequence[Occurrence], progress: Progress | None) -> Iterator[_Seen]:
    look = _in_context if _level(encoder) == "word" else _whole
    for number, one in enumerate(occurrences, start=1):
        yield look(encoder, one)
        if progress:
            progress(number, len(occurrences))


def _in_context(encoder: Encoder, one: Occurrence) -> _Seen:
    """Encoded alone: equal bits must not depend on the company."""
    found = encoder.encode_tokens([one.text])[0]
    aligned = words.align(found, [(one.start, one.end)])
    return _Seen(one, aligned.vectors[0], bool(aligned.known[0]), found.tokens)


def _whole(encoder: Encoder, one: Occurrence) -> _Seen:
    row = encoder.encode_passages([one.text], "passage")[0]
    return _Seen(one, row, bool(row.any()), (one.text,))


def _separations(
    by_word: Mapping[str, Sequence[_Seen]], vector: Callable[[_Seen], Vector], seed: int, permutations: int
) -> dict[str, Separation]:
    """Word → figures, for those with two senses."""
    return {
        word: found
        for word, some in by_word.items()
        if (
            found := separation(
                np.stack([vector(one) for one in some]), [one.of.sense for one in some], seed, permutations
            )
        )
    }


def _mean_auc(found: Mapping[str, Separation]) -> float:
    return float(np.mean([one.auc for one in found.values()]))


def _equal_pairs(encoder: Encoder, by_word: Mapping[str, Sequence[_Seen]]) -> tuple[int, int]:
    """Pairs of one word in different texts, and how many of them have equal vectors. Where a contextual encoder reads
    both texts as the same, because it does not know the words by which they differ, they are no pair."""
    pairs = [
        (first, second)
        for some in by_word.values()
        for first, second in combinations(some, 2)
        if first.tokens != second.tokens
    ]
    equal = [pair for pair in pairs if np.array_equal(pair[0].vector, pair[1].vector)]
    if encoder.info.contextual == "none" or _level(encoder) == "text":
        return len(pairs), len(equal)
    alone = cache(lambda token: encoder.encode_tokens([token])[0].vectors.tobytes())
    alike = sum(list(map(alone, first.tokens)) == list(map(alone, second.tokens)) for first, second in equal)
    return len(pairs) - alike, len(equal) - alike


def _slot_blind(encoder: Encoder, seen: Sequence[_Seen]) -> int:
    """How many numbers of the vector tell contexts apart, yet are the same whichever word stands in the place."""
    rows = np.stack([one.vector for one in seen])
    blind = np.asarray((rows != rows[0]).any(axis=0), dtype=np.bool_)
    for one in seen:
        for other in (_in_context(encoder, replaced) for replaced in _replaced(one.of)):
            if other.known:
                blind &= other.vector == one.vector
    return int(blind.sum())


def _replaced(one: Occurrence) -> Iterator[Occurrence]:
    for word in _OTHER_WORDS:
        text = f"{one.text[: one.start]}{word}{one.text[one.end :]}"
        yield Occurrence(word, one.sense, text, one.start, one.start + len(word))


def _broken(row: BankRow) -> Iterator[str]:
    if row.contextual == "none" and row.level == "word" and not row.identical:
        yield f"static, but {row.pairs - row.equal} of {row.pairs} pairs have different vectors"
    if row.contextual != "none" and row.identical:
        yield "contextual, but the word has one vector in all contexts"
    elif row.contextual in ("left-right", "full") and row.equal:  # two windows may hold the same words
        yield f"contextual, but {row.equal} of {row.pairs} pairs in different texts have equal vectors"
    if row.kind.startswith("context2vec") and 2 * row.slot_blind < row.dimension:
        yield f"its context sees the word in its place: only {row.slot_blind} of {row.dimension} numbers do not"
