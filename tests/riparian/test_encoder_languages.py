from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from riparian.encoders import registry
from riparian.encoders.base import Encoder, EncoderInfo, Encoding, Progress, Tokens
from riparian.encoders.cove.parallel import catalogues, read_catalogue
from riparian.encoders.language_advice import MULTILINGUAL_LANGUAGES, advise, name_of
from riparian.encoders.languages import Gauge, TellsKnown, Verdict, count_words, gauge, is_stated, judge
from riparian.encoders.word_tokens import split
from riparian.types import Matrix, Role
from tests import evaldata

# Universal Declaration of Human Rights, article 1 (the United Nations' own translations)
ARTICLE = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience "
    "and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt "
    "und sollen einander im Geist der Brüderlichkeit begegnen.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y "
    "conciencia, deben comportarse fraternalmente los unos con los otros.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de "
    "conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и "
    "должны поступать в отношении друг друга в духе братства.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με "
    "λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Mọi con người đều được tạo hoá "
    "ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình bằng hữu.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और "
    "अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    "zh": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
}
PASSAGES = {language: [text] * 4 for language, text in ARTICLE.items()}


class Wordlist:
    """A static table of words, all with the same vector."""

    def __init__(self, words: str, languages: tuple[str, ...] = ()) -> None:
        self._words, self._languages = frozenset(words.lower().split()), languages

    @property
    def info(self) -> EncoderInfo:
        return EncoderInfo(
            "wordlist",
            "words",
            "wordlist",
            "published",
            "none",
            1,
            1,
            None,
            "mean",
            self._languages,
            "",
            "published",
            "",
        )

    def fingerprint(self) -> str:
        return "0" * 64

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        return [split(text, self._words) for text in texts]

    def known(self, texts: Sequence[str]) -> list[NDArray[np.bool_]]:
        return [
            np.array([token.lower() in self._words for token in tokens.tokens], dtype=np.bool_)
            for tokens in self.tokenize(texts)
        ]

    def encode_tokens(self, texts: Sequence[str], role: Role = "passage") -> list[Encoding]:
        raise AssertionError("the gauge encodes nothing")

    def encode_passages(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        raise AssertionError("the gauge encodes nothing")

    def save(self, folder: Path) -> None:
        raise AssertionError("the gauge saves nothing")


@cache
def loaded(spec: str) -> Encoder:
    return registry.load(spec, cache_dir=Path("/nonexistent"), threads=1)


# ------------------------------------------------------------------------------------------------ measures


def test_words_without_a_vector_are_counted_and_punctuation_is_not() -> None:
    encoder = Wordlist("the cat sat on a mat")
    found = gauge(encoder, {"en": ["The cat sat on a mat, said Łódź!"] * 10})["en"]
    assert (found.passages, found.words) == (10, 80)
    assert found.unknown == pytest.approx(4 / 10)  # said, Łódź, and the marks, which the table lacks


def test_known_punctuation_counts_for_nothing() -> None:
    encoder = Wordlist("the cat sat . , ! ?")
    found = gauge(encoder, {"en": ["The cat sat. The cat, the cat! Nobody?"] * 10})["en"]
    assert found.unknown == pytest.approx(1 / 8)
    assert found.pieces == pytest.approx(1.0)


def test_a_gauge_has_the_languages_in_the_order_given() -> None:
    assert list(gauge(Wordlist("a"), {"fr": [], "": ["x"], "de": ["y"]})) == ["fr", "", "de"]


def test_a_few_words_tell_nothing() -> None:
    found = gauge(Wordlist("a"), {"de": ["Das sind nur wenige Wörter."]})["de"]
    assert (found.unknown, found.pieces, found.verdict) == (None, None, Verdict.UNTOLD)


def test_an_encoder_that_spells_its_words_is_judged_by_its_card_alone() -> None:
    found = gauge(loaded("hashing"), PASSAGES)
    assert {one.verdict for one in found.values()} == {Verdict.UNTOLD}
    assert not isinstance(loaded("hashing"), TellsKnown)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("three plain words", 3),
        ("don't split l'eau", 3),
        ("", 0),
        ("自由平等", 1.5),  # three overlapping pairs
        ("自", 1),
        ("มนุษย์", 2),  # six letters, four a word
        ("Привет мир", 2),
    ],
)
def test_scripts_without_spaces_have_words_of_usual_length(text: str, words: float) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("unknown", "pieces", "stated", "verdict"),
    [
        (0.0, 1.2, None, Verdict.KNOWS),
        (0.0, 1.2, True, Verdict.KNOWS),
        (0.0, 1.2, False, Verdict.PARTLY),
        (0.1, 1.2, True, Verdict.PARTLY),
        (0.5, 1.2, True, Verdict.FOREIGN),
        (0.0, 1.7, None, Verdict.PARTLY),
        (0.0, 2.5, False, Verdict.FOREIGN),
        (0.0, 2.5, True, Verdict.KNOWS),  # whoever made it knows better than the length of words
        (0.1, 2.5, None, Verdict.FOREIGN),  # the worse of the two
        (None, None, None, Verdict.UNTOLD),
        (None, None, True, Verdict.KNOWS),
        (None, None, False, Verdict.PARTLY),
    ],
)
def test_the_verdict_follows_measures_and_card(
    unknown: float | None, pieces: float | None, stated: bool | None, verdict: Verdict
) -> None:
    assert judge(unknown, pieces, stated)[0] is verdict


