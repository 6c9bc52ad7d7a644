"""A question-answering head reads question and passage together and points at a span."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from riparian.encoders.extractive import LONGEST, SpanReader, best_span
from riparian.errors import BadWeights, Invalid, MissingPath
from tests.riparian.encoder_models import tiny_bert

PASSAGE = "The river bank was flooded in May. Ducks left the bank."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random two-layer BERT with a question-answering head."""
    import torch
    from transformers import AutoConfig, AutoModelForQuestionAnswering

    body = tiny_bert(tmp_path_factory.mktemp("body"))
    target = tmp_path_factory.mktemp("head") / "answers"
    torch.manual_seed(5)
    AutoModelForQuestionAnswering.from_config(AutoConfig.from_pretrained(body)).save_pretrained(target)
    shutil.copy(body / "tokenizer.json", target / "tokenizer.json")
    return target


def test_a_span_lies_in_its_passage_and_a_batch_changes_nothing(folder: Path) -> None:
    reader = SpanReader(str(folder))
    passages = [PASSAGE, "Money.", "left " * 200, ""]
    found = reader.read("Who left the bank?", passages)
    alone = [reader.read("Who left the bank?", [one])[0] for one in passages]
    for passage, one, other in zip(passages, found, alone, strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        if passage:
            assert one.start is not None and one.end is not None
            assert 0 <= one.start < one.end <= len(passage)
            assert one.margin == pytest.approx(other.margin, abs=1e-4)
    assert found[3].start is None


def test_the_scores_are_those_of_transformers(folder: Path) -> None:
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer, model = (
        AutoTokenizer.from_pretrained(folder),
        AutoModelForQuestionAnswering.from_pretrained(folder).eval(),
    )
    given = tokenizer("Who left?", PASSAGE, return_tensors="pt", return_offsets_mapping=True)
    offsets = given.pop("offset_mapping")[0].tolist()
    inside = np.array([one == 1 for one in given.sequence_ids(0)])
    with torch.inference_mode():
        logits = model(**given)
    scores = torch.stack([logits.start_logits[0], logits.end_logits[0]], dim=1).double().numpy()
    expected = best_span(scores, inside, offsets)
    [found] = SpanReader(str(folder)).read("Who left?", [PASSAGE])
    assert (found.start, found.end) == (expected.start, expected.end)
    assert found.margin == pytest.approx(expected.margin, abs=1e-4)


@given(arrays.arrays(np.float64, (9, 2), elements=st.floats(-5, 5)), st.integers(1, 8))
def test_the_best_span_is_the_best_of_all(scores: np.ndarray, first: int) -> None:
    inside = np.arange(9) >= first
    offsets = [(place, place + 1) for place in range(9)]
    sums = {
        (start, end): scores[start, 0] + scores[end, 1]
        for start in range(first, 9)
        for end in range(start, min(9, start + LONGEST))
    }
    found = best_span(scores, inside, offsets)
    assert found.start is not None and found.end is not None
    assert sums[found.start, found.end - 1] == max(sums.values())
    assert found.margin == pytest.approx(max(sums.values()) - scores[0].sum())


def test_a_model_without_the_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="qa_outputs"):
        SpanReader(str(tiny_bert(tmp_path))).read("Who?", [PASSAGE])


def test_a_model_has_to_be_named_and_there() -> None:
    with pytest.raises(Invalid):
        SpanReader("")
    with pytest.raises(MissingPath):
        SpanReader("/nowhere/at/all")
