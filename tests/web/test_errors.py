"""One shape for every error, one table from errors to statuses and exit codes."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine

from riparian import errors
from riparian.errors import RiparianError
from tests.web.conftest import COLLECTION
from web.app import create_app
from web.errors import exit_code_of, status_of
from web.gate import Overloaded
from web.wiring import Services

EXAMPLES: dict[type[RiparianError], tuple[object, ...]] = {
    errors.UnknownCollection: ("x", ["y"]),
    errors.UnknownEncoder: ("x", ["y"]),
    errors.NoVectorsOf: ("c", "x", ["y"]),
    errors.UnknownDocument: (1,),
    errors.UnknownPassage: (1,),
    errors.UnknownTopic: (1,),
    errors.UnknownJob: (1,),
    errors.MissingPath: ("/x",),
    errors.NothingToRead: (["/x"],),
    errors.UnreadableFile: ("/x", "why"),
    errors.BadFilter: ("x", "why"),
    errors.BadWeights: ("/x", "a", "b"),
    errors.IndexMismatch: ("it", "a", "b"),
    errors.DamagedIndex: ("/x", "a", "b"),
    errors.DamagedDatabase: ("/x", "found"),
    errors.ForeignDatabase: (["x"],),
    errors.ModelNotInstalled: ("x", "why"),
    errors.MissingExtra: ("x", "y"),
    errors.PortInUse: ("host", 1),
    errors.StorageFull: ("/x",),
}
FAMILIES = {
    errors.NotFound: (404, 4),
    errors.Invalid: (422, 2),
    errors.Conflict: (409, 5),
    errors.Unavailable: (503, 3),
}


def every_error() -> Iterator[RiparianError]:
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, RiparianError):
            yield kind(*EXAMPLES.get(kind, ("what was asked, what was found, what to do",)))


@pytest.fixture(scope="module")
def raising(services: Services) -> Flask:
    """The application with a route that raises the error named, below /api and as a page."""
    app = create_app(services)
    by_name = {type(error).__name__: error for error in every_error()}

    def fail(name: str) -> str:
        raise by_name[name] if name in by_name else ZeroDivisionError("secret detail")

    app.add_url_rule("/api/fail/<name>", "fail_api", fail)
    app.add_url_rule("/fail/<name>", "fail_page", fail)
    return app


@pytest.mark.parametrize("error", every_error(), ids=lambda error: type(error).__name__)
def test_every_error_has_the_status_and_exit_code_of_its_family(raising: Flask, error: RiparianError) -> None:
    family = next((kind for kind in FAMILIES if isinstance(error, kind)), None)
    status, code = FAMILIES[family] if family else (500, 1)
    if isinstance(error, errors.StorageFull):
        status = 507
    assert (status_of(error), exit_code_of(error)) == (status, code)
    answer = raising.test_client().get(f"/api/fail/{type(error).__name__}")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json.keys() == {"type", "title", "status", "detail", "instance", "errors"}
    assert answer.json["status"] == status
    assert answer.json["detail"] == str(error)
    assert answer.json["type"].startswith("urn:riparian:")
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_a_person_gets_a_page_and_a_program_json(raising: Flask) -> None:
    page = raising.test_client().get("/fail/NotFound", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    program = raising.test_client().get("/fail/NotFound", headers={"Accept": "application/json"})
    assert (program.status_code, program.mimetype) == (404, "application/problem+json")


def test_what_was_not_foreseen_tells_nothing_of_the_inside(raising: Flask) -> None:
    answer = raising.test_client().get("/api/fail/ZeroDivision")
    assert answer.status_code == 500
    assert answer.json["type"] == "urn:riparian:internal-error"
    assert "secret" not in answer.text


def test_a_bad_value_is_named(client: FlaskClient) -> None:
    answer = client.post(f"/api/v1/collections/{COLLECTION}/search", json={"q": "x", "k": "many"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["at"] == ["k"]


def test_broken_json_and_other_bodies_are_told_apart(client: FlaskClient) -> None:
    path = f"/api/v1/collections/{COLLECTION}/search"
    broken = client.post(path, data=b'{"q": ', content_type="application/json")
    assert (broken.status_code, broken.json["type"]) == (400, "urn:riparian:bad-request")
    form = client.post(path, data={"q": "x"})
    assert (form.status_code, form.json["type"]) == (415, "urn:riparian:unsupported-media-type")


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.delete("/api/v1/collections", json={})
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_overload_says_when_to_come_back(services: Services) -> None:
    app = create_app(services)

    def fail() -> str:
        raise Overloaded(4)

    app.add_url_rule("/api/busy", "busy", fail)
    answer = app.test_client().get("/api/busy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_a_full_disk_is_507_and_an_absent_database_503(services: Services) -> None:
    app = create_app(services)
    nowhere = create_engine("sqlite:////nowhere/at/all.sqlite")

    def full() -> str:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/x")

    def absent() -> str:
        with nowhere.connect():
            return ""

    app.add_url_rule("/api/full", "full", full)
    app.add_url_rule("/api/absent", "absent", absent)
    answer = app.test_client().get("/api/full")
    assert (answer.status_code, answer.json["type"]) == (507, "urn:riparian:storage-full")
    assert "/data/x" in answer.json["detail"]
    answer = app.test_client().get("/api/absent")
    assert (answer.status_code, answer.json["type"]) == (503, "urn:riparian:unavailable")
    assert answer.json["detail"] == "the database does not answer: unable to open database file"


@pytest.mark.parametrize("path", [f"/t/{10**30}", f"/api/v1/topics/{10**30}"])
def test_a_number_beyond_the_database_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 422
