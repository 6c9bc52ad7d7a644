"""A collection as a topic model meets it: its embedded passages with vectors, documents, lengths, words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riparian.catalog.catalog import Catalog
from riparian.text import base_language
from riparian.types import CollectionId, Ids, Matrix, Passage, PassageId
from topics.base import BagOfWords
from topics.bow import Languages

Texts = Iterator[tuple[str, Languages]]


@dataclass(frozen=True, slots=True)
class Corpus:
    """N passages by ascending id: their `vectors` (N, E), `documents` (ids), `lengths` (characters) and words."""

    passages: Ids
    vectors: Matrix
    documents: NDArray[np.int64]
    lengths: NDArray[np.int64]
    bag: BagOfWords

    def __len__(self) -> int:
        return len(self.passages)


def read(
    catalog: Catalog,
    collection_id: CollectionId,
    ids: Ids,
    vectors: Matrix,
    language: str,
    make_bag: Callable[[Texts], BagOfWords],
) -> Corpus:
    """Those of the passages `ids` (ascending, with their vectors) that the catalog still has.

    Texts go to `make_bag` one by one and are not kept. `language` is that of most of the collection.
    """
    languages = _languages(catalog, collection_id)
    found: list[Passage] = []

    def texts() -> Texts:
        for batch in _batches(catalog, collection_id, ids):
            for passage in batch:
                found.append(Passage(passage.id, passage.document_id, 0, passage.start, passage.end, ""))
                yield passage.text, _both(languages.get(int(passage.document_id), language), language)

    bag = make_bag(texts())
    kept = np.fromiter((passage.id for passage in found), np.int64, len(found))
    return Corpus(
        passages=kept,
        vectors=vectors[np.searchsorted(ids, kept)],
        documents=np.fromiter((passage.document_id for passage in found), np.int64, len(found)),
        lengths=np.fromiter((passage.end - passage.start for passage in found), np.int64, len(found)),
        bag=bag,
    )


def main_language(catalog: Catalog, collection_id: CollectionId) -> str:
    """The language of most documents whose language is known, "en" where none is."""
    counted: Counter[str] = Counter()
    for language, documents in catalog.documents.languages(collection_id).items():
        counted[base_language(language)] += documents
    del counted[""]
    return min(counted, key=lambda code: (-counted[code], code), default="en")


def _languages(catalog: Catalog, collection_id: CollectionId) -> Mapping[int, str]:
    """The language of each document; empty where all share one, which then need not be looked up."""
    if len(catalog.documents.languages(collection_id)) < 2:
        return {}
    found: dict[int, str] = {}
    while page := catalog.documents.page(collection_id, limit=1000, after=max(found, default=0)):
        found.update({int(document.id): base_language(document.language) for document in page})
    return found


def _both(own: str, main: str) -> Languages:
    return (main,) if own in ("", main) else (own, main)


def _batches(catalog: Catalog, collection_id: CollectionId, ids: Ids) -> Iterator[list[Passage]]:
    """The wanted passages by id. A small part is asked for by name, a large one is picked from a walk over all."""
    if len(ids) < 1000:
        found = catalog.passages.many(ids.tolist())
        yield [found[PassageId(i)] for i in sorted(found)]
        return
    wanted = set(ids.tolist())
    for batch in catalog.passages.all(collection_id):
        yield [passage for passage in batch if int(passage.id) in wanted]
