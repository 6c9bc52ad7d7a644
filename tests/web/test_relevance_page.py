"""A reader sees how relevant a hit is, where that was measured."""

from __future__ import annotations

from flask.testing import FlaskClient

from riparian import jobs
from riparian.types import JobState
from search.relevance import NOTHING_CLOSE
from tests.web.html import see, texts
from web.wiring import Services

ASKED = "/c/archive/search?q=river+bank"


def test_each_hit_shows_its_relevance_once_it_was_measured(own_services: Services, own_client: FlaskClient) -> None:
    before = see(own_client, ASKED)
    assert before.css("li.hit")
    assert not [one for one in texts(before, "li.hit .foot > span") if one.startswith("relevance")]
    job = own_services.calibration.calibrate("archive")
    done = jobs.run_one(own_services.database, own_services.handlers, only=job)
    assert done is not None
    assert done.state is JobState.DONE, done.message
    found = own_client.get("/api/v1/collections/archive/search?q=river+bank").json
    page = see(own_client, ASKED)
    shown = [one for one in texts(page, "li.hit .foot > span") if one.startswith("relevance")]
    assert [float(one.removeprefix("relevance ")) for one in shown] == [
        round(hit["relevance"], 2) for hit in found["hits"]
    ]
    nonsense = see(own_client, "/c/archive/search?q=qwx+zzkr+vvplo")
    assert NOTHING_CLOSE in texts(nonsense, "p.notice")
