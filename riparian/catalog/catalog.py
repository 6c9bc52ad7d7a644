"""One transaction's view of the catalog, in parts named by what they hold."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import text
from sqlalchemy.orm import Session

from riparian.catalog.collections import Collections
from riparian.catalog.curation import Curation
from riparian.catalog.documents import Documents
from riparian.catalog.encoders import Encoders
from riparian.catalog.events import Events
from riparian.catalog.facets import Facets
from riparian.catalog.files import Files
from riparian.catalog.judgments import Judgments
from riparian.catalog.lexical import LexicalChanges
from riparian.catalog.passages import Passages
from riparian.catalog.reading import ReadingList
from riparian.catalog.relevance import Calibrations, StateParts
from riparian.catalog.saved import SavedSearches
from riparian.catalog.senses import Senses
from riparian.catalog.topic_analyses import TopicAnalyses
from riparian.catalog.topics import Topics
from riparian.catalog.vectors import Vectors


class Catalog:
    """`catalog.documents.get(id)`, `catalog.vectors.pending(…)`, …; answers with `riparian.types`, never rows."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def ping(self) -> None:
        """Raises when the database does not answer."""
        self.session.execute(text("SELECT 1"))

    @cached_property
    def collections(self) -> Collections:
        return Collections(self.session)

    @cached_property
    def encoders(self) -> Encoders:
        return Encoders(self.session)

    @cached_property
    def files(self) -> Files:
        return Files(self.session)

    @cached_property
    def documents(self) -> Documents:
        return Documents(self.session)

    @cached_property
    def passages(self) -> Passages:
        return Passages(self.session)

    @cached_property
    def vectors(self) -> Vectors:
        return Vectors(self.session)

    @cached_property
    def lexical(self) -> LexicalChanges:
        return LexicalChanges(self.session)

    @cached_property
    def facets(self) -> Facets:
        return Facets(self.session)

    @cached_property
    def topics(self) -> Topics:
        return Topics(self.session)

    @cached_property
    def topic_analyses(self) -> TopicAnalyses:
        return TopicAnalyses(self.session)

    @cached_property
    def curation(self) -> Curation:
        return Curation(self.session)

    @cached_property
    def events(self) -> Events:
        return Events(self.session)

    @cached_property
    def state_parts(self) -> StateParts:
        return StateParts(self.session)

    @cached_property
    def calibrations(self) -> Calibrations:
        return Calibrations(self.session)

    @cached_property
    def judgments(self) -> Judgments:
        return Judgments(self.session)

    @cached_property
    def saved(self) -> SavedSearches:
        return SavedSearches(self.session)

    @cached_property
    def reading(self) -> ReadingList:
        return ReadingList(self.session)

    @cached_property
    def senses(self) -> Senses:
        return Senses(self.session)
