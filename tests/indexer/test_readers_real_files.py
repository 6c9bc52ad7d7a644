"""Every file of a real, mixed archive is read well: its words, its title, its date, its language."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from indexer.readers.base import ReadOptions
from indexer.sandbox import Readers
from riparian.types import Extracted
from tests.evaldata import folder

# A phrase from each file, found by reading it in another program.
PHRASES = {
    "18f/partnership-principles.pdf": "gain a shared understanding of your problem",
    "18f/crisis-support-it-acquisitions.pdf": "We are 18F, a team within the General Services Administration",
    "18f/agile-solicitation-template.docx": "This template is meant to assist agencies",
    "18f/determinations-and-findings-sample.docx": "This is a determination and findings for contract type",
    "debian-faq/debian-faq.en.pdf": "On what hardware architectures/systems does Debian GNU/Linux run?",
    "debian-faq/debian-faq.en.txt": "On what hardware architectures/systems does Debian GNU/Linux run?",
    "debian-faq/basic-defs.en.html": "Definitions and overview",
    "debian-faq/choosing.en.html": "Choosing a Debian distribution",
    "debian-faq/getting-debian.en.html": "Official Debian CD images indeed contain symlinks",
    "debian-faq/pkg-basics.en.html": "Basics of the Debian package management system",
    "debian-faq/software.en.html": "Software available in the Debian system",
    "debian-faq/support.en.html": "Getting support for Debian GNU/Linux",
    "debian-faq/contributing.en.html": "Contributing to the Debian Project",
    "debian-faq/kernel.en.html": "Debian and the kernel",
    "us-doj/handbook-chapter-13-trustees.docx": "The United States Trustee appoints and supervises standing trustees",
    "us-doj/handbook-1p.docx": "Standing trustees are encouraged to follow Practice Tips",
    "us-law/public-law-107-56.htm": "Be it enacted by the Senate and House of Representatives",
    "gutenberg/war-and-peace-1p.txt": "Genoa and Lucca are now just family estates of the Buonapartes",
    "gutenberg/moby-dick-opening.docx": "This is my substitute for pistol and ball",
    "peps/pep-0008.rst": "code is read much more often than it is written",
    "peps/pep-0020.rst": "Long time Pythoneer Tim Peters succinctly channels",
}
BY_FOLDER = {
    "udhr": "All human beings are born free and equal in dignity and rights",
    "debian-history/project-history.en": "was officially founded by Ian Murdock on August 16th, 1993",
    "debian-history/project-history.de": "Debian-Projekt",
    "debian-history/project-history.fr": "projet Debian",
    "debian-history/detailed.en": "Debian 0.01 through Debian 0.90",
    "debian-history/detailed.de": "Debian 0.01",
    "debian-history/detailed.fr": "Historique détaillé",
}
TITLES = {
    "18f/posts/2015-06-08-data-act-data-act-explainer.md": "How DATA Act implementation is opening up federal spending",
    "debian-faq/debian-faq.en.pdf": "The Debian GNU/Linux FAQ",
    "debian-history/project-history.fr.epub": "Bref historique de Debian",
    "peps/pep-0008.rst": "Style Guide for Python Code",
    "usenet/sci.med-59229.eml": "HELP...REFLUX ESOPHAGITIS",
    "udhr/udhr-eng-spa.eml": "Test email with multiple languages",
    "udhr/udhr-eng-spa.txt": "",
    "udhr/udhr-eng-spa.docx": "",
}
# The front matter says the 9th; the list goes by the file's name.
OWN_DATES = {"18f/posts/2015-06-08-data-act-data-act-explainer.md": date(2015, 6, 9)}


@pytest.fixture(scope="module")
def root() -> Path:
    return folder("mixed-docs")


@pytest.fixture(scope="module")
def entries(root: Path) -> dict[str, dict[str, Any]]:
    lines = (root / "manifest.jsonl").read_text().splitlines()
    return {entry["file"].removeprefix("files/"): entry for entry in map(json.loads, lines)}


@pytest.fixture(scope="module")
def documents(root: Path, entries: dict[str, Any]) -> dict[str, list[Extracted]]:
    """What the sandboxed readers make of every file; a failure fails all these tests."""
    found: dict[str, list[Extracted]] = {}
    with Readers(memory_mb=1024, seconds=60) as readers:
        for name in entries:
            readings = list(readers.read(root / "files" / name, ReadOptions()))
            assert all(isinstance(reading, Extracted) for reading in readings), (name, readings)
            found[name] = [reading for reading in readings if isinstance(reading, Extracted)]
    return found


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def phrase_of(name: str, path: Path) -> str:
    if name in PHRASES:
        return PHRASES[name]
    known = next((phrase for start, phrase in BY_FOLDER.items() if name.startswith(start)), "")
    return known or _plain_line(path)


def _plain_line(path: Path) -> str:
    """Of Markdown and mail: the longest run of words without any markup."""
    body = path.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[1]
    return max(re.findall(r"(?<=[\n ])[A-Za-z]+(?: [A-Za-z]+)+", body.rpartition("\n---\n")[2]), key=len)


def test_a_phrase_of_each_file_is_found_in_it(
    root: Path, entries: dict[str, Any], documents: dict[str, list[Extracted]]
) -> None:
    missing = {
        name: phrase
        for name in entries
        if (phrase := phrase_of(name, root / "files" / name))
        not in " ".join(flat(document.text) for document in documents[name])
    }
    assert missing == {}


def test_titles_and_dates_are_those_of_the_list(
    entries: dict[str, dict[str, Any]], documents: dict[str, list[Extracted]]
) -> None:
    for name, entry in entries.items():
        if "title" in entry:
            assert documents[name][0].title == entry["title"], name
        if "date" in entry:
            assert documents[name][0].date == OWN_DATES.get(name, date.fromisoformat(entry["date"])), name


def test_titles_are_the_documents_own(documents: dict[str, list[Extracted]]) -> None:
    assert {name: documents[name][0].title for name in TITLES} == TITLES


def test_languages_are_recognised(entries: dict[str, Any], documents: dict[str, list[Extracted]]) -> None:
    wrong = {
        name: document.language
        for name, entry in entries.items()
        for document in documents[name]
        if document.language not in {*entry["language"].split(","), ""}
    }
    assert wrong == {}
    long = [document for readings in documents.values() for document in readings if len(document.text) > 1000]
    assert sum(bool(document.language) for document in long) >= 0.99 * len(long)


def test_the_same_text_comes_out_of_nine_formats(documents: dict[str, list[Extracted]]) -> None:
    texts = {name: flat(found[0].text).strip() for name, found in documents.items() if name.startswith("udhr")}
    assert len(texts) == 9
    slides = texts.pop("udhr/udhr-eng-spa.pptx")
    [text] = set(texts.values())
    assert slides.removeprefix("Testing multiple languages ") == text


def test_a_box_of_mail_is_one_document_a_message(documents: dict[str, list[Extracted]]) -> None:
    for name in ("usenet/sci.space.mbox", "usenet/rec.autos.mbox", "usenet/talk.politics.mideast.mbox"):
        assert [document.member for document in documents[name]] == [str(number) for number in range(1, 41)]


def test_pages_and_chapters_have_anchors_in_order(documents: dict[str, list[Extracted]]) -> None:
    pdf = documents["debian-faq/debian-faq.en.pdf"][0]
    assert [anchor.kind for anchor in pdf.anchors] == ["page"] * len(pdf.anchors)
    assert pdf.anchors[-1].number == 73
    assert "May 31, 2022" in pdf.text[pdf.anchors[0].start : pdf.anchors[1].start]
    [*_, last] = documents["udhr/udhr-eng-spa.pptx"][0].anchors
    assert (last.kind, last.number) == ("slide", 6)


def test_navigation_is_left_out_of_web_pages(documents: dict[str, list[Extracted]]) -> None:
    text = documents["debian-faq/kernel.en.html"][0].text
    assert "Next" not in text
    assert "background-repeat" not in text


def test_a_line_anchor_gives_the_line_in_the_file(root: Path, documents: dict[str, list[Extracted]]) -> None:
    for name in ("debian-faq/debian-faq.en.txt", "peps/pep-0008.rst"):
        document = documents[name][0]
        lines = (root / "files" / name).read_text().splitlines()
        for anchor in document.anchors[:: len(document.anchors) // 20]:
            first_word = document.text[anchor.start :].split()[0]
            assert re.sub(r"\W", "", first_word) in re.sub(r"\W", "", lines[anchor.number - 1]), (name, anchor)


def test_the_long_ones_are_read_within_the_limits(root: Path) -> None:
    with Readers(memory_mb=1024, seconds=20) as readers:
        for name in ("us-doj/handbook-chapter-13-trustees.docx", "us-law/public-law-107-56.htm"):
            [document] = readers.read(root / "files" / name, ReadOptions())
            assert isinstance(document, Extracted)
            assert len(document.text) > 400_000
