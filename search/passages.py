"""Which passages of a document a hit shows."""

from __future__ import annotations

from dataclasses import dataclass

from riparian.types import DocumentId, Ids, PassageId
from search.dense import Meaning
from search.fusion import scale_of, scaled
from search.lexical import Words
from search.ranking import Ranked
from search.scene import Scene


@dataclass(frozen=True, slots=True)
class Chooser:
    """Passages by the weighted sum of what each retriever gives them.

    A passage's cosine is scaled like its document's; its share of the document's largest passage BM25 is scaled by what
    the document got. So the choice depends on nothing but the query, its filters and the document.
    """

    scene: Scene
    ranked: Ranked
    words: Words | None
    meaning: Meaning | None

    def best(self, documents: Ids, count: int) -> dict[DocumentId, list[PassageId]]:
        """The `count` best passages of each document, equal ones: the smaller id first."""
        passages = self.scene.passages_among(documents)
        assert passages is not None
        near, matching = self._near(passages), self._matching(documents, len(passages))
        weight, layout = self.ranked.weight, self.scene.layout
        found: dict[DocumentId, list[PassageId]] = {DocumentId(int(document)): [] for document in documents}
        for passage, owner in zip(passages.tolist(), layout.documents_of(passages).tolist(), strict=True):
            found[DocumentId(owner)].append(PassageId(passage))
        for own in found.values():
            own.sort(key=lambda p: (-weight * near.get(p, 0.0) - (1 - weight) * matching.get(p, 0.0), p))
        return {document: own[:count] for document, own in found.items()}

    def _near(self, passages: Ids) -> dict[int, float]:
        if self.meaning is None or self.ranked.semantic is None:
            return {}
        low, high = scale_of(self.ranked.semantic, depth=self.ranked.depth)
        span = high - low if high > low else 1.0
        return {passage: (value - low) / span for passage, value in self.meaning.nearness(passages).items()}

    def _matching(self, documents: Ids, passages: int) -> dict[int, float]:
        if self.words is None or self.ranked.lexical is None:
            return {}
        ranking = self.ranked.lexical
        got = dict(zip(ranking.ids.tolist(), scaled(ranking, depth=self.ranked.depth).tolist(), strict=True))
        places = self.words.places(documents, passages)
        return {p: got.get(places.documents[p], 0.0) * share for p, share in places.shares().items()}
