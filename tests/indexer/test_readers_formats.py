"""Each format gives its text, in order, with title, author, date and anchors."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import docx
import pptx
import pytest
from pptx.util import Inches

from riparian.types import Anchor
from tests.indexer.reading import failure_of, read_one


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ---------------------------------------------------------------- HTML

PAGE = """<!DOCTYPE html><html lang="de-AT"><head><title> Der  Fluss </title><meta name=author content="A. Autorin">
<meta property="article:published_time" content="2021-03-04T10:00:00Z"><style>p {color: red}</style></head>
<body><nav><a href=/>Start</a></nav><h1>Der Fluss</h1><p>Das <b>Ufer</b> ist<br>steil&nbsp;&amp; hoch.</p>
<script>alert(1)</script><ul><li>eins<li>zwei</ul><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>
<pre>  x = 1
    y = 2</pre></body></html>"""


def test_a_page_gives_what_a_person_reads(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "a.html", PAGE))
    assert document.text == ("Der Fluss\n\nDas Ufer ist\nsteil & hoch.\n\neins\nzwei\n\na\tb\nc\n\n  x = 1\n    y = 2")
    assert (document.title, document.author, document.language) == ("Der Fluss", "A. Autorin", "de")
    assert document.date == date(2021, 3, 4)


@pytest.mark.parametrize(
    "declaration", ['<meta charset="{}">', '<meta http-equiv=Content-Type content="text/html; charset={}">']
)
def test_the_declared_encoding_of_a_page_is_used(tmp_path: Path, declaration: str) -> None:
    page = f"<html><head>{declaration.format('koi8-r')}</head><body><p>Берег реки</p></body></html>"
    assert read_one(written(tmp_path / "a.html", page.encode("koi8-r"))).text == "Берег реки"


def test_a_page_without_a_title_takes_its_first_heading(tmp_path: Path) -> None:
    assert read_one(written(tmp_path / "a.html", "<h1>River <i>banks</i></h1><p>x</p>")).title == "River banks"
    assert read_one(written(tmp_path / "b.html", "<p>no heading at all</p>")).title == ""


def test_many_open_paragraphs_are_not_deep(tmp_path: Path) -> None:
    assert read_one(written(tmp_path / "a.html", "<p>word" * 5000)).text.count("word") == 5000


def test_a_page_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert failure_of(written(tmp_path / "a.html", "<div>" * 200_000 + "x")) == "nested deeper than 2000 elements"


# ---------------------------------------------------------------- Markdown and reStructuredText

POST = """---
title: "Banks: a guide"
date: 2020-05-06
authors: [ann, bob]
tags: [rivers, money]
lang: en
---

# Not the title

