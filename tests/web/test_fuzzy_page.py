"""Did you mean: on the page, in the API and in the command; one click, or one word, searches exactly as typed."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import COLLECTION
from tests.web.html import links, see, texts
from web.cli import run
from web.wiring import Services

ASKED = f"/c/{COLLECTION}/search?q=gardner+and+resirve"
V1 = f"/api/v1/collections/{COLLECTION}/search"


def test_the_page_says_what_was_meant_and_searches_as_typed_on_one_click(client: FlaskClient) -> None:
    page = see(client, ASKED)
    notices = texts(page, "p.notice")
    assert (
        "Did you mean gardener? No document holds “gardner”, so it was looked for. Search exactly as typed" in notices
    )
    assert any(one.startswith("Did you mean reserve?") for one in notices)
    assert "garden" in texts(page, "li.hit h2")[0].lower()
    [exact, *_] = [link for link in links(page, "p.notice a") if "fuzzy=off" in link]
    page = see(client, exact)
    assert not [one for one in texts(page, "p.notice") if "Did you mean" in one]
    assert not any("fuzzy" in link for link in links(page, "p.notice a"))  # back to allowing for misspellings
    assert see(client, f"{ASKED}&fuzzy=on").css_first("#fuzzy").attributes.keys() >= {"checked"}
    assert "checked" not in see(client, ASKED).css_first("#fuzzy").attributes
    assert client.get(f"{ASKED}&fuzzy=much").status_code == 422


def test_the_api_and_the_command_say_the_same(
    services: Services, client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"typed": "gardner", "used": ["gardener"], "unknown": True}
    assert client.get(V1, query_string={"q": "gardner"}).json["respelt"] == [told]
    assert client.get(V1, query_string={"q": "gardner", "fuzzy": "off"}).json["respelt"] == []
    asked = ["search", "gardner", "--collection", COLLECTION, "--data-dir", str(services.settings.data_dir)]
    capsys.readouterr()
    assert run(asked) == 0
    assert capsys.readouterr().out.startswith("(did you mean gardener? No document holds gardner;")
    assert run([*asked, "--fuzzy", "off"]) == 0
    assert "did you mean" not in capsys.readouterr().out
