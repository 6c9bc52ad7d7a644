"""Pages as a reader of HTML sees them."""

from __future__ import annotations

from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node
from werkzeug.test import TestResponse

ASKS_FOR_HTML = {"Accept": "text/html"}


def see(client: FlaskClient, address: str, status: int = 200) -> HTMLParser:
    """The page at an address, which must answer with this status."""
    answer = client.get(address, headers=ASKS_FOR_HTML)
    assert answer.status_code == status, answer.text[:2000]
    return HTMLParser(answer.text)


def send(client: FlaskClient, page: str, form: str, **values: object) -> TestResponse:
    """Fills in the form of a page whose action ends with `form`, its hidden fields kept, and sends it."""
    there = see(client, page)
    [found] = [node for node in there.css("form") if (node.attributes.get("action") or "").endswith(form)]
    hidden = {n.attributes["name"]: n.attributes.get("value") or "" for n in found.css("input[type=hidden]")}
    data = {**hidden, **values}
    return client.post(found.attributes["action"], data=data, headers=ASKS_FOR_HTML)


def said(node: Node | None) -> str:
    """The text of a node with its white space folded."""
    assert node is not None
    return " ".join(node.text().split())


def texts(page: HTMLParser | Node, selector: str) -> list[str]:
    return [said(node) for node in page.css(selector)]


def links(page: HTMLParser | Node, selector: str) -> list[str]:
    return [node.attributes["href"] or "" for node in page.css(selector)]
