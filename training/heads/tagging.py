"""A tag for each word of a sentence: one linear layer, or a small two-way LSTM, on vectors of words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian import text as language
from riparian.encoders.base import Encoder
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.errors import AlreadyExists, BadWeights, Invalid
from training.heads import card, tags
from training.heads.base import Groups, Makes, check, chosen, without_tokens
from training.heads.card import LEARNT, HeadCard
from training.heads.figures import Numbers
from training.heads.linear_scores import logits, softmax
from training.heads.parts import Parts, check_unseen, digests, parts, sizes
from training.heads.tags import NO_TAG
from training.heads.word_vectors import Sentences, encoded
from training.material import Material, Run, Tagged
from training.recipes.base import Needs, Report

TASK = "tagging"
LINEAR, BILSTM = NETWORKS = ("linear", "bilstm")
PENALTIES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
DEFAULTS = {
    "held_out": 0.2,
    "network": LINEAR,
    "hidden": 64,
    "epochs": 10,
    "batch": 16,
    "learning_rate": 0.01,
    "curve": False,
}

_WORD = re.compile(r"\w+(?:['’\-]\w+)*|[^\w\s]")
_WORDS_PER_SENTENCE = 16
"""A linear layer learns from words, not sentences: so many to one of `batch`."""


@dataclass(frozen=True, slots=True)
class TaggedWord:
    """A word of a text as half-open code points, its tag, and the tag's probability."""

    start: int
    end: int
    tag: str
    probability: float


