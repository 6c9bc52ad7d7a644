"""Mail and news messages, single (EML) and in boxes (mbox), with their attachments as documents of their own."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from datetime import date
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from io import BytesIO
from pathlib import Path
from typing import Any

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.dates import parse_date
from indexer.readers.decode import clean_line, decode
from indexer.readers.dispatch import finished
from indexer.readers.html import decode_html, text_of
from indexer.readers.nested import Budget, read_member, safe_name, temporary
from riparian.types import Extracted, ReadFailure

_LONGEST_MESSAGE = 200_000_000
_METADATA = ("From", "To", "Cc", "Organization", "Newsgroups", "Keywords", "List-Id")
# Pictures of a signature and the like: part of the look, not attached by a person.
_DECORATION = ("image/", "audio/", "video/", "application/pgp-signature", "application/pkcs7-signature")


def read(path: Path, options: ReadOptions) -> Readings:
    """The message, then its attachments with the message as their parent."""
    yield from _message(_parsed(path.read_bytes()), "", options)


def read_page(path: Path, options: ReadOptions) -> Readings:
    """A web page saved in MIME form (MHTML): the page alone."""
    message = _parsed(path.read_bytes())
    page = Extracted(member="", text=_body(message), title=_header(message, "Subject"), date=_date(message))
    yield finished(page, options, "html")


def read_mbox(path: Path, options: ReadOptions) -> Readings:
    """The messages of a box, named by their number; a damaged one does not keep the others from being read."""
    for number, data in enumerate(_split_box(path), start=1):
        if len(data) > _LONGEST_MESSAGE:
            yield ReadFailure(str(number), f"a message of more than {_LONGEST_MESSAGE:,} bytes")
        else:
            yield from _message(_parsed(data), str(number), options)


def _split_box(path: Path) -> Iterator[bytes]:
    """A message begins after each line "From …" that follows a blank line; ">From" in a text was "From"."""
    with path.open("rb") as file:
        lines: list[bytes] = []
        blank = True
        for line in file:
            if blank and line.startswith(b"From "):
                if lines:
                    yield b"".join(lines)
                lines = []
            else:
                lines.append(line[1:] if line.lstrip(b">").startswith(b"From ") and line.startswith(b">") else line)
            blank = not line.strip()
        if lines:
            yield b"".join(lines)


def _parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _message(message: EmailMessage, member: str, options: ReadOptions) -> Readings:
    document = Extracted(
        member=member,
        text=_body(message),
        title=_header(message, "Subject"),
        date=_date(message),
        author=_author(message),
        metadata={name.lower(): value for name in _METADATA if (value := _header(message, name))},
    )
    reading = finished(document, options, "email")
    attachments = list(_attachments(message))
    if isinstance(reading, Extracted) or not attachments:
        yield reading
    parent = member if isinstance(reading, Extracted) else None  # a mail that only carries files is no document
    for number, (part, name) in enumerate(attachments, start=1):
        yield from _attachment(part, _joined_path(member, f"{number}/{name}"), parent, options)


def _joined_path(member: str, name: str) -> str:
    """ "3" and "1/report.pdf" give "3/1/report.pdf"."""
    return f"{member}/{name}" if member else name


def _header(message: EmailMessage, name: str) -> str:
    """The decoded value; for a header that the parser cannot make sense of, what stands there."""
    try:
        return clean_line(str(message.get(name, "")))
    except (ValueError, LookupError, AttributeError, TypeError, IndexError):
        raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
        return clean_line(str(raw))


def _author(message: EmailMessage) -> str:
    """The sender's name, else the address."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == "from"), "")
    decoded = str(make_header(decode_header(raw))) if "=?" in raw else raw
    return sender_name(decoded)


def sender_name(sender: str) -> str:
    """The name in "Ann Lee <ann@x.y>" and in "ann@x.y (Ann Lee)", else the address, else what stands there."""
    name, address = parseaddr(sender) if "@" in sender else ("", sender)
    return clean_line(name or address or sender)


def _date(message: EmailMessage) -> date | None:
    return parse_date(_header(message, "Date")) or parse_date(_header(message, "NNTP-Posting-Date"))


def _body(message: EmailMessage) -> str:
    """The plain text, else the text of the HTML form. Parts that follow one another are joined."""
    texts = [_part_text(part) for part in _body_parts(message)]
    return "\n\n".join(text for text in texts if text.strip())


def _body_parts(message: Any) -> list[Any]:
    kind = message.get_content_type()
    if message.is_multipart():
        parts = [found for part in message.iter_parts() if not _is_attachment(part) for found in _body_parts(part)]
        if kind == "multipart/alternative":
            plain = [part for part in parts if part.get_content_type() == "text/plain" and _part_text(part).strip()]
            return plain or parts
        return parts
    return [message] if kind in {"text/plain", "text/html", "text/enriched"} else []


def _part_text(part: Any) -> str:
    data = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or ""
    if part.get_content_type() == "text/html":
        return text_of(decode(data, charset) if charset else decode_html(data))
    return decode(data, charset)


def _attachments(message: Any) -> Iterator[tuple[Any, str]]:
    """Attached parts, messages among them, in order, with a name for each."""
    if not message.is_multipart():
        return
    for part in message.iter_parts():
        if _is_attachment(part):
            if not _is_decoration(part):
                yield part, _attachment_name(part)
        elif part.is_multipart():
            yield from _attachments(part)


def _is_attachment(part: Any) -> bool:
    kind = part.get_content_type()
    if kind == "message/rfc822" or part.get_content_disposition() == "attachment" or part.get_filename():
        return True
    return bool(not part.is_multipart() and part.get_content_maintype() != "text")


def _is_decoration(part: Any) -> bool:
    return bool(part.get_content_type().startswith(_DECORATION)) and part.get_content_disposition() != "attachment"


def _attachment_name(part: Any) -> str:
    name = safe_name((part.get_filename() or "").replace("\\", "/").rsplit("/", 1)[-1])
    if name:
        return name
    return {"message/rfc822": "message.eml", "text/html": "page.html", "text/plain": "text.txt"}.get(
        part.get_content_type(), "file"
    )


def _attachment(part: Any, member: str, parent: str | None, options: ReadOptions) -> Readings:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        data = inner[0].as_bytes() if isinstance(inner, list) and inner else b""
    else:
        data = part.get_payload(decode=True) or b""
    with temporary(BytesIO(data), Budget(options.max_unpacked_bytes)) as path:
        if path is not None:
            yield from read_member(path, member, options, parent)
