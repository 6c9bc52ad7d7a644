"""Laws of curation, whatever the edits and their order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from riparian.catalog.models import DocumentTopicRow, PassageRow, PassageTopicRow
from riparian.errors import Conflict, Invalid
from riparian.types import PassageId
from tests.topics.curated import VOCABULARY, Small, small
from topics.curation import requests

Asked = tuple[str, int, int, int]

KINDS = ("rename", "merge", "split", "move", "move-new", "pin", "pin-passages", "unpin", "seed", "hide", "note")
asked = st.tuples(st.sampled_from(KINDS), st.integers(0, 99), st.integers(0, 99), st.integers(1, 6))
sequences = st.lists(asked, min_size=1, max_size=7)
# no shrinking: a failing sequence is short already, and every step writes to a database
lawful = settings(
    max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def request_of(world: Small, one: Asked) -> requests.Request:
    """A request from arbitrary numbers, over the topics and passages that are there now."""
    kind, a, b, count = one
    topics = world.topics()
    first, second = topics[a % len(topics)], topics[b % len(topics)]
    passages = tuple(PassageId(int(p)) for p in np.roll(world.vectors.ids, a)[:count])
    made: dict[str, requests.Request] = {
        "rename": requests.Rename(first, f"name {a}"),
        "merge": requests.Merge((first,), second),
        "split": requests.Split(first, 2 + count % 2),
        "move": requests.Move(passages, second),
        "move-new": requests.Move(passages, f"new {b}"),
        "pin": requests.Pin(first),
        "pin-passages": requests.Pin(passages=passages),
        "unpin": requests.Unpin(first),
        "seed": requests.Seed(VOCABULARY[a : a + count], first),
        "hide": requests.Hide(first, hidden=bool(b % 2)),
        "note": requests.Note(first, f"note {a}"),
    }
    return made[kind]


def edited(world: Small, sequence: list[Asked]) -> int:
    """Makes those of the edits that are allowed; answers with how many."""
    done = 0
    for one in sequence:
        try:
            world.service.edit(world.id, request_of(world, one))
        except (Conflict, Invalid):
            continue
        done += 1
    return done


@contextmanager
def opened(template: Path, folder: Path) -> Iterator[Small]:
    with small(template, folder) as world:
        yield world


@lawful
@given(sequence=sequences)
def test_undoing_everything_leads_back_to_the_start_and_redoing_to_the_end(
    sqlite_template: Path, place: Path, sequence: list[Asked]
) -> None:
    with opened(sqlite_template, place) as world:
        states = [world.state()]
        states += [world.state() for one in sequence if edited(world, [one])]
        for state in reversed(states[:-1]):
            world.service.undo(world.id)
            assert world.state() == state
        with pytest.raises(Conflict, match="no edit to undo"):
            world.service.undo(world.id)
        for state in states[1:]:
            world.service.redo(world.id)
            assert world.state() == state
        with pytest.raises(Conflict, match="no edit to redo"):
            world.service.redo(world.id)


@lawful
@given(sequence=sequences)
def test_mixtures_sum_to_one_and_pages_show_what_the_tables_say(
    sqlite_template: Path, place: Path, sequence: list[Asked]
) -> None:
    with opened(sqlite_template, place) as world:
        edited(world, sequence)
        with world.database.read() as catalog:
            for table, owner in ((PassageTopicRow, "passage_id"), (DocumentTopicRow, "document_id")):
                key = getattr(table, owner)
                sums = catalog.session.execute(select(key, func.sum(table.weight)).group_by(key)).all()
                assert [total for _, total in sums] == pytest.approx([1] * len(sums), abs=1e-6)
                tops = catalog.session.execute(select(key, func.count()).where(table.top).group_by(key)).all()
                assert [count for _, count in tops] == [1] * len(sums)
            shown = catalog.topics.of_model(world.model)
            passages = catalog.session.scalar(select(func.count()).select_from(PassageRow)) or 0
            assert sum(topic.share for topic in shown) == pytest.approx(1, abs=1e-9)
            assert sum(topic.passages for topic in shown) == passages
            for topic in shown:
                weight = catalog.session.scalar(
                    select(func.sum(PassageTopicRow.weight)).where(PassageTopicRow.topic_id == topic.id)
                )
                assert topic.share == pytest.approx((weight or 0) / passages, abs=1e-9)


# ------------------------------------------------------------------------------ merges


@settings(lawful, max_examples=2)
@given(first=st.integers(0, 4), second=st.integers(0, 4), third=st.integers(0, 4))
def test_merging_is_associative_in_counts(
    sqlite_template: Path, place: Path, first: int, second: int, third: int
) -> None:
    with opened(sqlite_template, place) as world:
        a, b, c = (world.topics()[k % 5] for k in _distinct(first, second, third))
        found = []
        for merges in (((a, b), (b, c)), ((b, c), (a, c)), ((a, b, c),)):
            for *sources, into in merges:
                world.service.edit(world.id, requests.Merge(tuple(sources), into))
            with world.database.read() as catalog:
                shown = {t.id: t for t in catalog.topics.of_model(world.model)}
            assert set(shown) == set(world.topics())
            assert not {a, b} & set(shown)
            found.append({key: (t.passages, t.documents, round(t.share, 12)) for key, t in shown.items()})
            for _ in merges:
                world.service.undo(world.id)
        assert found[0] == found[1] == found[2]


def _distinct(*numbers: int) -> list[int]:
    """Three different numbers below 5, near the given ones."""
    found: list[int] = []
    for number in numbers:
        found.append(next(k % 5 for k in range(number, number + 5) if k % 5 not in found))
    return found
