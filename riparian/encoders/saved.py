"""What a saved encoder carries beside its weights: a card for people, and probe sentences with their vectors.

The probes are encoded again at load, so that a changed library under equal weights is refused, not believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from riparian.encoders.base import Encoder, EncoderInfo
from riparian.encoders.pooling import unit_rows
from riparian.encoders.storage import card_of, new_folder, read_card, read_json, write_card
from riparian.errors import BadWeights
from riparian.types import Matrix

PAGE, PROBES = "card.md", "probes.json"
LEAST_COSINE = 0.999
"""Engines and machines differ far less than this; another pooling, tokenizer or activation differs more."""

SENTENCES = (
    "I went to the bank to deposit money.",
    "I sat by the bank of the river.",
    "The minister said that interest rates would not rise this year.",
    "Water boils at 100 degrees, ice melts at 0.",
    "Café déjà vu: naïve façade, Zürich, Łódź.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "日本語の文章と中文混在",
    "UPPER lower MiXeD — e-mail@example.org, U.S. dates 2001-12-24!",
)

_METHODS = {"published": "as published", "as-described": "as described, not as published"}
_CONTEXTS = {
    "none": "none: a token has one vector wherever it stands; it cannot tell senses apart",
    "window": "a token sees a window of its neighbours",
    "left-right": "a token sees what stands before it and, apart from that, what stands after it",
    "full": "a token sees its whole window of text",
}
_OF_THE_RUN = ("engine",)


@contextmanager
def saving(folder: Path, encoder: Encoder, settings: Mapping[str, Any]) -> Iterator[Path]:
    """Yields an empty folder for the weights; `encoder.json`, `card.md` and `probes.json` are added when the block
    ends well, and it becomes `folder` whole. `settings` are the kind's own, in `encoder.json`.

    Raises AlreadyExists where `folder` is there and not empty.
    """
    with new_folder(folder) as draft:
        yield draft
        write_card(draft, card_of(encoder.info, encoder.fingerprint(), settings))
        (draft / PAGE).write_text(page(encoder.info, encoder.fingerprint()), encoding="utf-8")
        _write_probes(draft / PROBES, encoder)


def verify(folder: Path, encoder: Encoder) -> None:
    """Raises BadWeights unless the encoder that was loaded from `folder` has the fingerprint it was saved with and
    gives the probe sentences their vectors again (cosine > LEAST_COSINE; a zero row stays zero)."""
    promised, found = read_card(folder).fingerprint, encoder.fingerprint()
    if promised != found:
        raise BadWeights(folder, f"the saved encoder {promised[:12]}…", f"{found[:12]}… (a file was changed)")
    texts, expected = _read_probes(folder / PROBES, encoder.info.passage_dim)
    rows = encoder.encode_passages(texts, "passage")
    cosines = (rows * unit_rows(expected)).sum(axis=1)
    for text, row, wanted, cosine in zip(texts, rows, expected, cosines, strict=True):
        if not (cosine > LEAST_COSINE if wanted.any() else not row.any()):
            what = f"the vector it was saved with for {text!r} (cosine > {LEAST_COSINE})"
            raise BadWeights(folder / PROBES, what, f"cosine {cosine:.4f}; a library computes something else now")


def page(info: EncoderInfo, fingerprint: str) -> str:
    """The card in Markdown."""
    facts = {
        "kind": info.kind,
        "origin": info.origin,
        "method": _METHODS[info.method],
        "made from": info.provenance,
        "licence": info.licence,
        "languages": ", ".join(info.languages) or "not stated",
        "context": _CONTEXTS[info.contextual],
        "dimensions": _dimensions(info),
        "longest window": "no limit" if info.max_tokens is None else f"{info.max_tokens} tokens",
        "pooling": info.pooling,
        **dict(_lines({key: value for key, value in info.extra.items() if key not in _OF_THE_RUN})),
        "fingerprint": f"`{fingerprint}`",
    }
    rows = "\n".join(f"| {name} | {_cell(fact)} |" for name, fact in facts.items())
    return (
        f"# {info.name}\n\nAn encoder saved by Riparian. `riparian` loads it by the path of this folder.\n\n"
        f"| | |\n|---|---|\n{rows}\n\n`{PROBES}` holds {len(SENTENCES)} sentences with their vectors; they are encoded "
        f"again at each load and must agree (cosine > {LEAST_COSINE}).\n"
    )


def _lines(facts: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Facts with their names; those within facts under both names."""
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{before}{key}: ")
        else:
            yield before + str(key), ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _dimensions(info: EncoderInfo) -> str:
    tokens = "no token vectors" if info.token_dim is None else f"{info.token_dim} for a token"
    return f"{info.passage_dim} for a passage, {tokens}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _write_probes(path: Path, encoder: Encoder) -> None:
    rows = encoder.encode_passages(SENTENCES, "passage")
    record = [{"text": text, "vector": row.tolist()} for text, row in zip(SENTENCES, rows, strict=True)]
    path.write_text(json.dumps({"probes": record}, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_probes(path: Path, dimension: int) -> tuple[list[str], Matrix]:
    probes = read_json(path).get("probes")
    try:
        texts = [str(probe["text"]) for probe in probes or ()]
        rows = np.array([probe["vector"] for probe in probes or ()], dtype=np.float32)
    except (TypeError, KeyError, ValueError) as error:
        raise BadWeights(path, "probe sentences with their vectors", str(error)) from error
    if rows.shape != (len(texts), dimension) or not texts:
        raise BadWeights(path, f"sentences with vectors of {dimension} numbers", f"shape {rows.shape}")
    return texts, rows
