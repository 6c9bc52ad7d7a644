"""Analyses of topics over HTTP, on pages and on the command line: the same numbers everywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from riparian import jobs
from riparian.config import Settings
from riparian.types import JobState
from tests.conftest import ENCODER
from tests.web.conftest import COLLECTION, run_all
from tests.web.html import ASKS_FOR_HTML, links, said, see, send, texts
from tests.web.test_cli import Terminal
from web.app import create_app
from web.pages import charts
from web.wiring import Services, build

V1 = "/api/v1"
TOPICS = f"{V1}/collections/{COLLECTION}/topics"
PAGES = f"/c/{COLLECTION}/topics"


@pytest.fixture(scope="module")
def dated_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 48 short dated texts: about bread until 2003, about the river from 2004 on."""
    folder = tmp_path_factory.mktemp("dated")
    rows = []
    for number in range(48):
        late = number >= 24
        theme = "The river carries water past the flood bank" if late else "The baker kneads bread dough with yeast"
        text = f"{theme} {number}. {theme} again, number {number}, and once more."
        tags = ["water" if late else "food", "all"]
        rows.append({"id": f"n{number}", "text": text, "date": f"{2001 + number // 8}-05-01", "tags": tags})
    (folder / "files").mkdir()
    lines = "\n".join(json.dumps(row) for row in rows)
    (folder / "files" / "notes.jsonl").write_text(lines, encoding="utf-8")
    services = build(Settings(data_dir=folder / "data", encoder=ENCODER, log_level="ERROR"))
    services.indexer.add(COLLECTION, [folder / "files"])
    run_all(services)
    services.fit_topics(COLLECTION, topics=2)
    run_all(services)
    for kind in ("topics-quality", "topics-map"):
        with services.database.write() as catalog:
            services.analyses.queue(catalog, catalog.collections.named(COLLECTION).id, kind)
        run_all(services)
    services.database.engine.dispose()
    return folder / "data"


@pytest.fixture(scope="module")
def dated_services(dated_data: Path) -> Iterator[Services]:
    services = build(Settings(data_dir=dated_data, encoder=ENCODER, log_level="ERROR"))
    yield services
    services.database.engine.dispose()


@pytest.fixture(scope="module")
def dated(dated_services: Services) -> FlaskClient:
    return create_app(dated_services).test_client()


def test_the_tree_holds_every_topic_once_and_its_shares_sum_to_one(client: FlaskClient) -> None:
    topics = {t["id"]: t for t in client.get(TOPICS).json["topics"]}
    for level in (1, 2, 3):
        tree = client.get(f"{TOPICS}/tree?level={level}").json
        assert (tree["level"], tree["topics"]) == (level, 3)
        assert sum(group["share"] for group in tree["groups"]) == pytest.approx(1, abs=1e-9)
        leaves, waiting = [], list(tree["groups"])
        while waiting:
            node = waiting.pop()
            waiting.extend(node["children"])
            if node["topic"]:
                leaves.append(node)
        assert sorted(leaf["topic"] for leaf in leaves) == sorted(topics)
        assert all(leaf["share"] == pytest.approx(topics[leaf["topic"]]["share"]) for leaf in leaves)


def test_per_cents_on_the_tree_page_sum_to_a_hundred_at_every_level(client: FlaskClient) -> None:
    for level in (1, 2, 3):
        page = see(client, f"{PAGES}/tree?level={level}")
        shown = [float(said(node).rstrip("%")) for node in page.css(".tree > ul > li > details > .node > .num")]
        shown += [float(said(node).rstrip("%")) for node in page.css(".tree > ul > li > .leaf > .num")]
        assert len(shown) == level
        assert sum(shown) == pytest.approx(100.0)
        assert len(links(page, ".tree a")) == 3


