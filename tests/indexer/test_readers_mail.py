"""Messages give their readable form, and each attachment is a document of its own under them."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest

from riparian.types import Extracted, ReadFailure
from tests.indexer.outlook_file import outlook_message
from tests.indexer.reading import failure_of, read_all, read_documents, read_one


def message(**headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = "Ann Lee <ann@x.y>", "On banks", "Fri, 03 Jan 2020 10:00:00 +0100"
    for name, value in headers.items():
        made[name] = value
    return made


def saved(path: Path, made: EmailMessage) -> Path:
    path.write_bytes(made.as_bytes())
    return path


def test_a_plain_message(tmp_path: Path) -> None:
    made = message(To="bob@x.y")
    made.set_content("Grüße vom Ufer,\nAnn\n", charset="iso-8859-1", cte="quoted-printable")
    document = read_one(saved(tmp_path / "a.eml", made))
    assert document.text == "Grüße vom Ufer,\nAnn\n"
    assert (document.member, document.title, document.author) == ("", "On banks", "Ann Lee")
    assert (document.date, document.type) == (date(2020, 1, 3), "email")
    assert document.metadata == {"from": "Ann Lee <ann@x.y>", "to": "bob@x.y"}


def test_the_plain_form_is_taken_where_there_is_one_and_html_where_not(tmp_path: Path) -> None:
    both = message()
    both.set_content("The plain form.\n")
    both.add_alternative("<p>The <b>HTML</b> form.</p>", subtype="html")
    assert read_one(saved(tmp_path / "a.eml", both)).text == "The plain form.\n"
    only = message()
    only.set_content("<html><body><p>The <b>HTML</b> form.</p><script>x</script></body></html>", subtype="html")
    assert read_one(saved(tmp_path / "b.eml", only)).text == "The HTML form."


def test_encoded_headers_are_decoded(tmp_path: Path) -> None:
    raw = (
        b"From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <j@x.y>\nSubject: =?iso-8859-1?Q?=DCber_Ufer?=\n"
        b"Date: not a date\nContent-Type: text/plain; charset=no-such\n\nText\xe9\n"
    )
    (tmp_path / "a.eml").write_bytes(raw)
    document = read_one(tmp_path / "a.eml")
    assert (document.author, document.title, document.date) == ("Jürgen Müller", "Über Ufer", None)
    assert document.text == "Texté\n"


def test_attachments_are_children_of_their_message(tmp_path: Path) -> None:
    made = message()
    made.set_content("See the files.\n")
    made.add_attachment("# Report\n\nThe river rose.", subtype="markdown", filename="report.md")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("deep/note.txt", "A note about banks.")
    made.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename="../../notes.zip")
    inner = message()
    inner.set_content("The forwarded text.\n")
    made.add_attachment(inner)
    mail, report, note, forwarded = read_documents(saved(tmp_path / "a.eml", made))
    assert (mail.member, mail.parent) == ("", None)
    assert (report.member, report.parent, report.title, report.type) == ("1/report.md", "", "Report", "md")
    assert (note.member, note.type, note.text) == ("2/notes.zip!deep/note.txt", "txt", "A note about banks.")
    assert (forwarded.member, forwarded.parent, forwarded.text) == ("3/message.eml", "", "The forwarded text.\n")


def test_pictures_in_a_signature_are_no_attachments_but_attached_ones_are(tmp_path: Path) -> None:
    made = message()
    made.set_content("Text.\n")
    made.add_related(
        b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", cid="<logo>", disposition="inline", filename="l.png"
    )
    assert read_one(saved(tmp_path / "a.eml", made)).text == "Text.\n"
    made = message()
    made.set_content("Text.\n")
    made.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="photo.png")
    _, picture = read_all(saved(tmp_path / "b.eml", made))
    assert picture == ReadFailure("1/photo.png", "a picture (.png): there is no text to read in it")


def test_a_message_that_only_carries_a_file_gives_the_file(tmp_path: Path) -> None:
    made = message()
    made.set_content("\n")
    made.add_attachment("The river rose.", filename="a.txt")
    file = read_one(saved(tmp_path / "a.eml", made))
    assert (file.member, file.parent) == ("1/a.txt", None)


def test_mail_in_mail_without_end_is_cut_off(tmp_path: Path) -> None:
    made = message()
    made.set_content("innermost\n")
    for _ in range(10):
        outer = message()
        outer.set_content("wrapping\n")
        outer.add_attachment(made)
        made = outer
    readings = read_all(saved(tmp_path / "a.eml", made))
    assert [type(reading) for reading in readings] == [*[Extracted] * 5, ReadFailure]
    assert "files deep" in readings[-1].reason  # type: ignore[union-attr]


BOX = (
    "From ann@x.y Thu Jan  2 00:00:00 2020\nFrom: ann@x.y\nSubject: One\n\n"
    ">From here on it rains.\nFrom the bank: no\n\n"
    "From bob@x.y Thu Jan  2 00:00:00 2020\r\nFrom: bob@x.y (Bob B.)\r\nSubject: Two\r\n\r\nSecond.\r\n\n"
    "From c@x.y\nSubject: Empty\n\n\n"
)


def test_a_box_gives_its_messages_by_number(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(BOX.encode())
    one, two, three = read_all(tmp_path / "a.mbox")
    assert isinstance(one, Extracted)
    assert isinstance(two, Extracted)
    assert (one.member, one.text) == ("1", "From here on it rains.\nFrom the bank: no\n\n")
    assert (two.member, two.author, two.text.strip()) == ("2", "Bob B.", "Second.")
    assert three == ReadFailure("3", "no text in it")


def test_attachments_in_a_box_stand_under_their_message(tmp_path: Path) -> None:
    made = message()
    made.set_content("Text.\n")
    made.add_attachment("The river rose.", filename="a.txt")
    (tmp_path / "a.mbox").write_bytes(b"From x\n" + made.as_bytes() + b"\nFrom x\n" + made.as_bytes())
    assert [(document.member, document.parent) for document in read_documents(tmp_path / "a.mbox")] == [
        *(("1", None), ("1/1/a.txt", "1"), ("2", None), ("2/1/a.txt", "2")),
    ]


def test_a_saved_page_is_read_as_a_page(tmp_path: Path) -> None:
    made = message()
    made.set_content("<html><body><p>A saved page.</p></body></html>", subtype="html")
    document = read_one(saved(tmp_path / "a.mhtml", made))
    assert (document.type, document.text) == ("html", "A saved page.")


def test_an_outlook_message_with_its_attachment(tmp_path: Path) -> None:
    sent = datetime(2021, 2, 3, 4, 5, tzinfo=UTC)
    data = outlook_message(
        "Über Banken", "Ann Lee", sent, "The bank is closed.\r\nAnn", {"a.md": b"# Note\n\nOn rivers."}
    )
    (tmp_path / "a.msg").write_bytes(data)
    mail, note = read_documents(tmp_path / "a.msg")
    assert (mail.title, mail.date, mail.text) == ("Über Banken", date(2021, 2, 3), "The bank is closed.\nAnn")
    assert mail.author == "Ann Lee"
    assert (note.member, note.parent, note.title, note.type) == ("1/a.md", "", "Note", "md")


@pytest.mark.parametrize("data", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"no message"])
def test_a_damaged_outlook_file_is_one_failure(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.msg").write_bytes(data)
    assert failure_of(tmp_path / "a.msg").startswith("damaged, or not really msg")
