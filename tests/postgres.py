"""A real PostgreSQL server of the system's packages, started for one test run in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB -c max_connections=60"


class CannotStart(Exception):
    """The reason for skipping."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """Databases are made from a template, so that each test has an empty one of its own."""

    socket_folder: Path
    numbers: Iterator[int]

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.socket_folder}"

    def new_database(self, template: str = "template1") -> str:
        """The URL of a new database."""
        name = f"test_{next(self.numbers)}"
        self._execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        driver_url = self.url("postgres").replace("postgresql:", "postgresql+psycopg:")
        engine = create_engine(driver_url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Starts a server and stops it at the end. CannotStart with the reason where that is impossible."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="rp-pg-"))  # short: a socket's path has at most 107 bytes
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    user = _unprivileged_user(data, folder)
    try:
        _run(user, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} {_FAST}"
        _run(user, programs / "pg_ctl", "-D", data, "-w", "-t", "60", "-l", folder / "log", "-o", options, "start")
        try:
            yield PostgresServer(folder, count(1))
        finally:
            _run(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise CannotStart("PostgreSQL is not installed (no initdb in PATH or /usr/lib/postgresql)")
    return versions[-1].parent


def _unprivileged_user(*folders: Path) -> list[str]:
    """The command's beginning that gives up root's rights, which the server refuses; the folders become its own."""
    if os.getuid() != 0:
        return []
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    for folder in folders:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def _run(user: list[str], *command: str | Path) -> None:
    # the server keeps its standard output open: a pipe would never end
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([*user, *map(str, command)], stdout=output, stderr=output, cwd="/", check=False)
        if done.returncode:
            output.seek(0)
            raise CannotStart(f"{Path(command[0]).name} failed: {output.read().strip()[-500:]}")