def test_a_change_is_found_and_shown_with_its_documents(dated: FlaskClient) -> None:
    found = dated.get(f"{TOPICS}/over-time?by=year").json
    assert [period["name"] for period in found["periods"]] == ["2001", "2002", "2003", "2004", "2005", "2006"]
    assert all(line["changes"] for line in found["topics"])
    for place in range(6):
        assert sum(line["shares"][place] for line in found["topics"]) == pytest.approx(1)
    rising = next(line for line in found["topics"] if line["trend"] > 0)
    assert rising["shares"][5] > rising["shares"][0]
    for line in found["topics"]:
        assert len(line["words"]) == 6
        told = {one["word"] for words in line["words"] for one in words}
        assert told
        assert all(0 < one["share"] < 1 and one["times"] > 0 for words in line["words"] for one in words)
        usual = next(t["words"] for t in dated.get(TOPICS).json["topics"] if t["id"] == line["topic"])
        assert told & set(usual)
    page = see(dated, f"{PAGES}/time?by=year")
    assert "2 topics change by more than chance" in said(page.css_first("#changing"))
    assert len(page.css(".time-cards li > svg")) == 2
    drivers = {int(link.rsplit("/", 1)[1]) for link in links(page, ".time-cards details a")}
    assert drivers == {driver["document"] for line in found["topics"] for driver in line["drivers"]}


def test_groups_of_a_tag_differ_where_they_do(dated: FlaskClient) -> None:
    found = dated.get(f"{TOPICS}/groups?by=meta.tags").json
    assert [(group["value"], group["documents"]) for group in found["groups"]] == [("food", 24), ("water", 24)]
    assert all(contrast["differs"] for group in found["groups"] for contrast in group["topics"])
    page = see(dated, f"{PAGES}/groups?by=meta.tags")
    assert texts(page, ".groups h2") == ["food 24 documents", "water 24 documents"]
    assert [len(section.css(".contrasts li")) for section in page.css(".groups section")] == [2, 2]
    assert "meta.tags" in [node.attributes["value"] for node in see(dated, f"{PAGES}/groups").css("#by option")]


def test_what_cannot_be_compared_is_refused_with_a_reason(client: FlaskClient) -> None:
    assert "cannot compare by 'size'" in client.get(f"{TOPICS}/groups?by=size").json["detail"]
    assert client.get(f"{TOPICS}/groups?by=author").status_code == 422
    assert "have a date" in client.get(f"{TOPICS}/over-time").json["detail"]
    assert client.get(f"{TOPICS}/over-time?by=week").status_code == 422
    see(client, f"{PAGES}/time?by=week", 422)
    assert "have a date" in said(see(client, f"{PAGES}/time").css_first(".empty"))
    assert "no value of author" in said(see(client, f"{PAGES}/groups?by=author").css_first(".notice")).lower()


def test_quality_is_measured_by_a_job_and_shown(dated: FlaskClient) -> None:
    found = dated.get(f"{TOPICS}/quality").json
    assert {q["topic"] for q in found["topics"]} == {t["id"] for t in dated.get(TOPICS).json["topics"]}
    for quality in found["topics"]:
        assert quality["stability"] > 0.9  # two subjects that share no word
        assert quality["observed"] > 0.9
        assert 0 <= quality["exclusivity"] <= 1
        assert quality["sentence"]
    assert found["error"] < 0.1
    assert sum(one["topics"] for one in found["bins"]) == 2
    page = see(dated, f"{PAGES}/quality")
    assert f"{found['error']:.3f}" in said(page.css_first("main"))
    assert len(page.css("main table")[0].css("tbody tr")) == 2


def test_before_the_jobs_the_addresses_say_what_to_do(client: FlaskClient) -> None:
    for what in ("quality", "map"):
        answer = client.get(f"{TOPICS}/{what}")
        assert (answer.status_code, "POST to the same address" in answer.json["detail"]) == (404, True)
        assert see(client, f"{PAGES}/{what}").css_first("main .empty") is not None


def test_the_same_job_is_not_queued_twice_and_can_be_stopped(own_client: FlaskClient, own_services: Services) -> None:
    first = own_client.post(f"{TOPICS}/quality", json={})
    again = own_client.post(f"{TOPICS}/quality", json={})
    assert (first.status_code, again.json["id"]) == (202, first.json["id"])
    with own_services.database.write() as catalog:
        jobs.cancel(catalog, first.json["id"])
    assert own_client.get(f"{V1}/jobs/{first.json['id']}").json["state"] == JobState.CANCELLED
    assert own_client.get(f"{TOPICS}/quality").status_code == 404
    answer = send(own_client, f"{PAGES}/map", "/topics/map")
    assert answer.status_code == 303
    assert "/jobs/" in answer.headers["Location"]


