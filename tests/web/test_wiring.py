"""The composition root loads nothing heavy, refuses fork, and gives what works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_a_process_that_would_fork_is_refused() -> None:
    code = (
        "import multiprocessing\n"
        "multiprocessing.set_start_method('fork')\n"
        "from web.wiring import refuse_fork\n"
        "refuse_fork()\n"
    )
    assert "the multiprocessing start method is fork" in python(code).stderr


def test_start_methods_that_spawn_are_kept() -> None:
    code = (
        "import multiprocessing\n"
        "from web.wiring import refuse_fork\n"
        "refuse_fork()\n"
        "print(multiprocessing.get_start_method())\n"
    )
    assert python(code).stdout.strip() == "spawn"


def test_handlers_are_there_for_every_kind_of_job(services: Services) -> None:
    assert set(services.handlers) == {"index", "compact", "topics", "assign-topics"}


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
