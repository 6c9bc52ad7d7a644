"""FAISS behind the `VectorIndex` protocol; the only module that imports faiss, and only when an index is opened.

FAISS proposes, the exact scores decide (`exact.py`): what it answers has the values and the order of `FlatIndex`. Up to
`FLAT_ROWS` rows every row is compared and the answer is exact. Beyond, inverted lists of 8-bit codes propose candidates
and recall is what the generation's manifest says. Never fork a process that has searched: FAISS hangs in the child.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riparian.device import Device
from riparian.errors import Conflict, DamagedIndex, MissingExtra
from riparian.types import Ids, Matrix
from riparian.vectors import exact
from riparian.vectors.base import Neighbours
from riparian.vectors.flat import FlatIndex
from riparian.vectors.manifest import IndexRecord

logger = logging.getLogger(__name__)

FLAT_ROWS = 100_000
"""Up to here comparing every row costs single milliseconds and is never wrong."""

FEW_ROWS = 50_000
FEW_SHARE = 0.1
"""A filter that leaves fewer rows than either is searched exactly: faster than lists and never short of answers."""

_DISTRIBUTIONS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cuvs", "faiss-gpu-cu11", "faiss-gpu-cu12", "faiss-cuda")
_TRAINING_ROWS_PER_LIST = 39
_TRAINING_ROUNDS = 8  # more rows, rounds or lists: 2 to 5 times the time to build, the same recall
_RECALL_GOAL = 0.98
_RECALL_AT = 10
_SAMPLE = 128
_GPU_LARGEST_K = 2048
_GPU_SHARE = 0.5  # of the free memory that the rows may take


@dataclass(frozen=True, slots=True)
class Choice:
    """Which structure suits so many rows: "flat" or "ivf" with so many lists, and the reason."""

    kind: str
    reason: str
    lists: int = 0


def choose(rows: int, flat_rows: int = FLAT_ROWS) -> Choice:
    """Flat up to `flat_rows`; beyond, inverted lists of 8-bit codes: cheap to build, and right under filters."""
    if rows <= flat_rows:
        return Choice("flat", f"{rows} rows, at most {flat_rows}: every row is compared")
    lists = 2 ** round(math.log2(2 * math.sqrt(rows)))
    return Choice("ivf", f"{rows} rows, more than {flat_rows}: inverted lists of 8-bit codes, scored exactly", lists)


def check_installation(installed: Iterable[str] | None = None) -> None:
    """Conflict where two FAISS distributions share the one folder they install; the second silently drops the GPU."""
    names = sorted(_installed() if installed is None else installed)
    if len(names) > 1:
        raise Conflict(
            f"{' and '.join(names)} are both installed and overwrite each other; run: "
            f"pip uninstall -y {' '.join(names)} && pip install {names[0]} (or the one you want)"
        )


def is_installed() -> bool:
    return bool(_installed())


def device() -> Device:
    """Where FAISS searches, and why."""
    faiss = _load()
    if not hasattr(faiss, "StandardGpuResources"):
        return Device("cpu", f"FAISS {faiss.__version__} is built without GPU support")
    if faiss.get_num_gpus() == 0:
        return Device("cpu", f"FAISS {faiss.__version__} finds no usable NVIDIA device")
    return Device("cuda", f"FAISS {faiss.__version__} can use {faiss.get_num_gpus()} NVIDIA device(s)")


def version() -> str:
    """The version that writes index files, "" where FAISS is not installed. Does not load it."""
    return metadata.version(_installed()[0]) if is_installed() else ""


def write_index(flat: FlatIndex, choice: Choice, write: Callable[[bytes], object]) -> IndexRecord:
    """Builds the lists over the rows, hands the file's bytes to `write`, and tells how it was built.

    What `write` raises comes back unchanged.
    """
    faiss = _load()
    lists = _train(faiss, flat, choice)
    sink = _Sink(write)
    try:
        faiss.write_index(lists, faiss.PyCallbackIOWriter(sink))
    except RuntimeError:
        if sink.error is not None:
            raise sink.error from None
        raise
    probes, recall = _tune(FaissIndex(flat, lists, probes=1), choice)
    return IndexRecord("IVF,SQ8", choice.reason, choice.lists, probes, recall)


def open_index(flat: FlatIndex, path: Path | None, record: IndexRecord | None, threads: int = 1) -> FaissIndex:
    """An index over rows whose files were verified. DamagedIndex where FAISS cannot read the file."""
    if path is None or record is None:
        return FaissIndex(flat, threads=threads)
    faiss = _load()
    try:
        lists = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise DamagedIndex(path, "an index that FAISS can read", str(error)) from error
    if lists.ntotal != len(flat) or lists.d != flat.dimension:
        raise DamagedIndex(path, f"{len(flat)} rows of {flat.dimension}", f"{lists.ntotal} rows of {lists.d}")
    return FaissIndex(flat, lists, probes=record.probes, threads=threads)


class FaissIndex:
    """Nearest rows through FAISS. `lists` proposes candidates where given; else every row is compared (on the GPU where
    FAISS can use one). `threads` is what one search may use: in a server, requests are the parallelism. `few_rows`: a
    filter that leaves at most so many rows is searched exactly."""

    def __init__(
        self, flat: FlatIndex, lists: Any = None, *, probes: int = 1, threads: int = 1, few_rows: int = FEW_ROWS
    ) -> None:
        self._faiss = _load()
        self._flat, self._lists = flat, lists
        self.probes, self._threads, self._few_rows = probes, threads, few_rows
        self._gpu = None if lists is not None else _on_gpu(self._faiss, flat)
        self._gpu_lock = threading.Lock()  # GPU resources serve one search at a time

    @classmethod
    def build(
        cls, ids: Ids, matrix: Matrix, *, flat_rows: int = FLAT_ROWS, threads: int = 1, few_rows: int = FEW_ROWS
    ) -> FaissIndex:
        """An index in memory over these rows, the structure chosen by their number."""
        flat = FlatIndex(ids, matrix)
        choice = choose(len(flat), flat_rows)
        if choice.kind == "flat":
            return cls(flat, threads=threads)
        index = cls(flat, _train(_load(), flat, choice), threads=threads, few_rows=few_rows)
        index.probes, _ = _tune(index, choice)
        return index

    @property
    def dimension(self) -> int:
        return self._flat.dimension

    @property
    def ids(self) -> Ids:
        return self._flat.ids

    @property
    def is_exact(self) -> bool:
        return self._lists is None

    def __len__(self) -> int:
        return len(self._flat)

    def vectors(self, ids: Ids) -> Matrix:
        return self._flat.vectors(ids)

    def nearest(self, queries: Matrix, k: int, allowed: Ids | None = None) -> list[Neighbours]:
        checked = exact.check_queries(queries, self.dimension, k)
        if not len(checked):
            return []
        self._faiss.omp_set_num_threads(self._threads)  # counts for the calling thread only
        if self._lists is None:
            return self._compare_all(checked, k) if allowed is None else self._flat.nearest(checked, k, allowed)
        if allowed is None:
            return self._probe(checked, k, self.probes, None)
        rows = exact.rows_among(self.ids, allowed)
        if len(rows) <= max(self._few_rows, FEW_SHARE * len(self)):
            return self._flat.nearest(checked, k, allowed)
        return self._probe_allowed(checked, k, rows, allowed)

    # ---------------------------------------------------------------- comparing every row

    def _compare_all(self, queries: Matrix, k: int) -> list[Neighbours]:
        depth = min(len(self), k + 32)
        if depth == len(self) or (self._gpu is not None and depth > _GPU_LARGEST_K):
            return self._flat.nearest(queries, k)
        scores, rows = self._propose(queries, depth)
        return [self._settle(*found, k) for found in zip(queries, scores, rows, strict=True)]

    def _propose(self, queries: Matrix, depth: int) -> tuple[Matrix, NDArray[np.int64]]:
        if self._gpu is not None:
            with self._gpu_lock:
                scores, rows = self._gpu.search(queries, depth)
        else:
            metric = self._faiss.METRIC_INNER_PRODUCT
            scores, rows = self._faiss.knn(queries, self._flat.matrix, depth, metric=metric)
        return scores, rows

    def _settle(self, query: NDArray[np.float32], scores: exact.Scores, rows: exact.Rows, k: int) -> Neighbours:
        """The exact order of the proposals, or of all rows where rounding leaves open which should be among them."""
        margin = exact.rounding_margin(self.dimension, self._flat.longest_row, query)
        if scores[k - 1] - scores[-1] <= margin:
            return self._flat.nearest(query[None], k)[0]
        return self._decide(query, rows[scores >= scores[k - 1] - margin], k)

    def _decide(self, query: NDArray[np.float32], rows: exact.Rows, k: int) -> Neighbours:
        rows = np.sort(rows)  # neighbouring rows share pages of the mapped file
        return exact.best(self.ids[rows], exact.exact_scores(self._flat.matrix, rows, query), k)

    # ---------------------------------------------------------------- inverted lists

    def _probe(
        self, queries: Matrix, k: int, probes: int, selector: Any, allowed: Ids | None = None
    ) -> list[Neighbours]:
        depth = min(len(self), 2 * k + 32)
        parameters = self._faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        _, found = self._lists.search(queries, depth, params=parameters)
        wanted = min(k, len(self) if allowed is None else len(allowed))
        answers = []
        for query, rows in zip(queries, found, strict=True):
            rows = rows[rows >= 0]
            if len(rows) < wanted:  # the probed lists held too few
                answers.append(self._flat.nearest(query[None], k, allowed)[0])
            else:
                answers.append(self._decide(query, rows, k))
        return answers

    def _probe_allowed(self, queries: Matrix, k: int, rows: exact.Rows, allowed: Ids) -> list[Neighbours]:
        mask = np.zeros(len(self), dtype=np.bool_)
        mask[rows] = True
        bitmap = np.packbits(mask, bitorder="little")  # must outlive the search
        selector = self._faiss.IDSelectorBitmap(bitmap)
        probes = min(self._lists.nlist, math.ceil(self.probes * len(self) / len(rows)))
        return self._probe(queries, k, probes, selector, allowed)


class _Sink:
    """What FAISS writes into: keeps the error of the real file, which FAISS turns into text."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.error: OSError | None = None

    def __call__(self, block: bytes) -> None:
        try:
            self._write(block)
        except OSError as error:
            self.error = error
            raise


