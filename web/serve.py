"""Serves the application by waitress: one process, threads, a worker beside it."""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import waitress

from riparian.errors import Invalid, PortInUse
from web import security, worker
from web.app import create_app
from web.wiring import Services

SPARE_THREADS = 8  # for pages and probes while every search that may run or wait does
STOP_S = 30.0  # a batch of the running job ends sooner


def serve(
    services: Services,
    *,
    allow_remote: bool = False,
    work: bool = True,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serves until SIGINT or SIGTERM; `ready` is told the address once it answers. PortInUse, or Invalid for an
    address that others can reach, unless that is allowed."""
    host, port = services.settings.host, services.settings.port
    if not allow_remote and not is_loopback(host):
        raise Invalid(
            f"{host} can be reached from other machines, and Riparian asks nobody who they are; "
            "give --allow-remote if that is meant"
        )
    app = create_app(services, trusted_hosts=None if allow_remote else security.LOOPBACK_HOSTS)
    server = _bind(app, host, port, services.gate.holds + SPARE_THREADS)
    beside = worker.beside(services) if work else None
    try:
        ready(address(host, server.effective_port))
        _run(server)
    finally:
        if beside is not None:
            beside[0].stop()
            beside[1].join(STOP_S)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _bind(app: Any, host: str, port: int, threads: int) -> Any:
    return waitress.create_server(
        app,
        sockets=[_listen(host.strip("[]"), port)],
        threads=threads,
        ident="riparian",
        max_request_body_size=2 * security.MAX_BODY,  # what is somewhat too long is refused by the application
        clear_untrusted_proxy_headers=True,
    )


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket: waitress would leave its own open when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise Invalid(f"cannot serve at {host}:{port}: {error.strerror or error}") from error


def _run(server: Any) -> None:
    """Until a signal; both signals end it the same way."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        server.run()  # returns on KeyboardInterrupt
    finally:
        signal.signal(signal.SIGTERM, before)
        server.close()
