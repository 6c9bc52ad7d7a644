"""The composition root loads nothing heavy, refuses fork, and gives what works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from web.wiring import Services

ROOT = Path(__file__).parents[2]
HEAVY = ["torch", "faiss", "gensim", "transformers", "onnxruntime", "sklearn"]


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )


def test_the_application_is_built_and_answers_without_anything_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from riparian.config import Settings\n"
        "from web.app import create_app\n"
        "from web.wiring import build\n"
        "client = create_app(build(Settings(data_dir=Path(sys.argv[1])))).test_client()\n"
        "assert client.get('/').status_code == client.get('/readyz').status_code == 200\n"
        "print([name for name in sys.argv[2:] if name in sys.modules])\n"
    )
    done = python(code, str(tmp_path / "data"), *HEAVY)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.parametrize(
    ("settled", "after"), [("", "spawn"), ("fork", "spawn"), ("spawn", "spawn"), ("forkserver", "forkserver")]
)
def test_what_the_process_starts_is_never_forked(settled: str, after: str) -> None:
    code = (
        "import multiprocessing, sys\n"
        "if sys.argv[1]: multiprocessing.set_start_method(sys.argv[1])\n"
        "from web.wiring import never_fork\n"
        "never_fork()\n"
        "print(multiprocessing.get_start_method())\n"
    )
    assert python(code, settled).stdout.strip() == after


def test_handlers_are_there_for_every_kind_of_job(services: Services) -> None:
    assert set(services.handlers) == {
        "index", "reindex", "compact", "token-states", "calibrate", "check-saved", "evaluate",
        "senses", "assign-senses",
        "topics", "assign-topics", "refit-topics", "topics-quality", "topics-map",
        "train", "tune", "learn", "compare", "bank", "estimate",
    }  # fmt: skip


def test_it_is_ready_when_every_collection_can_be_searched(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "missing": []})


def test_it_says_which_encoder_is_missing(own_client: FlaskClient, own_services: Services) -> None:
    from sqlalchemy import text

    with own_services.database.write() as catalog:
        catalog.session.execute(text("UPDATE encoders SET spec = 'hashing:32'"))
    answer = own_client.get("/readyz")
    assert answer.status_code == 503
    assert "encoder of collection 'archive'" in answer.json["missing"][0]
