"""Analyses of topics: their tree, time, groups, quality, map; the stretches of a document or of a text of one's own."""

from __future__ import annotations

from flask import Response, jsonify
from pydantic import Field

from riparian.catalog.catalog import Catalog
from riparian.errors import NotFound
from riparian.types import CollectionId, DocumentId, TopicId
from topics.analysis.periods import Unit
from topics.analysis.service import MAP, QUALITY
from web import pasted
from web import topic_analysis_shapes as shapes
from web.api.answers import accepted
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, DocumentPath, Line, Nothing, Parameters, Text, TopicPath
from web.job_shapes import JobShape
from web.topic_analysis_shapes import (
    CloselyShape,
    GroupsShape,
    MapShape,
    OverTimeShape,
    QualityShape,
    StretchesShape,
    TreeShape,
)
from web.wiring import services

ANALYSES = tag("topic analyses", "What topics are like: their tree, time, groups, quality, map.")

LONGEST_TEXT = 1_000_000


class TreeQuery(Parameters):
    level: int | None = Field(None, ge=1, le=500, description="Cut the tree at so many groups; empty for all of it.")


class TimeQuery(Parameters):
    by: Unit | None = Field(None, description="Length of a period; chosen by the span of the dates when empty.")


class GroupsQuery(Parameters):
    by: Line = Field(description="author, type, language, year or meta.<key>.")
    most: int = Field(8, ge=1, le=50, description="Groups at most, those with most documents.")


class PastedBody(Parameters):
    text: Text = Field(min_length=1, max_length=LONGEST_TEXT)


@api.get("/collections/<name>/topics/tree", tags=ANALYSES, responses={200: TreeShape})
def get_topic_tree(path: CollectionPath, query: TreeQuery) -> Response:
    """The topics as a tree, or as the groups of one level of it"""
    root = services().analyses.tree(_collection(path))
    return jsonify(shapes.level(root, query.level).json_value())


@api.get("/collections/<name>/topics/over-time", tags=ANALYSES, responses={200: OverTimeShape})
def get_topics_over_time(path: CollectionPath, query: TimeQuery) -> Response:
    """Shares of the topics in periods, and which change by more than chance"""
    return jsonify(shapes.over_time(services().analyses.over_time(_collection(path), query.by)).json_value())


@api.get("/collections/<name>/topics/groups", tags=ANALYSES, responses={200: GroupsShape})
def get_topic_groups(path: CollectionPath, query: GroupsQuery) -> Response:
    """Which topics the documents of each value of a field have more or less of than the rest"""
    return jsonify(shapes.groups(services().analyses.groups(_collection(path), query.by, query.most)).json_value())


@api.get("/collections/<name>/topics/quality", tags=ANALYSES, responses={200: QualityShape})
def get_topic_quality(path: CollectionPath) -> Response:
    """What the last quality job found; 404 before the first"""
    found = services().analyses.quality(_collection(path))
    if found is None:
        raise NotFound(f"the topics of {path.name!r} were not measured yet; POST to the same address")
    return jsonify(shapes.quality(found).json_value())


@api.post("/collections/<name>/topics/quality", tags=ANALYSES, responses={202: JobShape})
def measure_topics(path: CollectionPath, body: Nothing) -> Response:
    """Queue measuring every topic"""
    return _queued(path, QUALITY)


@api.get("/collections/<name>/topics/map", tags=ANALYSES, responses={200: MapShape})
def get_topic_map(path: CollectionPath) -> Response:
    """Where passages and topics lie on the map; 404 before it is drawn"""
    found = services().analyses.map(_collection(path))
    if found is None:
        raise NotFound(f"the map of {path.name!r} was not drawn yet; POST to the same address")
    return jsonify(shapes.placed(found).json_value())


@api.post("/collections/<name>/topics/map", tags=ANALYSES, responses={202: JobShape})
def draw_topic_map(path: CollectionPath, body: Nothing) -> Response:
    """Queue drawing the map; what is on it keeps its place"""
    return _queued(path, MAP)


@api.post("/collections/<name>/topics/stretches", tags=ANALYSES, responses={200: StretchesShape})
def stretches_of_text(path: CollectionPath, body: PastedBody) -> Response:
    """The stretches of a text of one's own by topic, without adding it"""
    collection_id = _collection(path)
    with services().gate:
        found = pasted.look(services(), collection_id, body.text).stretches
    with services().database.read() as catalog:
        return jsonify(shapes.stretches(found, _labels(catalog, collection_id)).json_value())


@api.get("/documents/<document_id>/topics/stretches", tags=ANALYSES, responses={200: StretchesShape})
def get_document_stretches(path: DocumentPath) -> Response:
    """The stretches of a document by topic, with how sure each is"""
    found = services().analyses.stretches(DocumentId(path.document_id))
    with services().database.read() as catalog:
        labels = _labels(catalog, catalog.documents.get(DocumentId(path.document_id)).collection_id)
    return jsonify(shapes.stretches(found, labels).json_value())


@api.get("/topics/<topic_id>/closely", tags=ANALYSES, responses={200: CloselyShape})
def get_topic_closely(path: TopicPath) -> Response:
    """One topic closely: its neighbours, its doubt, passages at its border, what was measured of it"""
    found = services().analyses.closely(TopicId(path.topic_id))
    return jsonify(shapes.closely(found).json_value())


def _collection(path: CollectionPath) -> CollectionId:
    with services().database.read() as catalog:
        return catalog.collections.named(path.name).id


def _labels(catalog: Catalog, collection_id: CollectionId) -> dict[TopicId, str]:
    model = catalog.topics.active_model(collection_id)
    return {topic.id: topic.label for topic in catalog.topics.of_model(model.id)}


def _queued(path: CollectionPath, kind: str) -> Response:
    with services().database.write() as catalog:
        job = services().analyses.queue(catalog, catalog.collections.named(path.name).id, kind)
    return accepted(job_of(job))
