"""How well the cosine of two sentences agrees with what people said of their likeness.

    python benchmarks/similarity.py PAIRS.jsonl[.gz] [--encoder SPEC] [--limit N] [--json]

PAIRS has an object a line with `sentence1`, `sentence2` and `score`, as the STS Benchmark has (Cer et al. 2017; JSON of
its splits: github.com/PhilipMay/stsb-multi-mt). Prints Spearman's and Pearson's correlation of the cosine with the
score, both times 100 as is usual, with 95 % bootstrap intervals over the pairs. A sentence without any known word has
the cosine 0 to all others.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import Interval, Values, interval_of, machine, machine_line
from benchmarks.judged import Failed, rows_of
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import RiparianError

PACKAGES = ("numpy", "scipy", "onnxruntime")
DRAWS = 1000

Correlation = Callable[[Values, Values], float]


@dataclass(frozen=True, slots=True)
class Pairs:
    first: list[str]
    second: list[str]
    scores: Values

    def __len__(self) -> int:
        return len(self.scores)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    pairs = read_pairs(options.pairs, options.limit)
    settings = Settings(**({"data_dir": options.data_dir} if options.data_dir else {}))
    pool = EncoderPool.from_settings(settings)
    encoder = pool.load(options.encoder or settings.encoder)
    report = {
        "pairs": str(options.pairs),
        "count": len(pairs),
        **measured(encoder, pairs),
        "machine": machine(PACKAGES),
    }
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--encoder", help="kind, folder, hub id, or a name of the library; default: the product's")
    parser.add_argument("--limit", type=int, help="the first N pairs only")
    parser.add_argument("--data-dir", type=Path, help="the data folder with the library of encoders")
    parser.add_argument("--json", action="store_true")
    return parser


def read_pairs(path: Path, limit: int | None = None) -> Pairs:
    """Failed, naming the line, for one without the three fields."""
    if not path.is_file():
        raise Failed(f"{path}: no such file")
    first, second, scores = [], [], []
    for number, row in enumerate(rows_of(path), start=1):
        if limit is not None and number > limit:
            break
        try:
            one, other, score = str(row["sentence1"]), str(row["sentence2"]), float(row["score"])
        except (KeyError, TypeError, ValueError) as error:
            raise Failed(f"{path}, row {number}: sentence1, sentence2 and score are needed ({error})") from error
        first.append(one)
        second.append(other)
        scores.append(score)
    if len(scores) < 3 or len(set(scores)) < 2:
        raise Failed(f"{path}: {len(scores)} pairs with {len(set(scores))} different scores have no correlation")
    return Pairs(first, second, np.array(scores))


def measured(encoder: Encoder, pairs: Pairs) -> dict[str, Any]:
    """Each sentence is encoded once, as a query would be where the encoder tells queries and passages apart."""
    texts = list(dict.fromkeys([*pairs.first, *pairs.second]))
    started = time.process_time()
    rows = encoder.encode_passages(texts, "query")
    spent = time.process_time() - started
    place = {text: row for row, text in enumerate(texts)}
    one, other = (rows[[place[text] for text in side]] for side in (pairs.first, pairs.second))
    cosines = np.asarray((one * other).sum(axis=1), dtype=np.float64)
    return {
        "encoder": encoder.info.name,
        "kind": encoder.info.kind,
        "origin": encoder.info.origin,
        "dimension": encoder.info.passage_dim,
        "spearman": asdict(_times_100(correlated(cosines, pairs.scores, spearman))),
        "pearson": asdict(_times_100(correlated(cosines, pairs.scores, pearson))),
        "unknown": int((~rows.any(axis=1)).sum()),
        "sentences_per_cpu_second": round(len(texts) / max(spent, 1e-9), 1),
    }


def spearman(cosines: Values, scores: Values) -> float:
    """Pearson's correlation of the ranks; equal values share their mean rank."""
    return pearson(stats.rankdata(cosines), stats.rankdata(scores))


def pearson(cosines: Values, scores: Values) -> float:
    """0 where all are equal."""
    if np.ptp(cosines) == 0 or np.ptp(scores) == 0:  # the mean of equal numbers may be off by a bit
        return 0.0
    x, y = cosines - cosines.mean(), scores - scores.mean()
    return float((x * y).sum()) / float(np.sqrt((x * x).sum() * (y * y).sum()))


def correlated(cosines: Values, scores: Values, correlation: Correlation) -> Interval:
    return interval_of(len(scores), lambda rows: correlation(cosines[rows], scores[rows]), DRAWS)


def _times_100(found: Interval) -> Interval:
    return Interval(*(round(100 * value, 2) for value in (found.mean, found.low, found.high)))


def _as_text(report: Mapping[str, Any]) -> str:
    lines = [f"{report['pairs']}: {report['count']} pairs, encoder {report['encoder']} ({report['kind']})", ""]
    for name in ("spearman", "pearson"):
        found = report[name]
        lines.append(f"{name:10}{found['mean']:8.2f}  [{found['low']:.2f}, {found['high']:.2f}]")
    lines += [
        "",
        f"{report['sentences_per_cpu_second']} sentences per CPU second, {report['unknown']} without a vector",
    ]
    return "\n".join([*lines, machine_line(report["machine"])])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"similarity: {error}")
