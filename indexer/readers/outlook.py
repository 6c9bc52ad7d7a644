"""Outlook messages (MSG) with their attachments."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from oxmsg import Message

from indexer.readers.base import Readings, ReadOptions
from indexer.readers.decode import clean_line
from indexer.readers.dispatch import finished
from indexer.readers.html import text_of
from indexer.readers.mail import sender_name
from indexer.readers.nested import Budget, read_member, safe_name, temporary
from riparian.types import Extracted


def read(path: Path, options: ReadOptions) -> Readings:
    """The message, then its attachments with the message as their parent."""
    message = Message.load(str(path))
    sent = message.sent_date
    recipients = ", ".join(recipient.name or recipient.email_address for recipient in message.recipients)
    document = Extracted(
        member="",
        text=message.body or text_of(message.html_body or ""),
        title=clean_line(message.subject or ""),
        date=sent.date() if sent is not None else None,
        author=sender_name(message.sender or ""),
        metadata={"to": recipients} if recipients else {},
    )
    reading = finished(document, options, "email")
    attachments = [attachment for attachment in message.attachments if attachment.file_bytes]
    if isinstance(reading, Extracted) or not attachments:
        yield reading
    parent = "" if isinstance(reading, Extracted) else None
    for number, attachment in enumerate(attachments, start=1):
        yield from _attachment(attachment, number, parent, options)


def _attachment(attachment: Any, number: int, parent: str | None, options: ReadOptions) -> Readings:
    name = safe_name(attachment.file_name or "") or "file"
    with temporary(BytesIO(attachment.file_bytes), Budget(options.max_unpacked_bytes)) as path:
        if path is not None:
            yield from read_member(path, f"{number}/{name}", options, parent)
