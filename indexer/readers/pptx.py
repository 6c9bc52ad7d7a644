"""PPTX, slide by slide, with the speaker's notes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from indexer.readers.assemble import Assembly
from indexer.readers.base import Readings, ReadOptions
from indexer.readers.language import language_code
from indexer.readers.package import core_properties, opened, related, xml_part

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MAIN = "ppt/presentation.xml"


def read(path: Path, options: ReadOptions) -> Readings:
    """One document a file, with an anchor at each slide that has text."""
    with opened(path, options) as package:
        assembly = Assembly()
        for number, name in enumerate(_slides(package), start=1):
            slide = _lines(xml_part(package, name))
            notes = [line for note in _notes(package, name) for line in _lines(note)]
            assembly.add("\n".join([*slide, *notes]), "slide", number)
        facts = core_properties(package)
    yield replace(
        facts,
        text=assembly.text,
        language=language_code(facts.language),
        anchors=assembly.anchors,
    )


def _slides(package: zipfile.ZipFile) -> Iterator[str]:
    """Part names of the slides, in the order in which they are shown."""
    relations = related(package, _MAIN)
    for slide in xml_part(package, _MAIN).iter(_P + "sldId"):
        kind, name = relations.get(slide.get(_R + "id", ""), ("", ""))
        if kind == "slide":
            yield name


def _notes(package: zipfile.ZipFile, slide: str) -> Iterator[Any]:
    for kind, name in related(package, slide).values():
        if kind == "notesSlide":
            yield xml_part(package, name)


def _lines(root: Any) -> list[str]:
    """The paragraphs of all shapes and tables; fields such as the slide's number are left out."""
    lines = ("".join(map(_run, paragraph)).strip() for paragraph in root.iter(_A + "p"))
    return [line for line in lines if line]


def _run(element: Any) -> str:
    if element.tag == _A + "br":
        return "\n"
    return element.findtext(_A + "t") or "" if element.tag == _A + "r" else ""
