"""Parquet tables, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from indexer.readers.base import Readings, ReadOptions, Unreadable
from indexer.readers.columns import Rows, choose

_BATCH_ROWS = 256
_SAMPLE_ROWS = 50


def read(path: Path, options: ReadOptions) -> Readings:
    """A document a row. Raises Unreadable where no column looks like text."""
    with pq.ParquetFile(path) as file:
        rows = _rows(file)
        head = list(islice(rows, _SAMPLE_ROWS))
        names = list(file.schema_arrow.names)
        columns = choose(names, options, head) if head else None
        if columns is None:
            raise Unreadable(f"no column looks like text among: {', '.join(names)}; name one as the text column")
        table = Rows(columns)
        for number, row in enumerate(chain(head, rows), start=1):
            yield table.document(row, number)


def _rows(file: Any) -> Iterator[Mapping[str, Any]]:
    for batch in file.iter_batches(batch_size=_BATCH_ROWS):
        yield from batch.to_pylist()
