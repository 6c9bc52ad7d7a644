"""The system's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Skipped with a reason where the system has no Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this system; install the package chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


class Watched:
    """A browser context that keeps what the pages complained about: errors, refused scripts, dialogs."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        context.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("dialog", self._dialog)

    def _dialog(self, dialog: object) -> None:
        self.complaints.append(f"dialog: {dialog}")
        dialog.dismiss()  # type: ignore[attr-defined]

    def page(self) -> Page:
        return self.context.new_page()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A fresh context in which nothing may go wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    found = Watched(context)
    yield found
    context.close()
    assert found.complaints == []


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where to keep screenshots, when RIPARIAN_PICTURES names a folder."""
    folder = os.environ.get("RIPARIAN_PICTURES")
    return Path(folder) if folder else None
