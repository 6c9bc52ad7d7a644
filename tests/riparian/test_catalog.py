from __future__ import annotations

import numpy as np
import pytest

from riparian.catalog.documents import NewPassage
from riparian.catalog.engine import Database, connect
from riparian.errors import AlreadyExists, UnknownCollection, UnknownDocument
from riparian.types import CollectionId, DocumentId, EncoderId, Extracted

TEXT = "one two. three four. five six."


def collection(database: Database, name: str = "c") -> tuple[CollectionId, EncoderId]:
    with database.write() as catalog:
        encoder = catalog.encoders.register(kind="k", spec="k", name="n", fingerprint="f" * 64, dimension=2, card={})
        return catalog.collections.create(name, encoder.id, {}).id, encoder.id


def put(database: Database, owner: CollectionId, source: str, *keys: str) -> DocumentId:
    passages = [NewPassage(i * 10, i * 10 + 9, key) for i, key in enumerate(keys)]
    with database.write() as catalog:
        return catalog.documents.put(owner, None, source, Extracted("", TEXT), digest="d", passages=passages)


def passages(database: Database, document: DocumentId) -> list[int]:
    with database.read() as catalog:
        return [int(passage.id) for passage in catalog.passages.of_document(document)]


def test_an_error_inside_a_transaction_leaves_nothing_of_it(database: Database) -> None:
    with pytest.raises(ValueError, match="stop"), database.write() as catalog:
        catalog.collections.create("c", None, {})
        raise ValueError("stop")
    with database.read() as catalog:
        assert catalog.collections.all() == []


def test_a_read_sees_one_state_although_another_transaction_commits(database: Database) -> None:
    owner, _ = collection(database)
    with database.read() as catalog:
        before = catalog.collections.revision(owner)
        with database.write() as other:
            other.collections.touch(owner)
        assert catalog.collections.revision(owner) == before
    with database.read() as catalog:
        assert catalog.collections.revision(owner) == before + 1


def test_a_name_is_taken_once_and_an_unknown_one_is_answered_with_those_there_are(database: Database) -> None:
    collection(database, "rivers")
    with pytest.raises(AlreadyExists), database.write() as catalog:
        catalog.collections.create("rivers", None, {})
    with pytest.raises(UnknownCollection, match="rivers"), database.read() as catalog:
        catalog.collections.named("lakes")


def test_passages_with_an_unchanged_key_keep_their_ids_wherever_they_move(database: Database) -> None:
    owner, _ = collection(database)
    document = put(database, owner, "a", "k1", "k2", "k3")
    one, two, three = passages(database, document)
    assert put(database, owner, "a", "k3", "new", "k1") == document
    after = passages(database, document)
    assert (after[0], after[2]) == (three, one)
    assert after[1] not in (one, two, three)
    with database.read() as catalog:
        assert catalog.vectors.removed_since(owner, 0).tolist() == [two]


def test_equal_keys_within_a_document_are_kept_apart(database: Database) -> None:
    owner, _ = collection(database)
    document = put(database, owner, "a", "k", "k", "k")
    before = passages(database, document)
    put(database, owner, "a", "k", "k")
    assert passages(database, document) == before[:2]


def test_ids_of_removed_documents_and_passages_are_never_given_again(database: Database) -> None:
    owner, _ = collection(database)
    document = put(database, owner, "a", "k1")
    [old] = passages(database, document)
    with database.write() as catalog:
        catalog.documents.remove([document])
    again = put(database, owner, "a", "k1")
    assert again > document
    assert passages(database, again)[0] > old
    with pytest.raises(UnknownDocument), database.read() as catalog:
        catalog.documents.get(document)


def test_every_change_of_a_document_is_noted_for_the_lexical_index_until_it_is_forgotten(database: Database) -> None:
    owner, _ = collection(database)
    one, other = put(database, owner, "a", "k1"), put(database, owner, "b", "k2")
    put(database, owner, "a", "k3")
    with database.write() as catalog:
        catalog.documents.remove([other])
    with database.write() as catalog:
        upto, documents = catalog.lexical.next(owner, 10)
        assert documents == [one, other]
        catalog.lexical.forget(owner, upto)
        assert catalog.lexical.waiting(owner) == 0


def test_a_vector_comes_back_as_it_was_and_goes_with_its_passage(database: Database) -> None:
    owner, encoder = collection(database)
    document = put(database, owner, "a", "k1", "k2")
    ids = np.array(passages(database, document), dtype=np.int64)
    rows = np.array([[0.1, -0.2], [1.0, 3e-8]], dtype=np.float32)
    with database.write() as catalog:
        assert catalog.vectors.pending_count(owner, encoder) == 2
        catalog.vectors.put(owner, encoder, ids, rows)
        assert catalog.vectors.pending_count(owner, encoder) == 0
        assert catalog.vectors.same_key(owner, encoder, ["k2", "k9"]) == {"k2": ids[1]}
    with database.read() as catalog:
        delta = catalog.vectors.delta(owner, encoder, 2)
    np.testing.assert_array_equal(delta.matrix, rows)
    put(database, owner, "a", "k2")
    with database.read() as catalog:
        assert catalog.vectors.delta(owner, encoder, 2).ids.tolist() == [ids[1]]
        assert catalog.vectors.delta(owner, encoder, 2, after=delta.upto).ids.tolist() == []


def test_vectors_of_passages_that_were_removed_meanwhile_are_left_out(database: Database) -> None:
    owner, encoder = collection(database)
    [alive] = passages(database, put(database, owner, "a", "k1"))
    with database.write() as catalog:
        ids = np.array([alive, alive + 1000], dtype=np.int64)
        catalog.vectors.put(owner, encoder, ids, np.zeros((2, 2), dtype=np.float32))
        assert catalog.vectors.embedded_ids(owner, encoder).tolist() == [alive]


def test_a_removed_collection_takes_everything_with_it(database: Database) -> None:
    owner, _ = collection(database)
    document = put(database, owner, "a", "k1")
    with database.write() as catalog:
        catalog.collections.remove(owner)
    with database.read() as catalog:
        assert catalog.documents.many([document]) == {}
        assert catalog.vectors.removed_since(owner, 0).tolist() == []


def test_a_server_is_named_as_people_write_it() -> None:
    for url in ("postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"):
        assert connect(url).url.drivername == "postgresql+psycopg"
