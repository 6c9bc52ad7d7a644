"""Judgments, examples, saved searches, batches, the reading list, hits as files: over HTTP and on the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from flask.testing import FlaskClient

from tests.web.conftest import COLLECTION, run_all
from tests.web.test_cli import Terminal
from web.wiring import Services

V1 = f"/api/v1/collections/{COLLECTION}"
QUERY = "the river bank"


def hits(client: FlaskClient, query: str = QUERY, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{V1}/search", query_string={"q": query, **asked}).json["hits"]
    return found


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def own(own_services: Services, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command line on a copy of the archive."""
    return Terminal(own_services.settings.data_dir, capsys)


# ------------------------------------------------------------------------------------------------ judgments


def test_a_cross_moves_the_answer_until_it_is_taken_back_and_feedback_can_be_left_out(own_client: FlaskClient) -> None:
    before = hits(own_client)
    first = before[0]
    answer = own_client.post(f"{V1}/judgments", json={"query": QUERY, "irrelevant": [first["passage"]["id"]]})
    assert answer.json == {"written": 1}
    after = own_client.get(f"{V1}/search", query_string={"q": QUERY, "k": 100}).json
    assert after["hits"][-1]["document"]["id"] == first["document"]["id"]
    assert after["notes"] == ["moved by 1 cross given to this query"]
    assert hits(own_client, feedback="false") == before
    [kept] = own_client.get(f"{V1}/judgments", query_string={"query": QUERY.upper()}).json["judgments"]
    assert (kept["document"], kept["passage"], kept["grade"]) == (first["document"]["id"], first["passage"]["id"], 0)
    assert own_client.get(f"{V1}/judgments/queries").json["queries"][0]["irrelevant"] == 1
    gone = own_client.delete(f"{V1}/judgments", query_string={"query": QUERY, "document": first["document"]["id"]})
    assert gone.json == {"removed": 1}
    assert hits(own_client) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"query": "q", "relevant": [10**9]}, 404),
        ({"query": "", "relevant": [1]}, 422),
        ({"judgments": [{"query": "q", "grade": 1}]}, 422),
        ({"judgments": [{"query": "q", "document": 10**9}]}, 404),
        ({"judgments": [{"query": "q", "document": 1, "grade": -1}]}, 422),
    ],
)
def test_judgments_of_nothing_are_refused(client: FlaskClient, body: dict[str, Any], status: int) -> None:
    assert client.post(f"{V1}/judgments", json=body).status_code == status
    assert client.get(f"{V1}/judgments").json["judgments"] == []


def test_pages_of_judgments_continue_each_other(own_client: FlaskClient) -> None:
    given = [{"query": f"q {number}", "document": number % 3 + 1, "grade": number} for number in range(5)]
    assert own_client.post(f"{V1}/judgments", json={"judgments": given}).json == {"written": 5}
    first = own_client.get(f"{V1}/judgments?limit=3")
    second = own_client.get(first.headers["Link"].split(">")[0][1:]).json
    assert [one["grade"] for one in (*first.json["judgments"], *second["judgments"])] == [0, 1, 2, 3, 4]
    assert second["next"] is None


def test_judgments_go_out_and_come_in_again_as_beir_and_as_trec(own: Terminal, tmp_path: Path) -> None:
    code, out, _ = own("search", QUERY, "-k", "3", "--json")
    first, second, third = (hit["passage"]["id"] for hit in json.loads(out)["hits"])
    assert own("judge", QUERY, "--relevant", f"{first},p{second}", "--irrelevant", str(third))[0] == 0
    assert own("judge", "boats", "-r", "d1", "--grade", "2")[0] == 0
    _, listed, _ = own("judge", "--json")
    before = [(one["query"], one["document"], one["grade"]) for one in json.loads(listed)["judgments"]]
    for form in ("beir", "trec"):
        assert own("judge", "--export", tmp_path / form, "--form", form)[0] == 0
        assert own("judge", QUERY, "--undo")[1].startswith("3 judgments taken back")
        assert own("judge", "boats", "--undo")[0] == 0
        path = tmp_path / form / ("" if form == "beir" else "qrels.txt")
        code, said, _ = own("judge", "--import", path, "--json")
        assert (code, json.loads(said)) == (0, {"written": 4, "unknown": 0})
        _, listed, _ = own("judge", "--json")
        after = [(one["query"], one["document"], one["grade"]) for one in json.loads(listed)["judgments"]]
        assert sorted(after) == sorted(before)
    assert len((tmp_path / "beir" / "corpus.jsonl").read_text().splitlines()) == 26


