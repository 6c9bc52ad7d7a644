"""Ticks, saved searches and the reading list as people use them: forms and pages, without JavaScript."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from riparian.config import Settings
from tests.conftest import ENCODER
from tests.web.conftest import COLLECTION, run_all
from tests.web.html import ASKS_FOR_HTML, HTMLParser, links, said, see, send, texts
from web.app import create_app
from web.wiring import Services, build

QUERY = "the river bank"
PAGE = f"/c/{COLLECTION}/search?q=the+river+bank"


def titles(page: HTMLParser) -> list[str]:
    return texts(page, ".hit h2")


def press(client: FlaskClient, address: str, number: int, button: str) -> HTMLParser:
    """Presses the tick or cross of a hit and answers with the page that follows."""
    page = see(client, address)
    form = page.css(f".hit .judging form:has(button.{button})")[number]
    data = {n.attributes["name"]: n.attributes.get("value") or "" for n in form.css("input[type=hidden]")}
    data["said"] = form.css_first("button").attributes["value"]
    answer = client.post(form.attributes["action"], data=data, headers=ASKS_FOR_HTML)
    assert answer.status_code == 303
    return see(client, answer.headers["Location"])


def test_a_cross_puts_a_hit_last_says_so_and_is_taken_back(own_client: FlaskClient) -> None:
    before = see(own_client, PAGE)
    after = press(own_client, PAGE, 0, "cross")
    assert titles(before)[0] not in titles(after)
    assert "moved by 1 cross given to this query" in texts(after, ".notice")
    left_out = see(own_client, links(after, ".moved a")[0])
    assert titles(left_out) == titles(before)
    assert "1 judgment of this query left out" in " ".join(texts(left_out, ".notice"))
    [undo] = list(after.css(".moved form"))
    data = {n.attributes["name"]: n.attributes.get("value") or "" for n in undo.css("input[type=hidden]")}
    own_client.post(undo.attributes["action"], data=data | {"said": "undo"}, headers=ASKS_FOR_HTML)
    assert titles(see(own_client, PAGE)) == titles(before)


def test_a_tick_is_shown_as_pressed_and_pressing_it_again_takes_it_back(own_client: FlaskClient) -> None:
    after = press(own_client, PAGE, 2, "tick")
    [pressed] = after.css('.judging button[aria-pressed="true"]')
    assert pressed.attributes["aria-label"].startswith("Relevant: ")
    judged = see(own_client, f"/c/{COLLECTION}/judgments")
    assert texts(judged, "h2") == [QUERY]
    place = next(i for i, button in enumerate(after.css(".judging button.tick")) if button.html == pressed.html)
    again = press(own_client, PAGE, place, "tick")
    assert again.css('.judging button[aria-pressed="true"]') == []


def test_a_search_inside_the_hits_of_another_says_so_and_leads_out_again(client: FlaskClient) -> None:
    page = see(client, f"/c/{COLLECTION}/search?q=silt&mode=lexical")
    [form] = page.css("form.inside")
    hidden = [(n.attributes["name"], n.attributes["value"]) for n in form.css("input[type=hidden]")]
    inner = client.get(form.attributes["action"], query_string=[*hidden, ("q", "flood")], headers=ASKS_FOR_HTML)
    found = HTMLParser(inner.text)
    assert texts(found, ".chip.chosen") == ["Remove inside: silt"]
    assert all("River" in title or "river" in title for title in titles(found)) and titles(found)
    assert links(found, ".chip.chosen")[0].endswith("q=flood&mode=lexical")


def test_a_saved_search_tells_what_is_new_after_indexing_and_opens_as_it_was(
    own_client: FlaskClient, own_services: Services
) -> None:
    address = f"/c/{COLLECTION}/search?q=barges&mode=lexical&filter=type%3Atxt"
    answer = send(own_client, address, f"/c/{COLLECTION}/saved", name="Barges")
    assert answer.status_code == 303
    page = see(own_client, answer.headers["Location"])
    assert texts(page, "h2") == ["Barges"]
    assert "nothing new" in said(page.css_first(".holding header"))
    folder = own_services.settings.data_dir / "more"
    folder.mkdir()
    (folder / "new.txt").write_text("Two barges were lost in the storm of yesterday.", encoding="utf-8")
    own_services.indexer.add(COLLECTION, [folder])
    run_all(own_services)
    page = see(own_client, f"/c/{COLLECTION}/saved")
    assert "1 new since" in said(page.css_first(".holding header"))
    assert [text.split()[-1] for text in texts(page, ".holding ul li")] == [str(folder / "new.txt")]
    home = said(see(own_client, "/").css_first("main"))
    assert "1 new hit" in home
    [run] = [form for form in page.css("form") if (form.attributes["action"] or "").endswith("/run")]
    token = {n.attributes["name"]: n.attributes["value"] for n in run.css("input")}
    opened = own_client.post(run.attributes["action"], data=token, headers=ASKS_FOR_HTML)
    assert "mode=lexical" in opened.headers["Location"] and "filter=type" in opened.headers["Location"]
    assert "nothing new" in said(see(own_client, f"/c/{COLLECTION}/saved").css_first(".holding header"))


def test_the_reading_list_takes_hits_keeps_notes_and_tags_and_outlives_the_document(
    own_client: FlaskClient, own_services: Services
) -> None:
    page = see(own_client, PAGE)
    form = page.css('.judging form[action$="/reading"]')[0]
    data = {n.attributes["name"]: n.attributes.get("value") or "" for n in form.css("input[type=hidden]")}
    back = own_client.post(form.attributes["action"], data=data, headers=ASKS_FOR_HTML)
    assert back.headers["Location"].startswith(f"/c/{COLLECTION}/search?q=the+river+bank")
    listed = f"/c/{COLLECTION}/reading"
    assert send(own_client, listed, "/reading/1", note="ask Ada", tags="water, flood").status_code == 303
    page = see(own_client, listed)
    assert texts(page, ".tags li") == ["flood", "water"]
    assert "ask Ada" in said(page.css_first("article"))
    assert see(own_client, f"{listed}?tag=nothing").css("article") == []
    with own_services.database.write() as catalog:
        item = catalog.reading.get(1)
        assert item.document_id is not None
        catalog.documents.remove([item.document_id])
    gone = see(own_client, listed)
    assert "no longer in the collection" in said(gone.css_first("article"))
    assert send(own_client, listed, "/reading/1/remove").status_code == 303
    assert see(own_client, listed).css("article") == []


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory, indexed_data: Path) -> Iterator[FlaskClient]:
    """An archive in which somebody has worked: judged, saved, put aside, and measured."""
    folder = shutil.copytree(indexed_data, tmp_path_factory.mktemp("worked") / "data")
    services = build(Settings(data_dir=folder, encoder=ENCODER, log_level="ERROR"))
    client = create_app(services).test_client()
    v1 = f"/api/v1/collections/{COLLECTION}"
    [first, second] = client.get(f"{v1}/search", query_string={"q": QUERY, "k": 2}).json["hits"]
    queries = [QUERY, *(f"river {number}" for number in range(5))]
    for query in queries:
        body = {"query": query, "relevant": [first["passage"]["id"]], "irrelevant": [second["passage"]["id"]]}
        client.post(f"{v1}/judgments", json=body)
    client.post(f"{v1}/saved", json={"name": "Saved", "q": "silt", "within": ["river"], "filter": ["type:txt"]})
    client.post(f"{v1}/reading", json={"passage": first["passage"]["id"], "tags": ["a"], "query": QUERY})
    client.post(f"{v1}/evaluation", json={"label_free": False})
    run_all(services)
    yield client
    services.database.engine.dispose()


OURS = ("judgments", "saved", "reading", "reading?tag=a", "evaluation", "search?q=the+river+bank&within=water")


@pytest.mark.parametrize("page", OURS)
def test_every_page_has_one_heading_labels_for_its_fields_no_name_twice_and_links_that_lead_somewhere(
    worked: FlaskClient, page: str
) -> None:
    found = see(worked, f"/c/{COLLECTION}/{page}")
    assert len(found.css("h1")) == 1 and said(found.css_first("title")).endswith("· Riparian")
    names = [node.attributes["id"] for node in found.css("[id]")]
    assert len(names) == len(set(names))
    labelled = {node.attributes.get("for") for node in found.css("label[for]")}
    fields = found.css("input:not([type=hidden]):not([type=radio]), select, textarea")
    assert [field.html for field in fields if field.attributes.get("id") not in labelled] == []
    ours = "main a[href]" if "search" not in page else "main .keeping a[href], main .chips a[href]"
    leading = {link.partition("#")[0] for link in links(found, ours)} - {""}
    assert {link for link in leading if worked.get(link).status_code not in (200, 302)} == set()
    buttons = [said(node) or node.attributes.get("aria-label") for node in found.css("button")]
    assert all(buttons)


def test_a_document_s_own_page_puts_it_aside(own_client: FlaskClient) -> None:
    answer = send(own_client, "/d/1", "/reading", note="all of it", tags="x")
    assert answer.headers["Location"] == f"/c/{COLLECTION}/reading"
    assert "all of it" in said(see(own_client, answer.headers["Location"]).css_first("article"))


def test_the_way_back_from_a_form_leads_nowhere_else(own_client: FlaskClient) -> None:
    hostile = "q=x&_external=1&_scheme=javascript&collection=other"
    answer = send(own_client, "/d/1", "/reading", back=hostile)
    assert answer.headers["Location"] == f"/c/{COLLECTION}/search?q=x"
