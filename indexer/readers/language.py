"""Which language a text is in: what it says of itself, else what it looks like."""

from __future__ import annotations

import functools
import re
from typing import Any

from riparian.text import base_language

# py3langid is surer than it is right on short or made-up text; below this nothing is claimed.
_SURE = 0.95
_LEAST_LETTERS = 24
_SAMPLE = 3000
_SHOUTING = 0.3
_CODE = re.compile(r"[a-z]{2}$")
_NAMES = {
    "english": "en", "german": "de", "deutsch": "de", "french": "fr", "français": "fr", "spanish": "es",
    "español": "es", "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt", "dutch": "nl",
    "nederlands": "nl", "russian": "ru", "polish": "pl", "polski": "pl", "chinese": "zh", "japanese": "ja",
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "ita": "it", "por": "pt",
    "nld": "nl", "dut": "nl", "rus": "ru", "pol": "pl", "zho": "zh", "chi": "zh", "jpn": "ja", "swe": "sv",
    "dan": "da", "fin": "fi", "ces": "cs", "cze": "cs", "tur": "tr", "ara": "ar", "kor": "ko", "ukr": "uk",
}  # fmt: skip


def language_code(declared: str) -> str:
    """ISO 639-1 code of "en-US", "eng" or "English"; "" for what is none (such as "und" or "x-none")."""
    code = base_language(declared)
    code = _NAMES.get(code, code)
    return code if _CODE.match(code) else ""


def detect_language(text: str) -> str:
    """ISO 639-1 code of the text's language, "" unless that is all but certain."""
    sample = _sample(text)
    if sum(map(str.isalpha, sample)) < _LEAST_LETTERS:
        return ""
    code, probability = _identifier().classify(sample)
    return str(code) if probability >= _SURE and _CODE.match(code) else ""


def _sample(text: str) -> str:
    """The start and two places further on: a title page or a table of contents tells little."""
    part = _SAMPLE // 3
    places = (0, len(text) // 3, 2 * len(text) // 3) if len(text) > _SAMPLE else (0,)
    sample = " ".join(text[place : place + (part if len(places) > 1 else _SAMPLE)] for place in places)
    # Capitals throughout look like no language at all to the model.
    return sample.lower() if sum(map(str.isupper, sample)) > len(sample) * _SHOUTING else sample


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # its tables take 130 MB

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
