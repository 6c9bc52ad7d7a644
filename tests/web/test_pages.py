"""Every page: what it says, where it leads, and that it says the same as the API."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from riparian import jobs
from riparian.types import DocumentId, Extracted, JobState
from tests.web.conftest import COLLECTION, run_all
from tests.web.html import ASKS_FOR_HTML, links, said, see, send, texts
from web.app import create_app
from web.wiring import Services

SEARCH = f"/c/{COLLECTION}/search"


def hit_of(client: FlaskClient, query: str) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/api/v1/collections/{COLLECTION}/search?q={query}").json["hits"][0]
    return found


def a_topic(client: FlaskClient) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/api/v1/collections/{COLLECTION}/topics").json["topics"][0]
    return found


@pytest.fixture
def addresses(client: FlaskClient) -> list[str]:
    """Every page that can be looked at."""
    hit, topic = hit_of(client, "silt"), a_topic(client)
    document, passage = hit["document"]["id"], hit["passage"]["id"]  # type: ignore[index]
    return [
        "/", SEARCH, f"{SEARCH}?q=silt", f"{SEARCH}?q=zzz&mode=lexical", f"/d/{document}?passage={passage}&q=silt",
        f"/c/{COLLECTION}", f"/c/{COLLECTION}/documents", f"/c/{COLLECTION}/topics", f"/c/{COLLECTION}/failures",
        f"/t/{topic['id']}", "/collections", "/encoders", "/jobs", "/jobs/1", "/similar",
        f"/similar?document={document}",
        f"/similar?passage={passage}", "/about", f"/c/{COLLECTION}/explain?q=silt&passage={passage}",
        f"/c/{COLLECTION}/explain?q=silt&passage={passage}&against=1", f"/d/{document}?summary=1",
        f"{SEARCH}?q=where is silt?&summary=1",
    ]  # fmt: skip


def test_every_page_has_one_heading_a_title_landmarks_a_way_past_the_navigation_and_no_name_twice(
    client: FlaskClient, addresses: list[str]
) -> None:
    for address in addresses:
        page = see(client, address)
        assert len(page.css("h1")) == 1, address
        assert said(page.css_first("title")).endswith("· Riparian")
        assert [len(page.css(tag)) for tag in ("main", "body > header", "body > footer")] == [1, 1, 1], address
        assert page.css_first("body > a").attributes["href"] == "#main"
        assert page.css_first("html").attributes["lang"] == "en"
        names = [node.attributes["id"] for node in page.css("[id]")]
        assert len(names) == len(set(names)), (address, names)


def test_every_link_of_every_page_leads_somewhere(client: FlaskClient, addresses: list[str]) -> None:
    found = {link.partition("#")[0] for address in addresses for link in links(see(client, address), "a[href]")}
    wrong = {link: client.get(link).status_code for link in found if link}
    assert {link: status for link, status in wrong.items() if status not in (200, 302)} == {}
    assert len(wrong) > 50


def test_every_field_has_a_label(client: FlaskClient, addresses: list[str]) -> None:
    for address in addresses:
        page = see(client, address)
        labelled = {node.attributes.get("for") for node in page.css("label[for]")}
        fields = page.css("input:not([type=hidden]):not([type=radio]), select, textarea")
        named = (field for field in fields if not field.attributes.get("aria-label"))  # in a table the column says it
        assert [field.html for field in named if field.attributes.get("id") not in labelled] == [], address


def test_the_front_page_says_what_is_in_the_archive_and_what_it_tells_to_try_finds_something(
    client: FlaskClient,
) -> None:
    page = see(client, "/")
    assert said(page.css_first("h1")) == "26 documents on 3 topics"
    assert len(page.css(".topic-list li")) == 3
    assert "1 unread file" in said(page.css_first(".holding header"))
    tries = links(page, ".try a")
    assert len(tries) == 3
    assert all(see(client, link).css(".hit") for link in tries)


def test_an_empty_archive_asks_for_a_folder(empty_services: Services) -> None:
    client = create_app(empty_services).test_client()
    page = see(client, "/")
    assert said(page.css_first("h1")) == "This archive is empty"
    assert page.css_first("input[name=path]") is not None
    assert client.get("/search?q=x").location == client.get("/topics").location == "/collections"


def test_a_search_from_the_front_page_gets_the_address_of_its_collection(client: FlaskClient) -> None:
    answer = client.get(f"/search?collection={COLLECTION}&q=a+b%26c&filter=type:txt&filter=topic:1")
    parts = urlsplit(answer.location)
    assert parts.path == SEARCH
    assert parse_qs(parts.query) == {"q": ["a b&c"], "filter": ["type:txt", "topic:1"]}


@pytest.mark.parametrize("asked", ["q=silt+bank", "q=silt&mode=lexical", "q=money&mode=semantic", "q=bank&weight=0.9"])
def test_a_search_shows_the_hits_of_the_api_in_its_order(client: FlaskClient, asked: str) -> None:
    told = client.get(f"/api/v1/collections/{COLLECTION}/search?{asked}").json
    page = see(client, f"{SEARCH}?{asked}")
    shown = [re.match(r"/d/(\d+)\?passage=(\d+)", link).groups() for link in links(page, ".hit h2 a")]  # type: ignore[union-attr]
    assert shown == [(str(hit["document"]["id"]), str(hit["passage"]["id"])) for hit in told["hits"]]
    assert texts(page.css_first(".hit"), ".parts li") == [
        f"{part['retriever']}{part['scaled']:.2f}" for part in told["hits"][0]["parts"]
    ]
    assert f"{told['total']} document" in said(page.css_first("[role=status]"))


def test_the_words_that_matched_and_the_best_sentence_are_marked_in_a_hit(client: FlaskClient) -> None:
    first = see(client, f"{SEARCH}?q=silt&mode=lexical").css_first(".hit")
    assert set(texts(first, ".passage mark.word")) == {"silt"}
    [best] = texts(first, ".passage mark.best")
    assert best.startswith("The river")
    assert best.endswith("fall.")


def test_choosing_a_facet_gives_as_many_documents_as_it_promised_and_can_be_taken_back(client: FlaskClient) -> None:
    everything = see(client, f"{SEARCH}?q=river")
    promised = {link: int(said(node.css_first(".count"))) for node in everything.css(".facets li a")
                for link in [node.attributes["href"] or ""]}  # fmt: skip
    assert len(promised) >= 5
    for link, number in promised.items():
        narrowed = see(client, link)
        assert f"{number} document" in said(narrowed.css_first("[role=status]")), link
        [back] = links(narrowed, ".chip.chosen")
        assert parse_qs(urlsplit(back).query).get("filter") is None
        [chosen] = narrowed.css(".facets li a.on")
        assert chosen.attributes["href"] == back


def test_dates_narrow_a_search_and_stay_in_the_form(client: FlaskClient) -> None:
    page = see(client, f"{SEARCH}?q=barges+locks&since=2002&until=2003")
    assert texts(page, ".hit h2") == ["On locks"]
    assert page.css_first("input[name=since]").attributes["value"] == "2002"
    assert texts(page, ".chip.chosen") == ["Remove Date from 2002", "Remove Date until 2003"]


def test_pages_of_hits_follow_one_another_without_gap_or_repetition(client: FlaskClient) -> None:
    seen: list[str] = []
    address: str | None = f"{SEARCH}?q=river+money+garden"
    while address:
        page = see(client, address)
        seen += texts(page, ".hit h2")
        address = next(iter(links(page, "a[rel=next]")), None)
    told = client.get(f"/api/v1/collections/{COLLECTION}/search?q=river+money+garden&k=100").json["hits"]
    assert len(seen) == len(told)
    assert len(set(seen)) == len(seen)


def test_a_search_without_a_hit_gives_advice(client: FlaskClient) -> None:
    page = see(client, f"{SEARCH}?q=zzzz&mode=lexical&filter=type:txt")
    assert said(page.css_first(".empty p")) == "No passage meets these filters and the question."
    assert len(links(page, ".empty a")) == 3


@pytest.mark.parametrize(
    ("address", "status", "detail"),
    [
        (f"{SEARCH}?q=x&filter=colour:red", 422, "no field 'colour'"),
        (f"{SEARCH}?q=x&mode=magic", 422, "hybrid, semantic, lexical"),
        (f"{SEARCH}?q=%22%3F%22", 422, ""),
        ("/c/nothing/search?q=x", 404, COLLECTION),
        ("/c/nothing", 404, COLLECTION),
        ("/c/nothing/topics", 404, COLLECTION),
        (f"/c/{COLLECTION}/topics?sort=colour", 422, "coherence"),
        ("/d/999999", 404, "no document 999999"),
        ("/p/999999", 404, "no passage 999999"),
        ("/t/999999", 404, "no topic 999999"),
        ("/jobs/999999", 404, "no job 999999"),
        ("/similar?document=x", 422, "no whole number"),
        ("/nowhere", 404, ""),
    ],
)
def test_what_cannot_be_answered_is_a_page_that_says_why(
    client: FlaskClient, address: str, status: int, detail: str
) -> None:
    page = see(client, address, status)
    assert detail in said(page.css_first(".notice"))
    assert said(page.css_first(".kicker")) == str(status)


def test_a_hit_opens_its_document_at_the_passage_with_the_words_marked(client: FlaskClient) -> None:
    hit = hit_of(client, "silt")
    [link] = links(see(client, f"{SEARCH}?q=silt"), ".hit:first-child h2 a")
    passage = hit["passage"]
    assert link.endswith(f"#p{passage['id']}")  # type: ignore[index]
    page = see(client, link)
    marked = " ".join(said(node) for node in page.css(".text mark.passage"))
    assert marked == " ".join(passage["text"].split())  # type: ignore[index]
    assert page.css_first(f"mark.passage #p{passage['id']}") is not None  # type: ignore[index]
    assert set(texts(page, ".text mark.word")) == {"silt"}
    assert "search for silt" in said(page.css_first(".kicker"))


def test_a_passage_that_is_gone_opens_the_document_and_says_so(client: FlaskClient) -> None:
    document = hit_of(client, "silt")["document"]["id"]  # type: ignore[index]
    page = see(client, f"/d/{document}?passage=999999")
    assert "not there any more" in said(page.css_first(".notice"))


def test_near_copies_are_folded_under_their_hit_and_can_be_opened(
    own_client: FlaskClient, own_services: Services
) -> None:
    before = see(own_client, f"{SEARCH}?q=river+water")
    alike = [int(link.split("/")[2].partition("?")[0]) for link in links(before, ".hit h2 a")[:3]]
    with own_services.database.write() as catalog:
        collection = catalog.collections.named(COLLECTION).id
        catalog.documents.set_duplicate_groups(collection, {DocumentId(d): alike[0] for d in alike})
        catalog.collections.touch(collection)
    first, second = see(own_client, f"{SEARCH}?q=river+water").css(".hit")[:2]
    assert texts(first, "details.copies summary") == ["2 near-copies"]
    assert {int(link.split("/")[2]) for link in links(first, "details.copies a")} == set(alike[1:])
    assert second.css_first("details.copies") is None


def test_an_attachment_and_what_it_came_with_lead_to_each_other_and_say_their_language(
    own_client: FlaskClient, own_services: Services
) -> None:
    with own_services.database.write() as catalog:
        collection = catalog.collections.named(COLLECTION).id
        mail = catalog.documents.put(
            collection, None, "mail.eml", Extracted("", "See attached.", title="A mail"), digest="1", passages=[]
        )
        report = Extracted("", "Das Ufer.\n\nDer Fluss.", title="Der Bericht", language="de")
        child = catalog.documents.put(
            collection, None, "mail.eml!report.txt", report, digest="2", passages=[], parent_id=mail
        )
    above, below = see(own_client, f"/d/{mail}"), see(own_client, f"/d/{child}")
    assert f"/d/{child}" in links(above, ".relatives a")
    assert links(below, ".kicker a") == [f"/c/{COLLECTION}", f"/d/{mail}"]
    assert [below.css_first(s).attributes["lang"] for s in ("h1", ".text")] == ["de", "de"]
    assert texts(below, ".text p") == ["Das Ufer.", "Der Fluss."]
    assert "mail.eml › report.txt" in texts(below, ".shelfmark")


def test_the_short_address_of_a_passage_leads_to_it(client: FlaskClient) -> None:
    hit = hit_of(client, "silt")
    passage, document = hit["passage"]["id"], hit["document"]["id"]  # type: ignore[index]
    assert client.get(f"/p/{passage}").location == f"/d/{document}?passage={passage}#p{passage}"


def test_the_reader_shows_the_particulars_topics_and_kin_of_a_document(client: FlaskClient) -> None:
    document = hit_of(client, "barges")["document"]["id"]  # type: ignore[index]
    page = see(client, f"/d/{document}")
    assert said(page.css_first("h1")) == "On barges"
    facts = dict(zip(texts(page, ".facts dt"), texts(page, ".facts dd"), strict=True))
    assert (facts["Date"], facts["Author"]) == ("2 May 2001", "Ada")
    assert len(page.css(".shares li")) >= 1
    assert len(links(page, ".relatives a")) == 5


def test_more_like_this_shows_what_the_api_finds(client: FlaskClient) -> None:
    document = hit_of(client, "silt")["document"]["id"]  # type: ignore[index]
    told = client.get(f"/api/v1/documents/{document}/similar?k=20").json["hits"]
    page = see(client, f"/similar?document={document}")
    assert [int(link.split("/")[2].split("?")[0]) for link in links(page, ".hit h2 a")] == [
        hit["document"]["id"] for hit in told
    ]


def test_a_pasted_text_and_an_uploaded_file_find_their_like(client: FlaskClient) -> None:
    text = "Roses and beans grow in the soil of a garden."
    pasted = send(client, "/similar", "/similar", collection=COLLECTION, text=text)
    assert pasted.status_code == 200
    assert "garden" in pasted.text.split('class="hits"')[1][:2000]
    upload = (io.BytesIO(text.encode()), "note.txt")
    uploaded = send(client, "/similar", "/similar", collection=COLLECTION, text="", file=upload)
    assert uploaded.text.count("data-hit") == pasted.text.count("data-hit") == 20
    nothing = send(client, "/similar", "/similar", collection=COLLECTION, text=" ")
    assert (nothing.status_code, "paste a text or choose a file" in nothing.text) == (422, True)


def test_the_table_of_topics_can_be_sorted_by_every_column(client: FlaskClient) -> None:
    told = client.get(f"/api/v1/collections/{COLLECTION}/topics").json["topics"]
    for order, key in (("share", "share"), ("passages", "passages"), ("documents", "documents")):
        page = see(client, f"/c/{COLLECTION}/topics?sort={order}")
        assert page.css_first("th[aria-sort]").attributes["aria-sort"] == "descending"
        rows = [int(link.split("/")[2]) for link in links(page, "tbody th a")]
        values = {topic["id"]: topic[key] for topic in told}
        assert [values[row] for row in rows] == sorted(values.values(), reverse=True)
    labels = texts(see(client, f"/c/{COLLECTION}/topics?sort=label"), "tbody th a")
    assert labels == sorted(labels, key=str.casefold)


def test_a_topic_shows_its_words_passages_and_documents_and_is_searched_inside(client: FlaskClient) -> None:
    topic = a_topic(client)
    page = see(client, f"/t/{topic['id']}")
    assert said(page.css_first("h1")) == topic["label"]
    assert texts(page, ".term-weights a") == topic["words"] + [t["word"] for t in topic["terms"][10:15]]  # type: ignore[index, operator]
    assert len(page.css("#all-passages ~ form tbody tr")) == min(20, topic["passages"])  # type: ignore[type-var]
    assert page.css_first("main form input[name=filter]").attributes["value"] == f"topic:{topic['id']}"
    inside = see(client, f"{SEARCH}?q=the&filter=topic:{topic['id']}")
    assert texts(inside, ".chip.chosen") == [f"Remove Topic: {topic['label']}"]


def test_a_topic_can_be_renamed_and_keeps_its_address(own_client: FlaskClient) -> None:
    topic = f"/t/{a_topic(own_client)['id']}"
    answer = send(own_client, topic, "/rename", label="  Water & <b>mud</b> ")
    assert (answer.status_code, answer.location) == (303, topic)
    assert said(see(own_client, topic).css_first("h1")) == "Water & <b>mud</b>"
    assert send(own_client, topic, "/rename", label=" ").status_code == 422


def test_nothing_is_changed_without_the_token_of_the_form(own_client: FlaskClient) -> None:
    topic = a_topic(own_client)
    for address, data in (
        (f"/t/{topic['id']}/rename", {"label": "x"}),
        ("/collections", {"path": "/"}),
        (f"/c/{COLLECTION}/sync", {}),
        (f"/c/{COLLECTION}/topics", {}),
        ("/jobs/1/cancel", {}),
        ("/encoders", {"kind": "elmo", "name": "x", "collection": COLLECTION}),
    ):
        assert own_client.post(address, data=data, headers=ASKS_FOR_HTML).status_code == 403
    assert a_topic(own_client)["label"] == topic["label"]


def test_a_folder_given_on_the_page_becomes_a_collection(
    own_client: FlaskClient, own_services: Services, tmp_path: Path
) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "one.txt").write_text("A letter about a lighthouse and its keeper.", encoding="utf-8")
    answer = send(own_client, "/collections", "/collections", path=str(folder), name="")
    assert answer.status_code == 303
    waiting = see(own_client, answer.location)
    assert said(waiting.css_first("[role=status]")) == "Waiting"
    assert waiting.css_first("[data-busy]") is not None
    run_all(own_services)
    done = see(own_client, answer.location)
    assert done.css_first("[data-busy]") is None
    assert "Done. Search letters" in said(done.css_first(".notice"))
    assert texts(see(own_client, "/c/letters/search?q=lighthouse"), ".hit mark.word") == ["lighthouse"]
    front = see(own_client, "/")
    assert said(front.css_first("h1")) == "27 documents in 2 collections"
    assert texts(front, "select[name=collection] option") == [COLLECTION, "letters"]  # the larger first


def test_a_path_that_is_not_there_is_said_and_makes_no_collection(own_client: FlaskClient, tmp_path: Path) -> None:
    answer = send(own_client, "/collections", "/collections", path=str(tmp_path / "nowhere"), name="")
    assert answer.status_code == 404
    assert "no such file or folder" in answer.text
    assert "nowhere" not in see(own_client, "/collections").css_first("table").text()


def test_a_collection_is_synced_and_its_topics_found_anew_from_its_pages(
    own_client: FlaskClient, own_services: Services
) -> None:
    synced = send(own_client, f"/c/{COLLECTION}", "/sync")
    assert said(see(own_client, synced.location).css_first("h1")) == "Indexing"
    found = send(own_client, f"/c/{COLLECTION}/topics", "/topics", number="2")
    run_all(own_services)
    assert said(see(own_client, found.location).css_first("[role=status]")) == "Done"
    assert said(see(own_client, f"/c/{COLLECTION}/topics").css_first("h1")) == "2 topics"
    assert send(own_client, f"/c/{COLLECTION}/topics", "/topics", number="many").status_code == 422


def test_a_waiting_job_is_stopped_from_its_page(own_client: FlaskClient, own_services: Services) -> None:
    job = own_services.indexer.sync(COLLECTION)
    answer = send(own_client, f"/jobs/{job}", "/cancel")
    assert answer.location == f"/jobs/{job}"
    assert said(see(own_client, answer.location).css_first("[role=status]")) == "Cancelled"
    with own_services.database.read() as catalog:
        assert jobs.get(catalog, job).state is JobState.CANCELLED


def test_what_could_not_be_read_is_listed_with_its_reason(client: FlaskClient) -> None:
    told = client.get(f"/api/v1/collections/{COLLECTION}/failures").json["failures"]
    page = see(client, f"/c/{COLLECTION}/failures")
    assert texts(page, "tbody th") == [failure["path"] for failure in told]
    assert texts(page, "tbody td:nth-child(2)") == [" ".join(failure["reason"].split()) for failure in told]
    assert len(told) == 1


def test_documents_are_listed_and_narrowed(client: FlaskClient) -> None:
    assert said(see(client, f"/c/{COLLECTION}/documents").css_first("h1")) == "26 documents"
    page = see(client, f"/c/{COLLECTION}/documents?filter=author:Ada")
    assert (said(page.css_first("h1")), texts(page, "tbody th a")) == ("1 document", ["On barges"])


def test_a_search_page_asks_the_database_a_small_number_of_times(client: FlaskClient, services: Services) -> None:
    counted: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        counted.append(statement)

    see(client, f"{SEARCH}?q=river")  # what is loaded once
    event.listen(services.database.engine, "before_cursor_execute", count)
    try:
        page = see(client, f"{SEARCH}?q=river")
    finally:
        event.remove(services.database.engine, "before_cursor_execute", count)
    copies = len(page.css(".hit details.copies"))
    assert len(page.css(".hit")) > 2
    assert len(counted) - 2 * copies <= 32  # near-copies are looked up for each hit that has some
