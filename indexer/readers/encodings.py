"""Which encoding bytes are in that are neither marked nor UTF-8."""

from __future__ import annotations

import re
import unicodedata

from charset_normalizer import from_bytes

from indexer.readers.base import Unreadable
from indexer.readers.language import detect_language

_KANA = re.compile("[\u3041-\u30ff]")
_CYRILLIC_ENCODINGS = ("cp1251", "koi8_r", "cp866", "iso8859_5")
_COMMON_CYRILLIC = frozenset("оеаинтсрвлкмдпуязыбгч ")
_CENTRAL_EUROPEAN = frozenset(("cs", "sk", "pl", "hu", "ro", "hr", "sl", "bs"))
_SIGNS_OF_WINDOWS = frozenset("“”‘’„‚–—…€•«»°§©®ºª¿¡·´")


def guess_encoding(sample: bytes) -> str:
    """The encoding that makes most sense of the sample.

    charset-normalizer errs on short texts, so the families that files come in most often are tried by their own signs
    first. Raises Unreadable for what is no text.
    """
    return _japanese(sample) or _western(sample) or _cyrillic(sample) or _any(sample)


def _decoded(sample: bytes, encoding: str) -> str | None:
    """None where the bytes cannot be that; a character that the end of the sample cuts is forgiven."""
    for cut in range(4):
        try:
            return sample[: len(sample) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(sample) - 4:
                return None
    return None


def _japanese(sample: bytes) -> str:
    """By its kana, which no other text turns into by accident."""
    for encoding in ("shift_jis", "euc_jp", "cp932"):
        text = _decoded(sample, encoding)
        wide = [character for character in text or "" if ord(character) > 0x7F]
        # Half-width katakana are what single bytes of other encodings look like.
        if wide and len(_KANA.findall("".join(wide))) > len(wide) // 5:
            return encoding
    return ""


def _western(sample: bytes) -> str:
    """Few bytes beyond ASCII, and those letters or typographic signs."""
    high = sum(byte > 0x7F for byte in sample)
    text = _decoded(sample, "cp1252")
    if text is None or not high or high > len(sample) // 5:
        return ""
    if not all(_is_western(character) for character in text if ord(character) > 0x7F):
        return ""
    other = _decoded(sample, "cp1250")
    return "cp1250" if other and detect_language(other) in _CENTRAL_EUROPEAN else "cp1252"


def _is_western(character: str) -> bool:
    return character in _SIGNS_OF_WINDOWS or character.isspace() or unicodedata.category(character) in {"Ll", "Lu"}


def _cyrillic(sample: bytes) -> str:
    """By how much of it is common small letters."""
    high = sum(byte > 0x7F for byte in sample)
    if high < len(sample) // 3:
        return ""
    shares = {}
    for encoding in _CYRILLIC_ENCODINGS:
        text = sample.decode(encoding, "replace")
        shares[encoding] = sum(character in _COMMON_CYRILLIC for character in text) / len(text)
    best = max(shares, key=lambda encoding: shares[encoding])
    return best if shares[best] > 0.7 else ""


def _any(sample: bytes) -> str:
    guess = from_bytes(sample).best()
    if guess is None:
        raise Unreadable("not text: it looks like binary data")
    return guess.encoding