def _train(faiss: ModuleType, flat: FlatIndex, choice: Choice) -> Any:
    lists = faiss.index_factory(flat.dimension, f"IVF{choice.lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    wanted = min(len(flat), choice.lists * _TRAINING_ROWS_PER_LIST)
    sample = np.linspace(0, len(flat) - 1, wanted).astype(np.int64)  # spread evenly: the same rows every time
    lists.cp.min_points_per_centroid = 1  # small test indexes would be complained about on the standard output
    lists.cp.niter = _TRAINING_ROUNDS
    lists.train(np.ascontiguousarray(flat.matrix[sample]))
    for start in range(0, len(flat), 65_536):
        lists.add(np.ascontiguousarray(flat.matrix[start : start + 65_536]))
    return lists


def _tune(index: FaissIndex, choice: Choice) -> tuple[int, float]:
    """The fewest probes, doubling, that find 98 % of the true neighbours of a sample of the rows; and the recall."""
    flat = index._flat
    sample = np.linspace(0, len(flat) - 1, min(_SAMPLE, len(flat))).astype(np.int64)
    queries = np.ascontiguousarray(flat.matrix[sample])
    truth = [set(found.ids.tolist()) for found in flat.nearest(queries, _RECALL_AT)]
    probes, recall = max(1, choice.lists // 256), 0.0
    while True:
        found = index._probe(queries, _RECALL_AT, probes, None)
        hits = sum(len(true & set(some.ids.tolist())) for true, some in zip(truth, found, strict=True))
        recall = hits / sum(map(len, truth))
        if recall >= _RECALL_GOAL or probes >= choice.lists:
            logger.info("inverted lists tuned: lists=%d probes=%d recall=%.4f", choice.lists, probes, recall)
            return probes, recall
        probes = min(choice.lists, probes * 2)


def _on_gpu(faiss: ModuleType, flat: FlatIndex) -> Any:
    """A copy of the rows in GPU memory, or None where there is no GPU or too little room."""
    if not device().is_gpu or not len(flat):
        return None
    resources = faiss.StandardGpuResources()
    needed = len(flat) * flat.dimension * 4
    if needed > _GPU_SHARE * faiss.get_num_gpus() * _gpu_memory(faiss):
        logger.warning("vectors of %d bytes are searched on the CPU: too large for the GPU", needed)
        return None
    copy = faiss.GpuIndexFlatIP(resources, flat.dimension)
    for start in range(0, len(flat), 65_536):
        copy.add(np.ascontiguousarray(flat.matrix[start : start + 65_536]))
    copy.referenced_objects = [resources]
    return copy


def _gpu_memory(faiss: ModuleType) -> int:
    return int(faiss.getFreeMemory(0)) if hasattr(faiss, "getFreeMemory") else 0


@functools.cache
def _installed() -> tuple[str, ...]:
    return tuple(name for name in _DISTRIBUTIONS if _is_there(name))


def _is_there(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@functools.cache
def _load() -> ModuleType:
    check_installation()
    try:
        import faiss
    except ModuleNotFoundError as error:
        if error.name != "faiss":
            raise
        raise MissingExtra("faiss", "cpu") from error
    module: ModuleType = faiss
    return module
