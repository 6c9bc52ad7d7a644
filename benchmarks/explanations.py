"""Whether the words that an explanation names are the ones that make a match, and what explaining costs.

    python benchmarks/explanations.py FOLDER [--encoder KIND] [--limit N] [--cost-only | --no-cost] [--json]

FOLDER is in BEIR form, as for `benchmarks/retrieval.py`. For N judged queries, each with a relevant document (its
text, up to 1,000 characters): words are deleted in the order that a method calls important, a tenth at a time, and the
passage is encoded again; the mean cosine left with the query over the curve is the deletion figure (lower = more
faithful). Insertion adds the words in the same order to an empty text (higher = more faithful). RISE, Petsiuk et al.
2018, section 3.4; both are divided by the cosine of the whole passage.

Methods: `share` (what Riparian shows: each word's exact share of the cosine, or its estimate where the encoder allows
no exact one), `pull` (the share less what a word of its weight would add on average), `leave-one-out` (every word left
out in turn: one encoding a word), `attention` (what the last layer attends to, averaged over heads and positions) and
`rollout` (attention through all layers, Abnar & Zuidema 2020) for transformers, `random`.

Completeness: the largest |sum of the shares - cosine|, by words of the passage and by words of the query.

Cost: a page of ten hits with explanations beside the same page without, on the first documents of the corpus; and the
hits of that page explained together and one by one, nothing kept from before.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import Values, interval, machine, machine_line
from benchmarks.judged import Failed, Judged, index, read_folder, rows_of
from riparian.config import Settings
from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.errors import RiparianError
from riparian.types import DocumentId, Passage, PassageId
from search.explain.meaning import Meanings
from search.explain.records import Meaning, WordShare
from search.explain.sought import Sought, Target
from search.explain.units import units
from search.request import SearchRequest
from web.wiring import Services, build

PACKAGES = ("numpy", "onnxruntime", "torch", "transformers")
LONGEST = 1000  # characters: about what the default encoder reads at once
STEPS = np.linspace(0.0, 1.0, 11)
COST_DOCUMENTS, COST_QUERIES = 200, 30
SEED = 7


@dataclass(frozen=True, slots=True)
class Pair:
    query: str
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A passage with the stretches that are taken away one by one, and its query's vector."""

    text: str
    cuts: tuple[int, ...]
    row: NDArray[np.float64]

    def left(self, kept: Sequence[int]) -> str:
        ends = [*self.cuts[1:], len(self.text)]
        return "".join(self.text[self.cuts[at] : ends[at]] for at in sorted(kept))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    judged = read_folder(options.folder)
    report: dict[str, Any] = {"folder": options.folder.name, "encoder": options.encoder, "machine": machine(PACKAGES)}
    if not options.cost_only:
        with tempfile.TemporaryDirectory(prefix="riparian-explanations-") as cache:
            encoder = registry.load(options.encoder, cache_dir=Path(cache), threads=options.threads)
            report["faithful"] = faithful(
                encoder, pairs_of(judged, options.limit), leave_one_out=not options.no_leave_one_out
            )
    if not options.no_cost:
        report["cost_ms"] = cost(judged, options.encoder)
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", default="sentence-transformers", help="kind, folder or hub id")
    parser.add_argument("--limit", type=int, default=50, help="so many query and document pairs, drawn")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--no-leave-one-out", action="store_true", help="the slowest method by far")
    parser.add_argument("--cost-only", action="store_true")
    parser.add_argument("--no-cost", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


def pairs_of(judged: Judged, limit: int) -> list[Pair]:
    """One relevant document a query, drawn with a fixed seed."""
    wanted = {query: max(judged.qrels[query], key=lambda one: judged.qrels[query][one]) for query in judged.queries}
    texts = {
        str(row["_id"]): str(row["text"]) for row in rows_of(judged.corpus) if str(row["_id"]) in set(wanted.values())
    }
    found = [
        Pair(judged.queries[query], _cut(texts[one])) for query, one in wanted.items() if texts.get(one, "").strip()
    ]
    order = np.random.default_rng(SEED).permutation(len(found))[:limit]
    return [found[at] for at in order]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(maxsplit=1)[0]


# ------------------------------------------------------------------------------ faithfulness


def faithful(encoder: Encoder, pairs: Sequence[Pair], *, leave_one_out: bool = True) -> dict[str, Any]:
    """Deletion and insertion of every method with bootstrap intervals, and how far `share` is below the rest."""
    deletion: dict[str, dict[int, float]] = {}
    insertion: dict[str, dict[int, float]] = {}
    methods: set[str] = set()
    errors: list[float] = []
    for number, pair in enumerate(pairs):
        meaning, subject = _subject(encoder, pair)
        methods.add(meaning.method)
        errors.append(_error(meaning))
        for name, order in _orders(encoder, pair, subject, meaning, leave_one_out).items():
            deleted, inserted = _curves(encoder, subject, order)
            deletion.setdefault(name, {})[number] = deleted
            insertion.setdefault(name, {})[number] = inserted
    return {
        "pairs": len(pairs),
        "method": sorted(methods),
        "largest_error": max(errors),
        "deletion": _figures(deletion),
        "insertion": _figures(insertion),
    }


def _subject(encoder: Encoder, pair: Pair) -> tuple[Meaning, Subject]:
    row = encoder.encode_passages([pair.query], "query")[0].astype(np.float64)
    passage = Passage(PassageId(1), DocumentId(1), 0, 0, len(pair.text), pair.text)
    sought = Sought(encoder, pair.query, row, lambda words: [1.0] * len(words))
    [meaning] = Meanings().of(sought, [Target(passage, "", None)], estimates=True)
    assert meaning is not None
    return meaning, Subject(pair.text, (0, *(word.start for word in _words(meaning)[1:])), row)


def _error(meaning: Meaning) -> float:
    """By how much the shares miss the cosine, on the worse side."""
    sides = [(meaning.passage, meaning.rest)] + ([(meaning.query, meaning.query_rest)] if meaning.query else [])
    return max(abs(sum(word.share for word in words) + rest - meaning.cosine) for words, rest in sides)


def _words(meaning: Meaning) -> list[WordShare]:
    """Those that are taken away: signs go with the word before them."""
    found = [word for word in meaning.passage if any(sign.isalnum() for sign in word.text)]
    return found or list(meaning.passage)


def _orders(
    encoder: Encoder, pair: Pair, subject: Subject, meaning: Meaning, leave_one_out: bool
) -> dict[str, NDArray[np.int64]]:
    """The numbers of the words, the most important first, by each method."""
    words = _words(meaning)
    values = {"share": _with_signs(meaning, subject, "share"), "pull": _with_signs(meaning, subject, "pull")}
    if leave_one_out:
        left = [subject.left([at for at in range(len(words)) if at != number]) for number in range(len(words))]
        values["leave-one-out"] = -(encoder.encode_passages(left, "passage").astype(np.float64) @ subject.row)
    values |= _attended(encoder, pair.text, subject)
    values["random"] = np.random.default_rng([SEED, len(pair.text)]).random(len(words))
    return {name: np.argsort(-value, kind="stable") for name, value in values.items()}


def _with_signs(meaning: Meaning, subject: Subject, name: str) -> Values:
    values = np.zeros(len(subject.cuts))
    for word in meaning.passage:
        values[_owner(word.start, subject)] += getattr(word, name)
    return values


def _owner(place: int, subject: Subject) -> int:
    return max(0, int(np.searchsorted(subject.cuts, place, side="right")) - 1)


def _curves(encoder: Encoder, subject: Subject, order: NDArray[np.int64]) -> tuple[float, float]:
    counts = [round(float(step) * len(order)) for step in STEPS]
    texts = [subject.left(order[count:].tolist()) for count in counts]
    texts += [subject.left(order[:count].tolist()) for count in counts]
    cosines = encoder.encode_passages(texts, "passage").astype(np.float64) @ subject.row
    whole = float(cosines[0])
    deleted, inserted = cosines[: len(counts)], cosines[len(counts) :]
    return float(np.trapezoid(deleted, STEPS)) / whole, float(np.trapezoid(inserted, STEPS)) / whole


def _figures(values: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """Means with intervals, and paired differences over the pairs that a method could be tried on."""
    share = values["share"]
    return {
        name: asdict(interval(np.array(list(found.values()))))
        | {"pairs": len(found)}
        | {"share_less_this": asdict(interval(np.array([share[row] - value for row, value in found.items()])))}
        for name, found in values.items()
    }


# ------------------------------------------------------------------------------ attention


def _attended(encoder: Encoder, text: str, subject: Subject) -> dict[str, Values]:
    """What the encoder's own attention points at; nothing for one that has none, or a text beyond its window."""
    from riparian.encoders.transformer import TransformerEncoder

    [tokens] = encoder.tokenize([text])
    if not isinstance(encoder, TransformerEncoder) or len(tokens.tokens) > (encoder.info.max_tokens or 0):
        return {}
    layers = _attention(encoder, text)
    skip = (layers.shape[1] - len(tokens.tokens)) // 2  # as many special tokens before as behind
    rolled = np.eye(layers.shape[1])
    for layer in layers:
        rolled = (0.5 * layer + 0.5 * np.eye(len(layer))) @ rolled
    found = {"attention": layers[-1].mean(axis=0), "rollout": rolled.mean(axis=0)}
    owners = [_owner(unit.start, subject) for unit in units(text, tokens.offsets) for _ in unit.tokens]
    values = {}
    for name, received in found.items():
        values[name] = np.zeros(len(subject.cuts))
        np.add.at(values[name], owners, received[skip : skip + len(tokens.tokens)])
    return values


_MODELS: dict[str, Any] = {}


def _attention(encoder: Any, text: str) -> Values:
    """(layers, T, T), the mean over heads: rows attend, columns are attended to."""
    import torch

    from riparian.encoders.torch_engine import load_model

    source, _, subwords = encoder.parts
    if encoder.fingerprint() not in _MODELS:
        _MODELS[encoder.fingerprint()] = load_model(source.folder, attention="eager")
    ids = [*subwords.prefix, *subwords.ids([text])[0].ids, *subwords.suffix]
    with torch.inference_mode():
        given = torch.tensor([ids])
        found = _MODELS[encoder.fingerprint()](
            input_ids=given, attention_mask=torch.ones_like(given), output_attentions=True
        ).attentions
        return np.stack([layer[0].mean(dim=0).double().numpy() for layer in found])


# ------------------------------------------------------------------------------ cost


def cost(judged: Judged, encoder: str) -> dict[str, Any]:
    """p50 and p95 of a page of ten hits with explanations over one without, fresh and seen before."""
    with tempfile.TemporaryDirectory(prefix="riparian-explanations-") as temporary:
        corpus = Path(temporary) / "corpus.jsonl"
        with corpus.open("w", encoding="utf-8") as file:
            for row in islice(rows_of(judged.corpus), COST_DOCUMENTS):
                file.write(json.dumps(row) + "\n")
        services = build(Settings(data_dir=Path(temporary) / "data"))
        index(services, "judged", corpus, encoder)
        found: dict[str, list[Spent]] = {}
        queries = list(judged.queries.values())[: COST_QUERIES + 1]
        for number, query in enumerate(queries):
            request = SearchRequest("judged", query)
            services.search.search(request)  # sentence vectors and the query's are kept from here on
            times = _pages(services, request) | _batched(services, request)
            for name, one in times.items() if number else ():  # the first query opens the indexes
                found.setdefault(name, []).append(one)
        services.database.engine.dispose()
    return {name: _percentiles(times) for name, times in found.items()}


@dataclass(frozen=True, slots=True)
class Spent:
    """Milliseconds on the clock, and of all cores: the second does not depend on what else the machine does."""

    wall: float
    processor: float


def _pages(services: Services, request: SearchRequest) -> dict[str, Spent]:
    return {
        "page, plain": _timed(lambda: services.search.search(request)),
        "page, explained": _timed(lambda: services.explain.search(request)),
        "page, explained again": _timed(lambda: services.explain.search(request)),
    }


def _batched(services: Services, request: SearchRequest) -> dict[str, Spent]:
    """The meaning of the ten hits alone, in one call and in ten."""
    standing = services.search.inner.standing(request)
    encoder = standing.question.asked.encoder
    assert encoder is not None
    row = encoder.encode_passages([request.query], "query")[0].astype(np.float64)
    sought = Sought(encoder, request.query, row, lambda words: [1.0] * len(words))
    hits = services.search.inner.presented(standing, request.page).hits
    targets = [Target(hit.passage, hit.document.title, None) for hit in hits]
    return {
        "hits, together": _timed(lambda: Meanings().of(sought, targets, estimates=False)),
        "hits, one by one": _timed(lambda: [Meanings().of(sought, [one], estimates=False) for one in targets]),
    }


def _timed(work: Callable[[], object]) -> Spent:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Spent(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor))


def _percentiles(times: Sequence[Spent]) -> dict[str, dict[str, float]]:
    return {
        name: {f"p{share}": float(np.percentile([getattr(one, name) for one in times], share)) for share in (50, 95)}
        for name in ("wall", "processor")
    }


def _as_text(report: dict[str, Any]) -> str:
    lines = [f"{report['folder']}, encoder {report['encoder']}", machine_line(report["machine"])]
    if "faithful" in report:
        found = report["faithful"]
        lines.append(f"{found['pairs']} pairs, {', '.join(found['method'])} shares")
        lines.append(f"largest |sum of shares - cosine|: {found['largest_error']:.1e}")
        lines.append(f"{'':15} {'deletion':>26} {'insertion':>26} {'share less this: deletion':>28} {'insertion':>28}")
        for name, deleted in found["deletion"].items():
            inserted = found["insertion"][name]
            figures = (deleted, inserted, deleted["share_less_this"], inserted["share_less_this"])
            shown = [f"{one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]" for one in figures]
            lines.append(f"{name:15} {shown[0]:>26} {shown[1]:>26} {shown[2]:>28} {shown[3]:>28}")
    for name, both in report.get("cost_ms", {}).items():
        for clock, one in both.items():
            lines.append(f"{name:22} {clock:10} p50 {one['p50']:7.1f} ms   p95 {one['p95']:7.1f} ms")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"explanations: {error}")
