"""Headers, hosts, other sites' forms, request ids, limits."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from web.app import create_app
from web.gate import Gate, Overloaded
from web.security import MAX_BODY, load_secret
from web.wiring import Services

SEARCH = "/api/v1/collections/archive/search"


@pytest.mark.parametrize("path", ["/", "/api/v1/collections", "/nowhere", "/healthz"])
def test_every_answer_is_guarded(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert re.search(r"script-src 'nonce-[\w-]{16,}'", policy)
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_nonce_is_never_used_twice(client: FlaskClient) -> None:
    first, second = (client.get("/").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example"])
def test_another_host_name_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/api/v1/collections", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8642", "[::1]:8642"])
def test_loopback_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/api/v1/collections", headers={"Host": host}).status_code == 200


def test_any_host_is_answered_where_that_is_asked_for(services: Services) -> None:
    client = create_app(services, trusted_hosts=None).test_client()
    assert client.get("/healthz", headers={"Host": "archive.example"}).status_code == 200


@pytest.mark.parametrize("path", [SEARCH, "/similar"])
def test_another_site_cannot_make_it_do_anything(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json={"q": "bank"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_its_own_pages_may(client: FlaskClient) -> None:
    assert client.post(SEARCH, json={"q": "bank"}, headers={"Origin": "http://localhost"}).status_code == 200


def test_a_form_needs_the_token_of_its_visitor(client: FlaskClient) -> None:
    form = {"collection": "archive", "text": "water and silt"}
    assert client.post("/similar", data=form).status_code == 403
    page = client.get("/similar").text
    token = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)
    assert token is not None
    assert client.post("/similar", data=form | {"csrf_token": token[1]}).status_code == 200
    assert client.post("/similar", data=form | {"csrf_token": "0" * 64}).status_code == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/similar").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_request_id_comes_back_and_a_strange_one_is_replaced(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    replaced = client.get("/healthz", headers={"X-Request-ID": "a b\tc"}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", replaced)


def test_a_body_beyond_the_limit_is_refused_unread(client: FlaskClient) -> None:
    answer = client.post(SEARCH, data=b" " * (MAX_BODY + 1), content_type="application/json")
    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


def test_an_answer_that_is_known_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/api/v1/collections")
    again = client.get("/api/v1/collections", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_secret_stays_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = load_secret(tmp_path / "data")
    assert load_secret(tmp_path / "data") == first
    assert len(first) == 32
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600


def test_the_gate_refuses_at_once_when_as_many_wait_as_may() -> None:
    gate, leave = Gate(1, wait_s=30), threading.Event()
    entered = threading.Semaphore(0)

    def hold() -> None:
        with gate:
            entered.release()
            leave.wait(30)

    threads = [threading.Thread(target=hold) for _ in range(gate.holds)]
    for thread in threads:
        thread.start()
    assert entered.acquire(timeout=30)
    while gate.free:
        threading.Event().wait(0.01)
    with pytest.raises(Overloaded), gate:
        pass
    leave.set()
    for thread in threads:
        thread.join(30)
    assert gate.free == gate.holds


def test_the_gate_lets_in_as_many_as_it_says_and_refuses_the_next() -> None:
    gate, inside, leave = Gate(1, wait_s=0.01), threading.Event(), threading.Event()

    def hold() -> None:
        with gate:
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(10)
    with pytest.raises(Overloaded, match="1 searches are running"), gate:
        pass
    leave.set()
    thread.join()
    with gate:
        pass
