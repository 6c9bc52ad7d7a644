"""Encoders looked at as jobs: compared over a collection, put on the bank bench, their cost told in advance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.encoders.base import Encoder
from riparian.encoders.pool import EncoderPool
from riparian.errors import Invalid
from riparian.jobs import Handler, Running
from riparian.types import JobId
from training.bank.bench import BankRow, bank
from training.bank.occurrences import Occurrence, balanced, built_in, read_occurrences
from training.collected import Source, documents, given_texts
from training.compare import FEWEST, MOST, compare
from training.estimate import SAMPLE, drawn, estimate
from training.evaluation.scores import part_of
from training.spoken import Spoken

COMPARE, BANK, ESTIMATE = "compare", "bank", "estimate"

PER_SENSE = 60
"""Occurrences of a sense that are looked at; more say little that is new."""

Cut = Callable[[Encoder, str, str, str], list[str]]
"""What indexing would give an encoder of a document's title and text in a language, passage by passage."""

_PASSAGE_DOCUMENTS = 2_000  # documents that the length of passages is told from


@dataclass(frozen=True, slots=True)
class BenchService:
    """Answers which encoder is worth its time; changes nothing."""

    database: Database
    encoders: EncoderPool
    read_texts: Callable[[Sequence[Path]], Iterable[str]]
    cut: Cut

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of looking at encoders."""
        return {COMPARE: self._run_compare, BANK: self._run_bank, ESTIMATE: self._run_estimate}

    def compare(self, collection: str, encoders: Sequence[str], queries: Sequence[str] = (), seed: int = 0) -> JobId:
        """Queues comparing two to four encoders over a collection. UnknownCollection; UnknownEncoder and its kin for
        one that cannot be loaded; Invalid for another number of them."""
        names = list(dict.fromkeys(name.strip() for name in encoders))
        if not FEWEST <= len(names) <= MOST:
            raise Invalid(f"{FEWEST} to {MOST} different encoders are compared, not {len(names)}")
        self._loadable(names)
        payload = {"collection": collection, "encoders": names, "queries": [q for q in queries if q.strip()]}
        with self.database.write() as catalog:
            catalog.collections.named(collection)
            return jobs.enqueue(catalog, COMPARE, payload | {"seed": seed})

    def evaluate(self, collection: str, encoder: str, queries: Sequence[str] = (), seed: int = 0) -> JobId:
        """Queues judging one encoder over a collection, beside BM25. UnknownCollection; UnknownEncoder and its kin."""
        self._loadable([encoder])
        payload = {"collection": collection, "encoders": [encoder], "queries": [q for q in queries if q.strip()]}
        with self.database.write() as catalog:
            catalog.collections.named(collection)
            return jobs.enqueue(catalog, COMPARE, payload | {"seed": seed})

    def bank(self, encoders: Sequence[str], occurrences: str = "", words: Sequence[str] = (), seed: int = 0) -> JobId:
        """Queues the bank bench of these encoders over a file of labelled occurrences, without one over the sentences
        that come along. MissingPath; UnknownEncoder and its kin."""
        names = list(dict.fromkeys(name.strip() for name in encoders))
        if not names:
            raise Invalid("name an encoder to put on the bench")
        self._loadable(names)
        if occurrences:
            next(read_occurrences(Path(occurrences)), None)
        payload = {"encoders": names, "occurrences": occurrences, "words": list(words), "seed": seed}
        with self.database.write() as catalog:
            return jobs.enqueue(catalog, BANK, payload)

    def estimate(self, encoders: Sequence[str], *, collection: str | None = None, paths: Sequence[str] = ()) -> JobId:
        """Queues telling what indexing the collection, or the files, with each of the encoders would take."""
        if not encoders:
            raise Invalid("name an encoder whose cost is to be told")
        if collection is None and not paths:
            raise Invalid("name a collection or files")
        self._loadable(encoders)
        payload = {"collection": collection, "paths": list(paths), "encoders": list(dict.fromkeys(encoders))}
        with self.database.write() as catalog:
            if collection is not None:
                catalog.collections.named(collection)
            return jobs.enqueue(catalog, ESTIMATE, payload)

    # ---------------------------------------------------------------- working

    def _run_compare(self, running: Running) -> Mapping[str, Any]:
        asked = running.job.payload
        found = list(documents(self.database, asked["collection"], Spoken(running, "read", "texts")))
        encoders = {name: partial(self.encoders.load_anew, name) for name in asked["encoders"]}
        tell = Spoken(running, "compare", "parts of 1000")
        done = compare(encoders, found, asked["seed"], queries=asked["queries"], fewest=1, progress=tell)
        return {"collection": asked["collection"], **asdict(done)}

    def _run_bank(self, running: Running) -> Mapping[str, Any]:
        asked = running.job.payload
        occurrences, tell = _occurrences(asked), Spoken(running, "bench", "parts of 1000")
        rows = [
            bank(
                self.encoders.load(name),
                occurrences,
                asked["seed"],
                progress=part_of(tell, number, len(asked["encoders"])),
            )
            for number, name in enumerate(asked["encoders"])
        ]
        return {"occurrences": len(occurrences), "rows": [bank_row(row) for row in rows]}

    def _run_estimate(self, running: Running) -> Mapping[str, Any]:
        asked = running.job.payload
        found = self._sources(asked, Spoken(running, "read", "texts"))
        if not found:
            raise Invalid("there is no text to tell the cost of")
        tell = Spoken(running, "estimate", "parts of 1000")
        rows = [
            {"encoder": name, **self._estimated(name, found, part_of(tell, number, len(asked["encoders"])))}
            for number, name in enumerate(asked["encoders"])
        ]
        return {"documents": len(found), "characters": sum(len(one.text) for one in found), "rows": rows}

    def _estimated(self, name: str, found: Sequence[Source], tell: Any) -> dict[str, Any]:
        encoder = self.encoders.load(name)
        some = drawn(found, 0, _PASSAGE_DOCUMENTS)
        texts = [passage for one in some for passage in self.cut(encoder, one.title, one.text, one.language)]
        if not texts:
            raise Invalid("there is no text to tell the cost of")
        share = sum(len(one.text) for one in found) / max(1, sum(len(one.text) for one in some))
        size = round(sum(map(len, texts)) * share)
        told = estimate(encoder, drawn(texts, 0, SAMPLE), round(len(texts) * share), size, tell)
        return {"name": encoder.info.name, "dimension": encoder.info.passage_dim, **asdict(told)}

    def _sources(self, asked: Mapping[str, Any], tell: Spoken) -> list[Source]:
        if asked["collection"] is not None:
            return list(documents(self.database, asked["collection"], tell))
        return list(given_texts(self.read_texts([Path(path).expanduser() for path in asked["paths"]])))

    def _loadable(self, names: Sequence[str]) -> None:
        for name in names:
            self.encoders.load(name)


def bank_row(row: BankRow) -> dict[str, Any]:
    """The row as JSON, with what follows from it."""
    return asdict(row) | {"broken_facts": list(row.broken_facts), "separates": row.separates}


def _occurrences(asked: Mapping[str, Any]) -> list[Occurrence]:
    if not asked["occurrences"]:
        return built_in()
    found = balanced(read_occurrences(Path(asked["occurrences"]), asked["words"]), PER_SENSE, asked["seed"])
    if not found:
        raise Invalid(f"{asked['occurrences']} holds no word with two senses among those that were asked for")
    return found
