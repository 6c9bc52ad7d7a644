"""The table of heads: each says what it needs and on which encoder it cannot stand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from riparian.encoders.base import EncoderInfo
from riparian.encoders.hashing import HashingEncoder
from riparian.errors import Invalid
from tests.training.head_examples import reviews, tagged
from training.heads.answers import Answerer
from training.heads.classification import Classifier
from training.heads.table import HEADS, load, named
from training.heads.tagging import Tagger
from training.material import Answered, Material, Run

WITH_TOKENS, OF_SOME_KINDS = ("answers", "tagging"), ("tuned-classification", "layer-mix")


class Wholes(HashingEncoder):
    """One vector a text, none for words."""

    @property
    def info(self) -> EncoderInfo:
        return replace(super().info, token_dim=None)


def test_every_head_is_found_by_its_name_and_says_what_it_needs() -> None:
    assert list(HEADS) == ["classification", "sentiment", "answers", "tagging", "tuned-classification", "layer-mix"]
    assert {name: head.needs for name, head in HEADS.items()} == {
        "classification": "labelled",
        "sentiment": "labelled",
        "answers": "answered",
        "tagging": "tagged",
        "tuned-classification": "labelled",
        "layer-mix": "labelled",
    }
    assert all(named(name) is head and head.summary and head.name == name for name, head in HEADS.items())
    with pytest.raises(Invalid, match="no head named 'topic'; there is: classification, sentiment"):
        named("topic")


@pytest.mark.parametrize("name", HEADS)
def test_a_head_on_words_refuses_an_encoder_of_whole_texts(name: str) -> None:
    refused = HEADS[name].refuses(Wholes(8))
    assert bool(refused) == (name in (*WITH_TOKENS, *OF_SOME_KINDS))


def test_a_saved_head_is_loaded_as_what_it_is(tmp_path: Path) -> None:
    encoder, run, quick = HashingEncoder(16), Run(workers=1), {"epochs": 1}
    asked = [Answered("Which?", f"number {number} red", 0, 6) for number in range(20)]
    HEADS["sentiment"].train(encoder, Material("", labelled=reviews(40)), tmp_path / "sentiment", run, quick)
    HEADS["tagging"].train(encoder, Material("", tagged=tagged(30)), tmp_path / "tagging", run, quick)
    HEADS["answers"].train(encoder, Material("", answered=asked), tmp_path / "answers", run, quick | {"batch": 2})
    kinds = {name: type(load(tmp_path / name)) for name in ("sentiment", "tagging", "answers")}
    assert kinds == {"sentiment": Classifier, "tagging": Tagger, "answers": Answerer}
    with pytest.raises(Invalid, match="holds no head"):
        load(tmp_path)


def test_naming_the_heads_imports_no_torch() -> None:
    code = "import sys, training.heads.table; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_head_and_every_kind_of_file_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs" / "heads.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in HEADS)
    assert all(f"`{suffix}`" in text for suffix in (".csv", ".tsv", ".jsonl", ".ndjson"))


def test_the_example_of_the_documentation_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "heads.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0].replace("/tmp/mood", str(tmp_path / "mood"))
    exec(compile(code, "docs/heads.md", "exec"), {})
    assert capsys.readouterr().out == "negative\n"
