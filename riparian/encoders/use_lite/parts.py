"""Which constant of the graph is which weight of the network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.use_lite.network import Shape
from riparian.errors import BadWeights

_LAYER = "Layer_{}/TransformerLayer/"
_ONCE = {
    "words": r"Embeddings_en$",
    "timing": r"AddTimingSignal/TimingSignal/ExpandDims_1$",
    "residual.kernel": r"Layer_0/TransformerLayer/dense/kernel",
    "residual.bias": r"Layer_0/TransformerLayer/dense/bias",
    "out.kernel": r"hidden_layers/tanh_layer_0/weights$",
    "out.bias": r"hidden_layers/tanh_layer_0/bias$",
}
_EACH = {
    "before.gain": "layer_prepostprocess/layer_norm/layer_norm_scale",
    "before.bias": "layer_prepostprocess/layer_norm/layer_norm_bias",
    "attention.kernel": "MultiheadAttention/qkv_transform_single/kernel",
    "attention.bias": "MultiheadAttention/qkv_transform_single/bias",
    "joined.kernel": "MultiheadAttention/output_transform_single/kernel",
    "joined.bias": "MultiheadAttention/output_transform_single/bias",
    "between.gain": "FFN/layer_prepostprocess/layer_norm/layer_norm_scale",
    "between.bias": "FFN/layer_prepostprocess/layer_norm/layer_norm_bias",
    "wide.kernel": "FFN/conv1/Tensordot/Reshape_1",
    "wide.bias": "FFN/conv1/bias",
    "narrow.kernel": "FFN/conv2/Tensordot/Reshape_1",
    "narrow.bias": "FFN/conv2/bias",
}
_HEADS = r"MultiheadAttention/split_heads/split_last_dimension/Reshape/shape/2$"
_EPSILON = r"layer_norm/Cast/x$"
_LONGEST = r"ClipToMaxLength/Less/y$"
_SCALE = r"Layer_{}/TransformerLayer/MultiheadAttention/mul/y$"


def weights_of(graph: Mapping[str, NDArray[Any]], path: Path) -> tuple[Shape, dict[str, NDArray[np.float32]]]:
    """The network's shape and weights under its own names. Raises BadWeights naming what the graph lacks, has twice or
    computes otherwise."""
    layers = _layers(graph, path)
    names = dict(_ONCE)
    for layer in range(layers):
        names |= {f"layers.{layer}.{name}": re.escape(_LAYER.format(layer) + end) for name, end in _EACH.items()}
    found = {name: _flat(np.asarray(_only(graph, pattern, path))) for name, pattern in names.items()}
    heads, longest = (int(_only(graph, pattern, path)) for pattern in (_HEADS, _LONGEST))
    shape = Shape(
        pieces=found["words"].shape[0],
        narrow=found["words"].shape[-1],
        width=found["residual.kernel"].shape[-1],
        inner=found["layers.0.wide.bias"].shape[0],
        dimension=found["out.bias"].shape[0],
        layers=layers,
        heads=heads,
        longest=longest,
        epsilon=float(np.round(float(_only(graph, _EPSILON, path)), 12)),
    )
    _check_scales(graph, shape, path)
    return shape, found


def _layers(graph: Mapping[str, NDArray[Any]], path: Path) -> int:
    numbers = {int(found) for name in graph for found in re.findall(r"/Layer_(\d+)/TransformerLayer/", name)}
    if not numbers or numbers != set(range(len(numbers))):
        raise BadWeights(path, "the layers of a Universal Sentence Encoder, lite", f"layers {sorted(numbers)}")
    return len(numbers)


def _only(graph: Mapping[str, NDArray[Any]], pattern: str, path: Path) -> NDArray[Any]:
    found = list(_matching(graph, pattern))
    if len(found) != 1:
        raise BadWeights(path, f"one constant named …{pattern}", ", ".join(found) or "no such constant")
    return graph[found[0]]


def _matching(graph: Mapping[str, NDArray[Any]], pattern: str) -> Iterator[str]:
    return (name for name in graph if re.search(pattern, name))


def _flat(value: NDArray[Any]) -> NDArray[np.float32]:
    """Without the leading sizes of 1 that convolutions have."""
    while value.ndim > 1 and value.shape[0] == 1:
        value = value[0]
    return np.ascontiguousarray(value, dtype=np.float32)


def _check_scales(graph: Mapping[str, NDArray[Any]], shape: Shape, path: Path) -> None:
    for layer in range(shape.layers):
        found, expected = float(_only(graph, _SCALE.format(layer), path)), shape.head(layer) ** -0.5
        if abs(found - expected) > 1e-5:
            raise BadWeights(path, f"queries of layer {layer} scaled by {expected:.5f}", f"{found:.5f}")