def test_a_card_states_languages_with_or_without_region() -> None:
    assert is_stated(("en-US", "pt_BR"), "pt") is True
    assert is_stated(("en",), "de") is False
    assert is_stated(("multilingual",), "de") is True
    assert is_stated((), "de") is None
    assert is_stated(("en",), "") is None


# ------------------------------------------------------------------------------------------------ real encoders


def verdicts(spec: str) -> dict[str, Verdict]:
    return {language: one.verdict for language, one in gauge(loaded(spec), PASSAGES).items()}


def test_all_minilm_knows_english_and_no_other_language() -> None:
    found = verdicts("sentence-transformers")
    assert found["en"] is Verdict.KNOWS
    assert {language for language, verdict in found.items() if verdict is Verdict.KNOWS} == {"en"}
    assert {found[language] for language in ("ru", "el", "hi", "zh", "th")} == {Verdict.FOREIGN}


def test_glove_lacks_most_words_of_other_languages() -> None:
    found = gauge(loaded("glove"), PASSAGES)
    assert found["en"].unknown == 0.0
    assert {one.language for one in found.values() if one.verdict is Verdict.KNOWS} == {"en"}
    assert {found[language].verdict for language in ("ru", "el", "hi", "zh", "th", "vi")} == {Verdict.FOREIGN}


def test_use_knows_its_languages_and_not_greek_hindi_or_vietnamese() -> None:
    found = verdicts("use")
    assert {found[language] for language in ("en", "de", "es", "fr", "ru", "zh", "th")} == {Verdict.KNOWS}
    assert {found[language] for language in ("el", "hi", "vi")} == {Verdict.FOREIGN}


