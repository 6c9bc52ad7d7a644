"""Another encoder for a collection that is mainly in a language which its own does not know. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from riparian.encoders.languages import Verdict, is_stated
from riparian.text import base_language

MULTILINGUAL = "use"
"""The encoder that is suggested."""

MULTILINGUAL_LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
"""ISO 639-1 codes of the 16 languages of the multilingual Universal Sentence Encoder v3: Chinese counts twice there,
in simplified and in traditional characters."""

_MAINLY = 0.5  # of the documents whose language is told
_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "gl": "Galician", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "nb": "Norwegian", "nl": "Dutch", "nn": "Norwegian", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish",
    "sw": "Swahili", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advice:
    """`documents` of the `told` ones whose language is known are in `languages`, which `encoder` does not know, the
    most frequent first; `suggestion` names an encoder that knows the first of them, "" where none comes along."""

    languages: tuple[str, ...]
    documents: int
    told: int
    encoder: str
    suggestion: str

    def sentence(self) -> str:
        """What a person should know, without how to go about it."""
        shown = _listed([name_of(one) for one in self.languages[:3]])
        found = f"{self.documents} of {self.told} documents are in {shown}, which {self.encoder} is not made for"
        if not self.suggestion:
            return f"{found}; none of the encoders that come along is. Search by words works."
        return f"{found}; the encoder {self.suggestion!r} is, for {name_of(self.languages[0])} and 15 other languages."

    def json_value(self) -> dict[str, Any]:
        return {
            "languages": list(self.languages),
            "documents": self.documents,
            "told": self.told,
            "encoder": self.encoder,
            "suggestion": self.suggestion,
            "sentence": self.sentence(),
        }


def advise(
    counts: Mapping[str, int], encoder: str, stated: Iterable[str], verdicts: Mapping[str, Verdict] | None = None
) -> Advice | None:
    """None where most documents whose language is told are in a language the encoder knows, or nothing is told.

    `counts` says how many documents each language has ("" = not told). What counts is the languages `stated` on the
    encoder's card; where it states none, the `verdicts` that its tokens gave.
    """
    card, verdicts = tuple(stated), verdicts or {}
    told = {language: number for language, number in counts.items() if language and number}
    foreign = [one for one in told if _is_foreign(one, card, verdicts)]
    documents, total = sum(told[one] for one in foreign), sum(told.values())
    if documents <= _MAINLY * total:
        return None
    ordered = tuple(sorted(foreign, key=lambda one: (-told[one], one)))
    suggestion = MULTILINGUAL if base_language(ordered[0]) in MULTILINGUAL_LANGUAGES else ""
    return Advice(ordered, documents, total, encoder, suggestion)


def name_of(language: str) -> str:
    """The English name of an ISO 639-1 code, or the code."""
    return _NAMES.get(base_language(language), language)


def _is_foreign(language: str, card: tuple[str, ...], verdicts: Mapping[str, Verdict]) -> bool:
    stated = is_stated(card, language)
    return verdicts.get(language) is Verdict.FOREIGN if stated is None else not stated


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
