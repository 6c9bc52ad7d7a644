"""Learns from free text when two groups of a word's occurrences are one sense, and prints the weights.

    python benchmarks/senses_pairs.py TEXT [TEXT ...] [--encoder SPEC] [--words N] [--data-dir PATH] [--json]

TEXT is a file of JSON lines with `text` (.jsonl, .jsonl.gz) or a plain text; each file is one kind of text. No sense
label is needed: frequent words of a file are taken in pairs, and the second of a pair is written as the first (a
pseudo-word). Pairs lie within a file, and across neighbouring files where there are several. Each pair is mixed 100:100
and 180:20, and its first word stands alone. The occurrences are grouped as the finder groups them; of every two groups
of which at least 80 % are one word, `senses.evidence` measures its features, and a logistic regression learns from
them whether the words are the same. Every word or mixture counts the same, and so do both answers. What is printed is
what `senses/evidence.py` holds as `WEIGHTS` and `INTERCEPT`. The same files give the same numbers.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.judged import Failed, rows_of
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import RiparianError
from riparian.text import sentences, stop_words, words
from riparian.types import DocumentId, Span
from senses import evidence, graph
from senses.company import bags
from senses.evidence import FEATURES, Background, background_of
from senses.graph import Labels
from senses.induce import segmentations
from senses.material import SAMPLE, drawn_word
from senses.occurrences import Occurrence, Target
from senses.selftest import written_as
from senses.vectors import OccurrenceVectors
from senses.views import Views, cut_around

FEWEST_WORDS, MOST_WORDS = 6, 80
"""Words of a sentence that is taken."""

NEEDED, FIRST, SECOND = 110, 200, 100
"""Occurrences that a word needs, and how many are taken of the first and the second of a pair."""

MIXES = ((100, 100), (180, 20), (200, 0))
PURE = 0.8
PENALTY = 1e-3
SEED = 7

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Text:
    """The sentences of a file, and where each frequent word stands in them: sentence and span, one a sentence."""

    name: str
    sentences: tuple[str, ...]
    places: Mapping[str, tuple[tuple[int, Span], ...]]


@dataclass(frozen=True, slots=True)
class Pair:
    first: str
    first_text: Text
    second: str
    second_text: Text


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    texts = [read_text(path) for path in options.texts]
    settings = Settings(**({"data_dir": options.data_dir} if options.data_dir else {}))
    cache = settings.data_dir / "cache"
    pool = EncoderPool.from_settings(settings)
    encoder = pool.load(options.encoder or settings.encoder)
    report = learned(pairs_of(texts, options.words), encoder, OccurrenceVectors(cache / "senses"))
    report = {"texts": [text.name for text in texts], "encoder": encoder.info.name, **report}
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+", metavar="TEXT")
    parser.add_argument("--encoder", help="kind, folder, hub id, or a name of the library; default: the product's")
    parser.add_argument("--words", type=int, default=6, help="pairs of words in a file [default: 6]")
    parser.add_argument("--data-dir", type=Path, help="the data folder with the library of encoders and the cache")
    parser.add_argument("--json", action="store_true")
    return parser


# ------------------------------------------------------------------------------ words of free text


def read_text(path: Path) -> Text:
    """Failed for a file that is not there, or has fewer than four words of `NEEDED` sentences."""
    if not path.is_file():
        raise Failed(f"{path}: no such file")
    found = tuple(dict.fromkeys(_sentences(_texts(path))))
    places: dict[str, list[tuple[int, Span]]] = defaultdict(list)
    stop = stop_words("en")
    for number, sentence in enumerate(found):
        for one in words(sentence):
            said = places[one.word] if _telling(one.word, stop) else []
            if not said or said[-1][0] != number:
                said.append((number, Span(one.start, one.end)))
    frequent = {word: tuple(where) for word, where in places.items() if len(where) >= NEEDED}
    if len(frequent) < 4:
        raise Failed(f"{path}: {len(frequent)} words stand in {NEEDED} sentences; 4 are needed")
    return Text("/".join(path.parts[-2:]), found, frequent)


def _texts(path: Path) -> Iterator[str]:
    if ".jsonl" not in path.suffixes:
        yield path.read_text(encoding="utf-8")
        return
    for row in rows_of(path):
        yield str(row["text"])


def _sentences(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        for one in sentences(text, "en"):
            sentence = " ".join(text[one.start : one.end].split())
            if FEWEST_WORDS <= len(sentence.split()) <= MOST_WORDS:
                yield sentence


def _telling(word: str, stop: frozenset[str]) -> bool:
    return len(word) > 3 and word.isalpha() and word not in stop


def pairs_of(texts: Sequence[Text], number: int) -> list[Pair]:
    """So many pairs within each text, and half as many of each text and the next."""
    draw = np.random.default_rng(SEED)
    drawn = [_drawn(text, 3 * number, draw) for text in texts]
    found = [
        Pair(a, text, b, text)
        for text, chosen in zip(texts, drawn, strict=True)
        for a, b in zip(chosen[:number], chosen[number : 2 * number], strict=False)
    ]
    if len(texts) > 1:
        for at, text in enumerate(texts):
            beside = (at + 1) % len(texts)
            across = zip(drawn[at][: number // 2], drawn[beside][2 * number :], strict=False)
            found += [Pair(a, text, b, texts[beside]) for a, b in across if a != b]
    return found


def _drawn(text: Text, number: int, draw: np.random.Generator) -> list[str]:
    """Words of many sentences come first in line; among those, chance decides."""
    order = sorted(text.places, key=lambda word: (-len(text.places[word]), word))[: 4 * number]
    return [order[int(at)] for at in draw.permutation(len(order))[:number]]


# ------------------------------------------------------------------------------ what is learnt from


def learned(pairs: Sequence[Pair], encoder: Encoder, vectors: OccurrenceVectors) -> dict[str, Any]:
    features, same, weight = [], [], []
    backgrounds: dict[str, Background] = {}
    for at, pair in enumerate(pairs):
        print(f"{at + 1} of {len(pairs)}: {pair.first} | {pair.second}", file=sys.stderr)
        if pair.first_text.name not in backgrounds:
            backgrounds[pair.first_text.name] = _background(pair.first_text, encoder, vectors)
        for rows, answer in _measured(pair, encoder, vectors, backgrounds[pair.first_text.name]):
            features.append(rows)
            same.append(answer)
            weight.append(np.full(len(rows), 1 / len(rows)))
    x, y, w = np.concatenate(features), np.concatenate(same), np.concatenate(weight)
    weights, intercept = regression(x, y, w)
    return {
        "pairs": len(pairs),
        "groups_compared": len(y),
        "auc": round(_auc(y, x @ weights), 4),
        "weights": {name: round(float(value), 2) for name, value in zip(FEATURES, weights, strict=True)},
        "intercept": round(intercept, 2),
    }


def _background(text: Text, encoder: Encoder, vectors: OccurrenceVectors) -> Background:
    """One word of each of `SAMPLE` sentences drawn evenly from the text."""
    step = max(1, len(text.sentences) // SAMPLE)
    spans = [(one, drawn_word(one, "en")) for one in text.sentences[::step][:SAMPLE]]
    drawn = [_occurrence(sentence, at) for sentence, at in spans if at is not None]
    return background_of(vectors.of(encoder, Target(("* pairs",)), drawn))


def _measured(
    pair: Pair, encoder: Encoder, vectors: OccurrenceVectors, background: Background
) -> Iterator[tuple[Rows, NDArray[np.bool_]]]:
    """For each mixture: a row of features for every two groups, and whether they are the same word."""
    own = _rows(pair.first_text, pair.first, pair.second, FIRST)
    other = [written_as(one, pair.first) for one in _rows(pair.second_text, pair.second, pair.first, SECOND)]
    every = [*own, *other]
    views = vectors.of(encoder, Target((pair.first,)), every)
    for firsts, seconds in MIXES:
        firsts, seconds = min(firsts, len(own)), min(seconds, len(other))
        rows = np.r_[np.arange(firsts), len(own) + np.arange(seconds)].astype(np.int64)
        truth = np.r_[np.zeros(firsts), np.ones(seconds)].astype(np.int64)
        table = bags([every[row].sentence for row in rows], [every[row].at for row in rows]).weighted()
        found = [_of_groups(*one, truth) for one in _segments(views.take(rows), table, background)]
        if sum(len(one[1]) for one in found):
            yield np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


def _rows(text: Text, word: str, without: str, most: int) -> list[Occurrence]:
    draw = np.random.default_rng(SEED)
    places = text.places[word]
    chosen = [places[int(at)] for at in draw.permutation(len(places))]
    found = [
        _occurrence(text.sentences[number], at) for number, at in chosen if not _says(text.sentences[number], without)
    ]
    return found[:most]


def _says(sentence: str, word: str) -> bool:
    return any(one.word == word for one in words(sentence))


def _occurrence(sentence: str, at: Span) -> Occurrence:
    cut = cut_around(sentence, at)
    inside = Span(at.start - cut.start, at.end - cut.start)
    return Occurrence(DocumentId(0), (), at.start, at.end, sentence[cut.start : cut.end], inside)


def _segments(views: Views, table: Any, background: Background) -> Iterator[tuple[Labels, dict[str, Rows]]]:
    reduced = graph.directions(views)
    graphs = [graph.neighbours(view) for view in reduced]
    joint = graph.summed(graphs)
    for labels in segmentations(np.concatenate(reduced, axis=1), joint):
        yield labels, evidence.measured(views, labels, joint, graphs[0], table, background)


def _of_groups(labels: Labels, measured: Mapping[str, Rows], truth: Labels) -> tuple[Rows, NDArray[np.bool_]]:
    counts = np.zeros((int(labels.max()) + 1, 2))
    np.add.at(counts, (labels, truth), 1)
    pure = counts.max(axis=1) >= PURE * counts.sum(axis=1)
    mostly = counts.argmax(axis=1)
    a, b = np.triu_indices(len(counts), 1)
    kept = pure[a] & pure[b]
    a, b = a[kept], b[kept]
    return np.stack([measured[name][a, b] for name in FEATURES], axis=1), mostly[a] == mostly[b]


# ------------------------------------------------------------------------------ logistic regression


def regression(x: Rows, same: NDArray[np.bool_], weight: Rows) -> tuple[Rows, float]:
    """Weights and intercept of ln p / (1 - p) that groups are the same: mean log loss, both answers counting half,
    plus `PENALTY` times the squared weights of standardised features."""
    from scipy.optimize import minimize

    w = weight.copy()
    w[same] /= 2 * w[same].sum()
    w[~same] /= 2 * w[~same].sum()
    middle = np.average(x, axis=0, weights=w)
    spread = np.sqrt(np.average((x - middle) ** 2, axis=0, weights=w)) + 1e-9
    z, sign = (x - middle) / spread, np.where(same, 1.0, -1.0)

    def loss(at: Rows) -> tuple[float, Rows]:
        margin = sign * (z @ at[:-1] + at[-1])
        value = float((w * np.logaddexp(0, -margin)).sum() + PENALTY * (at[:-1] ** 2).sum())
        slope = -w * sign / (1 + np.exp(np.clip(margin, -500, 500)))
        return value, np.r_[z.T @ slope + 2 * PENALTY * at[:-1], slope.sum()]

    best = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    weights: Rows = best[:-1] / spread
    return weights, float(best[-1] - weights @ middle)


def _auc(same: NDArray[np.bool_], score: Rows) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(same, score))


def _as_text(report: Mapping[str, Any]) -> str:
    lines = [f"{report['pairs']} pairs of words of {', '.join(report['texts'])}; encoder {report['encoder']}"]
    lines.append(f"{report['groups_compared']} pairs of groups, AUC {report['auc']:.3f}")
    lines += [f"{name:12} {value:7.2f}" for name, value in report["weights"].items()]
    return "\n".join([*lines, f"{'intercept':12} {report['intercept']:7.2f}"])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"senses_pairs: {error}")
