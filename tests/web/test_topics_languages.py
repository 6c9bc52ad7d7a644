"""Topics that were found in one language, asked about texts of others, through the product as a user has it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from riparian.config import Settings
from tests import evaldata
from tests.web.test_cli import Terminal
from web.app import create_app
from web.wiring import build


def paragraphs(language: str) -> dict[str, str]:
    """Texts by id; equal ids are translations of each other."""
    with gzip.open(evaldata.folder("xquad") / f"{language}-paragraphs.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {row["id"]: row["text"] for row in map(json.loads, lines)}


def batches(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), 100):
        yield texts[start : start + 100]


@pytest.mark.slow
@pytest.mark.timeout(1800)  # 240 paragraphs are embedded once and asked about again in three languages
def test_german_and_spanish_texts_have_the_topics_of_their_english_originals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {language: paragraphs(language) for language in ("en", "de", "es")}
    ids = sorted(texts["en"])
    table = tmp_path / "english.jsonl"
    rows = (json.dumps({"id": name, "text": texts["en"][name]}) + "\n" for name in ids)
    table.write_text("".join(rows), encoding="utf-8")
    riparian = Terminal(tmp_path / "data", capsys)
    added = ("add", table, "-c", "wiki", "--encoder", "use", "--text-column", "text", "--id-column", "id")
    assert riparian(*added)[0] == 0
    code, out, err = riparian("topics", "fit", "-c", "wiki", "--kind", "zeroshot", "--topics", "20", "--json")
    assert (code, json.loads(out)["topics"]) == (0, 20), err

    services = build(Settings(data_dir=tmp_path / "data", log_level="ERROR"))
    client = create_app(services).test_client()
    mains: dict[str, np.ndarray] = {}
    for language, found in texts.items():
        answers = [
            client.post("/api/v1/collections/wiki/topics/infer", json={"texts": batch}).json["texts"]
            for batch in batches([found[name] for name in ids])
        ]
        mains[language] = np.array([mixture[0]["topic"] for batch in answers for mixture in batch])
    services.database.engine.dispose()
    shuffled = np.random.default_rng(0).permutation(len(ids))
    figures = {
        language: (
            float(np.mean(mains["en"] == mains[language])),
            float(np.mean(mains["en"] == mains[language][shuffled])),
        )
        for language in ("de", "es")
    }
    for language, (matched, permuted) in figures.items():
        assert matched >= 0.60, (language, figures)
        assert permuted <= 0.10, (language, figures)
