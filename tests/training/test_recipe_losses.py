"""What the recipes minimise, computed once more with NumPy; and that they see the vectors which the encoder gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from riparian.device import Device
from riparian.encoders.transformer import TransformerEncoder
from riparian.types import Role
from tests.riparian.encoder_models import tiny_bert
from tests.riparian.trained_models import grammar, tiny_mirror, tiny_mlm, tiny_padded_mirror
from tests.training.tunable import loaded
from training.material import Pair
from training.recipes.contrastive import MirrorLesson, MirrorSettings, PairsLesson, PairsSettings, SimcseLesson
from training.recipes.contrastive import SimcseSettings as Simcse
from training.recipes.lesson import Lesson
from training.recipes.restoring import Decoder, MlmLesson, MlmSettings, TsdaeLesson, TsdaeSettings
from training.recipes.student import Student

CPU = Device("cpu", "test")
TEXTS = grammar(12)


def student(spec: str, cache: Path, longest: int = 64) -> Student:
    """Without dropout: nothing is left to chance."""
    encoder = loaded(spec, cache)
    assert isinstance(encoder, TransformerEncoder)
    return Student(encoder, CPU, longest=longest, dropout=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mlm(tmp_path_factory.mktemp("mlm"))


@pytest.fixture
def pupil(folder: Path, tmp_path: Path) -> Student:
    return student(f"bert:{folder}", tmp_path, longest=32)


KINDS: dict[str, Callable[[Path], str]] = {
    "bert": lambda place: f"bert:{tiny_mlm(place)}",
    "mirror-bert": lambda place: str(tiny_mirror(place)),
    "mirror-bert with padded mean": lambda place: str(tiny_padded_mirror(place)),
    "prompts and maximum": lambda place: str(tiny_bert(place, prompts=True)),
    "distilbert": lambda place: f"bert:{tiny_bert(place, kind='distilbert')}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_learns_on_the_vectors_that_the_encoder_gives(kind: str, tmp_path: Path) -> None:
    taught = student(KINDS[kind](tmp_path), tmp_path)
    roles: tuple[Role, ...] = ("query", "passage")
    for role in roles:
        with torch.no_grad():
            found = torch.nn.functional.normalize(taught.vectors(TEXTS, role), dim=1).numpy()
        assert np.abs(found - taught.encoder.encode_passages(TEXTS, role)).max() < 1e-5


def draws() -> np.random.Generator:
    return np.random.default_rng(4)


def of(lesson: Lesson, rows: range) -> float:
    return float(lesson.loss(rows, draws()).detach())


def unit(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


def cross_entropy(scores: np.ndarray, own: np.ndarray) -> float:
    top = scores.max(axis=1, keepdims=True)
    logs = scores - top - np.log(np.exp(scores - top).sum(axis=1, keepdims=True))
    return -float(np.mean(logs[np.arange(len(own)), own]))


def rows_of(pupil: Student, texts: list[str]) -> np.ndarray:
    return pupil.encoder.encode_passages(texts, "passage").astype(np.float64)


def test_the_pairs_lesson_is_in_batch_cross_entropy_of_twenty_cosines_both_ways(pupil: Student) -> None:
    pairs = [Pair(text, " ".join(text.split()[:3]) + f" {number}") for number, text in enumerate(TEXTS)]
    lesson = PairsLesson(pupil, PairsSettings(), 1, pairs)
    scores = 20 * rows_of(pupil, [p.first for p in pairs]) @ rows_of(pupil, [p.second for p in pairs]).T
    own = np.arange(len(pairs))
    expected = (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2

    assert of(lesson, range(12)) == pytest.approx(expected, abs=1e-4)


def test_the_simcse_lesson_without_dropout_compares_each_text_with_itself(pupil: Student) -> None:
    lesson = SimcseLesson(pupil, Simcse(), 1, TEXTS)
    rows = rows_of(pupil, TEXTS)
    expected = cross_entropy(rows @ rows.T / 0.05, np.arange(len(TEXTS)))

    assert of(lesson, range(12)) == pytest.approx(expected, abs=1e-4)


def test_the_mirror_lesson_is_nt_xent_over_both_views(pupil: Student) -> None:
    lesson = MirrorLesson(pupil, MirrorSettings(), 1, TEXTS)
    first, second = (unit(side.detach().numpy().astype(np.float64)) for side in lesson.views(range(12), draws()))
    views = np.concatenate([first, second])
    scores = views @ views.T / 0.04
    np.fill_diagonal(scores, -np.inf)
    expected = cross_entropy(scores, np.r_[np.arange(12, 24), np.arange(12)])

    assert of(lesson, range(12)) == pytest.approx(expected, abs=1e-4)
    assert np.abs(first - rows_of(pupil, TEXTS)).max() < 1e-5
    assert np.abs(first - second).max() > 0.01  # something is hidden in the second


# ---------------------------------------------------------------------------------------------- restoring


def layer_norm(x: np.ndarray, module: torch.nn.LayerNorm) -> np.ndarray:
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + module.eps)
    found: np.ndarray = scaled * number(module.weight) + number(module.bias)
    return found


def number(value: torch.Tensor) -> np.ndarray:
    return value.detach().numpy().astype(np.float64)


def decoded(decoder: Decoder, table: np.ndarray, before: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """(L, V) scores for one sentence: the decoder of Vaswani et al. 2017, whose memory is one vector."""
    (layer,) = decoder.layers.layers
    length, width = len(before), table.shape[1]
    x = table[before] + number(decoder.places)[:length]
    mine, heads = layer.self_attn, layer.self_attn.num_heads
    q, k, v = np.split(x @ number(mine.in_proj_weight).T + number(mine.in_proj_bias), 3, axis=1)
    parts = []
    for q_h, k_h, v_h in zip(*(np.split(each, heads, axis=1) for each in (q, k, v)), strict=True):
        scores = q_h @ k_h.T / np.sqrt(width / heads) + np.triu(np.full((length, length), -np.inf), 1)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        parts.append(weights / weights.sum(axis=1, keepdims=True) @ v_h)
    x = layer_norm(x + linear(np.concatenate(parts, axis=1), mine.out_proj), layer.norm1)
    cross = layer.multihead_attn
    value = number(cross.in_proj_weight)[2 * width :] @ vector + number(cross.in_proj_bias)[2 * width :]
    x = layer_norm(x + linear(value[None], cross.out_proj), layer.norm2)
    x = layer_norm(x + linear(np.maximum(linear(x, layer.linear1), 0), layer.linear2), layer.norm3)
    found: np.ndarray = x @ table.T + number(decoder.bias)
    return found


def linear(x: np.ndarray, module: torch.nn.Linear) -> np.ndarray:
    found: np.ndarray = x @ number(module.weight).T + number(module.bias)
    return found


def test_the_tsdae_loss_is_that_of_a_decoder_which_sees_one_vector_and_what_it_wrote(pupil: Student) -> None:
    torch.manual_seed(3)
    lesson = TsdaeLesson(pupil, TsdaeSettings(deleted=1e-9), 1, TEXTS)  # nothing is left out: the vector is known
    loss = of(lesson, range(3))

    table = number(pupil.network.get_input_embeddings().weight)
    with torch.no_grad():
        vectors = number(pupil.vectors(TEXTS[:3]))
    scores, own = [], []
    for text, vector in zip(TEXTS[:3], vectors, strict=True):
        (ids,) = pupil.read([text], "passage")[0].tolist()
        scores.append(decoded(lesson._decoder, table, np.array(ids[:-1]), vector))
        own += ids[1:]
    assert loss == pytest.approx(cross_entropy(np.concatenate(scores), np.array(own)), abs=1e-4)


def test_what_the_decoder_reads_is_the_thinned_sentence_alone(pupil: Student) -> None:
    lesson = TsdaeLesson(pupil, TsdaeSettings(deleted=0.6), 1, TEXTS)
    seen: list[list[str]] = []
    plain = pupil.vectors

    def spy(texts: list[str], role: Role = "passage") -> torch.Tensor:
        seen.append(texts)
        return plain(texts, role)

    pupil.vectors = spy  # type: ignore[method-assign,assignment]
    lesson.loss(range(12), draws())

    left = sum(len(text.split()) for text in seen[0]) / sum(len(text.split()) for text in TEXTS)
    assert 0.3 < left < 0.5
    assert all(set(thin.split()) <= set(text.split()) for thin, text in zip(seen[0], TEXTS, strict=True))


def test_the_mlm_loss_is_that_of_the_folders_own_head(pupil: Student, folder: Path) -> None:
    from transformers import BertForMaskedLM

    from riparian.encoders.mlm.masking import hide

    lesson = MlmLesson(pupil, MlmSettings(), 1, TEXTS)
    loss = of(lesson, range(12))

    model = BertForMaskedLM.from_pretrained(folder)
    model.train(False)
    ids, mask, _ = pupil.read(TEXTS, "passage")
    special = pupil.token_numbers()
    assert special is not None
    eligible = (mask.numpy() == 1) & ~np.isin(ids.numpy(), special[1])
    hidden = hide(ids.numpy(), eligible, 0.15, special[0], (0, pupil.vocabulary), draws())
    with torch.no_grad():
        scores = number(model(input_ids=torch.from_numpy(hidden.ids), attention_mask=mask).logits)
    expected = cross_entropy(scores[hidden.chosen], ids.numpy()[hidden.chosen])
    assert loss == pytest.approx(expected, abs=1e-4)
    assert 0.05 < hidden.chosen.sum() / eligible.sum() < 0.3
