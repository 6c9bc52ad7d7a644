"""Which sentence of a passage meets the words of a query best, by the token states that are stored.

M of `late.py`, with the words of one sentence in place of the passage's. It costs what cutting the passage into tokens
costs, where comparing the sentences' own vectors encodes every one of them, and it finds the better sentence: each word
is seen in the context of the whole passage (`docs/answers.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.inputs import encoder_input
from riparian.types import Matrix, Span
from riparian.vectors.token_states import Rows, TokenStates, is_kept, projected, restored
from search.highlight import Cut
from search.late import Wanted

Scores = NDArray[np.float64]

NOTHING = -2.0
"""M of a sentence without a word: below that of any with one."""


@dataclass(frozen=True, slots=True)
class Titled:
    """A passage cut into sentences, with the title that the encoder was given before it."""

    cut: Cut
    title: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What is asked for, and the token states that a collection holds of its passages, by this encoder."""

    wanted: Wanted
    states: TokenStates
    encoder: Encoder

    def closest(self, passages: Sequence[Titled]) -> dict[int, Span]:
        """Passage → its sentence with the largest M, the first of equal ones. Left out: passages that `met` leaves out,
        and those without a word."""
        sentences = {int(one.cut.passage.id): one.cut.sentences for one in passages}
        best = {
            passage: (int(scores.argmax()), scores) for passage, scores in self.met(passages).items() if len(scores)
        }
        return {passage: sentences[passage][at] for passage, (at, scores) in best.items() if scores[at] > NOTHING}

    def met(self, passages: Sequence[Titled]) -> dict[int, Scores]:
        """Passage → M of each sentence, to five digits; `NOTHING` for one without a word.

        Left out: passages without states, and those whose tokens are not the ones that were stored.
        """
        held = self.states.of([int(one.cut.passage.id) for one in passages])
        known = [one for one in passages if int(one.cut.passage.id) in held]
        found = {}
        for one, starts in zip(known, self._starts(known), strict=True):
            basis, rows = held[int(one.cut.passage.id)]
            if len(starts) == len(rows):
                found[int(one.cut.passage.id)] = self._scores(one.cut, starts, basis, rows)
        return found

    def _starts(self, passages: Sequence[Titled]) -> list[NDArray[np.int64]]:
        """Where the tokens that are kept begin, in code points of the document's text; a title's lie before it."""
        inputs = [encoder_input(one.title, one.cut.passage.text) for one in passages]
        return [
            np.asarray(tokens.offsets[:, 0], dtype=np.int64)[[is_kept(token) for token in tokens.tokens]]
            + one.cut.passage.start
            - (len(text) - len(one.cut.passage.text))
            for one, text, tokens in zip(passages, inputs, self.encoder.tokenize(inputs), strict=True)
        ]

    def _scores(self, one: Cut, starts: NDArray[np.int64], basis: Matrix, rows: Rows) -> Scores:
        cosines = restored(rows) @ projected(self.wanted.states, basis).T
        found = np.full(len(one.sentences), NOTHING)
        for number, sentence in enumerate(one.sentences):
            inside = (starts >= sentence.start) & (starts < sentence.end)
            if inside.any():
                found[number] = cosines[inside].max(axis=0) @ self.wanted.weights
        return found.round(5)
