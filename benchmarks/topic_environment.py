"""A virtual environment of its own for other people's topic models, beside this project's packages.

It sees this project's packages through a path file, so torch, gensim and scikit-learn are the very ones that our models
run with, and pip never fetches another torch. Two peers are installed without what they ask for: CombinedTM's package
asks for torchvision, whose usual build breaks transformers on a torch without CUDA, and FASTopic's for a package that
needs torchvision in turn. Neither is used by what is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

PINNED = ("torch", "numpy", "scipy", "scikit-learn", "gensim", "transformers", "sentence-transformers")
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "contextualized-topic-models": ("--no-deps", "contextualized-topic-models==2.6.1"),
    "contextualized-topic-models needs": ("matplotlib", "wordcloud", "tqdm"),
    "bertopic": ("bertopic==0.17.4", "umap-learn==0.5.12", "hdbscan==0.8.44"),
    "fastopic": ("--no-deps", "fastopic==1.0.1"),
    "turftopic": ("turftopic==0.28.0",),
    "tomotopy": ("tomotopy==0.14.0",),
}


@dataclass(frozen=True, slots=True)
class Environment:
    """`python` to run peers with, and why a package could not be installed, by its name."""

    python: Path
    failures: Mapping[str, str]


def make(folder: Path) -> Environment:
    """The environment, made where it is not there yet. Needs a package index for that, later nothing."""
    python, record = folder / "bin" / "python", folder / "installed.json"
    if record.is_file():
        return Environment(python, json.loads(record.read_text(encoding="utf-8")))
    venv.create(folder, with_pip=True, clear=True)
    inside = next((folder / "lib").glob("python*/site-packages"))
    (inside / "project.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version(name).partition('+')[0]}\n" for name in PINNED), encoding="utf-8")
    failures = {name: why for name, asked in PACKAGES.items() if (why := _install(python, constraints, asked))}
    record.write_text(json.dumps(failures), encoding="utf-8")
    return Environment(python, failures)


def _install(python: Path, constraints: Path, asked: tuple[str, ...]) -> str:
    """ "" or the last lines of what pip said."""
    command = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *asked]
    print(f"installing {' '.join(asked)}", file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else " ".join(done.stderr.split()[-40:])


def installed(python: Path) -> dict[str, str]:
    """Versions of the peers, by name, of those that are there."""
    names = sorted(
        {"contextualized-topic-models", "bertopic", "fastopic", "turftopic", "tomotopy", "umap-learn", *PINNED}
    )
    script = (
        "import importlib.metadata as m, json, sys\n"
        "found = {}\n"
        "for name in json.loads(sys.argv[1]):\n"
        "    try: found[name] = m.version(name)\n"
        "    except m.PackageNotFoundError: pass\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run([str(python), "-c", script, json.dumps(names)], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))
