"""Cross-view training as an encoder: what a vector is, what the tagger says, and the files that are refused."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from riparian.encoders import registry
from riparian.encoders.cvt.encoder import CvtEncoder
from riparian.encoders.cvt.files import TAGGER, VOCABULARY, WEIGHTS
from riparian.encoders.cvt.labels import CASES
from riparian.encoders.cvt.loading import load as load_kind
from riparian.encoders.cvt.network import Reader
from riparian.encoders.cvt.stretches import MAX_SENTENCE, Text, cut
from riparian.encoders.cvt.words import Words
from riparian.encoders.options import Options
from riparian.encoders.storage import CARD
from riparian.errors import BadWeights, Invalid, MissingPath
from tests.riparian.cvt_models import TINY, tiny_cvt

TEXT = "In 1952 mr Hill sees the NATO near one bank. The river meets them."


def load(spec: Path | str) -> CvtEncoder:
    return load_kind(str(spec), Options(Path("unused"), device="cpu", threads=1))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_cvt(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def encoder(saved: Path) -> CvtEncoder:
    return load(saved)


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return shutil.copytree(saved, tmp_path / "copy")


# ---------------------------------------------------------------- vectors


def test_a_token_is_the_states_of_both_layers_and_a_passage_their_unit_mean(encoder: CvtEncoder) -> None:
    model = encoder.model
    reader = Reader(model.sizes)
    reader.load_state_dict({name: torch.from_numpy(array) for name, array in model.tensors.items()})
    sentences = ["in 1952 mr hill sees the nato near one bank .".split(), "the river meets them .".split()]
    with torch.no_grad():
        states = reader(Words(model.words, model.sizes.most_characters, lower=True).batch(sentences))
        read = torch.cat([states.ahead, states.back, states.both], dim=2).numpy()
    expected = np.concatenate([read[row, 1 : len(words) + 1] for row, words in enumerate(sentences)])

    found = encoder.encode_tokens([TEXT])[0]
    assert found.vectors.shape == (16, 2 * TINY.projected + 2 * TINY.second)
    assert np.abs(found.vectors - expected).max() <= 1e-6
    mean = expected.mean(axis=0)
    assert np.abs(encoder.encode_passages([TEXT], "passage")[0] - mean / np.linalg.norm(mean)).max() <= 1e-6


def test_the_second_layer_alone_is_shown_where_it_is_asked_for(saved: Path, encoder: CvtEncoder) -> None:
    second = load(f"{saved}?vectors=bi")
    both, alone = (each.encode_tokens([TEXT])[0].vectors for each in (encoder, second))

    assert second.info.token_dim == second.info.passage_dim == 2 * TINY.second
    assert np.array_equal(alone, both[:, 2 * TINY.projected :])
    assert second.info.spec == f"cvt:{saved}?vectors=bi"
    assert second.fingerprint() != encoder.fingerprint()
    assert load(f"{saved}?vectors=both").fingerprint() == encoder.fingerprint()


def test_saving_keeps_what_is_shown(saved: Path, tmp_path: Path) -> None:
    second = load(f"{saved}?vectors=bi")
    second.save(tmp_path / "bi")

    again = load(tmp_path / "bi")
    assert again.info.token_dim == 2 * TINY.second
    assert again.fingerprint() == second.fingerprint()


def test_casing_that_is_a_label_is_never_read(encoder: CvtEncoder) -> None:
    """The cut may change with the case; words that are cut alike have the same vectors."""
    one, other = (encoder.encode_tokens([text])[0] for text in ("In mr HILL", "in Mr Hill"))

    assert [word.lower() for word in one.tokens] == [word.lower() for word in other.tokens]
    assert np.array_equal(one.vectors, other.vectors)
    assert one.tokens != other.tokens


def test_a_word_never_seen_is_read_by_its_spelling_and_its_neighbours(encoder: CvtEncoder) -> None:
    first, second, third = (encoder.encode_tokens([f"the {word} sees"])[0].vectors for word in ("duxx", "qq", "duxx"))

    assert np.array_equal(first, third)
    assert not np.allclose(first[1], second[1])
    assert not np.allclose(first[2], second[2])


def test_the_same_word_has_another_vector_in_another_sentence(encoder: CvtEncoder) -> None:
    money, river = (encoder.encode_tokens([text])[0] for text in ("the nato bank sees", "one river bank meets"))
    assert money.tokens[2] == river.tokens[2] == "bank"
    assert not np.allclose(money.vectors[2], river.vectors[2])


def test_a_sentence_does_not_see_the_next_one(encoder: CvtEncoder) -> None:
    alone, followed = (encoder.encode_tokens([text])[0].vectors for text in ("The bank.", "The bank. One river."))

    assert np.abs(alone - followed[: len(alone)]).max() <= 1e-6


def test_every_word_of_a_long_sentence_is_taken_from_one_stretch() -> None:
    length = 3 * MAX_SENTENCE + 17
    found = list(cut([Text(("w",) * length, ((0, length),)), Text(("w",) * 3, ((0, 1), (1, 3)))]))

    own = [at for stretch in found if stretch.text == 0 for at in range(stretch.start, stretch.stop)]
    assert own == list(range(length))
    assert all(s.first <= s.start <= s.stop <= s.end <= s.first + MAX_SENTENCE for s in found)
    assert [(s.first, s.end) for s in found if s.text == 1] == [(0, 1), (1, 3)]


def test_the_card_tells_what_it_is(encoder: CvtEncoder, saved: Path) -> None:
    info = encoder.info

    assert (info.kind, info.origin, info.method, info.contextual) == ("cvt", "trained-here", "published", "full")
    assert info.spec == f"cvt:{saved}"
    assert info.extra["tags"] == list(CASES)
    assert info.extra["parameters"] == sum(array.size for array in encoder.model.tensors.values())
    assert 0 < info.extra["training"]["accuracy_commonest_tag"] < 1
    page = (saved / "card.md").read_text()
    assert "training: accuracy_commonest_tag_of_the_word" in page


# ---------------------------------------------------------------- the tagger


def test_the_tagger_tags_every_word_and_is_saved_beside_the_encoder(encoder: CvtEncoder, tmp_path: Path) -> None:
    sentences = [["in", "mr", "hill"], [], ["nato"]]
    encoder.save(tmp_path / "again")
    tags, chances = encoder.tag(sentences), encoder.tag_probabilities(sentences)

    assert [len(found) for found in tags] == [3, 0, 1]
    assert all(tag in CASES for found in tags for tag in found)
    assert [found.shape for found in chances] == [(3, 4), (0, 4), (1, 4)]
    assert np.allclose(chances[0].sum(axis=1), 1)
    assert [CASES[at] for at in chances[0].argmax(axis=1)] == list(tags[0])
    again = load(tmp_path / "again").tag_probabilities(sentences)
    assert all(np.array_equal(one, other) for one, other in zip(chances, again, strict=True))


def test_an_empty_word_cannot_be_tagged(encoder: CvtEncoder) -> None:
    with pytest.raises(Invalid, match="sentence 2 has an empty word"):
        encoder.tag([["a"], ["a", ""]])


# ---------------------------------------------------------------- refused


def test_a_saved_folder_names_its_kind(saved: Path) -> None:
    assert registry.resolve(str(saved)) == ("cvt", str(saved))


def test_no_weights_come_with_it(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="train one and name its folder"):
        load("")
    with pytest.raises(MissingPath):
        load(tmp_path / "nowhere")
    with pytest.raises(MissingPath, match=CARD):
        load(tmp_path)


@pytest.mark.parametrize("query", ["vectors=uni", "layer=1", "vectors"])
def test_an_unknown_setting_is_refused_with_those_there_are(saved: Path, query: str) -> None:
    with pytest.raises(Invalid, match=r"vectors=both\|bi"):
        load(f"{saved}?{query}")


@pytest.mark.parametrize("name", ["checkpoint", "model.ckpt-200000.index", "best.data-00000-of-00001"])
def test_a_checkpoint_of_the_published_code_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x00")
    (tmp_path / "word_vocabulary.pkl").write_bytes(pickle.dumps({"the": 1}))
    prefix = tmp_path / name.rpartition(".")[0] if "." in name else tmp_path

    for path in (tmp_path, prefix):
        with pytest.raises(BadWeights, match=r"keeps its vocabulary as a pickle.*no weights were published"):
            load(path)


def rewritten(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    def rewrite(path: Path) -> None:
        arrays = load_file(path)
        change(arrays)
        save_file(arrays, path)

    return rewrite


def pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"scale": 1.0}))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


DAMAGE: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a pickle": (WEIGHTS, pickled, "without its header|safetensors"),
    "a pickled tagger": (TAGGER, pickled, "without its header|safetensors"),
    "a truncated file": (WEIGHTS, cut_short, "damaged or cut short"),
    "a missing file": (WEIGHTS, Path.unlink, "no such file"),
    "a missing tensor": (WEIGHTS, rewritten(lambda found: found.pop("second.back.bias")), r"second\.back\.bias"),
    "a tensor too many": (TAGGER, rewritten(lambda found: found.update(more=found["predict.bias"])), "also more"),
    "another shape": (
        WEIGHTS,
        rewritten(lambda found: found.update({"first.ahead.bias": found["first.ahead.bias"][:4]})),
        r"first\.ahead\.bias of shape \(48,\), found shape \(4,\)",
    ),
    "another type": (
        TAGGER,
        rewritten(lambda found: found.update({"predict.bias": found["predict.bias"].astype(np.float16)})),
        r"predict\.bias as F32, found F16",
    ),
    "no number": (
        WEIGHTS,
        rewritten(lambda found: found["characters.weight"].fill(np.nan)),
        r"finite numbers in tensor characters\.weight",
    ),
    "other weights": (WEIGHTS, rewritten(lambda found: found["scale"].fill(3)), "a file was changed"),
    "fewer words": (VOCABULARY, lambda path: path.write_text('{"words": ["a"]}') and None, "21 words|words, found 1"),
    "a word twice": (VOCABULARY, lambda path: path.write_text('{"words": ["a", "a"]}') and None, "every word once"),
    "no words": (VOCABULARY, lambda path: path.write_text('{"words": 3}') and None, "a list of words"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_named_with_what_is_wrong(copy: Path, name: str) -> None:
    file, spoil, message = DAMAGE[name]
    spoil(copy / file)

    with pytest.raises(BadWeights, match=message) as raised:
        load(copy)
    assert str(copy) in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sizes", {"words": 3}),
        ("sizes", None),
        ("lower", "yes"),
        ("vectors", "uni"),
        ("tags", []),
        ("tags", [1]),
        ("training", None),
    ],
)
def test_a_card_that_says_what_cannot_be_is_refused(copy: Path, key: str, value: object) -> None:
    card = json.loads((copy / CARD).read_text())
    card["settings"][key] = value
    (copy / CARD).write_text(json.dumps(card))

    with pytest.raises(BadWeights, match=CARD):
        load(copy)


def test_the_folder_of_another_kind_is_refused(copy: Path) -> None:
    card = json.loads((copy / CARD).read_text())
    (copy / CARD).write_text(json.dumps({**card, "kind": "elmo"}))

    with pytest.raises(BadWeights, match="expected a cvt encoder, found elmo"):
        load(copy)