A *bank* is a [place](http://x.y/) with `code`.{% include x %}

| a | b |
|---|---|
| 1 | 2 |
"""


def test_front_matter_becomes_facts_and_markup_becomes_text(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "a.md", POST))
    assert document.text == "Not the title\n\nA bank is a place with code.\n\na\tb\n1\t2"
    assert (document.title, document.author, document.date) == ("Banks: a guide", "ann, bob", date(2020, 5, 6))
    assert document.metadata == {"tags": ["rivers", "money"]}


def test_without_front_matter_the_first_heading_is_the_title(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "2019-08-07-a.md", "# Rivers\n\nThey flow.\n"))
    assert (document.title, document.text, document.date) == ("Rivers", "Rivers\n\nThey flow.", date(2019, 8, 7))


def test_aliases_in_front_matter_cannot_grow(tmp_path: Path) -> None:
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    document = read_one(written(tmp_path / "a.md", f"---\na0: &a0 lol\n{laughs}\n---\n\nText.\n"))
    assert document.text.endswith("Text.")
    assert document.metadata == {}


RST = """PEP: 7
Title: Style
Author: Ann B. <ann@x.y>,
        Bob C. <bob@x.y>
Status: Active
Created: 05-Jul-2001

Why
===

See :pep:`the guide <8>` and ``code`` and `a link <http://x.y>`__ [1]_.

.. note:: Mind the
   gap.

.. image:: a.png
   :width: 3

.. _target: http://x.y

.. code-block:: python

    x = 1
"""


def test_rst_keeps_text_and_drops_markup(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "a.rst", RST))
    assert document.text == ("Why\n\nSee the guide and code and a link [1].\n\nMind the\n   gap.\n\n    x = 1")
    assert (document.title, document.author, document.date) == ("Style", "Ann B., Bob C.", date(2001, 7, 5))
    assert document.metadata == {"PEP": "7", "Status": "Active", "Created": "05-Jul-2001"}
    assert document.anchors[:2] == (Anchor(0, "line", 8), Anchor(5, "line", 11))


def test_a_note_at_the_top_of_rst_is_no_header(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "a.rst", "Note: this is a sentence.\n\nTitle\n-----\n\nText.\n"))
    assert document.text.startswith("Note: this is a sentence.")
    assert document.title == "Title"


# ---------------------------------------------------------------- Office


def test_docx_gives_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    file = docx.Document()
    file.add_heading("Rivers", 0)
    file.add_paragraph("Before\tthe table")
    table = file.add_table(rows=2, cols=2)
    for index, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"c{index}"
    file.add_paragraph("After it")
    properties = file.core_properties
    properties.title, properties.author = "A report", "Ann"
    properties.created = datetime(2020, 1, 2, tzinfo=UTC)
    file.save(str(tmp_path / "a.docx"))
    document = read_one(tmp_path / "a.docx")
    assert document.text == "Rivers\n\nBefore\tthe table\n\nc0\tc1\nc2\tc3\n\nAfter it"
    assert (document.title, document.author, document.date) == ("A report", "Ann", date(2020, 1, 2))


def test_pptx_gives_slides_in_order_with_notes(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    for number in (1, 2, 3):
        slide = deck.slides.add_slide(deck.slide_layouts[6])
        if number != 2:
            box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1))
            box.text_frame.text = f"Slide {number}"
    deck.slides[2].notes_slide.notes_text_frame.text = "Say this"
    deck.core_properties.title = "Talk"
    deck.save(str(tmp_path / "a.pptx"))
    document = read_one(tmp_path / "a.pptx")
    assert document.text == "Slide 1\n\nSlide 3\nSay this"
    assert document.anchors == (Anchor(0, "slide", 1), Anchor(9, "slide", 3))
    assert document.title == "Talk"


ODT = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:text>
<text:h>Head</text:h><text:p>One<text:s text:c="3"/>two<text:tab/><text:span>three</text:span> four</text:p>
<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell>
<text:p>b</text:p></table:table-cell></table:table-row></table:table></office:text></office:body>
</office:document-content>"""
ODT_META = """<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/">
<office:meta><dc:title>Odd</dc:title><meta:initial-creator>Ann</meta:initial-creator>
<meta:creation-date>2019-02-03T04:05:06</meta:creation-date></office:meta></office:document-meta>"""


def test_odt_gives_paragraphs_blanks_and_tables(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.odt", "w") as package:
        package.writestr("content.xml", ODT)
        package.writestr("meta.xml", ODT_META)
    document = read_one(tmp_path / "a.odt")
    assert document.text == "Head\n\nOne   two\tthree four\n\na\tb"
    assert (document.title, document.author, document.date) == ("Odd", "Ann", date(2019, 2, 3))


CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OPS/book.opf"/></rootfiles></container>"""
BOOK = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>
<dc:title>Two Banks</dc:title><dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator><dc:language>en-GB</dc:language>
<dc:date>1851</dc:date></metadata><manifest>
<item id="b" href="b%20c.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine></package>"""


def test_epub_gives_chapters_in_reading_order(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.epub", "w") as package:
        package.writestr("mimetype", "application/epub+zip")
        package.writestr("META-INF/container.xml", CONTAINER)
        package.writestr("OPS/book.opf", BOOK)
        package.writestr("OPS/text/a.xhtml", "<html><body><h1>First</h1></body></html>")
        package.writestr("OPS/b c.xhtml", "<html><body><p>Second</p></body></html>")
        package.writestr("OPS/nav.xhtml", "<html><body><p>Contents</p></body></html>")
    document = read_one(tmp_path / "a.epub")
    assert document.text == "First\n\nSecond"
    assert document.anchors == (Anchor(0, "chapter", 1), Anchor(7, "chapter", 2))
    assert (document.title, document.author, document.language) == ("Two Banks", "Ann, Bob", "en")
    assert document.date == date(1851, 1, 1)


def test_rtf_gives_text_and_facts(tmp_path: Path) -> None:
    markup = (
        r"{\rtf1\ansi\ansicpg1252{\info{\title R\'e9sum\'e9}{\author Ann}{\creatim\yr2018\mo3\dy4}}"
        r"\pard One \b bold\b0  word.\par Two \u8364? signs \'e9.\par}"
    )
    document = read_one(written(tmp_path / "a.rtf", markup))
    assert document.text.strip() == "One bold word.\nTwo € signs é."
    assert (document.title, document.author, document.date) == ("Résumé", "Ann", date(2018, 3, 4))


def test_xml_gives_the_text_of_its_elements(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "a.xml", "<r><!-- no --><a>One <b>big</b> word</a>\n<c>two</c></r>"))
    assert document.text == "One big word\ntwo"


# ---------------------------------------------------------------- PDF


def pdf(pages: list[str], info: str = "") -> bytes:
    """A PDF with a line of text on each page; "" leaves a page without text."""
    contents = [f"BT /F1 12 Tf 72 720 Td ({page}) Tj ET" if page else "0 0 m 9 9 l S" for page in pages]
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, content in enumerate(contents):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * index} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    objects.append(f"<< {info} >>")
    out, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\n"
    out += f"startxref\n{out.index('xref')}\n%%EOF"
    return out.encode("latin-1")


def test_pdf_gives_pages_and_facts(tmp_path: Path) -> None:
    info = "/Title (On banks) /Author (Ann) /CreationDate (D:20200102030405Z)"
    document = read_one(written(tmp_path / "a.pdf", pdf(["The first page", "", "The third page"], info)))
    assert document.text == "The first page\n\nThe third page"
    assert document.anchors == (Anchor(0, "page", 1), Anchor(16, "page", 3))
    assert (document.title, document.author, document.date) == ("On banks", "Ann", date(2020, 1, 2))
    assert document.metadata["pages"] == 3


def test_the_name_that_a_program_gave_is_no_title(tmp_path: Path) -> None:
    document = read_one(written(tmp_path / "a.pdf", pdf(["Words"], "/Title (Microsoft Word - draft.doc)")))
    assert document.title == ""


def test_a_pdf_of_pictures_says_that_it_may_be_scanned(tmp_path: Path) -> None:
    assert failure_of(written(tmp_path / "a.pdf", pdf(["", ""]))).startswith("no text (scanned?)")


# ---------------------------------------------------------------- telling formats apart


@pytest.mark.parametrize(
    ("name", "content", "type"),
    [
        ("report", pdf(["Some words here"]), "pdf"),
        ("report.txt", pdf(["Some words here"]), "pdf"),
        ("page", "<!doctype html><p>Some words here</p>", "html"),
        ("59225", "From: a@b.c\nSubject: Hi\nLines: 1\n\nSome words here\n", "email"),
        ("box", "From a@b Thu\nFrom: a@b.c\nSubject: Hi\n\nSome words here\n", "email"),
        ("README", "Some words here", "txt"),
        ("code.py", "# Some words here", "txt"),
        ("notes", "From: the river\n\nSome words here", "txt"),
        ("letter", r"{\rtf1 Some words here}", "rtf"),
    ],
)
def test_the_first_bytes_tell_what_the_name_does_not(
    tmp_path: Path, name: str, content: str | bytes, type: str
) -> None:
    document = read_one(written(tmp_path / name, content))
    assert document.type == type
    assert "Some words here" in document.text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n\0\0", "a picture (.png): there is no text to read in it"),
        ("a.mp3", b"ID3\0\0", "sound or film (.mp3): there is no text to read in it"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".doc is not read; save it as .docx or .pdf"),
        ("a.xyz", bytes(range(256)) * 8, "not text: it looks like binary data"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    assert failure_of(written(tmp_path / name, content)) == reason