def test_the_map_shows_every_passage_and_leads_to_it(dated: FlaskClient, dated_services: Services) -> None:
    found = dated.get(f"{TOPICS}/map").json
    topics = {topic["id"] for topic in dated.get(TOPICS).json["topics"]}
    assert len(found["points"]) == 48
    assert {point[3] for point in found["points"]} == topics == {topic["topic"] for topic in found["topics"]}
    with dated_services.database.read() as catalog:
        kept = {topic: catalog.topics.get(topic).place for topic in topics}
    assert kept == {topic["topic"]: pytest.approx((topic["x"], topic["y"])) for topic in found["topics"]}
    page = see(dated, f"{PAGES}/map")
    places = [(node.attributes["cx"], node.attributes["cy"]) for node in page.css(".map circle")]
    assert len(places) == 48
    assert all(0 <= float(x) <= charts.MAP_WIDTH and 0 <= float(y) <= charts.MAP_HEIGHT for x, y in places)
    assert {int(link.rsplit("/", 1)[1]) for link in links(page, ".map g a")} == {point[0] for point in found["points"]}
    assert len(page.css(".legend li")) == 2


def test_the_topic_mix_of_a_search_counts_exactly_its_documents(client: FlaskClient) -> None:
    url = f"{V1}/collections/{COLLECTION}/search?q=garden&mode=lexical&k=1"
    answer = client.get(f"{url}&topics=mix&facets=topic").json
    mix = answer["topic_mix"]
    assert (mix["documents"], mix["without"]) == (answer["total"], 0) == (8, 0)
    everything = client.get(f"{url.replace('k=1', 'k=100')}").json["hits"]
    expected: dict[int, float] = {}
    for hit in everything:
        for m in client.get(f"{V1}/documents/{hit['document']['id']}/topics").json["topics"]:
            expected[m["topic"]] = expected.get(m["topic"], 0) + m["weight"] / 8
    assert len(everything) == 8
    assert {part["topic"]: part["share"] for part in mix["topics"]} == pytest.approx(expected)
    assert sum(part["share"] for part in mix["topics"]) == pytest.approx(1)
    facet = {int(value["value"]): value["count"] for value in answer["facets"]["topic"]}
    assert {p["topic"]: p["documents"] for p in mix["topics"] if p["documents"]} == facet
    assert "topic_mix" not in client.get(url).json


def test_the_search_page_shows_the_mix(client: FlaskClient) -> None:
    page = see(client, f"/c/{COLLECTION}/search?q=garden&mode=lexical")
    mix = client.get(f"{V1}/collections/{COLLECTION}/search?q=garden&mode=lexical&topics=mix").json["topic_mix"]
    assert [said(node) for node in page.css(".mix dd")][:1] == [f"{mix['topics'][0]['share'] * 100:.0f}%"]
    assert "Counted over all 8 documents" in said(page.css_first(".mix"))


def test_a_pasted_text_has_stretches_that_cover_it(client: FlaskClient) -> None:
    river = "The river carries water and silt past the bank, where boats wait for the flood to fall. " * 40
    money = "The reserve bank raised interest rates, and lenders of money asked for higher payments. " * 40
    found = client.post(f"{TOPICS}/stretches", json={"text": river + money}).json["stretches"]
    assert found[0]["span"]["start"] == 0
    assert [a["span"]["end"] for a in found[:-1]] == [b["span"]["start"] for b in found[1:]]
    assert found[0]["topic"] != found[-1]["topic"]
    assert abs(found[0]["span"]["end"] - len(river)) < 900  # within a passage of where the subject changes
    answer = send(client, f"{PAGES}/text", "/topics/text", text=river + money)
    page = answer.text
    assert answer.status_code == 200
    assert len(re.findall(r'<li id="s\d+">', page)) == len(found)
    assert client.post(f"{TOPICS}/stretches", json={"text": " \n"}).status_code == 422


