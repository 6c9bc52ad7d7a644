"""Opaque cursors: where the next page begins."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote, urlencode

from flask import Response, request

from riparian.errors import Invalid
from web.api.params import MAX_ID


class BadCursor(Invalid):
    """A cursor that no page gave."""


def encode(place: int) -> str:
    return base64.urlsafe_b64encode(f"v1.{place}".encode()).decode().rstrip("=")


def decode(cursor: str) -> int:
    """The place; 0 for the empty cursor. BadCursor for one that no page gave."""
    if not cursor:
        return 0
    try:
        said = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        said = ""
    place = said.removeprefix("v1.")
    if not said.startswith("v1.") or not place.isdecimal() or int(place[:20]) > MAX_ID:
        raise BadCursor(f"cursor {cursor[:80]!r} is not the `next` of any page; leave it out to begin anew")
    return int(place)


def link_next(response: Response, cursor: str | None) -> Response:
    """Adds the address of the next page as a Link header (RFC 8288)."""
    if cursor is not None:
        arguments = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
        query = urlencode([*arguments, ("cursor", cursor)])
        response.headers["Link"] = f'<{quote(request.path)}?{query}>; rel="next"'
    return response
