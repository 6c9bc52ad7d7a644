"""Every error that Riparian raises on purpose, one tree:

RiparianError
├── NotFound                    a name or id that is not there
│   ├── UnknownCollection
│   ├── UnknownEncoder
│   ├── NoVectorsOf
│   ├── UnknownDocument
│   ├── UnknownPassage
│   ├── UnknownTopic
│   ├── UnknownSense
│   ├── UnknownJob
│   ├── UnknownSavedSearch
│   ├── UnknownReadingItem
│   └── MissingPath
├── Invalid                     input that can never work
│   ├── UnreadableFile
│   ├── NothingToRead
│   ├── BadQuery
│   ├── BadFilter
│   └── BadWeights
├── Conflict                    true now, in the way
│   ├── IndexMismatch
│   ├── DamagedIndex
│   ├── DamagedDatabase
│   ├── ForeignDatabase
│   └── AlreadyExists
└── Unavailable                 right now impossible
    ├── NotIndexedYet
    ├── NoTopicsYet
    ├── ModelNotInstalled
    ├── MissingExtra
    ├── TokensUnavailable
    ├── PortInUse
    └── StorageFull

The four families map to HTTP statuses in `web/errors.py` and to exit codes in `web/cli.py`. A message
says what was asked, what was found, what to do. `ValueError` stays for programming mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def _known(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none yet"


class RiparianError(Exception):
    """The root. `str(error)` is one line for a person."""


class NotFound(RiparianError):
    """A name or id that is not there."""


class UnknownCollection(NotFound):
    def __init__(self, name: str | int, known: Iterable[str] = ()) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"no collection named {name!r}; there is: {_known(self.known)}")


class UnknownEncoder(NotFound):
    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(
            f"no encoder named {name!r}; known: {_known(self.known)}, the path of a model folder, "
            "or a model hub id such as sentence-transformers/all-MiniLM-L6-v2"
        )


class NoVectorsOf(NotFound):
    """The collection was never indexed with the encoder that was asked for, or its vectors were dropped."""

    def __init__(self, collection: str, encoder: str, known: Iterable[str]) -> None:
        self.collection, self.encoder, self.known = collection, encoder, tuple(known)
        super().__init__(
            f"collection {collection!r} has no vectors of {encoder!r}; it has those of: {_known(self.known)}; make "
            "others with `riparian reindex`"
        )


class UnknownDocument(NotFound):
    def __init__(self, document: int) -> None:
        self.document = document
        super().__init__(f"no document {document}; it may have been removed from its collection")


class UnknownPassage(NotFound):
    def __init__(self, passage: int) -> None:
        self.passage = passage
        super().__init__(f"no passage {passage}; its document may have changed or been removed")


class UnknownTopic(NotFound):
    def __init__(self, topic: int) -> None:
        self.topic = topic
        super().__init__(f"no topic {topic} in the active topic model")


class UnknownSense(NotFound):
    def __init__(self, sense: int) -> None:
        self.sense = sense
        super().__init__(f"no sense {sense}; it may have been found anew since, see `riparian senses WORD`")


class UnknownJob(NotFound):
    def __init__(self, job: int) -> None:
        self.job = job
        super().__init__(f"no job {job}")


class UnknownSavedSearch(NotFound):
    def __init__(self, name: str | int, known: Iterable[str] = ()) -> None:
        self.name, self.known = name, tuple(known)
        super().__init__(f"no saved search named {name!r}; there is: {_known(self.known)}")


class UnknownReadingItem(NotFound):
    def __init__(self, item: int) -> None:
        self.item = item
        super().__init__(f"no item {item} in the reading list")


class MissingPath(NotFound):
    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        super().__init__(f"{self.path}: no such file or folder")


class Invalid(RiparianError):
    """Input that can never work."""


class UnreadableFile(Invalid):
    def __init__(self, path: str | Path, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"{self.path}: {reason}")


class NothingToRead(Invalid):
    def __init__(self, paths: Iterable[str | Path]) -> None:
        self.paths = tuple(str(path) for path in paths)
        super().__init__(f"{', '.join(self.paths)}: no file to read in it (hidden files are passed over)")


class BadQuery(Invalid):
    """A query that says nothing or cannot be parsed."""


class BadFilter(Invalid):
    def __init__(self, expression: str, why: str) -> None:
        self.expression = expression
        super().__init__(f"filter {expression!r}: {why}")


class BadWeights(Invalid):
    """A weight file that is damaged, mis-shaped, of a refused format, or not the one that was pinned."""

    def __init__(self, path: str | Path, expected: str, found: str) -> None:
        self.path, self.expected, self.found = str(path), expected, found
        super().__init__(f"{self.path}: expected {expected}, found {found}")


class Conflict(RiparianError):
    """True now, and in the way."""


class IndexMismatch(Conflict):
    """Vectors of one encoder meet another; both are named, nothing is answered."""

    def __init__(
        self,
        what: str,
        expected: str,
        found: str,
        advice: str = "`riparian reindex` gives a collection another encoder",
    ) -> None:
        self.what, self.expected, self.found = what, expected, found
        super().__init__(f"{what} belongs to encoder {expected}, but was asked with encoder {found}; {advice}")


class DamagedIndex(Conflict):
    def __init__(self, path: str | Path, expected: str, found: str) -> None:
        self.path, self.expected, self.found = str(path), expected, found
        super().__init__(f"{self.path} is damaged: expected {expected}, found {found}; run `riparian check --repair`")


class DamagedDatabase(Conflict):
    """The file that holds the catalog cannot be read; nothing is written over it."""

    def __init__(self, path: str | Path, found: str) -> None:
        self.path, self.found = str(path), found
        super().__init__(
            f"the database {self.path} is damaged ({found}) and was left as it is; put a copy of it back, "
            "or move it away and add the files again"
        )


class ForeignDatabase(Conflict):
    """The database holds tables that another program made under the names of ours."""

    def __init__(self, tables: Iterable[str]) -> None:
        self.tables = tuple(sorted(tables))
        super().__init__(
            f"the database was made by another program: it holds {', '.join(self.tables)}; give DATABASE_URL or "
            "--data-dir another place"
        )


class AlreadyExists(Conflict):
    """A name that is taken."""


class Unavailable(RiparianError):
    """Right now impossible."""


class NotIndexedYet(Unavailable):
    """The collection has no vectors yet under the encoder that was asked for."""


class NoTopicsYet(Unavailable):
    """The collection has no topic model yet."""


class ModelNotInstalled(Unavailable):
    """A model named by hub id that is neither in the cache nor reachable."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(
            f"model {name!r} is not on this machine and cannot be fetched ({why}); "
            "give a local folder or go online once"
        )


class MissingExtra(Unavailable):
    """A package is not installed: one of an optional extra, or, without `extra`, one that every installation has."""

    def __init__(self, package: str, extra: str = "") -> None:
        self.package, self.extra = package, extra
        cure = f"run: pip install 'riparian[{extra}]'" if extra else "Riparian needs it; install riparian again"
        super().__init__(f"{package} is not installed; {cure}")


class TokensUnavailable(Unavailable):
    """A sentence-only encoder has no token vectors; nothing fakes them."""


class PortInUse(Unavailable):
    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        super().__init__(f"{host}:{port} is in use; choose another with --port")


class StorageFull(Unavailable):
    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        super().__init__(f"no space left on the disk of {self.path}; nothing was lost, free some space and run again")
