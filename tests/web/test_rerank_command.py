"""Re-ranking from the command line with small random models: token states made afterwards, a cross-encoder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.riparian.encoder_models import tiny_bert
from tests.web.test_cli import Terminal, riparian
from web.cli import run

__all__ = ["riparian"]

ROWS = (
    ("River bank", "The river rose over the bank."),
    ("Money", "The bank raised its interest rates."),
    ("", "Ducks sleep on the left bank of the river."),
    ("Reserve", "Money is left in reserve."),
)
QUERY = "the bank of the river"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def encoder(models: Path) -> Path:
    return tiny_bert(models)


@pytest.fixture(scope="module")
def cross_encoder(models: Path, encoder: Path) -> Path:
    """A sequence classifier with one output."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    target = models / "cross"
    torch.manual_seed(5)
    config = AutoConfig.from_pretrained(encoder, num_labels=1)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(target)
    shutil.copy(encoder / "tokenizer.json", target / "tokenizer.json")
    return target


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, encoder: Path) -> Path:
    """A data folder with the collection "small", without token states; to be copied."""
    folder = tmp_path_factory.mktemp("indexed")
    table = folder / "small.csv"
    table.write_text("title,text\n" + "".join(f"{title},{text}\n" for title, text in ROWS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIPARIAN_TOKEN_STATES", "false")
        arguments = ["add", str(table), "--collection", "small", "--encoder", str(encoder)]
        assert run([*arguments, "--data-dir", str(folder / "data")]) == 0
    return folder / "data"


@pytest.fixture
def small(indexed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(shutil.copytree(indexed, tmp_path / "data"), capsys)


def search(terminal: Terminal, how: str) -> dict:
    code, out, _ = terminal("search", QUERY, "--collection", "small", "--rerank", how, "--json")
    assert code == 0
    return json.loads(out)


def test_where_token_states_are_lacking_the_answer_names_the_command_that_makes_them(small):
    before = search(small, "maxsim")
    assert before["rerank"] == "none"
    command = "collections token-states small"
    assert before["notes"] == [f"not re-ranked: the collection has no token states; `riparian {command}` makes them"]
    code, out, _ = small(*command.split())
    assert code == 0
    assert out.startswith("small: token states made for 4 passages by ")
    after = search(small, "maxsim")
    assert (after["rerank"], after["notes"]) == ("maxsim", [])
    again = json.loads(small(*command.split(), "--json")[1])
    assert (again["collection"], again["passages"]) == ("small", 0)


def test_the_job_can_be_left_to_a_worker(small):
    job = json.loads(small("collections", "token-states", "small", "--background", "--json")[1])["job"]
    [queued] = [j for j in json.loads(small("jobs", "list", "--json")[1])["jobs"] if j["state"] == "queued"]
    assert (queued["id"], queued["kind"]) == (job, "token-states")


def test_an_encoder_without_token_states_is_named(riparian):
    code, out, _ = riparian("search", "river", "--rerank", "maxsim", "--json")
    assert code == 0
    assert "not re-ranked: the collection's encoder gives no token states" in " ".join(json.loads(out)["notes"])


def test_a_cross_encoder_has_half_a_say_in_the_order(small, cross_encoder, monkeypatch):
    monkeypatch.setenv("RIPARIAN_CROSS_ENCODER", str(cross_encoder))
    answer = search(small, "cross-encoder")
    assert (answer["rerank"], answer["notes"]) == ("cross-encoder", ["re-ranked by cross"])
    texts = [f"{title}\n{text}" if title else text for title, text in ROWS]
    before = {hit["passage"]["text"]: hit["score"] for hit in search(small, "none")["hits"]}
    scores = scaled(logits(cross_encoder, texts)) + scaled(np.array([before[text] for _, text in ROWS]))
    expected = [ROWS[row][1] for row in np.argsort(-scores)]
    assert [hit["passage"]["text"] for hit in answer["hits"]] == expected
    assert expected != list(before)


def scaled(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min())


def logits(folder: Path, texts: list[str]) -> np.ndarray:
    """What the model says of the query with each text, one at a time."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        return np.array([float(model(**tokenizer(QUERY, text, return_tensors="pt")).logits) for text in texts])
