"""BERT (Devlin et al. 2019) as an ONNX graph, written from its weights without torch.

Every text of a batch has the same length, so nothing is padded and no mask is computed; the matrices are
two-dimensional, so that biases are added inside the multiplication. Per layer, with x the (B*L, H) states:

    a = MultiHeadAttention(x Wq + bq, x Wk + bk, x Wv + bv) Wo + bo        y = LayerNorm(a + x)
    f = gelu(y Wi + bi) Wf + bf                                            x = LayerNorm(f + y)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from riparian.encoders.weights import Shape, Tensor, check_shapes

_OPSETS = (helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1))
_IR_VERSION = 8
_MICROSOFT = "com.microsoft"
_EMBEDDINGS = "embeddings."
_SIZES = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
    "type_vocab_size",
)


def supports(config: Mapping[str, Any], found: Mapping[str, Tensor]) -> bool:
    """Whether this is a float32 BERT with absolute positions and exact GELU: others are exported by torch."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
        and all(isinstance(config.get(name), int) for name in _SIZES)
        and all(tensor.dtype == "F32" for name, tensor in found.items() if name.endswith(("weight", "bias")))
    )


def write(path: Path, config: Mapping[str, Any], found: Mapping[str, Tensor]) -> None:
    """Writes the graph ("input_ids" (B, L) int64 → "states" (B, L, H) float32).

    Raises BadWeights naming a tensor that is missing or mis-shaped.
    """
    source = next(iter(found.values())).path if found else path
    check_shapes(source, found, expected_shapes(config))
    onnx.save(_Builder(config, found).model(), str(path))


def expected_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Tensor name → shape for every tensor that the graph uses."""
    hidden, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    shapes: dict[str, Shape] = {
        f"{_EMBEDDINGS}word_embeddings.weight": (int(config["vocab_size"]), hidden),
        f"{_EMBEDDINGS}position_embeddings.weight": (int(config["max_position_embeddings"]), hidden),
        f"{_EMBEDDINGS}token_type_embeddings.weight": (int(config["type_vocab_size"]), hidden),
        **_norm_shapes(f"{_EMBEDDINGS}LayerNorm", hidden),
    }
    for layer in range(int(config["num_hidden_layers"])):
        name = f"encoder.layer.{layer}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{name}{part}.weight": (hidden, hidden), f"{name}{part}.bias": (hidden,)}
        shapes |= {f"{name}intermediate.dense.weight": (inner, hidden), f"{name}intermediate.dense.bias": (inner,)}
        shapes |= {f"{name}output.dense.weight": (hidden, inner), f"{name}output.dense.bias": (hidden,)}
        shapes |= _norm_shapes(f"{name}attention.output.LayerNorm", hidden)
        shapes |= _norm_shapes(f"{name}output.LayerNorm", hidden)
    return shapes


def _norm_shapes(name: str, hidden: int) -> dict[str, Shape]:
    return {f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)}


class _Builder:
    """Collects nodes and weights; each method adds nodes and answers with the name of its output."""

    def __init__(self, config: Mapping[str, Any], found: Mapping[str, Tensor]) -> None:
        self._found = found
        self._hidden, self._heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        self._layers, self._epsilon = int(config["num_hidden_layers"]), float(config.get("layer_norm_eps", 1e-12))
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        flat = self._constant("flat", np.array([-1, self._hidden], dtype=np.int64))
        x = self._embedded(flat)
        for layer in range(self._layers):
            x = self._layer(x, f"encoder.layer.{layer}.", flat)
        self._add("Reshape", [x, "shape"], "states")
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])
        states = helper.make_tensor_value_info("states", TensorProto.FLOAT, ["batch", "length", self._hidden])
        graph = helper.make_graph(self._nodes, "bert", [ids], [states], self._weights)
        return helper.make_model(graph, opset_imports=_OPSETS, ir_version=_IR_VERSION)

    def _embedded(self, flat: str) -> str:
        """Word + position + type 0, normalised; also the output's "shape" (B, L, H)."""
        size = self._add("Shape", ["input_ids"], "size")
        self._add("Concat", [size, self._constant("hidden", np.array([self._hidden], dtype=np.int64))], "shape", axis=0)
        zero = self._constant("zero", np.array([0], dtype=np.int64))
        second = self._constant("second", np.array([1], dtype=np.int64))
        length = self._add("Gather", [size, second], "length", axis=0)
        types = self._read(f"{_EMBEDDINGS}token_type_embeddings.weight")
        places = self._read(f"{_EMBEDDINGS}position_embeddings.weight") + types[0]
        place = self._add("Slice", [self._constant("places", places), zero, length, zero], "place")
        word = self._add("Gather", [self._weight(f"{_EMBEDDINGS}word_embeddings.weight"), "input_ids"], "word", axis=0)
        summed = self._add("Add", [word, place], "embedded")
        return self._norm(self._add("Reshape", [summed, flat], "embedded.flat"), f"{_EMBEDDINGS}LayerNorm")

    def _layer(self, x: str, name: str, flat: str) -> str:
        parts = [
            self._add("Reshape", [self._linear(x, f"{name}attention.self.{part}"), "shape"], f"{name}{part}")
            for part in ("query", "key", "value")
        ]
        seen = self._add("MultiHeadAttention", parts, f"{name}attended", domain=_MICROSOFT, num_heads=self._heads)
        seen = self._add("Reshape", [seen, flat], f"{name}attended.flat")
        attended = self._linear(seen, f"{name}attention.output.dense")
        y = self._norm(self._add("Add", [attended, x], f"{name}attended.sum"), f"{name}attention.output.LayerNorm")
        inner = self._add("Gelu", [self._linear(y, f"{name}intermediate.dense")], f"{name}gelu", domain=_MICROSOFT)
        outer = self._linear(inner, f"{name}output.dense")
        return self._norm(self._add("Add", [outer, y], f"{name}sum"), f"{name}output.LayerNorm")

    def _linear(self, x: str, name: str) -> str:
        weight = self._constant(f"{name}.weight", self._read(f"{name}.weight").T)
        return self._add("Gemm", [x, weight, self._weight(f"{name}.bias")], f"{name}.out")

    def _norm(self, x: str, name: str) -> str:
        scale, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._add("LayerNormalization", [x, scale, bias], f"{name}.out", axis=-1, epsilon=self._epsilon)

    def _add(self, operator: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def _weight(self, name: str) -> str:
        return self._constant(name, self._read(name))

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _read(self, name: str) -> NDArray[np.float32]:
        tensor = self._found[name]
        return np.memmap(tensor.path, dtype="<f4", mode="r", offset=tensor.begin, shape=tensor.shape)
