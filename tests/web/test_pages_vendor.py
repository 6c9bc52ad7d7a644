"""Third-party files of the pages are the ones that were reviewed."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "web" / "static"
VENDOR = STATIC / "vendor"
LOCK = json.loads((VENDOR / "vendor.lock.json").read_text())["files"]


def test_every_vendored_file_has_the_hash_that_its_lock_says() -> None:
    found = {entry["file"]: hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() for entry in LOCK}
    assert found == {entry["file"]: entry["sha256"] for entry in LOCK}


def test_no_vendored_file_is_without_a_lock() -> None:
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert there - {"vendor.lock.json"} == {entry["file"] for entry in LOCK}


def test_every_vendored_package_names_version_and_a_free_licence_and_carries_its_text() -> None:
    assert {entry["licence"] for entry in LOCK} == {"MIT", "OFL-1.1"}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]) for entry in LOCK)
    with_text = {entry["package"] for entry in LOCK if entry["file"].endswith("/LICENSE")}
    assert with_text == {entry["package"] for entry in LOCK}


def test_the_style_sheet_fetches_only_files_that_are_there() -> None:
    named = re.findall(r'url\("([^"]+)"\)', (STATIC / "riparian.css").read_text())
    assert len(named) >= 5
    assert all((STATIC / name).is_file() for name in named)


def test_templates_hold_no_inline_style_no_inline_script_and_no_unescaped_text() -> None:
    for template in sorted((STATIC.parent / "templates").glob("*.html")):
        text = template.read_text()
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|\|\s*safe|Markup\(|autoescape false", text), template.name
        assert all("nonce=" in tag and "src=" in tag for tag in re.findall(r"<script[^>]*>", text)), template.name
