from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.errors import BadQuery, Conflict, DamagedIndex, NotIndexedYet, StorageFull
from riparian.lexical import state
from riparian.lexical.index import LexicalIndex, rebuild, verify_index
from riparian.lexical.query import bag

DOCUMENTS = {
    1: ("River banks", "The bank of the river was flooded after the storm.", "en"),
    2: ("Money", "The bank lends money; write to bob@example.org about CVE-2021-44228.", "en"),
    3: ("Sprachen", "Ich mag C++ und die Programmierung in der Stadt.", "de"),
    4: ("東京", "東京は日本の首都です。", "ja"),
    5: ("Café", "Le café est ouvert aux nations unies.", "fr"),
    6: ("Hamlet", "To be, or not to be: that is the question.", "en"),
    7: ("Log", "See https://example.org/a?b=1 and CVE-2021-44229, 2021 entries in all.", "en"),
    8: ("Notes", "Plain C has no classes; well-known since 1972.", ""),
}


def fill(index: LexicalIndex) -> LexicalIndex:
    with index.change() as change:
        for number, (title, text, language) in DOCUMENTS.items():
            change.put_document(number, title, text, language)
            halves = [(number * 10, text[: len(text) // 2]), (number * 10 + 1, text[len(text) // 2 :])]
            change.put_passages(number, halves, title, language)
        change.revision = 17
    return index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    return fill(LexicalIndex.open(tmp_path_factory.mktemp("lexical") / "1"))


@pytest.fixture
def own(tmp_path: Path) -> LexicalIndex:
    return fill(LexicalIndex.open(tmp_path / "1"))


@pytest.mark.parametrize(
    ("query", "documents"),
    [
        ("banks", [1, 2]),
        ("flooding storms", [1]),
        ("+bank -river", [2]),
        ("bank NOT river", [2]),
        ("bank AND money", [2]),
        ("(flood* OR lends) AND bank", [1, 2]),
        ('"lends money"', [2]),
        ('"money lends"', []),
        ('"bank river"', []),
        ('"bank river"~2', [1]),
        ("CVE-2021-44228", [2, 7]),
        ("+CVE-2021-44228", [2]),
        ("bob@example.org", [2, 7]),
        ('"example.org"', [2, 7]),
        ("https://example.org/a?b=1", [7, 2]),
        ("C++", [3]),
        ("+C++", [3]),
        ("東京", [4]),
        ("日本 首都", [4]),
        ("cafe", [5]),
        ("Café", [5]),
        ("nation", [5]),
        ("programmierungen", [3]),
        ("Städte", [3]),
        ("quest*", [6]),
        ("quezt~1", []),
        ("quesiton~1", [6]),
        ("to be or not to be", [6, 2]),
        ('"to be or not to be"', [6]),
        ("title:hamlet", [6]),
        ("title:question", []),
        ("title:(hamlet OR money)", [2, 6]),
        ("well-known", [8]),
        ("the bank", [1, 2]),
        ("zebra", []),
    ],
)
def test_a_query_finds_these_documents(index: LexicalIndex, query: str, documents: list[int]) -> None:
    found = index.search_documents(query, 10).ids.tolist()
    assert sorted(found) == sorted(documents)
    assert found[:1] == documents[:1]
    assert index.matches(query).tolist() == sorted(documents)


def test_more_of_the_words_and_the_title_rank_higher(index: LexicalIndex) -> None:
    found = index.search_documents("river bank money", 10)
    assert found.ids.tolist() == [1, 2]
    assert found.scores[0] > found.scores[1] > 0
    assert found.documents.tolist() == [1, 2]


def test_a_negative_query_gives_everything_else(index: LexicalIndex) -> None:
    assert index.search_documents("-bank", 10).ids.tolist() == [3, 4, 5, 6, 7, 8]


def test_passages_come_with_their_documents(index: LexicalIndex) -> None:
    found = index.search_passages("question storm", 10)
    assert dict(zip(found.ids.tolist(), found.documents.tolist(), strict=True)) == {61: 6, 11: 1}


def test_loose_passages_need_not_hold_what_the_document_must(index: LexicalIndex) -> None:
    assert index.search_passages("+bank AND +storm", 10).ids.tolist() == []
    found = index.search_passages("+bank AND +storm", 10, documents=np.array([1]), loose=True)
    assert sorted(found.ids.tolist()) == [10, 11]


@pytest.mark.parametrize("query", ["", "!?", '""'])
def test_a_query_without_a_word_is_refused(index: LexicalIndex, query: str) -> None:
    with pytest.raises(BadQuery):
        index.search_documents(query, 5)


def test_what_is_in_the_index_can_be_compared_with_the_catalog(index: LexicalIndex) -> None:
    assert index.counts() == (8, 16)
    assert index.document_ids().tolist() == list(DOCUMENTS)
    assert index.passage_ids().tolist() == sorted(number * 10 + half for number in DOCUMENTS for half in (0, 1))
    assert index.revision == 17
    assert index.languages == ("en", "de", "fr", "ja", "")


# ------------------------------------------------------------------------------ filters and order


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    """600 documents in which scores repeat, written in several commits and out of order."""
    index = LexicalIndex.open(tmp_path_factory.mktemp("lexical") / "many")
    order = np.random.default_rng(0).permutation(600).tolist()
    for part in (order[start : start + 150] for start in range(0, 600, 150)):
        with index.change() as change:
            for number in part:
                text = "river " * (1 + number % 3) + "bank " * (number % 2) + f"filler{number % 7}"
                change.put_document(number, "", text, "en")
                change.put_passages(number, [(number + 1000, text)], "", "en")
    return index


@pytest.mark.parametrize("k", [1, 10, 100, 700])
def test_equal_scores_are_ordered_by_id_over_all_commits(many: LexicalIndex, k: int) -> None:
    whole = many.search_documents("river bank", 1000)
    assert len(whole.ids) == 600
    order = np.lexsort((whole.ids, -whole.scores))
    assert order.tolist() == list(range(600))
    found = many.search_documents("river bank", k)
    assert found.ids.tolist() == whole.ids[:k].tolist()
    assert found.scores.tolist() == whole.scores[:k].tolist()


@pytest.mark.parametrize("share", [0.0, 0.002, 0.05, 0.15, 0.5, 1.0])
@pytest.mark.parametrize("k", [1, 10, 200])
def test_a_filter_gives_the_best_allowed_with_their_own_scores(many: LexicalIndex, share: float, k: int) -> None:
    chosen = np.random.default_rng(1).choice(600, int(share * 600), replace=False)
    allowed = np.sort(np.concatenate((chosen, [10**9])))
    whole = many.search_documents("bank river", 600)
    kept = np.isin(whole.ids, allowed)
    found = many.search_documents("bank river", k, allowed=allowed)
    assert found.ids.tolist() == whole.ids[kept][:k].tolist()
    assert found.scores.tolist() == whole.scores[kept][:k].tolist()
    passages = many.search_passages("bank river", k, documents=allowed)
    assert (passages.ids - 1000).tolist() == passages.documents.tolist() == found.ids.tolist()


# ------------------------------------------------------------------------------ changes


def test_a_document_put_again_replaces_itself_and_its_passages(own: LexicalIndex) -> None:
    with own.change() as change:
        change.put_document(2, "Zoo", "A zebra.", "en")
        change.put_passages(2, [(500, "A zebra.")], "Zoo", "en")
    assert own.search_documents("money", 5).ids.tolist() == []
    assert own.search_documents("zebra", 5).ids.tolist() == [2]
    assert own.search_passages("zebra lends", 5).ids.tolist() == [500]
    assert own.counts() == (8, 15)


def test_a_removed_document_is_gone_with_its_passages(own: LexicalIndex) -> None:
    with own.change() as change:
        change.remove_document(1)
        change.remove_document(999)
    assert own.search_documents("river", 5).ids.tolist() == []
    assert own.counts() == (7, 14)
    assert own.revision == 17


def test_a_change_that_fails_changes_nothing(own: LexicalIndex) -> None:
    with pytest.raises(KeyError), own.change() as change:
        change.remove_document(1)
        change.put_document(50, "", "zebra", "en")
        raise KeyError("stop")
    assert own.counts() == (8, 16)
    with own.change() as change:
        change.put_document(50, "", "zebra", "en")
    assert own.search_documents("zebra", 5).ids.tolist() == [50]


def test_another_reader_sees_a_commit_at_its_next_search(own: LexicalIndex) -> None:
    other = LexicalIndex.open(own._folder, create=False)
    with own.change() as change:
        change.put_document(50, "", "zebra", "en")
        assert other.search_documents("zebra", 5).ids.tolist() == []
        change.revision = 18
    assert other.search_documents("zebra", 5).ids.tolist() == [50]
    assert other.revision == 18


def test_a_second_change_waits_and_then_says_who_is_in_the_way(own: LexicalIndex) -> None:
    with (
        own.change(),
        pytest.raises(Conflict, match="being changed by another process"),
        LexicalIndex(own._folder).change(wait_s=0.1),
    ):
        pass


def test_there_is_no_index_where_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(NotIndexedYet, match="no lexical index"):
        LexicalIndex.open(tmp_path / "none", create=False)


def test_searches_and_changes_live_together(own: LexicalIndex) -> None:
    wrong: list[str] = []
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            ids = own.search_documents("river zebra", 1000).ids.tolist()
            pairs = own.search_passages("zebra", 1000)
            if 1 not in ids or len(ids) % 10 != 1 or any(pairs.ids - 10_000 != pairs.documents):
                wrong.append(str(ids))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for batch in range(6):
        with own.change() as change:
            for number in range(100 + batch * 10, 110 + batch * 10):
                change.put_document(number, "", "a zebra", "en")
                change.put_passages(number, [(number + 10_000, "a zebra")], "", "en")
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert own.counts()[0] == 68


KILL = """
import sys
from pathlib import Path
from riparian import failpoints
from riparian.lexical.index import LexicalIndex, rebuild
folder, point = Path(sys.argv[1]), sys.argv[2]
index = LexicalIndex.open(folder)
failpoints.arm(point)
with (rebuild(folder) if point == "lexical.before-switch" else index.change()) as change:
    change.put_document(50, "", "zebra", "en")
    change.put_passages(50, [(500, "zebra")], "", "en")
    change.revision = 99
"""


@pytest.mark.parametrize("point", ["lexical.half-committed", "lexical.before-switch"])
def test_a_kill_leaves_the_last_commit_and_the_same_change_can_be_made_again(own: LexicalIndex, point: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILL, str(own._folder), point], check=False)
    assert done.returncode == 137
    again = LexicalIndex.open(own._folder, create=False)
    assert again.revision == 17
    assert again.search_documents("bank river", 5).ids.tolist() == [1, 2]
    with again.change() as change:
        change.put_document(50, "", "zebra", "en")
        change.put_passages(50, [(500, "zebra")], "", "en")
    assert again.counts() == (9, 17)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs rights that this process lacks")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("documents", [3000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_full_disk_is_named_loses_nothing_and_is_left_with_room(small_disk: Path, documents: int) -> None:
    """The writer fails at its commit, or, with more than its memory holds, before."""
    index = fill(LexicalIndex.open(small_disk / "1"))
    random = np.random.default_rng(0)
    with pytest.raises(StorageFull, match="no space left"), index.change() as change:
        for number in range(100, 100 + documents):
            change.put_document(number, "", " ".join(f"w{one}" for one in random.integers(10**9, size=100)), "en")
    assert index.search_documents("bank river", 5).ids.tolist() == [1, 2]
    with index.change() as change:
        change.put_document(50, "", "zebra", "en")
    assert LexicalIndex.open(small_disk / "1").counts() == (9, 16)


# ------------------------------------------------------------------------------ rebuilding and damage


def test_a_rebuild_serves_the_old_until_it_is_done_and_then_the_new(own: LexicalIndex) -> None:
    with rebuild(own._folder) as change:
        change.put_document(1, "", "zebra", "en")
        change.revision = 40
        assert own.search_documents("bank", 5).ids.tolist() == [1, 2]
    assert own.search_documents("zebra bank", 5).ids.tolist() == [1]
    assert (own.counts(), own.revision) == ((1, 0), 40)
    assert [path.name for path in own._folder.glob("build-*")] == ["build-2"]


def test_a_rebuild_that_fails_leaves_the_old(own: LexicalIndex) -> None:
    with pytest.raises(KeyError), rebuild(own._folder) as change:
        change.put_document(1, "", "zebra", "en")
        raise KeyError("stop")
    assert own.counts() == (8, 16)
    assert [path.name for path in own._folder.glob("build-*")] == ["build-1"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"build": 1, "revision": 0, "format": 1}'])
def test_a_rebuild_heals_a_state_that_cannot_be_read(own: LexicalIndex, content: str) -> None:
    (own._folder / "state.json").write_text(content)
    with pytest.raises(DamagedIndex):
        LexicalIndex.open(own._folder)
    with rebuild(own._folder) as change:
        change.put_document(7, "", "a new bank", "en")
    assert LexicalIndex.open(own._folder).document_ids().tolist() == [7]


def test_a_flipped_byte_is_found_when_the_index_is_opened_and_a_rebuild_heals_it(own: LexicalIndex) -> None:
    random = np.random.default_rng(3)
    files = [*own._folder.glob("build-1/*/*.*"), own._folder / state.NAME]
    files = [file for file in files if file.stat().st_size and not file.name.startswith(".")]
    assert len(files) == 2 * 7 + 1
    for trial in range(300):
        file = files[trial % len(files)]
        content = file.read_bytes()
        place = int(random.integers(len(content)))
        flipped = content[place] ^ int(random.integers(1, 256))
        file.write_bytes(content[:place] + bytes([flipped]) + content[place + 1 :])
        with pytest.raises(DamagedIndex):
            verify_index(own._folder)
        file.write_bytes(content)
    verify_index(own._folder)
    files[0].write_bytes(b"")
    with pytest.raises(DamagedIndex, match="riparian check --repair"):
        LexicalIndex.open(own._folder)
    with rebuild(own._folder) as change:
        change.put_document(1, "", "zebra", "en")
    assert LexicalIndex.open(own._folder).counts() == (1, 0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"build": 1, "revision": 0, "metas": [], "format": 0}'])
def test_an_unreadable_or_older_state_is_refused(own: LexicalIndex, content: str) -> None:
    (own._folder / state.NAME).write_text(content)
    with pytest.raises(DamagedIndex, match=r"state\.json"):
        LexicalIndex.open(own._folder)


# ------------------------------------------------------------------------------ any text is a query


WILD = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            ["AND", "NOT", "(", ")", '"', "~2", "*", "title:", "-", "+", "bank", "c++", "a@b", "東京", "é~", "ﷺ"]
        ),
        max_size=20,
    ).map(" ".join),
)


@given(WILD)
@settings(max_examples=500, deadline=2000)
def test_no_text_makes_a_search_fail(index: LexicalIndex, text: str) -> None:
    try:
        found = index.search_documents(text, 10)
    except BadQuery:
        return
    assert set(found.ids.tolist()) <= set(index.matches(text).tolist()) <= set(DOCUMENTS)


@pytest.mark.slow
@given(WILD)
@settings(max_examples=20_000, deadline=2000)
def test_no_text_of_20000_makes_a_search_fail(index: LexicalIndex, text: str) -> None:
    try:
        index.search_documents(text, 10)
        index.search_passages(text, 10, loose=True)
    except BadQuery:
        return


def test_a_very_long_text_is_searched_by_its_telling_words(index: LexicalIndex) -> None:
    text = " ".join(f"unknown{number}" for number in range(20_000)) + " lends"
    assert index.search_documents(text, 5).ids.tolist() == [2]
    assert index.search_documents(bag("river " * 50_000), 5).ids.tolist() == [1]
    assert index.search_documents("x" * 200_000, 5).ids.tolist() == []
    assert index.search_documents("x" * 200_000 + "*", 5).ids.tolist() == []
    assert index.search_documents("x" * 200_000 + "~2", 5).ids.tolist() == []
