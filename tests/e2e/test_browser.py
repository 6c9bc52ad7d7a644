"""A person's way through the pages in a real browser, with and without JavaScript, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from riparian import jobs
from tests.e2e.conftest import Watched
from tests.e2e.serving import served
from tests.web.conftest import COLLECTION, indexed, write_archive
from web.wiring import Services


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("e2e")
    found = indexed(folder / "data", write_archive(folder / "archive"))
    yield found
    found.database.engine.dispose()


@pytest.fixture(scope="module")
def address(services: Services) -> Iterator[str]:
    with served(services) as found:
        yield found


@pytest.fixture(scope="module")
def addresses(services: Services) -> list[str]:
    """Every page."""
    with services.database.read() as catalog:
        collection = catalog.collections.named(COLLECTION)
        topic = catalog.topics.of_model(catalog.topics.active_model(collection.id).id)[0].id
        document = catalog.documents.page(collection.id, limit=1)[0].id
        passage = next(iter(catalog.passages.places(document)))
    services.indexer.sync(COLLECTION)  # a job that waits: there is no worker here
    inside = f"/c/{COLLECTION}"
    return [
        "/", f"{inside}/search", f"{inside}/search?q=silt+bank&filter=type:txt", f"{inside}/search?q=zz&mode=lexical",
        f"/d/{document}?passage={passage}&q=garden", inside, f"{inside}/documents", f"{inside}/topics",
        f"{inside}/failures", f"/t/{topic}", "/collections", "/encoders", "/jobs", "/jobs/1", "/jobs/3",
        "/similar", f"/similar?passage={passage}", "/about", "/nowhere", f"{inside}/search?q=x&filter=nonsense",
    ]  # fmt: skip


def journey(page: Page, address: str) -> None:
    """Open, search, open a hit, see the highlight, browse a topic, search inside it."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("26 documents on 3 topics")
    page.get_by_role("searchbox", name="Search the archive").fill("water and silt past the bank")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page).to_have_url(f"{address}/c/{COLLECTION}/search?q=water+and+silt+past+the+bank")
    first = page.locator(".hit").first
    expect(first.locator("mark.word").first).to_be_visible()
    expect(first.locator("mark.best")).to_contain_text("silt")
    first.get_by_role("heading").get_by_role("link").click()
    expect(page.locator("mark.passage").first).to_be_in_viewport()
    expect(page.locator("mark.passage")).to_contain_text(["The river"])
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Topics").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.locator("tbody th a").first.click()
    label = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("searchbox", name=f"Search inside {label}").fill("the")
    page.get_by_role("main").get_by_role("button", name="Search").click()
    expect(page.locator(".chip.chosen")).to_have_text(f"Remove Topic: {label}")
    expect(page.locator(".hit").first).to_be_visible()


def test_a_person_searches_reads_browses_a_topic_and_searches_inside_it(watched: Watched, address: str) -> None:
    journey(watched.page(), address)


def test_the_same_way_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    journey(context.new_page(), address)
    context.close()


def test_the_keyboard_alone_goes_from_the_front_page_to_the_passage(watched: Watched, address: str) -> None:
    page = watched.page()
    page.goto(address)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("/")
    page.keyboard.type("roses and beans")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=roses**")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".hit h2 a").nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(".hit h2 a").nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("mark.passage").first).to_be_in_viewport()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", level=1)).to_have_text("How to search")


def test_the_semantic_weight_can_be_slid_and_typed(watched: Watched, address: str) -> None:
    page = watched.page()
    page.goto(f"{address}/c/{COLLECTION}/search?q=bank")
    slider = page.get_by_role("slider", name="Semantic weight")
    slider.focus()
    page.keyboard.press("End")
    expect(page.get_by_role("spinbutton", name="Semantic weight")).to_have_value("1")
    page.get_by_text("Lexical", exact=True).click()
    expect(slider).to_be_hidden()


def test_a_waiting_job_is_shown_as_it_goes_on_without_a_hand(
    watched: Watched, address: str, services: Services
) -> None:
    job = services.indexer.sync(COLLECTION)
    page = watched.page()
    page.goto(f"{address}/jobs/{job}")
    expect(page.get_by_role("status")).to_have_text("Waiting")
    with services.database.write() as catalog:
        jobs.cancel(catalog, job)
    expect(page.get_by_role("status")).to_have_text("Cancelled")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_on_any_page(
    browser: Browser, address: str, addresses: list[str], scheme: str, width: int, pictures: Path | None
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for number, path in enumerate(addresses):
        page.goto(address + path)
        violations = Axe().run(page).response["violations"]
        found[path] = [f"{v['id']}: {node['html'][:200]}" for v in violations for node in v["nodes"]]
        if pictures is not None:
            page.screenshot(path=pictures / f"{number:02}-{scheme}-{width}.png", full_page=True)
    context.close()
    assert {path: violations for path, violations in found.items() if violations} == {}


def test_no_page_is_wider_than_a_phone(browser: Browser, address: str, addresses: list[str]) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    wide = {}
    for path in addresses:
        page.goto(address + path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 360:
            wide[path] = width
    context.close()
    assert wide == {}


def test_no_page_complains_or_breaks_its_policy(watched: Watched, address: str, addresses: list[str]) -> None:
    page = watched.page()
    for path in addresses:
        answer = page.goto(address + path)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        if not answer.ok:  # the browser reports the status of an error page as an error
            watched.complaints = [c for c in watched.complaints if "Failed to load resource" not in c]
