"""How often the sentence that Riparian answers with holds the answer, in a language and across languages.

    python benchmarks/answers.py FOLDER [--encoder KIND] [--questions LANG] [--passages LANG] [--limit N] [--json]

FOLDER holds `<lang>-paragraphs.jsonl.gz` (id, text) and `<lang>-questions.jsonl.gz` (id, paragraph, question, answers
with answer_start), parallel by id: XQuAD. The paragraphs are indexed as a collection and the questions asked through
the product. An answer counts where it holds the first character of the marked answer, in the marked paragraph.

`in its paragraph`: the best sentence of the paragraph that holds the answer, beside its first sentence, its longest
one, the one nearest by cosine alone and the one with most of the question's words. `in the archive`: the first
sentence, and the first three, of what is found among all paragraphs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.figures import interval, machine, machine_line
from benchmarks.judged import Failed, index, rows_of
from riparian.config import Settings
from riparian.errors import RiparianError
from riparian.types import Mode
from search.answers import PASSAGES, AnswerService, Read, passages_of
from search.highlight import cut
from search.request import SearchRequest
from search.sentence_rank import Sentence, overlaps, ranked
from search.service import SearchService, Standing
from search.stored_sentences import Titled
from web.wiring import Services, build

PACKAGES = ("numpy", "onnxruntime", "tantivy")
NAME = "paragraphs"


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    paragraph: str
    start: int


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    asked = options.questions or options.passages
    questions = read_questions(options.folder, asked, options.passages)
    rows = np.linspace(0, len(questions) - 1, min(options.limit, len(questions))).round().astype(int)
    with tempfile.TemporaryDirectory(prefix="riparian-answers-") as temporary:
        services = build(Settings(data_dir=Path(temporary) / "data"))
        facts = index(services, NAME, _corpus(options.folder, options.passages, Path(temporary)), options.encoder)
        found = measure(services, [questions[row] for row in rows])
        services.database.engine.dispose()
    report = {
        "questions": asked,
        "passages": options.passages,
        "asked": len(rows),
        "collection": facts,
        "hit_rate": {name: asdict(interval(np.array(hits, dtype=np.float64))) for name, hits in found.items()},
        "machine": machine(PACKAGES),
    }
    print(json.dumps(report, indent=2) if options.json else _as_text(report))
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--encoder", help="kind, folder or hub id; default: the product's")
    parser.add_argument("--passages", default="en", help="language of the paragraphs")
    parser.add_argument("--questions", help="language of the questions [default: that of the paragraphs]")
    parser.add_argument("--limit", type=int, default=1_000_000, help="so many questions, evenly spaced")
    parser.add_argument("--json", action="store_true")
    return parser


def read_questions(folder: Path, asked: str, passages: str) -> list[Question]:
    """Questions in one language with where the answer stands in the paragraphs of another."""
    marked = {str(row["id"]): row for row in _rows(folder, f"{passages}-questions")}
    return [
        Question(str(row["question"]), str(row["paragraph"]), int(marked[str(row["id"])]["answers"][0]["answer_start"]))
        for row in _rows(folder, f"{asked}-questions")
    ]


def _rows(folder: Path, stem: str) -> list[dict[str, Any]]:
    for name in (f"{stem}.jsonl.gz", f"{stem}.jsonl"):
        if (folder / name).is_file():
            return list(rows_of(folder / name))
    raise Failed(f"{folder}: no {stem}.jsonl.gz")


def _corpus(folder: Path, language: str, into: Path) -> Path:
    path = into / "paragraphs.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(folder, f"{language}-paragraphs"):
            file.write(json.dumps({"_id": row["id"], "title": "", "text": row["text"]}) + "\n")
    return path


def measure(services: Services, questions: Sequence[Question]) -> Mapping[str, list[bool]]:
    """Method → whether it hit, question by question."""
    owners = _by_paragraph(services)
    found: dict[str, list[bool]] = {}
    search, answers = services.search.inner, services.answers.inner
    for question in questions:
        request = SearchRequest(NAME, question.text, Mode.HYBRID, k=PASSAGES, passages=2, collapse=False)
        standing = search.standing(request)
        own = owners[question.paragraph]
        for name, one in _chosen(standing, answers, search, own).items():
            found.setdefault(f"{name}, in its paragraph", []).append(_holds(one, question.start))
        best = answers.ranked(standing, passages_of(search.presented(standing, request.page)))[:3]
        document = own[0].document.id
        hits = [one.cut.passage.document_id == document and _holds(one, question.start) for one in best]
        found.setdefault("best sentence, in the archive", []).append(bool(hits and hits[0]))
        found.setdefault("best three, in the archive", []).append(any(hits))
    return found


def _chosen(
    standing: Standing, answers: AnswerService, search: SearchService, own: Sequence[Read]
) -> dict[str, Sentence]:
    """The sentence of a paragraph by each method."""
    asked = standing.question.asked
    assert asked.words is not None and asked.encoder is not None and asked.meaning is not None
    cuts = [cut(one.passage, one.document.language) for one in own]
    query = asked.meaning.queries[0].astype(np.float64)
    cosines = [rows.astype(np.float64) @ query for rows in search.sentences.vectors(cuts, asked.encoder)]
    best = answers.ranked(standing, own)
    titled = [Titled(one, read.document.title) for one, read in zip(cuts, own, strict=True)]
    states = asked.stored.met(titled) if asked.stored is not None else {}
    stored = {"stored states": ranked(cuts, [states[one.passage.id] for one in cuts])[0]} if states else {}
    return stored | {
        "best sentence": best[0],
        "cosine alone": ranked(cuts, cosines)[0],
        "words alone": ranked(cuts, overlaps(cuts, [one.document.language for one in own], asked.words))[0],
        "first": min(best, key=lambda one: one.span.start),
        "longest": max(best, key=lambda one: len(one.text)),
    }


def _holds(one: Sentence, start: int) -> bool:
    return one.span.start <= start < one.span.end


def _by_paragraph(services: Services) -> dict[str, list[Read]]:
    """The passages of each paragraph, with its document."""
    with services.database.read() as catalog:
        collection = catalog.collections.named(NAME)
        documents = catalog.documents.many(catalog.documents.ids(collection.id).tolist())
        passages, owners = catalog.passages.document_map(collection.id)
        texts = catalog.passages.many(passages.tolist())
    found: dict[str, list[Read]] = {}
    for passage, owner in zip(passages.tolist(), owners.tolist(), strict=True):
        document = documents[owner]
        found.setdefault(str(document.metadata["_id"]), []).append(Read(texts[passage], document))
    return found


def _as_text(report: Mapping[str, Any]) -> str:
    facts = report["collection"]
    lines = [
        f"questions in {report['questions']}, paragraphs in {report['passages']}: {report['asked']} asked of "
        f"{facts['documents']} documents, {facts['passages']} passages, encoder {facts['encoder']}",
        machine_line(report["machine"]),
    ]
    for name, one in report["hit_rate"].items():
        lines.append(f"{name:32} {one['mean']:.3f} [{one['low']:.3f}, {one['high']:.3f}]")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"answers: {error}")
