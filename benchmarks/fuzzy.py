"""What misread words cost, and what looking for look-alikes brings back, through the product's own search.

    python benchmarks/fuzzy.py FOLDER [...] [--data-dir DIR ...] [--words N] [--documents N] [--json]

FOLDER is in BEIR form, as in `retrieval.py`. Documents drawn by a seed are asked for by three of their own words, as
they stand and with some words of six letters or more misread (each with the chance 0.15, at least one): as optical
character recognition does it (rn for m, 1 for l, e for c, cl for d and the like), or a letter dropped. Prints recall at
10 by fuzzy=off and auto, and nDCG@10 of the folder's own queries of which auto takes a word for another.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import nDCG

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import interval, machine, machine_line
from benchmarks.judged import Failed, Judged, index, read_folder
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.lexical.analysis import plain_words, stemming
from riparian.types import DocumentId, Mode
from search.request import Fuzziness, SearchRequest
from web.wiring import Services, build

CONFUSED = (
    ("rn", "m"), ("m", "rn"), ("l", "1"), ("c", "e"), ("e", "c"), ("i", "l"), ("o", "0"), ("cl", "d"), ("d", "cl"),
    ("s", "5"),
)  # fmt: skip
SHARE, LONG, SEED = 0.15, 6, 5
BY_SIGHT = 0.7  # of the misread words; of the others a letter is dropped
WAYS = ((Mode.LEXICAL, "lexical"), (Mode.HYBRID, "hybrid"))
PACKAGES = ("numpy", "tantivy", "onnxruntime", "rapidfuzz")


@dataclass(frozen=True, slots=True)
class Item:
    document: int
    typed: str
    misread: str


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    found = []
    for number, folder in enumerate(options.folders):
        with _place(options, number) as data_dir:
            found.append(_measure(folder.resolve().name, read_folder(folder), options, data_dir))
    report = {"sets": found, "machine": machine(PACKAGES)}
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--encoder", help="kind, folder or hub id; default: the product's")
    parser.add_argument("--data-dir", type=Path, nargs="+", help="keep the index here, one for all or one each")
    parser.add_argument("--words", type=int, default=3, help="words of a question")
    parser.add_argument("--documents", type=int, default=200, help="documents that are asked for")
    parser.add_argument("--json", action="store_true")
    return parser


@contextmanager
def _place(options: argparse.Namespace, number: int) -> Iterator[Path]:
    given = options.data_dir or []
    if given:
        yield given[number if len(given) > 1 else 0]
        return
    with tempfile.TemporaryDirectory(prefix="riparian-fuzzy-") as temporary:
        yield Path(temporary)


def _measure(name: str, judged: Judged, options: argparse.Namespace, data_dir: Path) -> dict[str, Any]:
    services = build(Settings(data_dir=data_dir))
    indexed = index(services, name, judged.corpus, options.encoder)
    items = _items(services, name, options)
    runs = (("typed", Fuzziness.OFF), ("misread", Fuzziness.OFF), ("misread", Fuzziness.AUTO))
    recall = {
        f"{way}, {text}, {fuzzy.value}": _recall(services, name, items, text, mode, fuzzy)
        for mode, way in WAYS
        for text, fuzzy in runs
    }
    words = [pair for one in items for pair in zip(one.typed.split(), one.misread.split(), strict=True)]
    return {
        "collection": name,
        **indexed,
        "questions": len(items),
        "misread": float(np.mean([typed != misread for typed, misread in words])),
        "recall": recall,
        "own": _own(services, name, judged),
    }


def _items(services: Services, name: str, options: argparse.Namespace) -> list[Item]:
    chance = random.Random(SEED)
    with services.database.read() as catalog:
        ids = catalog.documents.ids(catalog.collections.named(name).id).tolist()
        chosen = sorted(chance.sample(ids, min(options.documents, len(ids))))
        texts = [(int(one.id), one.text) for one in catalog.documents.written([DocumentId(one) for one in chosen])]
    items = []
    for document, text in texts:
        words = [w for w in dict.fromkeys(plain_words(text)) if len(w) > 3 and w.isalpha() and stemming("en")(w)]
        if len(words) < options.words:
            continue
        typed = chance.sample(words, options.words)
        if any(len(word) >= LONG for word in typed):
            items.append(Item(document, " ".join(typed), " ".join(_misread(typed, chance))))
    return items


def _misread(typed: Sequence[str], chance: random.Random) -> list[str]:
    long = [row for row, word in enumerate(typed) if len(word) >= LONG]
    chosen = [row for row in long if chance.random() < SHARE] or [chance.choice(long)]
    return [misread(word, chance) if row in chosen else word for row, word in enumerate(typed)]


def misread(word: str, chance: random.Random) -> str:
    """The word with one confusion of a scanner in it, or a letter less."""
    likely = [pair for pair in CONFUSED if pair[0] in word]
    if likely and chance.random() < BY_SIGHT:
        seen, taken = chance.choice(likely)
        at = chance.choice([place for place in range(len(word)) if word.startswith(seen, place)])
        return word[:at] + taken + word[at + len(seen) :]
    at = chance.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _recall(
    services: Services, name: str, items: Sequence[Item], text: str, mode: Mode, fuzzy: Fuzziness
) -> dict[str, Any]:
    found, times = [], []
    for one in items:
        started = time.perf_counter()
        first = _first(services, name, getattr(one, text), mode, fuzzy)
        times.append(1000 * (time.perf_counter() - started))
        found.append(float(one.document in first[:10]))
    return {"recall@10": asdict(interval(np.array(found))), "milliseconds": float(np.median(times))}


def _first(services: Services, name: str, text: str, mode: Mode, fuzzy: Fuzziness) -> list[int]:
    request = SearchRequest(name, text, mode, feedback=False, sentences=False, fuzzy=fuzzy)
    found: list[int] = services.calibration.search.standing(request).ranked.ranking.ids[:100].tolist()
    return found


def _own(services: Services, name: str, judged: Judged) -> dict[str, Any]:
    """The folder's own queries in which a word is taken for another: nDCG@10 without and with that."""
    touched = {
        query: text
        for query, text in judged.queries.items()
        if services.calibration.search.standing(SearchRequest(name, text, Mode.LEXICAL)).question.asked.words.respelt  # type: ignore[union-attr]
    }
    scores = {}
    for fuzzy in (Fuzziness.OFF, Fuzziness.AUTO):
        run: dict[str, Mapping[str, float]] = {}
        for query, text in touched.items():
            ids = _first(services, name, text, Mode.HYBRID, fuzzy)[:10]
            with services.database.read() as catalog:
                documents = catalog.documents.many({DocumentId(one) for one in ids})
            names = [str(documents[DocumentId(one)].metadata["_id"]) for one in ids]
            run[query] = {one: float(-place) for place, one in enumerate(names)}
        qrels = {query: judged.qrels[query] for query in touched}
        by = {one.query_id: one.value for one in ir_measures.iter_calc([nDCG @ 10], qrels, run)}
        scores[fuzzy.value] = np.array([by.get(query, 0.0) for query in touched])
    if not touched:
        return {"queries": 0, "of": len(judged.queries)}
    gains = np.concatenate((scores["auto"] - scores["off"], np.zeros(len(judged.queries) - len(touched))))
    means = {way: float(values.mean()) for way, values in scores.items()}
    return {"queries": len(touched), "of": len(judged.queries), **means, "gain_over_all": asdict(interval(gains))}


def _as_text(report: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for one in report["sets"]:
        lines.append(f"{one['collection']}: {one['questions']} questions, {one['misread']:.0%} of their words misread")
        for label, found in one["recall"].items():
            recall = found["recall@10"]
            lines.append(
                f"  {label:24} recall@10 {recall['mean']:.3f} [{recall['low']:.3f}, {recall['high']:.3f}]"
                f"  {found['milliseconds']:.1f} ms"
            )
        lines.append(f"  own queries: {json.dumps(one['own'])}")
    return "\n".join([*lines, machine_line(report["machine"])])


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"fuzzy: {error}")
