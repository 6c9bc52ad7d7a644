"""Labels that the topics learned: of the collection, of a document and its passages."""

from __future__ import annotations

from flask import Response, jsonify

from riparian.types import DocumentId
from web import learned_shapes as shapes
from web.api.blueprint import api
from web.api.params import CollectionPath, DocumentPath
from web.api.topic_analyses import ANALYSES
from web.learned_shapes import LabelledDocumentShape, LearnedShape
from web.wiring import services


@api.get("/collections/<name>/topics/learned", tags=ANALYSES, responses={200: LearnedShape})
def get_learned_labels(path: CollectionPath) -> Response:
    """Labels that the topics learned, how well, and how many documents are told to have each"""
    with services().database.read() as catalog:
        collection_id = catalog.collections.named(path.name).id
    return jsonify(shapes.learned(services().learned.learned(collection_id)).json_value())


@api.get("/documents/<document_id>/topics/learned", tags=ANALYSES, responses={200: LabelledDocumentShape})
def get_document_labels(path: DocumentPath) -> Response:
    """The likeliest labels of a document and of its passages"""
    found = services().learned.of_document(DocumentId(path.document_id))
    return jsonify(shapes.document(found).json_value())