@pytest.mark.parametrize("wrong", ["x12", "12,,y", "p"])
def test_a_number_that_is_none_is_named(own: Terminal, wrong: str) -> None:
    code, _, err = own("judge", "q", "--relevant", wrong)
    assert code == 2 and "is no number of a passage" in err


# ------------------------------------------------------------------------------------------------ examples, within


def test_examples_move_an_answer_alike_in_the_query_the_body_and_on_the_command_line(
    own_client: FlaskClient, own: Terminal
) -> None:
    passage = hits(own_client, "interest rates")[0]["passage"]["id"]
    plain = hits(own_client)
    in_query = own_client.get(f"{V1}/search", query_string={"q": f"{QUERY} like:p{passage}^2"}).json
    in_body = own_client.post(f"{V1}/search", json={"q": QUERY, "more": [{"passage": passage, "weight": 2}]}).json
    _, out, _ = own("search", QUERY, "--more", f"p{passage}^2", "--json")
    assert in_query["hits"] == in_body["hits"] == json.loads(out)["hits"] != plain
    assert in_body["notes"] == [f"moved towards passage {passage}"]
    wrong = own_client.post(f"{V1}/search", json={"q": QUERY, "less": [{"passage": 1, "document": 1}]})
    assert wrong.status_code == 422


def test_a_search_inside_another_finds_a_part_of_it(client: FlaskClient) -> None:
    outer = {hit["document"]["id"] for hit in hits(client, "silt", mode="lexical", k=100)}
    inner = client.get(f"{V1}/search", query_string={"q": "boats", "mode": "lexical", "within": "silt", "k": 100}).json
    assert {hit["document"]["id"] for hit in inner["hits"]} == outer and inner["total"] == len(outer) == 8


# ------------------------------------------------------------------------------------------------ saved searches


def test_a_saved_search_is_told_what_came_since(own_client: FlaskClient, own_services: Services) -> None:
    body = {"name": "Storms", "q": "storm", "mode": "lexical", "filter": ["type:txt"]}
    made = own_client.post(f"{V1}/saved", json=body)
    assert made.status_code == 201 and made.json["new"] == 0
    assert own_client.post(f"{V1}/saved", json=body).status_code == 409
    saved = f"/api/v1/saved/{made.json['id']}"
    folder = own_services.settings.data_dir / "more"
    folder.mkdir()
    (folder / "storm.txt").write_text("A storm came over the harbour.", encoding="utf-8")
    (folder / "storm.md").write_text("A storm that the filter leaves out.", encoding="utf-8")
    own_services.indexer.add(COLLECTION, [folder])
    run_all(own_services)
    told = own_client.get(saved).json
    assert told["new"] == 1 and told["checked"] is not None
    answer = own_client.post(f"{saved}/run", json={"look": True}).json
    assert [hit["document"]["id"] for hit in answer["hits"]] == [one["document"] for one in told["fresh"]]
    assert own_client.get(f"{V1}/saved").json["searches"][0]["new"] == 0
    job = own_client.post(f"{V1}/saved/check", json={})
    assert job.status_code == 202 and own_client.post(f"{V1}/saved/check", json={}).json["id"] == job.json["id"]
    assert own_client.delete(saved).status_code == 204
    assert own_client.get(saved).status_code == 404


def test_a_changed_document_is_new_and_an_unchanged_one_is_not(own_client: FlaskClient, own_services: Services) -> None:
    folder = own_services.settings.data_dir / "notes"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(f"The kestrel of {name}.", encoding="utf-8")
    own_services.indexer.add(COLLECTION, [folder])
    run_all(own_services)
    own_client.post(f"{V1}/saved", json={"name": "k", "q": "kestrel", "mode": "lexical"})
    (folder / "b.txt").write_text("The kestrel of b came back.", encoding="utf-8")
    own_services.indexer.add(COLLECTION, [folder])
    run_all(own_services)
    [saved] = own_client.get(f"{V1}/saved").json["searches"]
    assert saved["new"] == 1


