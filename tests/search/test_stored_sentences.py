"""The best sentence of a hit, by the token states that are stored."""

from __future__ import annotations

import numpy as np
import pytest

from riparian.encoders.hashing import HashingEncoder
from riparian.types import DocumentId, Matrix, Mode, Passage, PassageId, Span
from riparian.vectors.token_states import Rows, TokenStates, rounded
from search.highlight import cut
from search.late import Wanted
from search.request import SearchRequest
from search.service import SearchService
from search.stored_sentences import NOTHING, Stored, Titled
from tests.search.stated import StatedEncoder, StatedWorld
from tests.search.world import Text

TEXT = "The river rose. Bread was baked at noon! Who paid the invoice?\n\n* * *"
OWN = "the river rose bread was baked at noon who paid the invoice".split()
PASSAGE = Passage(PassageId(7), DocumentId(3), 1, 100, 100 + len(TEXT), TEXT)
BASIS: Matrix = np.eye(64, dtype=np.float32)


class Held(TokenStates):
    """The states of one passage, which the encoder was given under this title."""

    def __init__(self, title: str) -> None:
        super().__init__(())
        self._rows = _rows(f"{title}\n{TEXT}" if title else TEXT)

    def of(self, passages):
        return {7: (BASIS, self._rows)} if 7 in list(passages) else {}


def _rows(text: str) -> Rows:
    [found] = HashingEncoder(64).encode_tokens([text])
    return rounded(found.vectors[[any(sign.isalnum() for sign in token) for token in found.tokens]], BASIS)


def stored(asked: str, title: str = "") -> Stored:
    encoder = StatedEncoder(64)
    [words] = encoder.encode_tokens([asked], "query")
    weights = np.full(len(words.vectors), 1 / len(words.vectors))
    return Stored(Wanted(words.vectors, weights), Held(title), encoder)


@pytest.mark.parametrize("title", ["", "Bread and invoices"])
@pytest.mark.parametrize(
    ("asked", "span"),
    [("bread baked", Span(116, 140)), ("invoice", Span(141, 162)), ("the river", Span(100, 115))],
)
def test_the_sentence_that_meets_the_words_is_found_and_the_title_is_none(asked, span, title):
    assert stored(asked, title).closest([Titled(cut(PASSAGE, "en"), title)]) == {7: span}


def test_each_sentence_is_worth_how_well_it_meets_every_word():
    [scores] = stored("bread invoice").met([Titled(cut(PASSAGE, "en"), "")]).values()
    one = HashingEncoder(64)
    cosines = one.encode_passages(["bread", "invoice"], "query") @ one.encode_passages(OWN, "passage").T
    by_words = np.split(cosines, [3, 8], axis=1)
    expected = [float(part.max(axis=1).mean()) for part in by_words]
    assert scores.tolist() == pytest.approx([*expected, NOTHING], abs=0.01)


def test_a_passage_without_states_or_with_other_tokens_than_were_stored_is_left_to_others():
    elsewhere = Passage(PassageId(8), DocumentId(3), 2, 0, len(TEXT), TEXT)
    assert stored("bread").closest([Titled(cut(elsewhere, "en"), "")]) == {}
    assert stored("bread").closest([Titled(cut(PASSAGE, "en"), "A title that came later")]) == {}


class Unasked(StatedEncoder):
    """Counts the sentences it is given."""

    given = 0

    def encode_passages(self, texts, role, progress=None):
        Unasked.given += len(texts) if role == "passage" else 0
        return super().encode_passages(texts, role, progress)


def test_a_search_shows_it_without_encoding_a_sentence(tmp_path, monkeypatch):
    world = StatedWorld(tmp_path)
    world.fill(Text("a.txt", TEXT), Text("b.txt", "Boats sank. An invoice was lost."))
    monkeypatch.setattr(world.encoders, "load", lambda spec: Unasked(64))
    Unasked.given = 0
    search: SearchService = world.search
    hits = search.search(SearchRequest("papers", "invoice", Mode.HYBRID)).hits
    shown = {hit.document.source: hit.passage.text[slice(*_inside(hit))] for hit in hits}
    assert shown == {"a.txt": "Who paid the invoice?", "b.txt": "An invoice was lost."}
    assert Unasked.given == 0
    world.plain.search(SearchRequest("papers", "invoice", Mode.HYBRID))
    assert Unasked.given == 5


def _inside(hit) -> tuple[int, int]:
    return hit.best_sentence.start - hit.passage.start, hit.best_sentence.end - hit.passage.start
