"""What every answer carries and every request must meet: headers, hosts, tokens of forms, kinds of bodies."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request, session

MAX_BODY = 32 * 1024 * 1024
MAX_FORM_FIELD = 8 * 1024 * 1024  # text pasted into a form
MAX_FORM_PARTS = 100
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_TOKEN_FIELD = "csrf_token"
_API = "/api/"
_UPLOADS = ("/similar/upload", "/batch/upload")  # they change nothing


def register(app: Flask, *, secret: bytes, trusted_hosts: tuple[str, ...] | None) -> None:
    """`trusted_hosts` None = any (only where serving to others was asked for)."""
    app.config.update(
        SECRET_KEY=secret,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_FIELD,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    if trusted_hosts is not None:
        app.before_request(_host_check(frozenset(trusted_hosts)))
    app.before_request(_check_origin)
    app.before_request(_check_form_token)
    app.before_request(_check_body)
    app.after_request(_set_headers)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, csrf_token=csrf_token)


def load_secret(data_dir: Path) -> bytes:
    """The key that signs cookies, made at first use; only its owner may read it."""
    path = data_dir / "secret.key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(32))
    return path.read_bytes()


def csp_nonce() -> str:
    """The nonce of this answer's scripts and styles."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def csrf_token() -> str:
    """For the hidden field `csrf_token` of a form that changes something."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return _signed(session["csrf"])


def _signed(value: str) -> str:
    return hmac.new(current_app.config["SECRET_KEY"], b"csrf:" + value.encode(), sha256).hexdigest()


def _host_check(trusted: frozenset[str]) -> Callable[[], None]:
    """Refuses a Host that is not ours: a page of another site cannot reach us under a name of its own.

    Flask's own TRUSTED_HOSTS cannot name an IPv6 address.
    """

    def check() -> None:
        host = request.headers.get("Host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name not in trusted:
            abort(400, "this server does not go by that name")

    return check


def _check_origin() -> None:
    """A page of another site may not make this one change anything, whatever it sends."""
    origin = request.headers.get("Origin")
    if request.method in _SAFE or origin is None:
        return
    if urlsplit(origin).netloc != request.host:
        abort(403, "the request comes from another site")


def _check_form_token() -> None:
    if request.method in _SAFE or request.path.startswith(_API):
        return
    sent = request.form.get(_TOKEN_FIELD, "")
    if "csrf" not in session or not hmac.compare_digest(sent.encode(), _signed(session["csrf"]).encode()):
        abort(403, "the form is out of date; go back, reload the page and send it again")


def _check_body() -> None:
    """Below /api a change is JSON (or an upload): no form of another site can send that unasked."""
    if not request.path.startswith(_API) or request.method in _SAFE or request.url_rule is None:
        return
    if request.mimetype == "multipart/form-data" and request.url_rule.rule.endswith(_UPLOADS):
        return
    if request.method == "DELETE" and not request.content_length:
        return
    if not request.is_json:
        abort(415, "send JSON with Content-Type: application/json")
    request.get_json()  # 400 when it is malformed, before any model sees it


def _set_headers(response: Response) -> Response:
    nonce = f"'nonce-{csp_nonce()}'"
    policy = (
        f"default-src 'none'; script-src {nonce}; style-src 'self' {nonce}; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
