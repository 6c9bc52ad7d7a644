"""What people ticked becomes pairs to learn from, but for what the result is judged by."""

from __future__ import annotations

from pathlib import Path

import pytest

from riparian import jobs
from riparian.catalog.judgments import NewJudgment
from riparian.errors import Invalid
from riparian.types import DocumentId, JobState
from tests.training.test_tuning import base, services, wish
from training.collected import documents
from training.evaluation.split import split
from training.judged_pairs import FEWEST, judged_pairs
from web.wiring import Services

__all__ = ["base", "services"]


def judge(services: Services, count: int) -> list[NewJudgment]:
    """Ticks the first passage of so many documents, crosses the next document's."""
    with services.database.write() as catalog:
        collection = catalog.collections.named("letters").id
        ids = [int(one) for one in catalog.documents.ids(collection)][: count + 1]
        passages = {number: catalog.passages.of_document(DocumentId(number))[0].id for number in ids}
        given = [
            NewJudgment(f"where is letter {number}", DocumentId(number), passages[number], 1.0) for number in ids[:-1]
        ]
        given.append(NewJudgment("where is nothing", DocumentId(ids[-1]), passages[ids[-1]], 0.0))
        catalog.judgments.put(collection, given)
    return given


def test_enough_must_be_judged_and_what_is_relevant_is_paired_but_for_what_is_held_out(
    services: Services, base: str, tmp_path: Path
) -> None:
    judge(services, FEWEST - 1)
    with pytest.raises(Invalid, match=f"at least {FEWEST} relevant judgments .* 'letters' has {FEWEST - 1}"):
        services.tuning.tune(wish(base, judgments=True))
    with pytest.raises(Invalid, match="mirror does not learn from judgments; take recipe pairs"):
        services.tuning.tune(wish(base, recipe="mirror", judgments=True))
    with pytest.raises(Invalid, match="judgments belong to a collection"):
        services.tuning.tune(wish(base, collection=None, paths=[str(tmp_path)], judgments=True))

    given = judge(services, 30)
    sides = split(documents(services.database, "letters"), 1)
    apart = {source.id for source in sides.held_out}
    found = judged_pairs(services.database, "letters", sides.held_out)
    expected = [one.query for one in given if one.grade > 0 and one.document_id not in apart]
    assert sorted(pair.first for pair in found) == sorted(expected)
    assert 0 < len(found) < 30
    first = next(one for one in given if one.query == found[0].first)
    assert first.passage_id is not None
    with services.database.read() as catalog:
        assert found[0].second == catalog.passages.get(first.passage_id).text


@pytest.mark.slow
def test_a_tuning_from_judgments_is_judged_by_the_same_gate(services: Services, base: str) -> None:
    judge(services, 30)
    services.tuning.tune(wish(base, judgments=True, force=True))
    job = jobs.run_one(services.database, services.handlers)
    assert job is not None and job.state is JobState.DONE, job and job.message
    assert 10 <= job.result["judged_pairs"] < 30
    assert f"{job.result['judged_pairs']} judgments" in job.result["report"]["origin"]
    assert job.result["verdict"]["gain"]["low"] <= job.result["verdict"]["gain"]["high"]
    assert job.result["encoder"] == "tuned"
