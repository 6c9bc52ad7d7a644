"""Base posteriors, edits, and what topics were before them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from riparian.catalog import curation_rows  # noqa: F401  its tables belong to the schema


class Curation:
    def __init__(self, session: Session) -> None:
        self._session = session
