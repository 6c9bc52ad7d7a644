"""What a model folder says about turning token states into a passage vector.

Reads the files of sentence-transformers (`modules.json`, `1_Pooling/config.json`,
`config_sentence_transformers.json`, `sentence_bert_config.json`) and of plain transformers (`config.json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from riparian.encoders.pooling import POOLINGS, Pooling
from riparian.encoders.storage import read_json
from riparian.errors import BadWeights

_OLD_POOLING_FLAGS = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
}
_OTHER_FLAGS = ("pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken")
_LENGTH_FILES = tuple(
    f"sentence_{name}_config.json" for name in ("bert", "roberta", "distilbert", "xlm-roberta", "mpnet", "camembert")
)
# what passages and queries are called in prompt tables
_PROMPT_NAMES = {"query": ("query",), "passage": ("passage", "document", "corpus")}
_NO_LIMIT = 1_000_000
_NOISE = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "use_cache", "_commit_hash")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How texts become vectors: the longest input (special tokens included), pooling, prompts by role. `training` is
    the report of a fine-tuning; it changes no vector."""

    max_length: int
    pooling: Pooling = "mean"
    prompts: Mapping[str, str] = field(default_factory=dict)
    include_prompt: bool = True
    lower: bool = False
    training: Mapping[str, Any] = field(default_factory=dict)

    def prompt(self, role: str) -> str:
        return self.prompts.get(role, "")

    def settings(self) -> dict[str, Any]:
        """As JSON values; `recipe_from` reads them again."""
        return asdict(self)


def recipe_from(settings: Mapping[str, Any], where: Path) -> Recipe:
    """The recipe that a saved encoder's card holds."""
    try:
        recipe = Recipe(**settings)
    except TypeError as error:
        raise BadWeights(where, "settings of a transformer encoder", str(error)) from error
    if recipe.pooling not in POOLINGS:
        raise BadWeights(where, f"pooling {', '.join(POOLINGS)}", repr(recipe.pooling))
    if not isinstance(recipe.training, dict):
        raise BadWeights(where, "an object under settings.training", repr(recipe.training))
    return recipe


def transformer_folder(folder: Path) -> Path:
    """Where config, tokenizer and weights lie: the folder itself, or that of the first sentence-transformers module."""
    modules = _modules(folder)
    return folder / str(modules[0].get("path", "")) if modules else folder


def read_recipe(folder: Path) -> Recipe:
    """The recipe of a sentence-transformers folder; a plain transformers folder gives mean pooling.

    Raises BadWeights for a module or pooling that Riparian does not compute.
    """
    modules = _modules(folder)
    inner = transformer_folder(folder)
    pooling, include_prompt = _pooling(folder, modules)
    return Recipe(
        max_length=_max_length(inner),
        pooling=pooling,
        prompts=_prompts(folder),
        include_prompt=include_prompt,
        lower=bool(_first_of(inner, _LENGTH_FILES).get("do_lower_case", False)),
    )


def plain_recipe(folder: Path) -> Recipe:
    """Mean pooling over the model's own full length, whatever sentence-transformers files stand beside it."""
    return Recipe(max_length=_model_length(transformer_folder(folder)))


def architecture(folder: Path) -> dict[str, Any]:
    """`config.json` without what changes no vector."""
    config = read_json(folder / "config.json")
    return {key: value for key, value in config.items() if key not in _NOISE}


def _modules(folder: Path) -> list[dict[str, Any]]:
    path = folder / "modules.json"
    if not path.is_file():
        return []
    try:
        modules = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadWeights(path, "valid JSON", str(error)) from error
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise BadWeights(path, "a list of modules", str(modules)[:80])
    names = [_kind(module) for module in modules]
    if names[:1] != ["Transformer"] or names[1:] not in ([], ["Pooling"], ["Pooling", "Normalize"]):
        raise BadWeights(path, "the modules Transformer, Pooling and optionally Normalize", ", ".join(names) or "none")
    return modules


def _kind(module: Mapping[str, Any]) -> str:
    return str(module.get("type", "")).rsplit(".", 1)[-1]


def _pooling(folder: Path, modules: list[dict[str, Any]]) -> tuple[Pooling, bool]:
    if len(modules) < 2:
        return "mean", True
    path = folder / str(modules[1].get("path", "1_Pooling")) / "config.json"
    config = read_json(path)
    if "pooling_mode" in config:
        named = config["pooling_mode"]
        modes = [named] if isinstance(named, str) else list(named)
    else:
        modes = [mode for mode, flag in _OLD_POOLING_FLAGS.items() if config.get(flag)]
        modes += [flag for flag in _OTHER_FLAGS if config.get(flag)]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise BadWeights(path, f"one pooling of {', '.join(POOLINGS)}", ", ".join(map(str, modes)) or "none")
    return cast(Pooling, modes[0]), bool(config.get("include_prompt", True))


def _prompts(folder: Path) -> dict[str, str]:
    path = folder / "config_sentence_transformers.json"
    config = read_json(path) if path.is_file() else {}
    named = config.get("prompts") or {}
    default = named.get(config.get("default_prompt_name") or "", "")
    found = {
        role: next((named[name] for name in names if named.get(name)), default) for role, names in _PROMPT_NAMES.items()
    }
    return {role: prompt for role, prompt in found.items() if prompt}


def _max_length(folder: Path) -> int:
    given = _first_of(folder, _LENGTH_FILES).get("max_seq_length")
    limit = _model_length(folder)
    return min(int(given), limit) if isinstance(given, int) and given > 0 else limit


def _model_length(folder: Path) -> int:
    config = read_json(folder / "config.json")
    positions = int(config.get("max_position_embeddings") or config.get("n_positions") or 512)
    # RoBERTa counts positions from the padding id
    if any(name in str(config.get("model_type", "")) for name in ("roberta", "camembert", "mpnet")):
        positions -= int(config.get("pad_token_id") or 1) + 1
    path = folder / "tokenizer_config.json"
    given = read_json(path).get("model_max_length") if path.is_file() else None
    return min(int(given), positions) if isinstance(given, (int, float)) and 0 < given < _NO_LIMIT else positions


def _first_of(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    return next((read_json(folder / name) for name in names if (folder / name).is_file()), {})