@dataclass(frozen=True, slots=True)
class Tagger:
    """A head as learnt; `arrays` are those of its network."""

    card: HeadCard
    arrays: Mapping[str, NDArray[Any]]
    learnt: NDArray[np.int64]

    def apply(self, encoder: Encoder, texts: Sequence[str]) -> list[tuple[TaggedWord, ...]]:
        """Each text's words in order, read sentence by sentence. IndexMismatch for another encoder than its own."""
        pieces = [(number, words) for number, text in enumerate(texts) for words in _sentences(text)]
        found: list[list[TaggedWord]] = [[] for _ in texts]
        chances = self._chances(encoder, [[texts[n][a:b] for a, b in words] for n, words in pieces])
        for (number, words), rows in zip(pieces, chances, strict=True):
            for (start, end), row in zip(words, rows, strict=True):
                best = int(row.argmax())
                found[number].append(TaggedWord(start, end, self.card.labels[best], float(row[best])))
        return list(map(tuple, found))

    def tag(self, encoder: Encoder, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
        """The tags of sentences that are cut into words already. IndexMismatch for another encoder."""
        labels = self.card.labels
        return [tuple(labels[best] for best in rows.argmax(axis=1)) for rows in self._chances(encoder, sentences)]

    def judge(self, encoder: Encoder, examples: Sequence[Tagged], seed: int = 0) -> Report:
        """Accuracy and, for BIO tags, span F1 with intervals. Invalid for a sentence that was learnt from."""
        check_unseen(self.learnt, texts_of(examples))
        found = self.tag(encoder, [example.words for example in examples])
        return {"figures": {"head": tags.judged([example.tags for example in examples], found, seed)}}

    def _chances(self, encoder: Encoder, sentences: Sequence[Sequence[str]]) -> list[NDArray[np.float64]]:
        self.card.meets(encoder)
        found = encoded(encoder, sentences)
        return _scored(self.card.settings["network"], self.arrays, found, range(len(sentences)))


@dataclass(frozen=True, slots=True)
class Tagging:
    """The head of the name `tagging`."""

    name: str = TASK
    summary: str = "a tag for each word, learnt from tagged sentences"
    needs: Needs = "tagged"
    makes: Makes = "head"

    @property
    def defaults(self) -> Mapping[str, Any]:
        """`network` is linear or bilstm (`hidden` units each way); with `curve` the report tells, too, how good the
        head is with fewer sentences."""
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
        if wanted["network"] not in NETWORKS:
            raise Invalid(f"network {wanted['network']!r} is not known; give {' or '.join(NETWORKS)}")
        if wanted["hidden"] < 1:
            raise Invalid("hidden must be at least 1")
        if into.exists() and any(into.iterdir()):
            raise AlreadyExists(f"{into} is not empty; give a new folder for the head")
        return _learn(encoder, material, into, run, wanted, groups)


def load(folder: Path) -> Tagger:
    """Raises BadWeights for a folder that is damaged or holds another head."""
    about = card.read(folder)
    network, labels = about.settings.get("network"), len(about.labels)
    arrays = card.read_arrays(folder, {})
    if network == LINEAR:
        width = arrays["weights"].shape[-1] if "weights" in arrays else 0
        wanted: dict[str, tuple[int, ...]] = {"weights": (labels, width), "biases": (labels,)}
    elif network == BILSTM:
        from training.heads.sequence import shapes  # torch

        wanted = shapes(arrays["mean"].shape[-1] if "mean" in arrays else 0, int(about.settings["hidden"]), labels)
    else:
        raise BadWeights(folder / card.CARD, f"a network of {', '.join(NETWORKS)}", repr(network))
    arrays = card.read_arrays(folder, wanted | {LEARNT: arrays.get(LEARNT, np.empty(0)).shape})
    return Tagger(about, {name: arrays[name] for name in wanted}, arrays[LEARNT])


def texts_of(examples: Sequence[Tagged]) -> list[str]:
    return [" ".join(example.words) for example in examples]


# ------------------------------------------------------------------------------ learning


@dataclass(frozen=True, slots=True)
class _Work:
    """One training's material: sentences as vectors, `truth` their tags as numbers (-1 = none)."""

    sentences: Sentences
    truth: Sequence[Numbers]
    labels: int
    settings: Mapping[str, Any]

    def learn(self, rows: Sequence[int], chosen_by: Sequence[int], run: Run, name: str) -> dict[str, NDArray[Any]]:
        if self.settings["network"] == BILSTM:
            from training.heads.sequence import learn as learn_bilstm  # torch

            plan = _plan(self.settings, len(rows))
            hidden = self.settings["hidden"]
            return {**learn_bilstm(self.sentences, rows, self.truth, self.labels, hidden, plan, run, name)}
        return self._linear(rows, chosen_by, run, name)

    def _linear(self, rows: Sequence[int], chosen_by: Sequence[int], run: Run, name: str) -> dict[str, NDArray[Any]]:
        from training.heads.linear import learn as learn_linear  # torch

        vectors, truth = self._words(rows)
        plan = _plan(self.settings, len(rows), len(truth))
        found = learn_linear(vectors, truth, np.ones(self.labels, dtype=np.float32), PENALTIES, plan, run, name)
        others, wanted = self._words(chosen_by)
        right = [
            float((logits(weights, biases, others).argmax(axis=1) == wanted).mean())
            for weights, biases in zip(found.weights, found.biases, strict=True)
        ]
        best = max(range(len(right)), key=lambda at: (right[at], at))
        return {"weights": found.weights[best], "biases": found.biases[best]}

    def _words(self, rows: Sequence[int]) -> tuple[NDArray[np.float32], Numbers]:
        """The words that have a tag, and the tags."""
        truth = np.concatenate([self.truth[row] for row in rows])
        return np.concatenate([self.sentences.of(row) for row in rows])[truth >= 0], truth[truth >= 0]


def _learn(
    encoder: Encoder, material: Material, into: Path, run: Run, settings: Mapping[str, Any], groups: Groups
) -> Report:
    from training.heads.fitting import waiting  # torch

    examples = [example for example in material.tagged if example.words]
    labels = tuple(sorted({tag for example in examples for tag in example.tags} - {NO_TAG}))
    if len(examples) < 2 or len(labels) < 2:
        raise Invalid(f"{TASK} needs sentences with at least 2 tags; there are {len(examples)} with {len(labels)}")
    sides = parts(texts_of(examples), run.seed, settings["held_out"], groups)
    at = {label: number for number, label in enumerate(labels)} | {NO_TAG: -1}
    truth = [np.array([at[tag] for tag in example.tags], dtype=np.int64) for example in examples]
    _check_tagged(truth, sides)
    learnt = sides.learnt.tolist()
    total = _plan(settings, len(learnt), _tagged_words(truth, learnt)).total
    sentences = encoded(encoder, [example.words for example in examples], waiting(run, total))
    work = _Work(sentences, truth, len(labels), settings)
    sha256 = text_digest(canonical([[example.words, example.tags] for example in examples]))
    name = text_digest(
        canonical([TASK, dict(settings), run.seed, sha256, encoder.fingerprint(), learnt, sides.chosen_by.tolist()])
    )
    curve = _curve(work, examples, labels, sides, run, waiting(run, total)) if settings["curve"] else []
    arrays = work.learn(learnt, sides.chosen_by.tolist(), run, name)
    report = {
        "task": TASK,
        "seed": run.seed,
        "data": {"origin": material.origin, "examples": len(examples), "sha256": sha256, **sizes(sides)},
        "figures": _judged(work, arrays, examples, labels, sides, run.seed),
        **({"by_labels": curve} if curve else {}),
    }
    about = HeadCard(TASK, labels, card.described(encoder), settings, report)
    seen = digests(texts_of([examples[row] for row in (*sides.learnt, *sides.chosen_by)]))
    card.write(into, about, {**arrays, LEARNT: seen})
    return report


def _plan(settings: Mapping[str, Any], sentences: int, words: int | None = None) -> Any:
    from training.heads.fitting import Plan  # torch

    rate = float(settings["learning_rate"])
    if settings["network"] == BILSTM:
        return Plan(sentences, settings["epochs"], settings["batch"], rate)
    return Plan(words or sentences, settings["epochs"], settings["batch"] * _WORDS_PER_SENTENCE, rate)


def _judged(
    work: _Work,
    arrays: Mapping[str, NDArray[Any]],
    examples: Sequence[Tagged],
    labels: Sequence[str],
    sides: Parts,
    seed: int,
) -> Report:
    """The head beside what needs no encoder, on what was held out."""
    held_out = [examples[row] for row in sides.held_out]
    wanted, words = [example.tags for example in held_out], [example.words for example in held_out]
    seen = [examples[row] for row in (*sides.learnt, *sides.chosen_by)]
    common = tags.most(seen)
    guesses = _guessed(work, arrays, labels, sides)
    return {
        "head": tags.judged(wanted, guesses, seed),
        "commonest_tag": tags.judged(wanted, [[common] * len(one) for one in words], seed),
        "commonest_tag_of_the_word": tags.judged(wanted, tags.by_word(seen, words), seed),
    }


def _guessed(work: _Work, arrays: Mapping[str, NDArray[Any]], labels: Sequence[str], sides: Parts) -> list[list[str]]:
    found = _scored(work.settings["network"], arrays, work.sentences, sides.held_out.tolist())
    return [[labels[best] for best in rows.argmax(axis=1)] for rows in found]


def _curve(
    work: _Work, examples: Sequence[Tagged], labels: Sequence[str], sides: Parts, run: Run, waits: Any
) -> list[Report]:
    """The figures with 10, 30, 100, 300, … of the sentences to learn from, each with those before it; the penalty is
    chosen by the same sentences as ever."""
    drawn = np.random.default_rng([run.seed, 5]).permutation(sides.learnt).tolist()
    counts = [count for power in range(1, 7) for count in (10**power, 3 * 10**power) if count < len(drawn)]
    wanted = [examples[row].tags for row in sides.held_out]
    part = Run(seed=run.seed, progress=waits, device=run.device, workers=run.workers)
    found = []
    for count in counts:
        words = _tagged_words(work.truth, drawn[:count])
        if words:
            guesses = _guessed(work, work.learn(drawn[:count], sides.chosen_by.tolist(), part, ""), labels, sides)
            found.append({"sentences": count, "words": words, **tags.judged(wanted, guesses, run.seed)})
    return found


def _tagged_words(truth: Sequence[Numbers], rows: Sequence[int]) -> int:
    return int(sum((truth[row] >= 0).sum() for row in rows))


def _scored(
    network: str, arrays: Mapping[str, NDArray[Any]], sentences: Sentences, rows: Sequence[int]
) -> list[NDArray[np.float64]]:
    """(words, labels) probabilities of each sentence."""
    if network == BILSTM:
        from training.heads.sequence import read  # torch

        return [softmax(found) for found in read(arrays, [sentences.of(row) for row in rows])]
    return [softmax(logits(arrays["weights"], arrays["biases"], sentences.of(row))) for row in rows]


def _check_tagged(truth: Sequence[Numbers], sides: Parts) -> None:
    for what, rows in (("learn from", sides.learnt), ("choose by", sides.chosen_by), ("judge by", sides.held_out)):
        if not any((truth[row] >= 0).any() for row in rows):
            raise Invalid(f"none of the {len(rows)} sentences to {what} has a tagged word; give more tagged sentences")


def _sentences(text: str) -> list[list[tuple[int, int]]]:
    """The words of each sentence as code points of the text."""
    found = [
        [match.span() for match in _WORD.finditer(text, span.start, span.end)] for span in language.sentences(text)
    ]
    return [words for words in found if words]
