"""The `.params` file of the published toolkit: ``name<TAB>value`` lines, ``#`` comments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from riparian.errors import BadWeights, MissingPath

Params = Mapping[str, str]


def found_in(path: Path) -> Path:
    """The `.params` file that `path` is, or the only one of the folder `path`. Raises MissingPath, BadWeights."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise MissingPath(path)
    found = sorted(path.glob("*.params"))
    if len(found) != 1:
        raise BadWeights(path, "one file *.params", ", ".join(each.name for each in found) or "none")
    return found[0]


def read(path: Path) -> Params:
    """Raises BadWeights naming the line that is no name and value."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise BadWeights(path, "UTF-8 text", str(error)) from error
    params: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(maxsplit=1)
        if len(fields) != 2:
            raise BadWeights(path, f"a name and a value in line {number}", repr(line))
        params[fields[0]] = fields[1].strip()
    return params


def model_type(params: Params) -> str:
    return params.get("model_type", "lstm_context")


def whole(path: Path, params: Params, name: str, least: int) -> int:
    value = params.get(name, "")
    if not (value.isascii() and value.isdigit() and int(value) >= least):
        raise BadWeights(path, f"a whole number from {least} under {name}", repr(params.get(name)))
    return int(value)


def yes(path: Path, params: Params, name: str) -> bool:
    if params.get(name) not in ("yes", "no"):
        raise BadWeights(path, f"yes or no under {name}", repr(params.get(name)))
    return params[name] == "yes"


def beside(path: Path, params: Params, name: str) -> Path:
    """A file of the same folder that the line `name` names; nothing outside of it is ever read."""
    value = params.get(name)
    if not value or Path(value).name != value or value in (".", ".."):
        raise BadWeights(path, f"the name of a file of the same folder under {name}", repr(value))
    if not (path.parent / value).is_file():
        raise MissingPath(path.parent / value)
    return path.parent / value