def test_saved_searches_on_the_command_line(own: Terminal) -> None:
    assert own("saved", "save", "Boats", "boats", "--mode", "lexical")[0] == 0
    assert own("saved", "save", "Boats", "boats")[0] == 5
    _, out, _ = own("saved", "list", "--json")
    assert [(one["name"], one["new"]) for one in json.loads(out)["searches"]] == [("Boats", 0)]
    assert own("saved", "run", "Boats", "--new")[1].strip() == "nothing new"
    assert "0 new hits in 1 saved searches" in own("saved", "check")[1]
    assert own("saved", "remove", "Boats")[0] == 0
    assert own("saved", "run", "Boats")[0] == 4


# ------------------------------------------------------------------------------------------------ batches and files


def test_a_batch_answers_every_query_and_says_why_one_cannot_be(client: FlaskClient) -> None:
    queries = [{"q": "boats", "mode": "lexical"}, {"q": "x", "filter": ["nothing:1"]}, {"id": "third", "q": "roses"}]
    answer = client.post(f"{V1}/batch", json={"queries": queries, "k": 2})
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [(row["id"], row["total"] > 0, bool(row["error"])) for row in rows] == [
        ("1", True, False), ("2", False, True), ("third", True, False),
    ]  # fmt: skip
    alone = hits(client, "boats", mode="lexical", k=2, sentences="false")
    assert [hit["passage"] for hit in rows[0]["hits"]] == [hit["passage"]["id"] for hit in alone]
    assert client.post("/api/v1/collections/nowhere/batch", json={"queries": [{"q": "x"}]}).status_code == 404


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("query\nboats\nroses\n", [("1", "boats"), ("2", "roses")]),
        ("id,query,mode\na,boats,lexical\nb,roses,\n", [("a", "boats"), ("b", "roses")]),
        ("boats\n\nroses\n", [("1", "boats"), ("2", "roses")]),
        ('\ufeffQuery\n"boats, on the river"\n', [("1", "boats, on the river")]),
    ],
)
def test_a_table_of_queries_is_uploaded(client: FlaskClient, table: str, expected: list[tuple[str, str]]) -> None:
    upload = {"file": (io.BytesIO(table.encode()), "queries.csv"), "format": "csv", "k": "1"}
    answer = client.post(f"{V1}/batch/upload", data=upload, content_type="multipart/form-data")
    rows = rows_of(answer.text)
    assert [(row["id"], row["query"]) for row in rows] == expected


@pytest.mark.parametrize(("table", "why"), [("", "no query in it"), ("id,query,mode\n1,x,magic\n", "no mode 'magic'")])
def test_a_table_without_queries_or_with_a_mode_there_is_not_is_refused(
    client: FlaskClient, table: str, why: str
) -> None:
    upload = {"file": (io.BytesIO(table.encode()), "queries.csv")}
    answer = client.post(f"{V1}/batch/upload", data=upload, content_type="multipart/form-data")
    assert answer.status_code == 422 and why in answer.json["detail"]


def test_a_batch_on_the_command_line_writes_hits_counts_and_runs(own: Terminal, tmp_path: Path) -> None:
    queries = tmp_path / "queries.csv"
    queries.write_text("id,query\nq1,boats\nq2,zzzz\n", encoding="utf-8")
    hits_file, counts = tmp_path / "hits.csv", tmp_path / "counts.csv"
    assert own("batch", queries, "--out", hits_file, "--counts", counts, "--mode", "lexical")[0] == 0
    rows = rows_of(hits_file.read_text(encoding="utf-8"))
    told = {row["id"]: row for row in rows_of(counts.read_text(encoding="utf-8"))}
    assert told["q1"]["total"] == str(int(told["q1"]["hits"])) == str(len([row for row in rows if row["id"] == "q1"]))
    assert (told["q2"]["total"], [row["rank"] for row in rows if row["id"] == "q2"]) == ("0", [""])
    run = tmp_path / "run.trec"
    assert own("batch", queries, "--out", run, "--mode", "lexical")[0] == 0
    lines = [line.split() for line in run.read_text().splitlines()]
    assert {(len(line), line[0], line[1]) for line in lines} == {(6, "q1", "Q0")}
    assert [int(line[3]) for line in lines] == list(range(1, len(lines) + 1))


