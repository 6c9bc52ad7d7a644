"""The example of docs/encoders/adding-one.md is installed and tested as a reader would; every kind has a card."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from riparian.encoders import registry
from riparian.encoders.checks import CHECKS
from tests.riparian.plugins import install

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "docs" / "encoders"


def blocks(language: str) -> list[str]:
    text = (CARDS / "adding-one.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_the_example_of_an_own_encoder_passes_its_own_test(tmp_path: Path) -> None:
    module, test = blocks("python")
    (project,) = (tomllib.loads(block)["project"] for block in blocks("toml"))
    (tmp_path / "site").mkdir()
    install(tmp_path / "site", "short_vectors", module, project["entry-points"]["riparian.encoders"])
    (tmp_path / "test_short_vectors.py").write_text(test, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CHECKS) + 1} passed" in done.stdout


OWN = ("sentence-transformers", "bert", "use", "word2vec", "glove", "hashing")


@pytest.mark.parametrize("kind", OWN)
def test_a_card_tells_method_origin_licence_dimensions_and_limits(kind: str) -> None:
    text = (CARDS / f"{kind}.md").read_text(encoding="utf-8")

    assert text.startswith(f"# {kind}\n")
    for part in ("Method", "Origin", "Licence", "Dimensions", "Limits"):
        assert f"\n**{part}.** " in text, part
    static = kind in {"word2vec", "glove", "hashing"}
    assert ("cannot tell senses apart" in text) == static


@pytest.mark.parametrize("kind", registry.BUILT_IN)
def test_every_kind_has_a_card_that_the_table_names(kind: str) -> None:
    assert (CARDS / f"{kind}.md").is_file()
    assert f"| [{kind}]({kind}.md)" in (CARDS / "README.md").read_text(encoding="utf-8")


def test_links_between_the_cards_lead_somewhere() -> None:
    for page in CARDS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
