"""How well the senses of words are found, and found again, in sentences whose senses are known.

    python benchmarks/senses.py OCCURRENCES.jsonl[.gz] [--encoder SPEC] [--split NAME] [--limit N] [--json]

OCCURRENCES has an object a line with `word`, `text` (tokens separated by spaces), `position` (of the token, from 0) and
`sense`, as CoarseWSD-20 has (Loureiro et al. 2021); with `split`, only the rows whose `split` it is. The finder sees no
sense. For each word: adjusted Rand index, V-measure, paired F1, the number of senses found; beside one cluster,
k-means with the number by silhouette on token and on sentence vectors, and k-means told the true number.

Sense retrieval, precision at 10 for each sense of five occurrences or more: by the sense that was found (occurrences of
the cluster that a random occurrence is in, nearest to its middle first), by the word alone (any order), and by the word
and one more (the word that tells the sense best from the others is searched for, the sentence's cosine ranks).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import machine, machine_line
from benchmarks.judged import Failed, rows_of
from indexer.sample import sample_documents
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import MissingPath, RiparianError, Unavailable
from riparian.types import DocumentId, Span
from senses.assign import assigned
from senses.company import Bags, bags
from senses.evidence import Background
from senses.induce import induce
from senses.labels import company_of
from senses.material import MOST, SAMPLE, drawn_word, mean_of
from senses.occurrences import Occurrence, Target
from senses.vectors import OccurrenceVectors
from senses.views import Views, cut_around

PACKAGES = ("numpy", "scikit-learn", "scipy", "onnxruntime")
MEASURES = ("ari", "v", "paired_f1", "found")
BASELINES = ("one cluster", "silhouette token", "silhouette sentence", "k-means, true number")
DEPTH, LEAST = 10, 5
GENERAL_TEXTS = 300

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Word:
    word: str
    occurrences: tuple[Occurrence, ...]
    gold: Labels


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    words = read_words(options.occurrences, options.split, options.limit)
    settings = Settings(**({"data_dir": options.data_dir} if options.data_dir else {}))
    cache = settings.data_dir / "cache"
    pool = EncoderPool.from_settings(settings)
    encoder = pool.load(options.encoder or settings.encoder)
    report = measured(words, encoder, OccurrenceVectors(cache / "senses"))
    report = {"occurrences": str(options.occurrences), "split": options.split, **report, "machine": machine(PACKAGES)}
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("occurrences", type=Path)
    parser.add_argument("--encoder", help="kind, folder, hub id, or a name of the library; default: the product's")
    parser.add_argument("--split", default="", help="only rows of this split")
    parser.add_argument("--limit", type=int, default=MOST, help=f"rows a word at most [default: {MOST}]")
    parser.add_argument("--data-dir", type=Path, help="the data folder with the library of encoders and the cache")
    parser.add_argument("--json", action="store_true")
    return parser


def read_words(path: Path, split: str, limit: int) -> list[Word]:
    """Failed, naming the row, for one without the four fields."""
    if not path.is_file():
        raise Failed(f"{path}: no such file")
    rows: dict[str, list[tuple[Occurrence, str]]] = defaultdict(list)
    for number, row in enumerate(rows_of(path), start=1):
        if split and row.get("split") != split:
            continue
        try:
            found = occurrence(str(row["text"]), int(row["position"]), number)
            rows[str(row["word"])].append((found, str(row["sense"])))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise Failed(f"{path}, row {number}: word, text, position and sense are needed ({error!r})") from error
    if not rows:
        raise Failed(f"{path}: no occurrences" + (f" of split {split!r}" if split else ""))
    return [_word(word, found, limit) for word, found in sorted(rows.items())]


def _word(word: str, found: Sequence[tuple[Occurrence, str]], limit: int) -> Word:
    if len(found) > limit:
        found = [found[row] for row in sorted(np.random.default_rng(0).permutation(len(found))[:limit])]
    gold = np.unique([sense for _, sense in found], return_inverse=True)[1].astype(np.int64)
    return Word(word, tuple(one for one, _ in found), gold)


def occurrence(text: str, position: int, number: int) -> Occurrence:
    tokens = text.split(" ")
    start = sum(len(token) + 1 for token in tokens[:position])
    at = Span(start, start + len(tokens[position]))
    cut = cut_around(text, at)
    inside = Span(at.start - cut.start, at.end - cut.start)
    return Occurrence(DocumentId(number), (), at.start, at.end, text[cut.start : cut.end], inside)


def measured(words: Sequence[Word], encoder: Encoder, vectors: OccurrenceVectors) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for word in words:
        print(f"{word.word}: {len(word.occurrences)} occurrences", file=sys.stderr)
        views = vectors.of(encoder, Target((f"* benchmark {word.word}",)), word.occurrences)
        table = bags([one.sentence for one in word.occurrences], [one.at for one in word.occurrences])
        mean = background(word, words, encoder, vectors)
        started = time.process_time()
        labels = induced(views, table, mean)
        spent = time.process_time() - started
        methods = {"riparian": labels, **baselines(views, word.gold)}
        found[word.word] = {
            "rows": len(word.occurrences),
            "senses": int(word.gold.max()) + 1,
            "seconds": round(spent, 2),
            **{method: scores(word.gold, one) for method, one in methods.items()},
            "precision_at_10": retrieval(word, views, table, labels, encoder),
            "single": singles(word, views, table, mean),
        }
    return {"encoder": encoder.info.name, "kind": encoder.info.kind, "words": found, "mean": _means(found)}


def induced(views: Views, table: Bags, mean: Background) -> Labels:
    known = np.flatnonzero(views.token.any(axis=1))
    labels = np.zeros(len(views), dtype=np.int64)
    if not len(known):
        return labels
    labels[known] = induce(views.take(known), table.weighted()[known], mean).labels()
    rest = np.setdiff1d(np.arange(len(views)), known)
    if len(rest):
        labels[rest], _ = assigned(views.take(known), labels[known], views.take(rest))
    return labels


def background(word: Word, words: Sequence[Word], encoder: Encoder, vectors: OccurrenceVectors) -> Background:
    """As in a collection: a word each of sentences about other things, and general text where they are few."""
    others = sorted((one.key, one) for other in words if other.word != word.word for one in other.occurrences)
    drawn = []
    for _, one in others[:SAMPLE]:
        at = drawn_word(one.sentence, "en")
        if at is not None:
            drawn.append(Occurrence(one.document, (), at.start, at.end, one.sentence, at))
    return mean_of(drawn, vectors, encoder, Target(("* benchmark",)), general_texts)


def general_texts() -> list[str]:
    try:
        return [one.text for _, one in zip(range(GENERAL_TEXTS), sample_documents(), strict=False)]
    except (Unavailable, MissingPath):
        return []


def singles(word: Word, views: Views, table: Bags, mean: Background) -> list[int]:
    """How many senses are found in each true sense alone: those of 40 rows or more, the first 300 of them."""
    found = []
    weighted = table.weighted()
    for sense in range(int(word.gold.max()) + 1):
        rows = np.flatnonzero(word.gold == sense)[:300]
        if len(rows) >= 40:
            found.append(int(induce(views.take(rows), weighted[rows], mean).labels().max()) + 1)
    return found


# ------------------------------------------------------------------------------ baselines and measures


def baselines(views: Views, gold: Labels) -> dict[str, Labels]:
    return {
        "one cluster": np.zeros(len(gold), dtype=np.int64),
        "silhouette token": by_silhouette(views.token),
        "silhouette sentence": by_silhouette(views.sentence),
        "k-means, true number": _k_means(views.sentence, int(gold.max()) + 1),
    }


def _k_means(rows: Any, number: int) -> Labels:
    from sklearn.cluster import KMeans

    found: Labels = KMeans(min(number, len(rows)), n_init=5, random_state=0).fit_predict(rows).astype(np.int64)
    return found


def by_silhouette(rows: Any) -> Labels:
    """k-means with the number from 2 to 8 of the best cosine silhouette."""
    from sklearn.metrics import silhouette_score

    best, kept = -2.0, np.zeros(len(rows), dtype=np.int64)
    for number in range(2, min(8, len(rows) - 1) + 1):
        labels = _k_means(rows, number)
        if len(np.unique(labels)) < 2:
            continue
        score = float(silhouette_score(rows, labels, metric="cosine"))
        if score > best:
            best, kept = score, labels
    return kept


def scores(gold: Labels, labels: Labels) -> dict[str, float]:
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    return {
        "ari": round(float(adjusted_rand_score(gold, labels)), 4),
        "v": round(float(v_measure_score(gold, labels)), 4),
        "paired_f1": round(paired_f1(gold, labels), 4),
        "found": len(np.unique(labels)),
    }


def paired_f1(gold: Labels, labels: Labels) -> float:
    """F1 over pairs of rows: together in truth, together as found."""
    table = np.zeros((int(gold.max()) + 1, int(labels.max()) + 1))
    np.add.at(table, (gold, labels), 1)

    def together(counts: Any) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, one, other = together(table), together(table.sum(axis=1)), together(table.sum(axis=0))
    return 2 * both / (one + other) if one + other else 1.0


def retrieval(word: Word, views: Views, table: Bags, labels: Labels, encoder: Encoder) -> dict[str, float]:
    """Means over the senses of `LEAST` rows or more."""
    by: dict[str, list[float]] = defaultdict(list)
    company = company_of(table, word.gold, int(word.gold.max()) + 1)
    for sense, count in sorted(Counter(word.gold.tolist()).items()):
        if count < LEAST:
            continue
        right = word.gold == sense
        chosen = int(np.bincount(labels[right]).argmax())
        by["sense"].append(_precision(right, _from_middle(views, labels == chosen)))
        by["word"].append(float(right.mean()))
        more = company[sense][0].word if company[sense] else ""
        query = encoder.encode_passages([f"{word.word} {more}".strip()], "query")[0]
        score = views.sentence @ query if len(query) == views.sentence.shape[1] else np.zeros(len(right))
        holds = np.array([more in one.sentence.lower().split() for one in word.occurrences]) if more else False
        by["word and one more"].append(_precision(right, np.argsort(-(score + holds), kind="stable")))
    return {name: round(float(np.mean(values)), 4) for name, values in by.items()}


def _from_middle(views: Views, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows = np.flatnonzero(inside)
    score = sum(view[rows] @ view[rows].mean(axis=0) for view in (views.token, views.context))
    found: NDArray[np.int64] = rows[np.argsort(-np.asarray(score), kind="stable")]
    return found


def _precision(right: NDArray[np.bool_], order: NDArray[np.int64]) -> float:
    depth = min(DEPTH, int(right.sum()))
    return float(right[order[:depth]].sum() / depth)


def _means(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    def mean(of: Callable[[Mapping[str, Any]], Any]) -> float:
        return round(float(np.mean([of(word) for word in found.values()])), 4)

    def of_method(method: str, measure: str) -> float:
        return mean(lambda word: word[method][measure])

    methods = ("riparian", *BASELINES)
    alone = [number for word in found.values() for number in word["single"]]
    kinds = ("sense", "word", "word and one more")
    told = [word for word in found.values() if word["precision_at_10"]]
    return {
        **{method: {one: of_method(method, one) for one in MEASURES} for method in methods},
        "true": mean(lambda word: word["senses"]),
        "single_senses": len(alone),
        "single_senses_split": round(float(np.mean([n > 1 for n in alone])), 4) if alone else None,
        "precision_at_10": {k: round(float(np.mean([w["precision_at_10"][k] for w in told])), 4) for k in kinds}
        if told
        else {},
    }


def _as_text(report: Mapping[str, Any]) -> str:
    mean = report["mean"]
    lines = [f"{report['occurrences']}: {len(report['words'])} words, encoder {report['encoder']}", ""]
    lines.append(f"{'method':24}{'ARI':>8}{'V':>8}{'pair F1':>9}{'senses':>8}")
    for method in ("riparian", *BASELINES):
        row = mean[method]
        lines.append(f"{method:24}{row['ari']:8.3f}{row['v']:8.3f}{row['paired_f1']:9.3f}{row['found']:8.2f}")
    lines += [f"{'(true number)':24}{'':25}{mean['true']:8.2f}", ""]
    for word, one in report["words"].items():
        own, peer = one["riparian"], one["silhouette sentence"]
        lines.append(
            f"{word:16}{one['rows']:6} rows  {one['senses']} senses  ARI {own['ari']:6.3f} ({own['found']})  "
            f"silhouette sentence {peer['ari']:6.3f} ({peer['found']})"
        )
    split = mean["single_senses_split"]
    told = "none to test" if split is None else f"{split:.0%}"
    lines += ["", f"{mean['single_senses']} single senses, split: {told}"]
    lines += [f"precision at 10, {name}: {value:.3f}" for name, value in mean["precision_at_10"].items()]
    return "\n".join([*lines, machine_line(report["machine"])])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"senses: {error}")
