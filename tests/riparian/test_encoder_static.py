"""Published word vectors in all their forms, and the encoders that know no context."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders import registry
from riparian.encoders.base import Encoder
from riparian.encoders.word_tokens import split
from riparian.encoders.word_vectors import WordVectors, read, sniff
from riparian.encoders.words import align, spans
from riparian.errors import BadWeights
from tests.riparian.encoder_models import WORDS, tiny_glove, tiny_word2vec, vectors

MONEY, RIVER = "I went to the bank to deposit money.", "I sat by the bank of the river."


def put(folder: Path, text: str | bytes, name: str = "vectors.txt") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table(found: WordVectors) -> dict[str, list[float]]:
    return {word: row.tolist() for word, row in zip(found.words, found.matrix, strict=True)}


# ------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("bank 1 2 3\nriver 4 5 6\n", "text"),
        ("2 3\nbank 1 2 3\nriver 4 5 6\n", "text with header"),
        ("2 3\nbank 1 2 3 \nriver 4 5 6 \n", "text with header"),
        ("bank 1 2 3\r\nriver 4 5 6\r\n", "text"),
        ("bank 1 2 3\nriver 4 5 6", "text"),
        ("bank 1 2 3\nriver 4 5 6\nbank 7 8 9\n", "text"),
    ],
    ids=["GloVe", "word2vec", "trailing spaces", "Windows line ends", "no last line end", "a word twice"],
)
def test_text_vectors_are_read_with_and_without_a_header(text: str, form: str, tmp_path: Path) -> None:
    path = put(tmp_path, text)

    assert sniff(path) == form
    assert table(read(path)) == {"bank": [1, 2, 3], "river": [4, 5, 6]}


def test_words_may_hold_spaces_and_the_unknown_mark_is_a_word(tmp_path: Path) -> None:
    path = put(tmp_path, "bank 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\n<unk> -1 -2 -3\n")

    assert table(read(path)) == {
        "bank": [1, 2, 3],
        ". . .": [4, 5, 6],
        "at name@domain.com": [7, 8, 9],
        "<unk>": [-1, -2, -3],
    }


def test_a_word_may_hold_a_line_separator_that_is_no_line_end(tmp_path: Path) -> None:
    path = put(tmp_path, "a\u2028b 1 2\nc\x85d 3 4\n")

    assert table(read(path)) == {"a\u2028b": [1, 2], "c\x85d": [3, 4]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bank 1 2 3\nriver 4 5\n", "a word and 3 numbers in line 2, found 2 numbers"),
        ("bank 1 2 3\nriver 4 5 6\nduck 7 8", "a word and 3 numbers in line 3, found 2 numbers"),
        ("bank 1 2 3\nriver 4 five 6\n", "a word and 3 numbers in line 2, found .*five"),
        ("bank 1 2 3\nriver 4 nan 6\n", "finite numbers in line 2, found NaN or infinity"),
        ("bank 1 2 3\n\nriver 4 5 6\n", "a word and 3 numbers in line 2, found 0 numbers"),
        ("3 3\nbank 1 2 3\nriver 4 5 6\n", r"3 vectors, found 2 \(cut short\?\)"),
        ("2 3\nbank 1 2\nriver 4 5 6\n", "a word and 3 numbers in line 2, found 2 numbers"),
        ("2 3\nbank 1 2 x\nriver 4 5 6\n", "a word and 3 numbers in line 2, found .*'x'"),
        (b"bank 1 2 3\nri\xffver 4 5 6\n", "UTF-8 text in line 2"),
        ("", "some vectors, found 0"),
        ("bank\n", "a word and 0 numbers in line 1"),
    ],
)
def test_a_damaged_text_file_is_refused_naming_the_line(text: str | bytes, message: str, tmp_path: Path) -> None:
    path = put(tmp_path, text)

    with pytest.raises(BadWeights, match=message) as caught:
        registry.load(f"glove:{path}", cache_dir=tmp_path / "cache")

    assert caught.value.path == str(path)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_binary_text_and_zipped_vectors_are_equal(tmp_path: Path) -> None:
    expected = vectors()
    lines = "".join(f"{word} {' '.join(map(str, row.tolist()))}\n" for word, row in zip(WORDS, expected, strict=True))
    with gzip.open(tmp_path / "zipped.txt.gz", "wb") as file:
        file.write(f"{len(WORDS)} 8\n{lines}".encode())
    paths = [tiny_word2vec(tmp_path), tiny_glove(tmp_path), tmp_path / "zipped.txt.gz"]

    assert [sniff(path) for path in paths] == ["binary", "text", "text with header"]
    for path in paths:
        found = read(path)
        assert tuple(found.words) == WORDS
        assert np.array_equal(found.matrix, expected)


def test_binary_vectors_without_line_ends_are_read(tmp_path: Path) -> None:
    rows = vectors()
    body = b"".join(word.encode() + b" " + row.tobytes() for word, row in zip(WORDS, rows, strict=True))
    found = read(put(tmp_path, f"{len(WORDS)} 8\n".encode() + body, "plain.bin"))

    assert tuple(found.words) == WORDS
    assert np.array_equal(found.matrix, rows)


@pytest.mark.parametrize("lost", [1, 20, 200])
def test_binary_vectors_cut_short_are_refused(lost: int, tmp_path: Path) -> None:
    whole = tiny_word2vec(tmp_path).read_bytes()
    path = put(tmp_path, whole[: -lost - 1], "cut.bin")

    with pytest.raises(BadWeights, match="complete word2vec binary vectors"):
        registry.load(f"word2vec:{path}", cache_dir=tmp_path)


def test_pickled_vectors_are_refused(tmp_path: Path) -> None:
    for name, content in (("pickle", pickle.dumps({"bank": [1.0]}, protocol=4)), ("zip", b"PK\x03\x04" + bytes(30))):
        with pytest.raises(BadWeights, match="a pickle or zip, refused"):
            registry.load(f"word2vec:{put(tmp_path, content, name)}", cache_dir=tmp_path)


@given(
    words=st.lists(
        st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=6), min_size=1, max_size=8
    ),
    width=st.integers(2, 5),
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_as_text_is_read_again(
    words: list[str], width: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    words = list(dict.fromkeys(words))
    rows = vectors(tuple(words), width)
    lines = "".join(f"{word} {' '.join(map(str, row.tolist()))}\n" for word, row in zip(words, rows, strict=True))
    path = put(tmp_path_factory.mktemp("vectors"), f"{len(words)} {width}\n{lines}")

    found = read(path)

    assert found.words == words
    assert np.array_equal(found.matrix, rows)


# ------------------------------------------------------------------ encoders


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def tiny(cache: Path) -> Encoder:
    return registry.load(f"glove:{tiny_glove(cache)}", cache_dir=cache)


@pytest.fixture(scope="module")
def glove(cache: Path) -> Encoder:
    return registry.load("glove", cache_dir=cache)


def bank(encoder: Encoder, text: str) -> np.ndarray:
    found = align(encoder.encode_tokens([text])[0], spans(text))
    return found.vectors[[text[start:end] for start, end in found.spans].index("bank")]


def test_an_unknown_word_is_flagged_and_its_row_is_zero(tiny: Encoder) -> None:
    (found,) = tiny.encode_tokens(["the zyzzyva bank"])

    assert found.tokens == ("the", "zyzzyva", "bank")
    assert found.known.tolist() == [True, False, True]
    assert not found.vectors[1].any()
    assert np.array_equal(found.vectors[[0, 2]], vectors()[[WORDS.index("the"), WORDS.index("bank")]])


def test_unknown_words_count_as_nothing_in_a_passage(tiny: Encoder) -> None:
    rows = tiny.encode_passages(["the bank", "zyzzyva the qwrk bank", "zyzzyva qwrk"], "passage")
    mean = vectors()[[WORDS.index("the"), WORDS.index("bank")]].mean(axis=0)

    assert np.abs(rows[0] - mean / np.linalg.norm(mean)).max() < 1e-6
    assert np.array_equal(rows[0], rows[1])
    assert not rows[2].any()


def test_the_table_gives_the_first_of_two_entries(tmp_path: Path) -> None:
    path = put(tmp_path, "bank 1 0\nbank 0 1\nriver 0 2\n")

    rows = registry.load(f"glove:{path}", cache_dir=tmp_path).encode_passages(["bank", "river"], "passage")

    assert rows.tolist() == [[1, 0], [0, 1]]


def test_capitals_and_contractions_are_found_as_the_table_has_them() -> None:
    table = {"do", "n't", "it", "'s", "bank", "u.s.", "e-mail"}

    assert split("It's the U.S. bank’s e-mail, don't!", table).tokens == (
        *("It", "'s", "the", "U.S.", "bank", "’s", "e-mail", ",", "do", "n't", "!"),
    )


@given(text=st.text(max_size=60))
def test_every_visible_character_lies_in_exactly_one_token(text: str) -> None:
    found = split(text, {"bank", "n't"})

    covered = [at for start, end in found.offsets.tolist() for at in range(start, end)]
    assert covered == sorted(set(covered))
    assert [at for at, letter in enumerate(text) if not letter.isspace() and at not in set(covered)] == []
    assert found.tokens == tuple(text[start:end] for start, end in found.offsets.tolist())


@given(words=st.permutations("the bank of ducks left money reserve".split()))
@settings(max_examples=25)
def test_word_order_leaves_the_passage_unchanged(words: list[str], tiny: Encoder) -> None:
    rows = tiny.encode_passages(["the bank of ducks left money reserve", " ".join(words)], "passage")

    assert np.abs(rows[0] - rows[1]).max() < 1e-6


def test_bank_has_one_vector_in_every_sentence_of_a_static_encoder(glove: Encoder) -> None:
    texts = [MONEY, RIVER, "bank", "The (bank)!", "a bank is a bank", "river\nbank of the West", "bank holiday, 3 May"]
    found = [bank(glove, text) for text in texts]

    assert found[0].any()
    assert all(vector.tobytes() == found[0].tobytes() for vector in found)
    assert glove.info.contextual == "none"


def test_bank_differs_in_the_two_sentences_under_the_default_encoder(cache: Path) -> None:
    minilm = registry.load("sentence-transformers", cache_dir=cache)
    money, river = bank(minilm, MONEY), bank(minilm, RIVER)

    cosine = float(money @ river / np.linalg.norm(money) / np.linalg.norm(river))

    assert minilm.info.contextual == "full"
    assert 0.2 < cosine < 0.9


def test_glove_is_the_published_table(glove: Encoder) -> None:
    (found,) = glove.encode_tokens(["the"])

    assert found.vectors[0, :5].tolist() == pytest.approx([0.418, 0.24968, -0.41242, 0.1217, 0.34527])
    assert (glove.info.extra["words"], glove.info.token_dim) == (400_000, 50)


def test_glove_solves_the_classic_analogy(glove: Encoder) -> None:
    names = ["queen", "prince", "woman", "man", "crown", "river", "bank", "throne", "doctor", "girl"]
    king, man, woman, *others = (glove.encode_tokens([word])[0].vectors[0] for word in ["king", "man", "woman", *names])
    target = king - man + woman

    cosines = [float(target @ other / np.linalg.norm(target) / np.linalg.norm(other)) for other in others]

    assert names[int(np.argmax(cosines))] == "queen"
