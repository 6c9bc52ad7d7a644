"""Topics that hold across languages: on vectors that are made to, and on translated paragraphs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judged import Failed
from benchmarks.topics_across import main, measure
from tests import evaldata
from tests.topics.themes import themed


@pytest.mark.parametrize("kind", ["zeroshot", "kmeans"])
def test_translations_near_their_original_share_its_topic_and_random_pairs_do_not(kind: str) -> None:
    world = themed(80)
    rng = np.random.default_rng(1)
    near = world.vectors + 0.02 * rng.normal(size=world.vectors.shape).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    strange = rng.permutation(near)

    rows = measure(kind, world.texts, {"en": world.vectors, "de": near, "xx": strange}, topics=4, seeds=1)

    assert [row.language for row in rows] == ["de", "xx"]
    assert rows[0].matched >= 0.95
    assert rows[0].permuted < 0.5
    assert rows[1].matched < 0.5


def test_a_folder_without_the_paragraphs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"en-paragraphs\.jsonl\.gz"):
        main([str(tmp_path), "--data-dir", str(tmp_path)])


@pytest.mark.slow
def test_english_topics_hold_for_german_and_spanish_paragraphs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(evaldata.folder("xquad")), "--data-dir", str(tmp_path), "--seeds", "1", "--json"]) == 0
    for row in json.loads(capsys.readouterr().out)["rows"]:
        assert row["matched"] >= 0.9  # 0.96 to 0.97 measured
        assert row["permuted"] <= 0.1
