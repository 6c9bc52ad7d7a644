"""`options.json` of a published biLM: the sizes of the network, and the tensors that they ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riparian.encoders.storage import read_json
from riparian.encoders.weights import Shape
from riparian.errors import BadWeights

CHARACTER_ROWS = 261
"""256 bytes, begin and end of sentence, begin and end of word, padding; the masked id 0 has no row in a file."""

_ACTIVATIONS = ("relu", "tanh")
_MOST, _MOST_LAYERS = 1_000_000, 64


@dataclass(frozen=True, slots=True)
class ElmoOptions:
    """`filters` are (width, number) pairs of the character convolutions; `cell` and `projection` the sizes of an
    LSTM's cell and output; a clip of None leaves values as they are."""

    filters: tuple[tuple[int, int], ...]
    char_dim: int
    activation: str
    highway: int
    projection: int
    cell: int
    layers: int
    skip: bool
    cell_clip: float | None
    proj_clip: float | None
    max_characters: int = 50

    @property
    def features(self) -> int:
        """Length of a word's character features: one per filter."""
        return sum(number for _, number in self.filters)

    @property
    def widest(self) -> int:
        return max(width for width, _ in self.filters)

    @property
    def dimension(self) -> int:
        """Length of a token vector: both directions side by side."""
        return 2 * self.projection

    def shapes(self) -> dict[str, Shape]:
        """Published tensor name → shape."""
        return {**self._word_shapes(), **self._lstm_shapes()}

    def _word_shapes(self) -> dict[str, Shape]:
        size = self.features
        shapes: dict[str, Shape] = {"char_embed": (CHARACTER_ROWS, self.char_dim)}
        for number, (width, filters) in enumerate(self.filters):
            shapes[f"CNN/W_cnn_{number}"] = (1, width, self.char_dim, filters)
            shapes[f"CNN/b_cnn_{number}"] = (filters,)
        for number in range(self.highway):
            for part in ("carry", "transform"):
                shapes[f"CNN_high_{number}/W_{part}"] = (size, size)
                shapes[f"CNN_high_{number}/b_{part}"] = (size,)
        if self.projects:
            shapes |= {"CNN_proj/W_proj": (size, self.projection), "CNN_proj/b_proj": (self.projection,)}
        return shapes

    @property
    def projects(self) -> bool:
        """Whether word features are projected: published files leave it out where the sizes agree already."""
        return self.features != self.projection

    def _lstm_shapes(self) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        for direction in (0, 1):
            for layer in range(self.layers):
                cell = lstm_cell(direction, layer)
                shapes[f"{cell}/W_0"] = (2 * self.projection, 4 * self.cell)
                shapes[f"{cell}/B"] = (4 * self.cell,)
                shapes[f"{cell}/W_P_0"] = (self.cell, self.projection)
        return shapes

    def to_json(self) -> dict[str, Any]:
        """The published layout of `options.json`."""
        return {
            "lstm": {
                "use_skip_connections": self.skip,
                "projection_dim": self.projection,
                "cell_clip": self.cell_clip,
                "proj_clip": self.proj_clip,
                "dim": self.cell,
                "n_layers": self.layers,
            },
            "char_cnn": {
                "activation": self.activation,
                "filters": [list(pair) for pair in self.filters],
                "n_highway": self.highway,
                "embedding": {"dim": self.char_dim},
                "n_characters": CHARACTER_ROWS + 1,
                "max_characters_per_token": self.max_characters,
            },
        }


def lstm_cell(direction: int, layer: int) -> str:
    """Where a file keeps an LSTM layer's tensors; direction 0 reads forward, 1 backward."""
    return f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"


def read_options(path: Path) -> ElmoOptions:
    """The sizes that the file names. Raises BadWeights naming the entry that is missing or cannot be."""
    return parse_options(read_json(path), path)


def parse_options(raw: Mapping[str, Any], path: Path) -> ElmoOptions:
    """`path` is only named in errors."""
    entry = _Entries(raw, path)
    characters = entry.number("char_cnn", "n_characters")
    if characters not in (CHARACTER_ROWS, CHARACTER_ROWS + 1):  # training writes one less than use
        raise BadWeights(path, "261 or 262 under char_cnn.n_characters", str(characters))
    options = ElmoOptions(
        filters=entry.filters(),
        char_dim=entry.number("char_cnn", "embedding", "dim"),
        activation=entry.activation(),
        highway=entry.number("char_cnn", "n_highway", least=0, most=_MOST_LAYERS, default=0),
        projection=entry.number("lstm", "projection_dim"),
        cell=entry.number("lstm", "dim"),
        layers=entry.number("lstm", "n_layers", most=_MOST_LAYERS),
        skip=entry.flag("lstm", "use_skip_connections"),
        cell_clip=entry.clip("lstm", "cell_clip"),
        proj_clip=entry.clip("lstm", "proj_clip"),
        max_characters=entry.number("char_cnn", "max_characters_per_token", least=3),
    )
    if options.projection >= options.cell:
        raise BadWeights(path, "an lstm.projection_dim below lstm.dim", f"{options.projection} and {options.cell}")
    if options.widest > options.max_characters:
        raise BadWeights(path, f"filters no wider than {options.max_characters} characters", str(options.widest))
    return options


class _Entries:
    """Typed look-ups in a JSON object."""

    def __init__(self, raw: Mapping[str, Any], path: Path) -> None:
        self._raw, self._path = raw, path

    def number(self, *keys: str, least: int = 1, most: int = _MOST, default: int | None = None) -> int:
        value = self._find(keys, default)
        if type(value) is not int or not least <= value <= most:
            self._refuse(keys, f"a whole number from {least} to {most}", value)
        return int(value)

    def flag(self, *keys: str) -> bool:
        value = self._find(keys, False)
        if type(value) is not bool:
            self._refuse(keys, "true or false", value)
        return bool(value)

    def clip(self, *keys: str) -> float | None:
        value = self._find(keys, None)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 < value < math.inf:
            self._refuse(keys, "a positive number or null", value)
        return float(value)

    def activation(self) -> str:
        keys = ("char_cnn", "activation")
        value = self._find(keys, None)
        if value not in _ACTIVATIONS:
            self._refuse(keys, " or ".join(_ACTIVATIONS), value)
        return str(value)

    def filters(self) -> tuple[tuple[int, int], ...]:
        keys = ("char_cnn", "filters")
        value = self._find(keys, None)
        pairs = [tuple(pair) for pair in value if isinstance(pair, list)] if isinstance(value, list) else []
        sound = all(len(pair) == 2 and all(type(size) is int and size > 0 for size in pair) for pair in pairs)
        if not pairs or len(pairs) != len(value) or not sound:
            self._refuse(keys, "a list of [width, number]", value)
        return tuple((int(width), int(number)) for width, number in pairs)

    def _find(self, keys: tuple[str, ...], default: object) -> Any:
        value: Any = self._raw
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                return default
            value = value[key]
        return value

    def _refuse(self, keys: tuple[str, ...], expected: str, found: object) -> None:
        raise BadWeights(self._path, f"{expected} under {'.'.join(keys)}", "nothing" if found is None else repr(found))
