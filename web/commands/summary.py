"""What `open --no-serve` says at its end, for people and in one line of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from riparian.catalog.catalog import Catalog
from riparian.types import Collection, FileRow, Topic
from web.languages import advice_on, told
from web.wiring import Services

_WORDS = 10
_SHOWN_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Summary:
    """`seconds` by stage; `note` says what could not be done, `advice` that another encoder would do
    better."""

    collection: Collection
    encoder: str
    topics: tuple[Topic, ...]
    failures: tuple[FileRow, ...]
    seconds: Mapping[str, float]
    data_dir: Path
    note: str
    advice: str

    def print(self, total: float) -> None:
        self._print_text(total)
        click.echo(json.dumps(self.record(total), ensure_ascii=False))

    def record(self, total: float) -> dict[str, object]:
        return {
            "documents": self.collection.documents,
            "passages": self.collection.passages,
            "failures": self.collection.failures,
            "encoder": self.encoder,
            "topics": [
                {"label": t.label, "words": [term.term for term in t.terms[:_WORDS]], "share": round(t.share, 4)}
                for t in self.topics
            ],
            "seconds": {**self.seconds, "total": round(total, 2)},
        }

    def _print_text(self, total: float) -> None:
        c = self.collection
        click.echo(f"{c.name}: {c.documents} documents, {c.passages} passages, embedded by {self.encoder}")
        click.echo(f"stored in {self.data_dir}")
        if c.failures:
            click.echo(f"{c.failures} files or parts could not be read:")
        for row in self.failures:
            click.echo(f"  {row.path}: {row.reason}")
        if self.note:
            click.echo(self.note)
        if self.advice:
            click.echo(self.advice)
        for topic in self.topics:
            click.echo(f"  {topic.share:6.1%}  {topic.label}: {' '.join(t.term for t in topic.terms[:_WORDS])}")
        stages = ", ".join(f"{stage} {s:.1f} s" for stage, s in self.seconds.items())
        click.echo(f"took {total:.1f} s ({stages})")


def summarise(services: Services, name: str, seconds: Mapping[str, float], note: str = "") -> Summary:
    with services.database.read() as catalog:
        collection = catalog.collections.named(name)
        advice = advice_on(catalog, collection)
        return Summary(
            collection,
            _encoder(catalog, collection),
            _topics(catalog, collection),
            tuple(catalog.files.failures(collection.id, limit=_SHOWN_FAILURES)),
            seconds,
            services.settings.data_dir,
            note,
            told(advice.sentence(), advice.suggestion, name) if advice else "",
        )


def _encoder(catalog: Catalog, collection: Collection) -> str:
    return catalog.encoders.get(collection.encoder_id).name if collection.encoder_id is not None else ""


def _topics(catalog: Catalog, collection: Collection) -> tuple[Topic, ...]:
    active = [model for model in catalog.topics.models(collection.id) if model.active]
    return tuple(catalog.topics.of_model(active[0].id)) if active else ()
