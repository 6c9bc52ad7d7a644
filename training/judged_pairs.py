"""What people judged, as pairs to learn from: queries with what was found relevant for them."""

from __future__ import annotations

from collections.abc import Sequence

from riparian.catalog.engine import Database
from riparian.catalog.judgments import Judgment
from riparian.errors import Invalid
from riparian.text import collapse
from riparian.types import DocumentId
from training.collected import Source
from training.material import Pair

FEWEST = 10
"""Pairs that something can be learnt from, at least."""


def check_enough(database: Database, collection: str) -> None:
    """UnknownCollection; Invalid, saying how many there are, where too little was judged relevant."""
    found = len(_relevant(database, collection))
    if found < FEWEST:
        raise Invalid(
            f"at least {FEWEST} relevant judgments are needed to learn from, and {collection!r} has {found}; tick hits "
            "on the page of a search, or take judgments in with `riparian judge --import`"
        )


def judged_pairs(database: Database, collection: str, held_out: Sequence[Source]) -> list[Pair]:
    """Each query with each passage that was judged relevant for it; with the document, where the whole was judged.

    Left out are documents that are held out, and queries that are the title of one: by those the result is judged.
    Invalid where fewer than FEWEST are left.
    """
    apart = {source.id for source in held_out}
    titles = {_folded(source.title) for source in held_out} - {""}
    judged = _relevant(database, collection)
    kept = [one for one in judged if one.document_id not in apart and _folded(one.query) not in titles]
    if len(kept) < FEWEST:
        raise Invalid(
            f"of {len(judged)} relevant judgments of {collection!r}, {len(judged) - len(kept)} are of documents that "
            f"are held out to judge by; {len(kept)} are left, and {FEWEST} are needed: judge more, or take another seed"
        )
    texts = _texts(database, kept)
    return [Pair(one.query, texts[one.id]) for one in kept if texts.get(one.id, "").strip()]


def _relevant(database: Database, collection: str) -> list[Judgment]:
    """One a query and document, of documents that are there, in the order they were given."""
    with database.read() as catalog:
        given = catalog.judgments.all(catalog.collections.named(collection).id)
    last = {(_folded(one.query), one.document_id): one for one in given if one.document_id is not None}
    return [one for one in last.values() if one.is_relevant]


def _texts(database: Database, judged: Sequence[Judgment]) -> dict[int, str]:
    """The text of each judgment's passage or document, by the judgment's number."""
    whole: set[DocumentId] = {
        one.document_id for one in judged if one.passage_id is None and one.document_id is not None
    }
    with database.read() as catalog:
        passages = catalog.passages.many({one.passage_id for one in judged if one.passage_id is not None})
        written = {one.id: one for one in catalog.documents.written(sorted(whole))}
    found: dict[int, str] = {}
    for one in judged:
        if one.passage_id is not None and one.passage_id in passages:
            found[one.id] = passages[one.passage_id].text
        elif one.document_id in written:
            found[one.id] = written[one.document_id].text
    return found


def _folded(text: str) -> str:
    return collapse(text).casefold()
