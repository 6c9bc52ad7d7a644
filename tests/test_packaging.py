"""What the wheel carries, and that it works away from the checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"riparian", "indexer", "search", "senses", "topics", "training", "web"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("riparian-*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def run_away_from_the_checkout(site: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=site.parent,
        env={"PYTHONPATH": str(site), "HOME": str(site.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_carries_every_file_of_the_rooms_and_the_migrations(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    assert {name for name in tracked if name} <= inside
    migrations = {f"riparian/_migrations/{p.relative_to(ROOT / 'migrations')}" for p in ROOT.glob("migrations/**/*.py")}
    assert migrations <= inside


def test_the_top_level_names_of_the_wheel_are_the_rooms(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS


def test_an_installed_wheel_upgrades_a_database_with_its_own_migrations(site: Path) -> None:
    code = (
        "from riparian.catalog.engine import connect\n"
        "from riparian.catalog import migrate\n"
        "print(migrate.scripts())\n"
        "print(migrate.upgrade(connect('sqlite:///catalog.sqlite')) == migrate.head())\n"
    )
    scripts, reached = run_away_from_the_checkout(site, code).split()
    assert scripts == str(site / "riparian" / "_migrations")
    assert reached == "True"


def test_an_installed_wheel_serves_its_pages_and_static_files(site: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from riparian.config import Settings\n"
        "from web.app import create_app\n"
        "from web.wiring import build\n"
        "client = create_app(build(Settings(data_dir=Path('data')))).test_client()\n"
        "page = client.get('/', headers={'Host': 'localhost'})\n"
        "style = next(part for part in page.text.split('\"') if part.split('?')[0].endswith('.css'))\n"
        "print(page.status_code, client.get(style, headers={'Host': 'localhost'}).status_code)\n"
    )
    assert run_away_from_the_checkout(site, code).split() == ["200", "200"]


def test_no_module_of_the_product_uses_pickle_or_remote_code() -> None:
    refused = ("import pickle", "from pickle", "import joblib", "allow_pickle=True", "trust_remote_code=True")
    guilty = {
        (path.relative_to(ROOT).as_posix(), word)
        for room in sorted(ROOMS)
        for path in (ROOT / room).rglob("*.py")
        for word in refused
        if word in path.read_text()
    }
    # the reader of CoVe's state dict must name the error that torch's loader of tensors raises, and nothing more
    naming = "riparian/encoders/cove/files.py"
    assert guilty == {(naming, "import pickle")}
    assert set(re.findall(r"\bpickle\.\w+", (ROOT / naming).read_text())) == {"pickle.UnpicklingError"}
