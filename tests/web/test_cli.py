"""The command line: what it prints, its exit codes, and that it answers as the API does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.conftest import ENCODER
from web.cli import COMMANDS, run
from web.wiring import Services

ROOT = Path(__file__).parents[2]


class Terminal:
    """Runs commands on one data folder in this process."""

    def __init__(self, data_dir: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._data_dir, self._capture = data_dir, capture

    def __call__(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        self._capture.readouterr()
        code = run([*map(str, arguments), "--data-dir", str(self._data_dir)])
        said = self._capture.readouterr()
        return code, said.out, said.err


@pytest.fixture
def riparian(indexed_data: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """On the indexed archive; for commands that change nothing."""
    return Terminal(indexed_data, capsys)


@pytest.fixture
def fresh(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """On a data folder that is not there yet."""
    monkeypatch.setenv("RIPARIAN_ENCODER", ENCODER)
    return Terminal(tmp_path / "fresh", capsys)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_a_search_gives_the_hits_of_the_api(riparian: Terminal, client: FlaskClient, mode: str) -> None:
    code, out, _ = riparian(
        "search", "boats on the river", "--collection", "archive", "-k", "5", "--mode", mode, "--json"
    )
    asked = {"q": "boats on the river", "k": 5, "mode": mode}
    assert code == 0
    assert json.loads(out) == client.get("/api/v1/collections/archive/search", query_string=asked).json


def test_filters_of_a_search_all_hold(riparian: Terminal) -> None:
    _, out, _ = riparian("search", "ships", "--filter", "author:Bo", "--filter", "date>=2002", "--json")
    assert [hit["document"]["title"] for hit in json.loads(out)["hits"]] == ["On locks"]


def test_a_search_for_people_shows_title_source_and_sentence(riparian: Terminal) -> None:
    code, out, _ = riparian("search", "interest rates", "-k", "1")
    assert code == 0
    assert "money-" in out
    assert "raised interest rates" in out


def test_topics_are_those_of_the_api(riparian: Terminal, client: FlaskClient) -> None:
    _, out, _ = riparian("topics", "list", "--collection", "archive", "--json")
    assert json.loads(out) == client.get("/api/v1/collections/archive/topics").json
    topic = json.loads(out)["topics"][0]
    code, shown, _ = riparian("topics", "show", str(topic["id"]))
    assert code == 0
    assert topic["label"] in shown


def test_topics_of_a_text_sum_to_one(riparian: Terminal) -> None:
    _, out, _ = riparian("topics", "infer", "roses and beans in the soil", "--json")
    assert sum(topic["weight"] for topic in json.loads(out)["topics"]) == pytest.approx(1)


def test_collections_jobs_and_encoders_are_listed(riparian: Terminal, client: FlaskClient) -> None:
    _, out, _ = riparian("collections", "list", "--json")
    assert json.loads(out) == client.get("/api/v1/collections").json
    _, out, _ = riparian("jobs", "list", "--json")
    assert {job["state"] for job in json.loads(out)["jobs"]} == {"done"}
    _, out, _ = riparian("encoders", "list", "--json")
    assert json.loads(out)["encoders"] == client.get("/api/v1/encoders").json["encoders"]
    _, out, _ = riparian("encoders", "show", ENCODER, "--json")
    assert (
        json.loads(out)["fingerprint"]
        == json.loads(riparian("encoders", "list", "--json")[1])["encoders"][0]["fingerprint"]
    )


def test_export_writes_what_the_api_streams(riparian: Terminal, client: FlaskClient, tmp_path: Path) -> None:
    code, out, _ = riparian("export", "passages", "--collection", "archive")
    assert code == 0
    assert out == client.get("/api/v1/collections/archive/export/passages").text
    riparian("export", "topics", "--format", "csv", "--output", tmp_path / "topics.csv")
    written = (tmp_path / "topics.csv").read_bytes().decode()
    assert written == client.get("/api/v1/collections/archive/export/topics?format=csv").text


def test_check_is_clean_after_indexing(riparian: Terminal) -> None:
    code, out, _ = riparian("check", "--json")
    assert (code, json.loads(out)) == (0, {"clean": True, "problems": []})


def test_check_is_not_clean_when_the_lexical_index_is_gone(
    own_services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:

    assert isinstance(own_services, Services)
    own = Terminal(tmp_path / "own", capsys)
    own_services.lexical.remove(own_services.collections()[0].id)
    code, out, err = own("check", "--json")
    problems = json.loads(out)["problems"]
    assert (code, json.loads(out)["clean"]) == (1, False)
    assert {problem["part"] for problem in problems} == {"lexical"}
    assert err == "riparian: not clean; run `riparian check --repair`\n"
    assert own("check", "--repair")[0] == 0
    assert own("check")[0] == 0


def test_add_indexes_says_what_failed_and_adds_nothing_twice(fresh: Terminal, archive: Path) -> None:
    code, out, _ = fresh("add", archive, "--collection", "archive", "--json")
    said = json.loads(out)
    assert (code, said["documents"], said["failures"]) == (0, 26, 1)
    assert said["failed"][0]["path"].endswith("broken.pdf")
    assert said["result"]["encoded"] == said["passages"]
    again = json.loads(fresh("add", archive, "--collection", "archive", "--json")[1])
    assert (again["documents"], again["result"]["encoded"]) == (26, 0)


def test_columns_of_a_table_are_taken_as_told(fresh: Terminal, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c\nHerons stand in reeds,Reeds,2001-02-03\n")
    options = ("--text-column", "a", "--title-column", "b", "--date-column", "c")
    assert fresh("add", tmp_path / "t.csv", "--collection", "t", *options)[0] == 0
    [hit] = json.loads(fresh("search", "herons", "--json")[1])["hits"]
    assert (hit["document"]["title"], hit["document"]["date"]) == ("Reeds", "2001-02-03")


def test_sync_drops_what_is_gone_and_takes_what_is_new(fresh: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old.txt").write_text("An old text about herons.")
    fresh("add", folder, "--collection", "folder")
    (folder / "old.txt").unlink()
    (folder / "new.txt").write_text("A new text about otters.")
    assert json.loads(fresh("sync", "--json")[1])["documents"] == 1
    hits = json.loads(fresh("search", "text", "--json")[1])["hits"]
    assert [Path(hit["document"]["source"]).name for hit in hits] == ["new.txt"]


def test_open_prints_a_summary_and_its_last_line_is_the_contract(fresh: Terminal, archive: Path) -> None:
    code, out, _ = fresh("open", archive, "--no-serve")
    record = json.loads(out.splitlines()[-1])
    assert code == 0
    assert record.keys() == {"documents", "passages", "failures", "encoder", "topics", "seconds"}
    assert (record["documents"], record["failures"]) == (26, 1)
    assert sum(topic["share"] for topic in record["topics"]) == pytest.approx(1, abs=1e-3)
    assert all(topic.keys() == {"label", "words", "share"} for topic in record["topics"])
    assert {"read", "embed", "topics", "total"} <= record["seconds"].keys()
    again = json.loads(fresh("open", archive, "--no-serve")[1].splitlines()[-1])
    assert {k: v for k, v in again.items() if k != "seconds"} == {k: v for k, v in record.items() if k != "seconds"}
    assert [c["name"] for c in json.loads(fresh("collections", "list", "--json")[1])["collections"]] == ["archive"]


def test_folders_of_the_same_name_do_not_mix(fresh: Terminal, tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "notes").mkdir(parents=True)
        (tmp_path / place / "notes" / "a.txt").write_text(f"A note from place {place}.")
        assert fresh("open", tmp_path / place / "notes", "--no-serve")[0] == 0
    found = json.loads(fresh("collections", "list", "--json")[1])["collections"]
    assert [(c["name"], c["documents"]) for c in found] == [("notes", 1), ("notes-2", 1)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["search", "x", "--collection", "nowhere"], 4, "no collection named 'nowhere'"),
        (["search", " ", "--collection", "archive"], 2, "the query is empty"),
        (["search", "x", "--filter", "colour:red"], 2, "colour"),
        (["search", "x", "--mode", "psychic"], 2, "psychic"),
        (["topics", "show", "999"], 4, "no topic 999"),
        (["jobs", "cancel", "999"], 4, "no job 999"),
        (["add", "/nowhere/at/all", "--collection", "x"], 4, "/nowhere/at/all: no such file or folder"),
        (["add", ".", "--collection", "x", "--encoder", "psychic"], 4, "no encoder named 'psychic'"),
        (["add", ".", "--collection", "archive", "--encoder", "hashing:32"], 5, "hash"),
        (["serve", "--host", "0.0.0.0"], 2, "--allow-remote"),
        (["dance"], 2, "dance"),
    ],
)
def test_trouble_is_one_line_and_a_fitting_exit_code(
    riparian: Terminal, arguments: list[str], code: int, words: str
) -> None:
    found, out, err = riparian(*arguments)
    assert found == code
    assert words in err
    assert "Traceback" not in err
    assert not out


def test_a_model_that_is_not_on_the_machine_has_its_own_exit_code(
    fresh: Terminal, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, _, err = fresh("add", archive, "--collection", "x", "--encoder", "nobody/no-such-model-0")
    assert code == 3
    assert "is not on this machine" in err
    assert len(err.strip().splitlines()) == 1
    assert json.loads(fresh("collections", "list", "--json")[1]) == {"collections": []}


def test_a_wrong_setting_is_named(fresh: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPARIAN_HYBRID_WEIGHT", "2")
    code, _, err = fresh("collections", "list")
    assert code == 2
    assert "hybrid_weight" in err


def test_a_database_that_does_not_answer_is_one_line(fresh: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    code, _, err = fresh("collections", "list")
    assert code == 3
    assert err.startswith("riparian: the database does not answer: ")
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself_and_takes_a_data_folder(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: riparian {name}")
    assert len(said.split("\n\n")[1].strip()) > 30


def test_the_data_folder_may_stand_before_the_command_or_in_the_environment(
    indexed_data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["--data-dir", str(indexed_data), "collections", "list"]) == 0
    before = capsys.readouterr().out
    monkeypatch.setenv("RIPARIAN_DATA_DIR", str(indexed_data))
    assert run(["collections", "list"]) == 0
    assert capsys.readouterr().out == before
    assert "archive" in before


def test_help_starts_without_anything_heavy() -> None:
    code = "import sys; from web.cli import run; run(['--help']); print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["torch", "faiss", "gensim", "transformers", "onnxruntime", "sklearn"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "[]"
