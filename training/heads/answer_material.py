"""Answered questions as a head reads them: checked, with some asked where there is no answer, as vectors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder, Progress
from riparian.errors import Invalid
from riparian.types import Matrix
from training.heads.answer_match import FEATURES, PASSAGE_FEATURES, SHARE, Rarity, Read, matched, read
from training.heads.base import Groups
from training.heads.parts import Parts
from training.heads.word_vectors import vectors_of
from training.material import Answered

NOWHERE = (-1, -1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A question and a passage: `asked` (Q, d) and `words` (T, d) are vectors, `match` (T, FEATURES) and `whole`
    (PASSAGE_FEATURES,) say how they match; `answer` is the first and last word, NOWHERE where there is none."""

    passage: Read
    asked: Matrix
    words: Matrix
    match: NDArray[np.float32]
    whole: NDArray[np.float32]
    answer: tuple[int, int]


def checked(examples: Sequence[Answered]) -> list[Answered]:
    """Invalid, naming the question, for a span that is none of its passage or holds no word."""
    if len(examples) < 2:
        raise Invalid(f"answers are learnt from answered questions; there are {len(examples)}")
    for number, one in enumerate(examples, start=1):
        if not read(one.passage).spans:
            raise Invalid(f"the passage of question {number} has no word")
        if one.start is not None and not _stands(one):
            raise Invalid(f"the answer of question {number} ({one.start} to {one.end}) is no words of its passage")
    return list(examples)


def lacks(examples: Iterable[Answered]) -> bool:
    """Whether some question has no answer."""
    return any(one.start is None for one in examples)


def with_absent(
    given: Sequence[Answered], sides: Parts, groups: Groups, share: float, seed: int
) -> tuple[list[Answered], Parts]:
    """Questions asked again of another passage of their own side (and group, where there are groups) that does not hold
    their answer, added to the side: `share` of its questions, drawn by the seed."""
    numbers, found, rows = np.random.default_rng([seed, 3]), list(given), []
    for side in (sides.learnt, sides.chosen_by, sides.held_out):
        first, near = len(found), _passages(given, side, groups)
        for row in numbers.permutation(side)[: round(share * len(side))]:
            one, others = given[row], near[groups[row] if groups else ""]
            free = [text for text in others if one.passage[one.start : one.end] not in text]
            if free:
                found.append(Answered(one.question, free[numbers.integers(len(free))], None, None))
        rows.append(np.concatenate([side, np.arange(first, len(found))]))
    return found, Parts(*rows)


def seen_of(
    encoder: Encoder, examples: Sequence[Answered], rarity: Rarity, progress: Progress | None = None
) -> list[Seen]:
    """Every passage and question is encoded once, however often it is asked."""
    texts = list(dict.fromkeys(text for one in examples for text in (one.question, one.passage)))
    cut = {text: read(text) for text in texts}
    found = vectors_of(encoder, texts, [cut[text].spans for text in texts], progress)
    rows = {text: found.of(number) for number, text in enumerate(texts)}
    return [_seen(one, cut, rows, rarity) for one in examples]


def closest_sentence(one: Seen) -> str | None:
    """The sentence with most of the question's words, of equals the first: what a guess without learning gives."""
    for words in one.passage.sentences():
        if one.match[words[0], SHARE] >= one.match[:, SHARE].max():
            return one.passage.text[one.passage.spans[words[0]][0] : one.passage.spans[words[-1]][1]]
    return None


def _seen(example: Answered, cut: dict[str, Read], rows: dict[str, Matrix], rarity: Rarity) -> Seen:
    question, passage = cut[example.question], cut[example.passage]
    asked, words = rows[example.question], rows[example.passage]
    match, whole = np.zeros((0, FEATURES), dtype=np.float32), np.zeros(PASSAGE_FEATURES, dtype=np.float32)
    if passage.spans:
        match, whole = matched(question, passage, rarity, asked, words)
    return Seen(passage, asked, words, match, whole, _answer(example, passage))


def _answer(example: Answered, passage: Read) -> tuple[int, int]:
    """The first and last word that the span touches."""
    if example.start is None or example.end is None:
        return NOWHERE
    inside = [at for at, (start, end) in enumerate(passage.spans) if start < example.end and end > example.start]
    return (inside[0], inside[-1]) if inside else NOWHERE


def _stands(one: Answered) -> bool:
    inside = one.start is not None and one.end is not None and 0 <= one.start < one.end <= len(one.passage)
    return inside and _answer(one, read(one.passage)) != NOWHERE


def _passages(given: Sequence[Answered], side: Iterable[int], groups: Groups) -> dict[Hashable, list[str]]:
    """Group → its passages on this side, each once."""
    found: defaultdict[Hashable, dict[str, None]] = defaultdict(dict)
    for row in side:
        found[groups[row] if groups else ""][given[row].passage] = None
    return {group: list(texts) for group, texts in found.items()}
