"""Where in a passage the answer to a question stands, or that it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.base import Encoder
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.errors import AlreadyExists, BadWeights, Invalid
from training.heads import card
from training.heads.answer_figures import judged, token_f1
from training.heads.answer_match import BUCKETS, Rarity, read
from training.heads.answer_material import Seen, checked, closest_sentence, lacks, seen_of, with_absent
from training.heads.answer_spans import ALWAYS, Scored, best
from training.heads.base import Groups, Makes, check, chosen, without_tokens
from training.heads.card import LEARNT, HeadCard
from training.heads.parts import check_unseen, digests, parts, sizes
from training.heads.scaling import Scaling
from training.material import Answered, Material, Run
from training.recipes.base import Needs, Report

TASK = "answers"
DEFAULTS = {"held_out": 0.2, "absent": 0.25, "rank": 32, "epochs": 4, "batch": 16, "learning_rate": 0.002}

_RARITY, _PASSAGES, _THRESHOLD = "rarity.counts", "rarity.passages", "threshold"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the passage to look in."""

    question: str
    passage: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Half-open code points of the passage and what stands there, None and "" for no answer; `margin` is by how much
    the best span is above what makes an answer, huge where the head never learnt to give none."""

    start: int | None
    end: int | None
    text: str
    margin: float


@dataclass(frozen=True, slots=True)
class Answerer:
    """A head as learnt; it says "no answer" only where some of what it learnt from had none."""

    card: HeadCard
    arrays: Mapping[str, NDArray[Any]]
    rarity: Rarity
    threshold: float
    learnt: NDArray[np.int64]

    def apply(self, encoder: Encoder, asked: Sequence[Asked]) -> list[Answer]:
        """One answer a question, in order. IndexMismatch for another encoder than the head's own."""
        self.card.meets(encoder)
        found = seen_of(encoder, [Answered(one.question, one.passage, None, None) for one in asked], self.rarity)
        return _answers(self.arrays, self.card.settings, found, self.threshold)

    def judge(self, encoder: Encoder, examples: Sequence[Answered], seed: int = 0) -> Report:
        """Figures over questions on passages that were held out. Invalid for a passage that was learnt from."""
        check_unseen(self.learnt, [example.passage for example in examples])
        found = self.apply(encoder, [Asked(example.question, example.passage) for example in examples])
        return {"figures": {"head": _judged(found, examples, seed)}}


@dataclass(frozen=True, slots=True)
class Answers:
    """The head of the name `answers`."""

    name: str = TASK
    summary: str = "where in a passage the answer to a question stands, learnt from answered questions"
    needs: Needs = "answered"
    makes: Makes = "head"

    @property
    def defaults(self) -> Mapping[str, Any]:
        """`absent`: so many more questions, as a share, are asked of a passage that does not hold their answer, where
        the material has none without an answer; 0 = none, and the head always answers."""
        return DEFAULTS

    def refuses(self, encoder: Encoder) -> str | None:
        return without_tokens(encoder)

    def train(
        self,
        encoder: Encoder,
        material: Material,
        into: Path,
        run: Run,
        settings: Mapping[str, Any],
        groups: Groups = (),
    ) -> Report:
        wanted = chosen(self, settings)
        check(self, encoder)
        if into.exists() and any(into.iterdir()):
            raise AlreadyExists(f"{into} is not empty; give a new folder for the head")
        if wanted["rank"] < 1 or wanted["absent"] < 0:
            raise Invalid("rank must be at least 1, absent not below 0")
        return _learn(encoder, material, into, run, wanted, groups)


def load(folder: Path) -> Answerer:
    """Raises BadWeights for a folder that is damaged or holds another head."""
    from training.heads.answer_network import shapes  # torch

    about, plain = card.read(folder), card.read_arrays(folder, {_RARITY: (BUCKETS,), _PASSAGES: (1,), _THRESHOLD: (1,)})
    rank = about.settings.get("rank")
    if not isinstance(rank, int) or rank < 1:
        raise BadWeights(folder / card.CARD, "a rank", repr(rank))
    wanted = shapes(plain["mean"].shape[-1] if "mean" in plain else 0, rank)
    arrays = card.read_arrays(folder, wanted | {LEARNT: plain.get(LEARNT, np.empty(0)).shape})
    rarity = Rarity(arrays[_RARITY], int(arrays[_PASSAGES][0]))
    network = {name: arrays[name] for name in wanted}
    return Answerer(about, network, rarity, float(arrays[_THRESHOLD][0]), arrays[LEARNT])


# ------------------------------------------------------------------------------ learning