def _rows(path: Path, field: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [str(row[field]) for row in sorted(map(json.loads, file), key=lambda row: str(row["id"]))]


def _accuracy(encoder: Encoder, asked: Sequence[str], found: Sequence[str]) -> float:
    """How often a text's translation is the nearest of all."""
    scores = encoder.encode_passages(asked, "query") @ encoder.encode_passages(found, "passage").T
    return float((scores.argmax(axis=1) == np.arange(len(asked))).mean())


def test_use_finds_98_of_100_translations_both_ways() -> None:
    folder = evaldata.folder("xquad")
    rows = {
        language: loaded("use").encode_passages(
            _rows(folder / f"{language}-paragraphs.jsonl.gz", "text")[:120], "query"
        )
        for language in ("en", "de", "es")
    }
    for asked, found in (("en", "de"), ("de", "en"), ("en", "es"), ("es", "en")):
        nearest = (rows[asked] @ rows[found].T).argmax(axis=1)
        assert (nearest == np.arange(120)).mean() >= 0.98


def test_use_tells_running_from_running_away() -> None:
    run, away, fish = loaded("use").encode_passages(["I like to run", "I like to run away", "Fish is on sale"], "query")
    assert fish @ run < away @ run < 0.9


def test_where_use_fails_to_find_translations_the_gauge_warns() -> None:
    """The messages of programs, in English and in languages among the 16 and not."""
    root = Path("/usr/share/locale")
    inside, outside = ("fr", "de", "es"), ("vi", "el")
    translated = {language: _messages(root, language) for language in inside + outside}
    accuracy = {language: _accuracy(loaded("use"), *zip(*pairs, strict=True)) for language, pairs in translated.items()}
    found = gauge(loaded("use"), {language: [b for _, b in pairs] for language, pairs in translated.items()})
    assert min(accuracy[language] for language in inside) > 0.9
    assert max(accuracy[language] for language in outside) < 0.6
    assert {found[language].verdict for language in inside} == {Verdict.KNOWS}
    assert {found[language].verdict for language in outside} == {Verdict.FOREIGN}


def _messages(root: Path, language: str, most: int = 100) -> list[tuple[str, str]]:
    """Sentences of gettext catalogues with their translations."""
    found: dict[str, str] = {}
    for path in catalogues(root, language):
        if not path.name.startswith("iso"):
            found |= {a: b for a, b in read_catalogue(path) if 8 <= len(a.split()) <= 25 and "%" not in a and a != b}
    if len(found) < most:
        pytest.skip(f"too few messages in {language} below {root}")
    return [(source, found[source]) for source in sorted(found)[:: len(found) // most][:most]]


# ------------------------------------------------------------------------------------------------ advice

MINILM = ("all-MiniLM-L6-v2", ("en",))


def test_a_german_collection_under_an_english_encoder_is_better_off_with_use() -> None:
    advice = advise({"de": 57, "en": 3, "": 4}, *MINILM)
    assert advice is not None
    assert (advice.languages, advice.documents, advice.told, advice.suggestion) == (("de",), 57, 60, "use")
    assert advice.sentence() == (
        "57 of 60 documents are in German, which all-MiniLM-L6-v2 is not made for; the encoder 'use' is, for German "
        "and 15 other languages."
    )


@pytest.mark.parametrize("counts", [{}, {"": 9}, {"en": 3}, {"en": 5, "de": 5}, {"en": 6, "de": 5}])
def test_nothing_is_advised_where_english_is_half_or_nothing_is_told(counts: dict[str, int]) -> None:
    assert advise(counts, *MINILM) is None


def test_several_foreign_languages_count_together_the_most_frequent_first() -> None:
    advice = advise({"en": 5, "fr": 3, "de": 4}, *MINILM)
    assert advice is not None
    assert advice.languages == ("de", "fr")
    assert "7 of 12 documents are in German and French" in advice.sentence()


def test_no_encoder_is_suggested_for_a_language_that_none_knows() -> None:
    for name, languages in (MINILM, ("Universal Sentence Encoder", MULTILINGUAL_LANGUAGES)):
        advice = advise({"vi": 9, "en": 1}, name, languages)
        assert advice is not None
        assert advice.suggestion == ""
        assert "Vietnamese" in advice.sentence()
        assert "none of the encoders that come along" in advice.sentence()


def test_use_is_not_advised_against_in_its_own_languages() -> None:
    for language in MULTILINGUAL_LANGUAGES:
        assert advise({language: 9}, "use", MULTILINGUAL_LANGUAGES) is None
        assert name_of(language) != language


def test_the_languages_of_use_are_those_of_its_card() -> None:
    assert loaded("use").info.languages == MULTILINGUAL_LANGUAGES


def test_where_a_card_states_nothing_the_tokens_decide() -> None:
    assert advise({"ru": 9}, "mine", ()) is None
    assert advise({"ru": 9}, "mine", (), {"ru": Verdict.PARTLY}) is None
    advice = advise({"ru": 9}, "mine", (), {"ru": Verdict.FOREIGN})
    assert advice is not None
    assert advice.suggestion == "use"


def test_a_gauge_travels_as_json() -> None:
    one = Gauge("de", 3, 70, 0.123456, None, False, Verdict.PARTLY, "why")
    assert json.loads(json.dumps(one.json_value())) == {
        "passages": 3,
        "words": 70,
        "unknown": 0.1235,
        "pieces_per_word": None,
        "stated": False,
        "verdict": "knows it in part",
        "reason": "why",
    }
