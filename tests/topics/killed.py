"""`python -m tests.topics.killed DATA FAILPOINT` fits the collection "c" of a SQLite catalog, or refits it or applies
the refit where the failpoint lies there, and dies on the way."""

from __future__ import annotations

import sys
from pathlib import Path

from riparian.catalog.engine import Database, connect
from riparian.config import Settings
from riparian.encoders.pool import EncoderPool
from riparian.failpoints import arm
from riparian.vectors.store import VectorStore
from tests.conftest import ENCODER
from topics.curation.service import CurationService
from topics.refit.service import RefitService
from topics.service import TopicService


def main() -> None:
    data_dir, name = Path(sys.argv[1]), sys.argv[2]
    database = Database(connect(f"sqlite:///{data_dir / 'catalog.sqlite'}"))
    settings = Settings(data_dir=data_dir, encoder=ENCODER)
    service = TopicService(database, EncoderPool(data_dir / "cache"), VectorStore(database, data_dir), settings)
    with database.read() as catalog:
        collection = catalog.collections.named("c")
    curation = CurationService(database, VectorStore(database, data_dir), service.vocabulary)
    refits = RefitService(database, service, curation, settings)
    arm(name)
    if name == "refit.published":
        refits.refit(collection.id)
    elif name.startswith("refit."):
        refits.apply(collection.id)
    else:
        service.fit(collection.id, topics=3)


if __name__ == "__main__":
    main()