def test_a_documents_stretches_are_those_of_its_passages(client: FlaskClient) -> None:
    hit = client.get(f"{V1}/collections/{COLLECTION}/search?q=silt").json["hits"][0]
    found = client.get(f"{V1}/documents/{hit['document']['id']}/topics/stretches").json["stretches"]
    assert hit["passage"]["id"] in [passage for one in found for passage in one["passages"]]
    page = see(client, f"/d/{hit['document']['id']}/topics")
    assert len(page.css(".ribbon rect")) == len(page.css(".stretches > li")) == len(found)
    opened = see(client, f"/d/{hit['document']['id']}")
    assert f"/d/{hit['document']['id']}/topics" in links(opened, "aside a")


def test_a_topic_closely_tells_its_neighbours_and_its_border(client: FlaskClient) -> None:
    topics = client.get(TOPICS).json["topics"]
    found = client.get(f"{V1}/topics/{topics[0]['id']}/closely").json
    assert {near["topic"] for near in found["nearest"]} == {topic["id"] for topic in topics[1:]}
    similarities = [near["similarity"] for near in found["nearest"]]
    assert similarities == sorted(similarities, reverse=True)
    margins = [one["margin"] for one in found["borderline"]]
    assert margins == sorted(margins)
    assert found["quality"] is None
    page = see(client, f"/t/{topics[0]['id']}/closely")
    assert len(page.css(".quotes li")) == len(found["borderline"])
    assert client.get(f"{V1}/topics/999999/closely").status_code == 404


def test_every_page_of_analyses_leads_to_the_others_and_has_one_heading(dated: FlaskClient) -> None:
    views = links(see(dated, PAGES), ".views a")
    own = [PAGES, *(f"{PAGES}/{name}" for name in ("tree", "time", "groups", "map", "quality", "text"))]
    assert set(own) <= set(views)
    for view in own:
        page = see(dated, view)
        assert len(page.css("h1")) == 1
        assert links(page, ".views a") == views
        assert len(page.css(".views a[aria-current]")) == 1
        names = [node.attributes["id"] for node in page.css("[id]")]
        assert len(names) == len(set(names)), view


def test_without_topics_every_analysis_says_how_to_find_them(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    client.post(f"{V1}/collections", json={"name": "notes"})
    for what in ("tree", "over-time", "groups?by=author", "quality", "map"):
        answer = client.get(f"{V1}/collections/notes/topics/{what}")
        assert (answer.status_code, answer.json["type"]) == (503, "urn:riparian:no-topics-yet"), what
    assert client.get("/c/notes/topics/tree", headers=ASKS_FOR_HTML).status_code == 503


def test_commands_say_what_the_api_says(
    dated: FlaskClient, dated_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    riparian = Terminal(dated_data, capsys)
    for words, address in (
        (("tree", "--level", "2"), "tree?level=2"),
        (("over-time", "--by", "year"), "over-time?by=year"),
        (("groups", "--by", "meta.tags"), "groups?by=meta.tags"),
        (("quality",), "quality"),
        (("map",), "map"),
    ):
        code, out, err = riparian("topics", *words, "--json")
        assert (code, json.loads(out)) == (0, dated.get(f"{TOPICS}/{address}").json), err
        assert riparian("topics", *words)[0] == 0
    code, out, _ = riparian("search", "bread", "--mode", "lexical", "--topic-mix", "--json")
    asked = f"{V1}/collections/{COLLECTION}/search?q=bread&mode=lexical&topics=mix"
    assert json.loads(out)["topic_mix"] == dated.get(asked).json["topic_mix"]
    topic = dated.get(TOPICS).json["topics"][0]["id"]
    assert "stability" in riparian("topics", "show", str(topic))[1]
    code, out, _ = riparian("topics", "labels", "--by", "sentence", "--json")
    assert len({one["label"] for one in json.loads(out)["topics"]}) == 2
    assert riparian("topics", "labels", "--by", "nobody")[0] == 2
