"""Every kind of encoder on the same judged collections: how well it finds, and what it costs.

    python benchmarks/encoders.py FOLDER... [--kinds KIND,...] [--minutes M] [--models DIR] [--also LABEL=SPEC] [--json]

FOLDER is in BEIR form (see `retrieval.py`). For each kind the collection is indexed and searched through the product.
Kinds that come with weights are used with these; the others are trained first, through the product, on the collection's
own documents without its questions or judgments, in their small default configuration, for M minutes of wall time at
most (cove on the machine's gettext catalogues, see --translations). With --models everything is kept in that data
folder: what is trained and indexed there already is used again.

Prints nDCG@10 of semantic and of hybrid search with 95 % bootstrap intervals over the queries, passages encoded per CPU
second, CPU seconds to load, dimensions and origin; as the first row what searching by words alone gives.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import Interval, interval, machine, machine_line
from benchmarks.judged import Failed, Judged, ask, by_query, index, read_folder, work
from indexer.texts import encoder_inputs
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.errors import RiparianError, UnknownEncoder
from riparian.types import Mode
from search.request import Fusion
from training.collected import distinct
from training.estimate import drawn, speed
from training.service import Wish
from web.wiring import Services, build

KINDS = (
    "word2vec",
    "glove",
    "elmo",
    "cove",
    "context2vec-lstm",
    "context2vec-awe",
    "use",
    "cvt",
    "view-match",
    "mirror-bert",
    "twin-causal",
    "bert",
    "sentence-transformers",
)
WITH_WEIGHTS = ("glove", "use", "bert", "sentence-transformers")
MEASURE = "nDCG@10"
PACKAGES = ("numpy", "torch", "onnxruntime", "gensim", "faiss-cpu", "tantivy", "ir-measures")
SEED = 1
_SAMPLE_DOCUMENTS = 400


@dataclass(frozen=True, slots=True)
class Row:
    """One encoder on one collection; `problem` says why there are no figures."""

    collection: str
    label: str
    name: str = ""
    origin: str = ""
    context: str = ""
    dimension: int = 0
    passages: int = 0
    semantic: Interval | None = None
    hybrid: Interval | None = None
    passages_per_cpu_second: float = 0.0
    load_cpu_seconds: float = 0.0
    trained_seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoder to measure: its label in the table, and the spec it has or the kind that is trained."""

    label: str
    spec: str = ""
    kind: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    chosen = candidates(options.kinds, options.also)
    with tempfile.TemporaryDirectory(prefix="riparian-encoders-") as temporary:
        services = build(Settings(data_dir=options.models or Path(temporary), threads=options.threads))
        reports = [_measure(services, folder, chosen, options) for folder in options.folders]
    found = {"collections": reports, "minutes": options.minutes, "threads": options.threads}
    report = {**found, "machine": machine(PACKAGES)}
    print(json.dumps(report, indent=2) if options.json else as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--kinds", type=_kinds, default=list(KINDS), help="default: all")
    parser.add_argument("--also", action="append", default=[], metavar="LABEL=SPEC", help="one more encoder")
    parser.add_argument("--minutes", type=float, default=2.0, help="for training one kind (default 2)")
    parser.add_argument("--models", type=Path, help="keep encoders and indexes here and use them again")
    parser.add_argument(
        "--translations",
        type=Path,
        action="append",
        help="gettext catalogues or tables that cove learns from; default: the machine's German catalogues",
    )
    parser.add_argument("--limit", type=int, help="ask only the first N judged queries")
    parser.add_argument("--threads", type=int, default=1, help="threads for encoding and training (default 1)")
    parser.add_argument("--json", action="store_true")
    return parser


def _kinds(text: str) -> list[str]:
    return [kind.strip() for kind in text.split(",") if kind.strip()]


def candidates(kinds: Sequence[str], also: Sequence[str]) -> list[Candidate]:
    """Failed for a kind that is none of the table and for what is not LABEL=SPEC."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise Failed(f"no kind {unknown[0]!r} in the table; there is: {', '.join(KINDS)}")
    found = [Candidate(kind, spec=kind) if kind in WITH_WEIGHTS else Candidate(kind, kind=kind) for kind in kinds]
    for given in also:
        label, equals, spec = given.partition("=")
        if not (label and equals and spec):
            raise Failed(f"--also {given}: give LABEL=SPEC, for example tiny=hashing:64")
        found.append(Candidate(label, spec=spec))
    return found


def _measure(services: Services, folder: Path, chosen: Sequence[Candidate], options: argparse.Namespace) -> Any:
    judged, name = read_folder(folder, options.limit), folder.resolve().name
    indexed = index(services, name, judged.corpus, "hashing")  # only for its words and its text
    words = ask(services, name, judged, Mode.LEXICAL, Fusion.MIN_MAX, None)
    rows = []
    for candidate in chosen:
        print(f"{name}: {candidate.label} …", file=sys.stderr, flush=True)
        rows.append(_row(services, name, judged, candidate, options))
    return {
        "collection": name,
        "documents": indexed["documents"],
        "queries": len(judged.queries),
        "lexical": asdict(interval(by_query(judged, words.run)[MEASURE])),
        "rows": [asdict(row) for row in rows],
    }


def _row(services: Services, name: str, judged: Judged, candidate: Candidate, options: argparse.Namespace) -> Row:
    """What keeps one kind from being measured is told in its row and does not stop the others."""
    try:
        spec, seconds = candidate.spec, 0.0
        if candidate.kind:
            spec, seconds = trained(services, name, candidate.kind, options.minutes, options.translations)
        own = f"{name} {candidate.label}"
        passages = index(services, own, judged.corpus, spec)["passages"]
        found = {
            mode: interval(by_query(judged, ask(services, own, judged, mode, Fusion.MIN_MAX, None).run)[MEASURE])
            for mode in (Mode.SEMANTIC, Mode.HYBRID)
        }
        started = time.process_time()
        encoder = services.encoders.load_anew(spec)
        loading = time.process_time() - started
        rate = speed(encoder, drawn(list(_passages(services, name, encoder)), SEED)).passages_per_cpu_second
    except (Failed, RiparianError) as error:
        return Row(name, candidate.label, problem=str(error))
    info = encoder.info
    return Row(
        collection=name,
        label=candidate.label,
        name=info.name,
        origin=info.origin,
        context=info.contextual,
        dimension=info.passage_dim,
        passages=passages,
        semantic=found[Mode.SEMANTIC],
        hybrid=found[Mode.HYBRID],
        passages_per_cpu_second=round(rate, 1),
        load_cpu_seconds=round(loading, 2),
        trained_seconds=round(seconds, 1),
    )


def trained(
    services: Services, name: str, kind: str, minutes: float, translations: Sequence[Path] | None
) -> tuple[str, float]:
    """The library's name of the encoder of this kind for the collection, and how long its training took (0 where it
    was there)."""
    own = f"{kind}-of-{name}"
    try:
        return services.training.library.get(own).name, 0.0
    except UnknownEncoder:
        started = time.perf_counter()
    if kind == "cove":  # from whole files: the documents have no translations
        wish = Wish(kind, own, paths=[str(path) for path in translations or catalogues()], minutes=minutes, seed=SEED)
    else:
        wish = Wish(kind, own, collection=name, minutes=minutes, seed=SEED)
    work(services, services.training.train(wish), f"training {kind}")
    return own, time.perf_counter() - started


def catalogues() -> list[Path]:
    """The German gettext catalogues of the machine. Failed where there are none."""
    found = sorted(Path("/usr/share/locale/de/LC_MESSAGES").glob("*.mo"))
    if not found:
        raise Failed("no translations to train cove on: give --translations FILE or FOLDER (.mo, .tsv)")
    return found


def _passages(services: Services, name: str, encoder: Encoder) -> Iterator[str]:
    for document in islice(distinct(services.database, name), _SAMPLE_DOCUMENTS):
        yield from encoder_inputs(encoder, document.title, document.text, document.language)


# -------------------------------------------------------------------------------------------- the table


def as_text(report: Mapping[str, Any]) -> str:
    """A table in Markdown for each collection, and the machine."""
    lines: list[str] = []
    for collection in report["collections"]:
        lines += [
            f"**{collection['collection']}**: {collection['documents']} documents, {collection['queries']} queries",
            "",
        ]
        lines += [
            "| kind | origin | dimensions | nDCG@10, semantic | nDCG@10, hybrid | passages per CPU second "
            "| CPU seconds to load |",
            "|---|---|---|---|---|---|---|",
            f"| (words alone) | – | – | – | {_cell(collection['lexical'])} | – | – |",
        ]
        lines += [_line(row) for row in collection["rows"]]
        lines.append("")
    return "\n".join([*lines, machine_line(report["machine"])])


def _line(row: Mapping[str, Any]) -> str:
    if row["problem"]:
        return f"| {row['label']} | not measured: {row['problem']} | | | | | |"
    cells = (
        row["label"],
        row["origin"],
        row["dimension"],
        _cell(row["semantic"]),
        _cell(row["hybrid"]),
        f"{row['passages_per_cpu_second']:,.0f}",
        f"{row['load_cpu_seconds']:.1f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _cell(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"encoders: {error}")
