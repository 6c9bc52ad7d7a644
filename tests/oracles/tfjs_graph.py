"""A TensorFlow.js graph model run node by node, as its file says it: slow, simple, knowing nothing of the network."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Node = Mapping[str, Any]
Arrays = dict[str, Any]


def constants(folder: Path) -> Arrays:
    """Name → array of every constant in the shards."""
    found: Arrays = {}
    for group in json.loads((folder / "model.json").read_text())["weightsManifest"]:
        data, at = b"".join((folder / name).read_bytes() for name in group["paths"]), 0
        for entry in group["weights"]:
            count = math.prod(entry["shape"])
            found[entry["name"]] = np.frombuffer(data, entry["dtype"], count, at).reshape(entry["shape"])
            at += 4 * count
    return found


class Graph:
    """`run` evaluates what the last node needs."""

    def __init__(self, folder: Path) -> None:
        nodes = json.loads((folder / "model.json").read_text())["modelTopology"]["node"]
        self._nodes: dict[str, Node] = {node["name"]: node for node in nodes}
        self._last: str = nodes[-1]["name"]
        self._constants = constants(folder)

    def run(self, **inputs: Any) -> Any:
        """The value of the last node, given those of the placeholders."""
        return self._value(self._last, self._constants | inputs)

    def _value(self, name: str, known: Arrays) -> Any:
        name, _, output = name.removeprefix("^").partition(":")
        if name not in known:
            node = self._nodes[name]
            known[name] = _OPS[node["op"]](node, *[self._value(given, known) for given in node.get("input", ())])
        return known[name][int(output or 0)] if isinstance(known[name], list) else known[name]


def _flag(node: Node, name: str) -> int:
    value = node["attr"].get(name, {})
    return int(value.get("i", value.get("b", 0)))


def _axes(axes: Any) -> tuple[int, ...]:
    return tuple(np.atleast_1d(axes).tolist())


def _reduced(how: Callable[..., Any]) -> Callable[..., Any]:
    return lambda node, x, axes: how(x, axis=_axes(axes), keepdims=bool(_flag(node, "keep_dims")))


def _strided(node: Node, x: Any, begin: Any, end: Any, step: Any) -> Any:
    assert not _flag(node, "ellipsis_mask") and not _flag(node, "new_axis_mask")
    index: list[Any] = []
    for at in range(len(begin)):
        if _flag(node, "shrink_axis_mask") >> at & 1:
            index.append(int(begin[at]))
            continue
        start = None if _flag(node, "begin_mask") >> at & 1 else int(begin[at])
        stop = None if _flag(node, "end_mask") >> at & 1 else int(end[at])
        index.append(slice(start, stop, int(step[at])))
    return x[tuple(index)]


def _sparse_to_dense(node: Node, places: Any, shape: Any, values: Any, default: Any) -> Any:
    found = np.full(tuple(shape), default, dtype=np.asarray(values).dtype)
    found[tuple(places.T)] = values
    return found


def _scatter(node: Node, places: Any, values: Any, shape: Any) -> Any:
    found = np.zeros(tuple(shape), dtype=values.dtype)
    np.add.at(found, tuple(places.T), values)
    return found


def _split(node: Node, x: Any, sizes: Any, axis: Any) -> Any:
    return list(np.split(x, np.cumsum(sizes)[:-1], axis=int(axis)))


def _conv(node: Node, x: Any, kernel: Any) -> Any:
    """Of one position wide and high: a product."""
    assert kernel.shape[:2] == (1, 1)
    return x @ kernel[0, 0]


def _matmul(node: Node, x: Any, y: Any) -> Any:
    return (x.T if _flag(node, "transpose_a") else x) @ (y.T if _flag(node, "transpose_b") else y)


def _batch_matmul(node: Node, x: Any, y: Any) -> Any:
    x = np.swapaxes(x, -1, -2) if _flag(node, "adj_x") else x
    return x @ (np.swapaxes(y, -1, -2) if _flag(node, "adj_y") else y)


def _slice(node: Node, x: Any, begin: Any, size: Any) -> Any:
    spans = zip(np.atleast_1d(begin).tolist(), np.atleast_1d(size).tolist(), strict=True)
    return x[tuple(slice(start, None if count == -1 else start + count) for start, count in spans)]


def _squeeze(node: Node, x: Any) -> Any:
    axes = node["attr"]["squeeze_dims"]["list"]["i"]
    return np.squeeze(x, axis=tuple(int(axis) for axis in axes))


def _cast(node: Node, x: Any) -> Any:
    return np.asarray(x).astype({1: np.float32, 3: np.int32}[node["attr"]["DstT"]["type"]])


def _softmax(node: Node, x: Any) -> Any:
    raised = np.exp(x - x.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


_OPS: dict[str, Callable[..., Any]] = {
    "Add": lambda node, x, y: x + y,
    "BatchMatMul": _batch_matmul,
    "BiasAdd": lambda node, x, y: x + y,
    "Cast": _cast,
    "ConcatV2": lambda node, *given: np.concatenate(given[:-1], axis=int(given[-1])),
    "Conv2D": _conv,
    "Cos": lambda node, x: np.cos(x),
    "ExpandDims": lambda node, x, axis: np.expand_dims(x, int(axis)),
    "GatherNd": lambda node, x, places: x[tuple(np.moveaxis(places, -1, 0))],
    "GatherV2": lambda node, x, places, axis: np.take(x, places, axis=int(axis)),
    "Greater": lambda node, x, y: x > y,
    "Less": lambda node, x, y: x < y,
    "LogicalNot": lambda node, x: ~x,
    "MatMul": _matmul,
    "Max": _reduced(np.max),
    "Maximum": lambda node, x, y: np.maximum(x, y),
    "Mean": _reduced(np.mean),
    "Mul": lambda node, x, y: x * y,
    "Pack": lambda node, *given: np.stack(given, axis=_flag(node, "axis")),
    "Prod": _reduced(np.prod),
    "Range": lambda node, start, stop, step: np.arange(start, stop, step, dtype=np.int32),
    "RealDiv": lambda node, x, y: x / y,
    "Relu": lambda node, x: np.maximum(x, 0),
    "Reshape": lambda node, x, shape: np.reshape(x, tuple(np.atleast_1d(shape))),
    "Rsqrt": lambda node, x: 1 / np.sqrt(x),
    "ScatterNd": _scatter,
    "Shape": lambda node, x: np.array(x.shape, dtype=np.int32),
    "Sin": lambda node, x: np.sin(x),
    "Slice": _slice,
    "Softmax": _softmax,
    "SparseToDense": _sparse_to_dense,
    "SplitV": _split,
    "Square": lambda node, x: x * x,
    "Squeeze": _squeeze,
    "StridedSlice": _strided,
    "Sub": lambda node, x, y: x - y,
    "Sum": _reduced(np.sum),
    "Tanh": lambda node, x: np.tanh(x),
    "Transpose": lambda node, x, order: np.transpose(x, tuple(order)),
    "Where": lambda node, x: np.argwhere(x).astype(np.int32),
}
