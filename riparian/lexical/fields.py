"""The fields of both lexical indexes, and a text as a tantivy document.

Texts are analysed here (`analysis.py`) and handed over as words between blanks, so that ranking, highlighting and the
topics' vocabulary share one idea of a word. Nothing is stored: the text stands in the catalog.
"""

from __future__ import annotations

from typing import Any

import tantivy

from riparian.lexical import analysis
from riparian.text import base_language

ID, DOCUMENT, LANGUAGE = "id", "document", "language"
BODY, TITLE = "body", "title"
EXACT, TITLE_EXACT = "exact", "title_exact"
IDENTIFIERS = "identifiers"

TITLE_WEIGHT = 2
"""A word of the title counts as often in a document's body: BM25F's weight, by repetition in one field."""

NO_LANGUAGE = "und"
"""Stands in the index for "", a text whose language nobody knows."""

_BLANKS = "blanks"


def schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field(ID, indexed=True, fast=True)
    builder.add_unsigned_field(DOCUMENT, indexed=True, fast=True)
    builder.add_text_field(LANGUAGE, tokenizer_name=_BLANKS, index_option="basic")
    for field in (BODY, TITLE):
        builder.add_text_field(field, tokenizer_name=_BLANKS, index_option="freq")
    for field in (EXACT, TITLE_EXACT):
        builder.add_text_field(field, tokenizer_name=_BLANKS, index_option="position")
    builder.add_text_field(IDENTIFIERS, tokenizer_name=_BLANKS, index_option="freq")
    return builder.build()


def register(index: Any) -> None:
    """Tells an opened index how its fields are split: at blanks, for everything else is done before."""
    blanks = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_BLANKS, blanks)


def document_entry(document_id: int, title: str, text: str, language: str) -> Any:
    """A whole document: its title counts `TITLE_WEIGHT` times among its words, and can be asked for alone."""
    titled, plain = analysis.plain_words(title), analysis.plain_words(text)
    entry = _entry(document_id, document_id, language, titled)
    entry.add_text(BODY, " ".join(analysis.stems(titled * TITLE_WEIGHT + plain, language)))
    entry.add_text(EXACT, " ".join(titled + plain))
    entry.add_text(IDENTIFIERS, " ".join(analysis.identifiers(f"{title}\n{text}")))
    return entry


def passage_entry(passage_id: int, document_id: int, title: str, text: str, language: str) -> Any:
    """A passage by its own words; its document's title can be asked for but does not rank it."""
    plain = analysis.plain_words(text)
    entry = _entry(passage_id, document_id, language, analysis.plain_words(title))
    entry.add_text(BODY, " ".join(analysis.stems(plain, language)))
    entry.add_text(EXACT, " ".join(plain))
    entry.add_text(IDENTIFIERS, " ".join(analysis.identifiers(text)))
    return entry


def _entry(entry_id: int, document_id: int, language: str, titled: list[str]) -> Any:
    entry = tantivy.Document()
    entry.add_unsigned(ID, entry_id)
    entry.add_unsigned(DOCUMENT, document_id)
    entry.add_text(LANGUAGE, base_language(language) or NO_LANGUAGE)
    entry.add_text(TITLE, " ".join(analysis.stems(titled, language)))
    entry.add_text(TITLE_EXACT, " ".join(titled))
    return entry
