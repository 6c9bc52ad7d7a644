"""The words of passages as a model counts them, kept beside its files: whoever asks again need not read the texts."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riparian.encoders.storage import write_file
from riparian.types import Ids
from topics import bow
from topics.base import BagOfWords
from topics.kinds import MODEL

logger = logging.getLogger(__name__)

FILE = "counts.safetensors"


def save(folder: Path, passages: Ids, bag: BagOfWords) -> None:
    """Keeps the words of passages (ascending ids) in place of what was kept; there whole or not at all."""
    from safetensors.numpy import save_file

    held = {"passages": passages, "starts": bag.starts, "tokens": bag.tokens}
    arrays = {name: np.ascontiguousarray(array) for name, array in held.items()}
    write_file(folder / FILE, lambda draft: save_file(arrays, draft))


def bag_of(folder: Path, wanted: Ids, count: Callable[[Ids, Sequence[str]], tuple[Ids, BagOfWords]]) -> BagOfWords:
    """The bag of these passages (ascending ids) over the model's vocabulary. `count` is asked for those that are not
    kept and answers with those of them that it has; the others hold no word. What it counted is kept, too."""
    vocabulary = json.loads((folder / MODEL).read_text(encoding="utf-8"))["vocabulary"]
    ids, pieces = _read(folder, len(vocabulary))
    missing = wanted[~np.isin(wanted, ids)]
    if len(missing):
        found, bag = count(missing, vocabulary)
        ids, pieces = _joined(ids, pieces, found, _pieces(bag.starts, bag.tokens))
        save(folder, ids, bow.joined(vocabulary, pieces))
    places = dict(zip(ids.tolist(), pieces, strict=True))
    nothing = np.zeros(0, np.int32)
    return bow.joined(vocabulary, [places.get(passage, nothing) for passage in wanted.tolist()])


def _joined(
    ids: Ids, pieces: list[NDArray[np.int32]], more: Ids, more_pieces: list[NDArray[np.int32]]
) -> tuple[Ids, list[NDArray[np.int32]]]:
    together = np.concatenate([ids, more])
    order = np.argsort(together, kind="stable")
    every = pieces + more_pieces
    return together[order], [every[place] for place in order.tolist()]


def _read(folder: Path, words: int) -> tuple[Ids, list[NDArray[np.int32]]]:
    """Nothing where there is no file yet or none that can be read: then all is counted anew."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        held = load_file(folder / FILE)
        ids, starts, tokens = held["passages"], held["starts"], held["tokens"]
        if len(starts) == len(ids) + 1 and (not len(tokens) or 0 <= tokens.min() <= tokens.max() < words):
            return ids, _pieces(starts, tokens)
    except FileNotFoundError:
        pass
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        logger.warning("%s cannot be read (%s); words are counted anew", folder / FILE, error)
    return np.zeros(0, np.int64), []


def _pieces(starts: NDArray[np.int64], tokens: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    return [tokens[start:end] for start, end in pairwise(starts)]
