"""Topics changed over HTTP, on pages and by commands: previewed, made, undone, refitted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import COLLECTION, run_all
from tests.web.html import ASKS_FOR_HTML, said, see, send, texts
from tests.web.test_cli import Terminal
from web.wiring import Services

TOPICS = f"/api/v1/collections/{COLLECTION}/topics"
PAGES = f"/c/{COLLECTION}/topics"


def listed(client: FlaskClient) -> dict[int, dict[str, object]]:
    return {topic["id"]: topic for topic in client.get(TOPICS).json["topics"]}


def passages_of(client: FlaskClient, topic: int) -> list[int]:
    found = client.get(f"/api/v1/topics/{topic}/passages?limit=1000").json["passages"]
    return [row["passage"]["id"] for row in found]


def painted(client: FlaskClient) -> dict[str, str]:
    """The colour of each topic in the table of topics, by its address."""
    rows = see(client, PAGES).css("tbody tr")
    return {row.css_first("a").attributes["href"]: row.css_first(".swatch").attributes["class"] for row in rows}


# ------------------------------------------------------------------------------ the API


def test_a_preview_tells_exactly_what_the_edit_then_does(own_client: FlaskClient) -> None:
    first, second, _ = listed(own_client)
    asked = {"kind": "merge", "topics": [first], "into": second, "reason": "one thing", "author": "ann"}
    preview = own_client.post(f"{TOPICS}/edits", json=asked | {"preview": True}).json
    assert preview["edit"] is None
    assert len(listed(own_client)) == 3
    made = own_client.post(f"{TOPICS}/edits", json=asked).json
    assert made["effect"] == preview["effect"]
    assert (made["edit"]["author"], made["edit"]["reason"], made["edit"]["state"]) == ("ann", "one thing", "applied")
    after = listed(own_client)
    assert set(after) == set(after) - {first}
    [change] = [change for change in made["effect"]["changes"] if change["topic"] == second]
    for name in ("label", "passages", "words"):
        assert change["after"][name] == after[second][name]
    assert change["after"]["share"] == pytest.approx(after[second]["share"])
    assert own_client.get(f"/api/v1/topics/{first}").status_code == 404


def test_edits_are_undone_and_made_again_in_order(own_client: FlaskClient) -> None:
    before = listed(own_client)
    topic = next(iter(before))
    for label in ("One", "Two"):
        own_client.patch(f"/api/v1/topics/{topic}", json={"label": label})
    assert own_client.post(f"{TOPICS}/undo", json={}).json["kind"] == "rename"
    assert listed(own_client)[topic]["label"] == "One"
    assert own_client.post(f"{TOPICS}/undo", json={}).status_code == 200
    assert listed(own_client) == before
    assert own_client.post(f"{TOPICS}/undo", json={}).status_code == 409
    own_client.post(f"{TOPICS}/redo", json={})
    own_client.post(f"{TOPICS}/edits", json={"kind": "note", "topic": topic, "note": "look again"})
    assert own_client.post(f"{TOPICS}/redo", json={}).status_code == 409
    history = own_client.get(f"{TOPICS}/edits?limit=2").json
    assert [(edit["kind"], edit["state"]) for edit in history["edits"]] == [
        ("note", "applied"),
        ("rename", "discarded"),
    ]
    rest = own_client.get(f"{TOPICS}/edits?limit=2&cursor={history['next']}").json
    assert [(edit["kind"], edit["data"]["label"]) for edit in rest["edits"]] == [("rename", "One")]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"kind": "rename", "label": "x"}, 422, "needs 'topic'"),
        ({"kind": "rename", "topic": 1, "label": "  "}, 422, "a name of 1 to 200"),
        ({"kind": "merge", "topics": [1], "into": 1}, 422, "another one that takes them in"),
        ({"kind": "merge", "topics": [1], "into": 999}, 404, "topic 999"),
        ({"kind": "split", "topic": 1, "parts": 50}, 422, "too few for 50 parts"),
        ({"kind": "move", "passages": [999_999], "to": 1}, 404, "passage 999999"),
        ({"kind": "move", "passages": [1]}, 422, "'to', or 'label'"),
        ({"kind": "unpin", "passages": [1]}, 422, "none of these passages is pinned"),
        ({"kind": "burn", "topic": 1}, 422, ""),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    client: FlaskClient, body: dict[str, object], status: int, why: str
) -> None:
    answer = client.post(f"{TOPICS}/edits", json=body)
    assert answer.status_code == status
    assert why in answer.json["detail"]


def test_a_pin_is_in_the_way_until_it_is_taken_out(own_client: FlaskClient) -> None:
    first, second, third = listed(own_client)
    held = passages_of(own_client, first)[:2]
    own_client.post(f"{TOPICS}/edits", json={"kind": "pin", "passages": held})
    own_client.post(f"{TOPICS}/edits", json={"kind": "pin", "topic": third})
    moved = own_client.post(f"{TOPICS}/edits", json={"kind": "move", "passages": held, "to": second})
    assert (moved.status_code, "2 of the passages are pinned" in moved.json["detail"]) == (409, True)
    assert own_client.post(f"{TOPICS}/edits", json={"kind": "split", "topic": third}).status_code == 409
    assert own_client.post(f"{TOPICS}/edits", json={"kind": "unpin", "passages": held}).status_code == 200
    moved = own_client.post(f"{TOPICS}/edits", json={"kind": "move", "passages": held, "to": second})
    assert moved.json["effect"]["passages"] == 2
    assert set(held) <= set(passages_of(own_client, second))


def test_a_refit_is_proposed_applied_and_taken_back(own_client: FlaskClient, own_services: Services) -> None:
    before = listed(own_client)
    topic = next(iter(before))
    own_client.post(f"{TOPICS}/edits", json={"kind": "pin", "topic": topic})
    own_client.patch(f"/api/v1/topics/{topic}", json={"label": "Mine"})
    held = passages_of(own_client, topic)
    assert own_client.get(f"{TOPICS}/proposal").status_code == 404
    assert own_client.post(f"{TOPICS}/refit", json={"kind": "kmeans", "topics": 4}).status_code == 202
    run_all(own_services)
    proposal = own_client.get(f"{TOPICS}/proposal").json
    assert (proposal["settled"], proposal["settled_kept"], proposal["stale"]) == (len(held), 1.0, False)
    assert len(proposal["kept"]) + len(proposal["new"]) == 4
    assert listed(own_client)[topic]["label"] == "Mine"
    assert own_client.post(f"{TOPICS}/apply", json={"reason": "looks good"}).json["kind"] == "kmeans"
    assert listed(own_client)[topic]["label"] == "Mine"
    assert set(passages_of(own_client, topic)) >= set(held)
    assert own_client.post(f"{TOPICS}/rollback", json={}).status_code == 200
    assert set(listed(own_client)) == set(before)
    kinds = [edit["kind"] for edit in own_client.get(f"{TOPICS}/edits").json["edits"]]
    assert kinds == ["rollback", "refit", "rename", "pin"]
    assert own_client.delete(f"{TOPICS}/proposal").status_code == 204
    assert own_client.post(f"{TOPICS}/rollback", json={}).status_code == 409


def test_a_codebook_goes_out_and_comes_in_over_http(own_client: FlaskClient) -> None:
    topic = next(iter(listed(own_client)))
    own_client.patch(f"/api/v1/topics/{topic}", json={"label": "Mine"})
    book = own_client.get(f"{TOPICS}/codebook?format=csv")
    assert book.mimetype == "text/csv"
    own_client.post(f"{TOPICS}/undo", json={})
    taken = own_client.post(f"{TOPICS}/codebook", json={"format": "csv", "text": book.text}).json
    assert (taken["met"], taken["made"], taken["edit"]["kind"]) == (3, 0, "import")
    assert listed(own_client)[topic]["label"] == "Mine"
    both = {"format": "csv", "first": book.text, "second": book.text}
    assert own_client.post("/api/v1/topics/agreement", json=both).status_code == 422  # nothing is pinned or moved
    own_client.post(f"{TOPICS}/edits", json={"kind": "pin", "passages": passages_of(own_client, topic)[:2]})
    book = own_client.get(f"{TOPICS}/codebook")
    agreed = own_client.post("/api/v1/topics/agreement", json={"first": book.text, "second": book.text}).json
    assert (agreed["kappa"], agreed["passages"]) == (1.0, 2)


def test_nothing_came_nothing_drifted(client: FlaskClient) -> None:
    found = client.get(f"{TOPICS}/drift").json
    assert (found["passages"], found["drifted"], found["themes"]) == (0, False, [])


# ------------------------------------------------------------------------------ pages


def test_a_topic_is_merged_by_its_page_after_a_look_and_leads_on(own_client: FlaskClient) -> None:
    first, second, third = listed(own_client)
    page = see(own_client, f"/t/{first}")
    [form] = [f for f in page.css("form") if f.css_first("[value=merge]")]
    assert len(form.css("option")) == 3  # a choice to make, and the two others
    token = form.css_first("[name=csrf_token]").attributes["value"]
    sent = {"csrf_token": token, "kind": "merge", "topics": first, "topic": first, "into": second, "reason": "one"}
    look = own_client.post(f"{PAGES}/edit", data=sent | {"preview": "1"}, headers=ASKS_FOR_HTML)
    assert "Nothing is changed yet" in look.text
    assert len(listed(own_client)) == 3
    done = own_client.post(f"{PAGES}/edit", data=sent, headers=ASKS_FOR_HTML)
    assert (done.status_code, done.headers["Location"]) == (303, f"/t/{second}")
    assert own_client.get(f"/t/{first}").headers["Location"] == f"/t/{second}"
    [line] = texts(see(own_client, f"{PAGES}/history"), "tbody tr")
    assert "merged" in line
    assert line.endswith("in force")
    assert send(own_client, f"{PAGES}/history", "/undo").status_code == 303
    assert set(listed(own_client)) == {first, second, third}
    assert send(own_client, f"{PAGES}/history", "/redo").status_code == 303
    assert len(listed(own_client)) == 2


def test_chosen_passages_are_moved_to_a_new_topic_and_notes_shown(own_client: FlaskClient) -> None:
    topic = next(iter(listed(own_client)))
    held = passages_of(own_client, topic)[:2]
    page = see(own_client, f"/t/{topic}")
    assert len(page.css("input[name=passages]")) == min(20, len(passages_of(own_client, topic)))
    token = page.css_first("[name=csrf_token]").attributes["value"]
    sent = {"csrf_token": token, "kind": "move", "passages": held, "label": "Odd ones", "from": topic}
    done = own_client.post(f"{PAGES}/edit", data=sent, headers=ASKS_FOR_HTML)
    made = see(own_client, done.headers["Location"])
    assert said(made.css_first("h1")) == "Odd ones"
    assert len(made.css("input[name=passages]")) == 2
    note = {"csrf_token": token, "kind": "note", "topic": topic, "note": "Look <again>"}
    own_client.post(f"{PAGES}/edit", data=note)
    assert "Look <again>" in texts(see(own_client, f"/t/{topic}"), ".notice")
    own_client.post(f"{PAGES}/edit", data={"csrf_token": token, "kind": "hide", "topic": topic, "hidden": "1"})
    assert "hidden" in texts(see(own_client, PAGES), "tbody tr")[-1]
    bad = own_client.post(f"{PAGES}/edit", data={"csrf_token": token, "kind": "split", "topic": "x"})
    assert bad.status_code == 422


def test_a_refit_is_looked_at_and_decided_on_its_page(own_client: FlaskClient, own_services: Services) -> None:
    address = f"{PAGES}/refit"
    assert said(see(own_client, address).css_first("h1")) == "No refit to look at"
    assert send(own_client, address, "/refit", number="4").status_code == 303
    run_all(own_services)
    page = see(own_client, address)
    assert said(page.css_first("h1")) == "A refit to look at"
    assert len(page.css("section[aria-labelledby=quality] tbody tr")) == 3
    before = painted(own_client)
    assert send(own_client, address, "/apply", reason="good").status_code == 303
    assert len(listed(own_client)) == 4
    kept = painted(own_client)
    assert {name: kept[name] for name in before if name in kept} == {n: before[n] for n in before if n in kept}
    assert before.keys() & kept.keys()
    assert send(own_client, address, "/rollback").status_code == 303
    assert len(listed(own_client)) == 3
    assert send(own_client, address, "/discard").status_code == 303
    assert said(see(own_client, address).css_first("h1")) == "No refit to look at"


def test_a_codebook_is_downloaded_and_taken_in_by_the_page(own_client: FlaskClient) -> None:
    topic = next(iter(listed(own_client)))
    own_client.patch(f"/api/v1/topics/{topic}", json={"label": "Mine"})
    book = own_client.get(f"{PAGES}/codebook/skos")
    assert 'filename="topics.jsonld"' in book.headers["Content-Disposition"]
    own_client.post(f"{TOPICS}/undo", json={})
    sent = {"book": (io.BytesIO(book.data), "topics.jsonld")}
    assert send(own_client, f"{PAGES}/history", "/codebook", **sent).status_code == 303
    assert listed(own_client)[topic]["label"] == "Mine"
    wrong = {"book": (io.BytesIO(b"no"), "topics.json")}
    assert send(own_client, f"{PAGES}/history", "/codebook", **wrong).status_code == 422


def test_the_page_of_what_came_since_says_that_nothing_did(client: FlaskClient) -> None:
    page = see(client, f"{PAGES}/drift")
    assert said(page.css_first("h1")) == "What came since the topics were found"
    assert "0 passages of 0 documents" in page.text()


# ------------------------------------------------------------------------------ commands


def test_topics_are_curated_from_the_command_line(
    own_services: Services, own_client: FlaskClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    riparian = Terminal(own_services.settings.data_dir, capsys)
    first, second, third = listed(own_client)

    def edited(*arguments: str) -> dict[str, object]:
        code, out, err = riparian("topics", *arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    assert edited("merge", str(first), "--into", str(second), "--preview")["edit"] is None
    edited("rename", str(third), "Third", "--reason", "better", "--author", "ann")
    edited("note", str(third), "look")
    edited("hide", str(third))
    assert edited("show-hidden")["topics"][0]["label"] == "Third"  # type: ignore[index]
    edited("show-hidden", str(third))
    edited("seed", "river", "--topic", str(third))
    held = [str(p) for p in passages_of(own_client, first)[:2]]
    edited("move", *held, "--to", str(second))
    edited("pin", *(part for passage in held for part in ("--passage", passage)))
    edited("unpin", *(part for passage in held for part in ("--passage", passage)))
    edited("pin", str(third))
    edited("unpin", str(third))
    edited("split", str(second), "--parts", "2")
    assert edited("undo")["kind"] == "split"
    history = edited("history")["edits"]
    assert isinstance(history, list)
    assert [edit["kind"] for edit in history][-1] == "rename"
    assert (history[-1]["author"], history[-1]["reason"]) == ("ann", "better")
    code, out, _ = riparian("topics", "history")
    assert (code, "renamed “Third” to “Third”" in out) == (0, True)
    book = tmp_path / "topics.csv"
    assert riparian("topics", "codebook", "export", book)[0] == 0
    code, out, _ = riparian("topics", "agreement", book, book)
    assert (code, out.splitlines()[0]) == (0, "kappa 1.000 over 2 passages that both placed")
    assert riparian("topics", "codebook", "import", book)[0] == 2  # it changes nothing
    code, out, err = riparian("topics", "refit", "--kind", "kmeans", "--json")
    assert (code, json.loads(out)["settled_kept"]) == (0, 1.0), err
    assert "100.0% of 2 settled passages keep topic and label" in riparian("topics", "proposal")[1]
    assert riparian("topics", "apply")[0] == 0
    assert riparian("topics", "rollback")[0] == 0
    assert riparian("topics", "discard")[0] == 0
    assert riparian("topics", "proposal")[0] == 4
    assert riparian("topics", "drift")[1].startswith("0 passages of 0 documents")
    assert riparian("topics", "redo")[0] == 0


def test_topics_that_people_changed_are_refitted_unless_they_start_afresh(
    own_services: Services, own_client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    riparian = Terminal(own_services.settings.data_dir, capsys)
    topic = min(listed(own_client))
    assert "afresh" not in see(own_client, PAGES).css_first("main").text()
    riparian("topics", "rename", str(topic), "Mine")
    assert "People changed these topics: 1 name." in said(see(own_client, PAGES).css_first("main"))

    code, out, err = riparian("topics", "fit", "--topics", "auto", "--kind", "kmeans", "--json")
    assert code == 0
    assert "people changed these topics (1 name): a refit keeps that" in err
    assert [kept["id"] for kept in json.loads(out)["kept"]] == sorted(listed(own_client))
    assert riparian("topics", "discard")[0] == 0

    own_client.post(f"{TOPICS}/fit", json={"topics": 2, "afresh": True})
    run_all(own_services)
    assert len(listed(own_client)) == 2
    riparian("topics", "rename", str(min(listed(own_client))), "Ours")
    send(own_client, PAGES, "/topics", number="3")
    run_all(own_services)
    assert "A refit to look at" in said(see(own_client, f"{PAGES}/refit").css_first("h1"))
    send(own_client, PAGES, "/topics", number="3", afresh="yes")
    run_all(own_services)
    assert [topic["named"] for topic in listed(own_client).values()] == [False] * 3
    code, out, err = riparian("topics", "fit", "--topics", "auto", "--json")
    assert json.loads(out)["topics"] == len(listed(own_client))
    riparian("topics", "note", str(min(listed(own_client))), "look")
    _, out, err = riparian("topics", "fit", "--topics", "2", "--afresh")
    assert "starting without what people changed (1 note)" in err
    assert out.startswith("2 topics found")


def test_the_page_of_a_finished_fit_leads_to_what_it_found(own_services: Services, own_client: FlaskClient) -> None:
    for body, words in (({"topics": 2}, "See the topics"), ({}, "Look at the refit")):
        job = own_client.post(f"{TOPICS}/{'fit' if body else 'refit'}", json=body).json["id"]
        run_all(own_services)
        page = see(own_client, f"/jobs/{job}")
        assert words in said(page.css_first(".notice"))
        [link] = [a for a in page.css(".notice a") if a.text() == words]
        see(own_client, link.attributes["href"] or "")
