"""Logs: one line a request, as text or JSON, without what was searched for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from riparian.config import Settings
from riparian.errors import Invalid
from web import logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_one_line_with_its_route_and_id(
    client: FlaskClient, root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(Settings(log_level="INFO", log_format="json"))
    client.get("/api/v1/collections/archive/search?q=a+secret+wish", headers={"X-Request-ID": "r-1"})
    [line] = [line for line in lines(capsys) if line["event"] == "request"]
    assert line["rule"] == "/api/v1/collections/<name>/search"
    assert (line["status"], line["method"], line["request_id"], line["level"]) == (200, "GET", "r-1", "info")


@pytest.mark.parametrize("form", ["json", "text"])
def test_what_was_searched_for_is_not_logged(
    client: FlaskClient, root: logging.Logger, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    logs.configure(Settings(log_level="DEBUG", log_format=form))
    client.get("/api/v1/collections/archive/search?q=wishes")
    client.post("/api/v1/collections/archive/similar", json={"text": "wishes"})
    client.get("/c/archive/search?q=wishes")
    assert "wishes" not in capsys.readouterr().err


def test_a_level_that_there_is_not_is_refused() -> None:
    with pytest.raises(Invalid, match="log level 'LOUD' is not known"):
        logs.configure(Settings(log_level="LOUD"))
