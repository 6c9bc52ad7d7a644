"""Words that could stand in a sense's place."""

from __future__ import annotations

import numpy as np

from riparian.encoders.base import Encoder
from senses.occurrences import Target, find, target_of
from senses.substitutes import KEPT, substitutes, vocabulary
from senses.vectors import OccurrenceVectors
from tests.senses.conftest import Archive


def test_candidates_are_frequent_words_that_are_not_made_with_the_target() -> None:
    said = ["The bank lends. Banks and bankers lend money, money.", "River money shore"]
    assert vocabulary(said, Target(("bank",)), "en") == ("money", "lend", "river", "shore")


def test_each_sense_has_substitutes_of_its_own(read_only: Archive) -> None:
    senses = read_only.senses.find("papers", "bank").senses
    assert all(1 <= len(sense.substitutes) <= KEPT for sense in senses)
    assert len({sense.substitutes[0] for sense in senses}) == len(senses)
    assert not any("bank" in word for sense in senses for word in sense.substitutes)


def test_what_stands_in_the_place_of_a_river_bank_is_by_the_river(
    read_only: Archive, encoder: Encoder, tmp_path: object
) -> None:
    world = read_only.world
    with world.database.read() as catalog:
        occurrences = find(catalog, world.lexical.index(world.id), target_of("bank"))
        documents = catalog.documents.many({one.document for one in occurrences})
    river = np.array([documents[one.document].source.startswith("river") for one in occurrences])
    views = OccurrenceVectors(tmp_path / "vectors").of(encoder, target_of("bank"), occurrences)  # type: ignore[operator]
    examples = [
        [one for one, is_river in zip(occurrences, river, strict=True) if is_river == wanted][:2] for wanted in (0, 1)
    ]
    known = ("lender", "shore", "violin", "teacher")
    money, by_river = substitutes(encoder, known, views, river.astype(np.int64), examples)
    assert (money[0], by_river[0]) == ("lender", "shore")
    assert substitutes(encoder, (), views, river.astype(np.int64), examples) == [(), ()]