def _learn(
    encoder: Encoder, material: Material, into: Path, run: Run, settings: Mapping[str, Any], groups: Groups
) -> Report:
    from training.heads.answer_network import learn  # torch
    from training.heads.fitting import Plan, waiting  # torch

    given = checked(material.answered)
    sides = parts([example.passage for example in given], run.seed, settings["held_out"], groups)
    examples, sides = with_absent(given, sides, groups, 0.0 if lacks(given) else settings["absent"], run.seed)
    if not any(examples[row].start is not None for row in sides.learnt):
        raise Invalid("no question to learn from has an answer in its passage")
    nulls = lacks([examples[row] for row in sides.learnt])
    plan = Plan(len(sides.learnt), settings["epochs"], settings["batch"], float(settings["learning_rate"]))
    rarity = Rarity.of(read(text) for text in sorted({examples[row].passage for row in sides.learnt}))
    seen = seen_of(encoder, examples, rarity, waiting(run, plan.total))
    learnt, chosen_by, held_out = (
        _Side([examples[row] for row in rows], [seen[row] for row in rows]) for rows in sides.all
    )
    sha256 = text_digest(canonical([[one.question, one.passage, one.start, one.end] for one in given]))
    rows = sides.learnt.tolist()
    name = text_digest(canonical([TASK, dict(settings), run.seed, sha256, encoder.fingerprint(), rows]))
    arrays = learn(learnt.seen, _scaling(learnt.seen), settings["rank"], nulls, plan, run, name)
    threshold = _threshold(_scored(arrays, settings, chosen_by.seen), chosen_by.examples) if nulls else ALWAYS
    added = len(examples) - len(given)
    report = {
        "task": TASK,
        "seed": run.seed,
        "data": {"origin": material.origin, "examples": len(given), "absent": added, "sha256": sha256, **sizes(sides)},
        "figures": _figures(arrays, settings, held_out, threshold, run.seed),
    }
    about = HeadCard(TASK, (), card.described(encoder), settings, report)
    kept = {
        _RARITY: rarity.counts,
        _PASSAGES: np.array([rarity.passages]),
        _THRESHOLD: np.array([threshold]),
        LEARNT: digests(one.passage for one in (*learnt.examples, *chosen_by.examples)),
    }
    card.write(into, about, {**arrays, **kept})
    return report


@dataclass(frozen=True, slots=True)
class _Side:
    """Examples of one part, and how they are seen."""

    examples: Sequence[Answered]
    seen: Sequence[Seen]


def _scaling(seen: Sequence[Seen]) -> Scaling:
    """Over each passage once."""
    return Scaling.of(np.concatenate(list({one.passage.text: one.words for one in seen}.values())))


def _figures(
    arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any], held_out: _Side, threshold: float, seed: int
) -> Report:
    """The head; the head where it must answer; and the sentence with most of the question's words."""
    always = _answers(arrays, settings, held_out.seen, ALWAYS)
    wanted = list(map(_wanted, held_out.examples))
    return {
        "head": _judged(_answers(arrays, settings, held_out.seen, threshold), held_out.examples, seed),
        "head_always_answering": _judged(always, held_out.examples, seed),
        "best_sentence": judged([closest_sentence(one) for one in held_out.seen], wanted, seed),
    }


def _threshold(found: Sequence[Scored], wanted: Sequence[Answered]) -> float:
    """The margin above which answers count, so that token F1 over all questions is best; of equals the lowest."""
    margins = [one.margin for one in found]
    worth = [_worth(one, example) for one, example in zip(found, wanted, strict=True)]
    spared = [float(one.start is None) for one in wanted]

    def total(threshold: float) -> float:
        kept = zip(margins, worth, spared, strict=True)
        return sum(gain if margin > threshold else none for margin, gain, none in kept)

    middles = [(a + b) / 2 for a, b in pairwise(sorted({min(margins) - 1, *margins, max(margins) + 1}))]
    return max(middles, key=lambda at: (total(at), -at))


def _worth(found: Scored, wanted: Answered) -> float:
    if wanted.start is None or found.span is None:
        return 0.0
    start, end = found.span
    return token_f1(wanted.passage[start:end], _wanted(wanted) or "")


def _answers(
    arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any], seen: Sequence[Seen], threshold: float
) -> list[Answer]:
    found = _scored(arrays, settings, seen)
    return [_answer(one.passage.text, scored, threshold) for one, scored in zip(seen, found, strict=True)]


def _answer(passage: str, found: Scored, threshold: float) -> Answer:
    margin = found.margin - threshold
    if found.span is None or margin <= 0:
        return Answer(None, None, "", margin)
    start, end = found.span
    return Answer(start, end, passage[start:end], margin)


def _scored(arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any], seen: Sequence[Seen]) -> list[Scored]:
    from training.heads.answer_network import point  # torch

    logits = point(arrays, settings["rank"], seen)
    return [best(one, one_seen.passage.spans) for one, one_seen in zip(logits, seen, strict=True)]


def _judged(found: Sequence[Answer], examples: Sequence[Answered], seed: int) -> Report:
    texts = [None if one.start is None else one.text for one in found]
    return judged(texts, list(map(_wanted, examples)), seed)


def _wanted(example: Answered) -> str | None:
    return None if example.start is None else example.passage[example.start : example.end]
