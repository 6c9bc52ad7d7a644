"""Reads any file through the reader of its format, and makes every document safe to store."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean, clean_line, json_value
from indexer.readers.formats import Format, detect, reader_of
from indexer.readers.language import detect_language
from riparian.types import Extracted, ReadFailure

_LONGEST_NAME = 500
_NO_TITLES = frozenset(("untitled", "untitled document", "word document", "document", "powerpoint presentation"))
_DATED_NAME = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?!\d)")


def read(path: Path, options: ReadOptions) -> Readings:
    """The documents of a file in order, and a failure for each part that cannot be read: never an exception.

    Documents have clean text that is not blank, a type, and a language where it is declared or all but certain.
    """
    format: Format | None = None
    empty = True
    try:
        format = detect(path, options.called(path))
        reader = reader_of(format)
        for reading in reader(path, options):
            empty = False
            yield reading if format.container else _dated(finished(reading, options, format.name), options.called(path))
        if empty:
            yield ReadFailure("", "nothing to read in it")
    except Unreadable as reason:
        yield ReadFailure("", str(reason))
    except ImportError as error:
        yield ReadFailure("", f"its reader cannot be loaded: {error}")
    except MemoryError:
        raise  # how much is left is for the process that set the limit to judge
    except RecursionError:
        yield ReadFailure("", "refused: nested too deeply")
    except OSError as error:
        yield ReadFailure("", f"cannot be opened: {error.strerror or error}")
    except Exception as error:  # parsers raise any class at all on a damaged file; the reason goes to a person
        yield ReadFailure("", _damaged(error, format))


def _dated(reading: Extracted | ReadFailure, name: str) -> Extracted | ReadFailure:
    """With the date that the file's name begins with (2015-02-17-launch.md), where the document has none."""
    if isinstance(reading, Extracted) and reading.date is None and (match := _DATED_NAME.match(name)):
        return replace(reading, date=parse_date(match[0]))
    return reading


def finished(reading: Extracted | ReadFailure, options: ReadOptions, type: str) -> Extracted | ReadFailure:
    """The reading, cleaned and completed; a failure when its text is blank or beyond `options.max_characters`."""
    member = clean_line(reading.member, _LONGEST_NAME)
    if isinstance(reading, ReadFailure):
        return ReadFailure(member, clean_line(reading.reason))
    if len(reading.text) > options.max_characters:
        return ReadFailure(
            member, f"{len(reading.text):,} characters; {options.max_characters:,} are the most for one document"
        )
    text = clean(reading.text)
    if not text.strip():
        return ReadFailure(member, "no text in it")
    language = reading.language or (detect_language(text) if options.detect_language else "")
    return replace(
        reading,
        member=member,
        text=text,
        title=_own_title(reading.title),
        author=clean_line(reading.author),
        language=language,
        type=reading.type or type,
        metadata=json_value(reading.metadata),
    )


def _own_title(title: str) -> str:
    """The title, "" for what programs write where the author gave none."""
    line = clean_line(title)
    return "" if line.lower() in _NO_TITLES else line


def _damaged(error: Exception, format: Format | None) -> str:
    detail = clean_line(str(error), 200)
    what = f"damaged, or not really {format.name}" if format else "damaged"
    return f"{what}: {detail or type(error).__name__}"