def test_hits_are_written_in_every_form_with_passages_offsets_scores_and_permalinks(client: FlaskClient) -> None:
    expected = hits(client, "barges", k=5)
    address = f"{V1}/search/export?q=barges&k=5&format="
    rows = rows_of(client.get(f"{address}csv").text)
    lines = [json.loads(line) for line in client.get(f"{address}jsonl").text.splitlines()]
    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"{address}parquet").data)).to_pylist()
    assert table == lines
    assert [int(row["passage"]) for row in rows] == [row["passage"] for row in lines]
    for hit, row in zip(expected, lines, strict=True):
        assert (row["rank"], row["score"], row["text"]) == (hit["rank"], hit["score"], hit["passage"]["text"])
        assert (row["start"], row["end"]) == (hit["passage"]["start"], hit["passage"]["end"])
        assert row["link"] == f"http://localhost/p/{hit['passage']['id']}"
    run = client.get(f"{address}trec").text.splitlines()
    assert run[0].split()[:4] == ["q1", "Q0", str(expected[0]["document"]["id"]), "1"]


def test_references_carry_what_the_metadata_know(client: FlaskClient) -> None:
    address = f"{V1}/search/export?q=barges&k=1&mode=lexical&format="
    bib, ris = client.get(f"{address}bibtex").text, client.get(f"{address}ris").text
    assert "  title = {On barges},\n  author = {Ada},\n  year = {2001},\n  date = {2001-05-02}," in bib
    assert bib.startswith("@misc{riparian")
    assert ris.startswith("TY  - GEN\r\n") and ris.endswith("ER  - \r\n\r\n")
    assert "AU  - Ada\r\nPY  - 2001\r\nDA  - 2001/05/02\r\n" in ris


# ------------------------------------------------------------------------------------------------ the reading list


def test_the_reading_list_over_http_and_as_files(own_client: FlaskClient) -> None:
    hit = hits(own_client, "barges", mode="lexical")[0]
    body = {"passage": hit["passage"]["id"], "note": "=1+1", "tags": ["water", "to read"], "query": "barges"}
    made = own_client.post(f"{V1}/reading", json=body)
    assert made.status_code == 201
    assert (made.json["title"], made.json["tags"]) == ("On barges", ["to read", "water"])
    assert own_client.get(made.json["link"]).status_code == 302
    item = f"/api/v1/reading/{made.json['id']}"
    assert own_client.patch(item, json={"note": "*good*"}).json["tags"] == ["to read", "water"]
    listed = own_client.get(f"{V1}/reading?tag=water").json
    assert ([one["note"] for one in listed["items"]], listed["tags"]) == (["*good*"], {"to read": 1, "water": 1})
    export = f"{V1}/reading/export?format="
    [row] = rows_of(own_client.get(f"{export}csv").text)
    assert (row["title"], row["tags"], row["text"]) == ("On barges", "to read, water", hit["passage"]["text"])
    assert own_client.get(f"{export}markdown").text.startswith("## [On barges](http://localhost/p/")
    assert "note = {*good*}" in own_client.get(f"{export}bibtex").text
    assert own_client.delete(item).status_code == 204
    assert own_client.get(item).status_code == 404
    assert own_client.post(f"{V1}/reading", json={}).status_code == 422


def test_the_reading_list_on_the_command_line(own: Terminal) -> None:
    assert own("reading", "add", "d1", "--note", "later", "--tag", "a", "--tag", "b")[0] == 0
    _, out, _ = own("reading", "list", "--tag", "a", "--json")
    [item] = json.loads(out)["items"]
    assert (item["document"], item["note"], item["tags"]) == (1, "later", ["a", "b"])
    assert own("reading", "change", str(item["id"]), "--no-tags")[0] == 0
    assert json.loads(own("reading", "list", "--tag", "a", "--json")[1])["items"] == []
    assert own("reading", "export", "--format", "ris")[1].startswith("TY  - GEN")
    assert own("reading", "remove", str(item["id"]))[0] == 0
    assert own("reading", "remove", str(item["id"]))[0] == 4
