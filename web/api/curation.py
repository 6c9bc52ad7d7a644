"""Curation of topics: edits, their history, refits, drift, codebooks."""

from __future__ import annotations

from typing import Literal

from flask import Response, jsonify
from flask_openapi3.types import ResponseDict
from pydantic import Field

from riparian.types import CollectionId
from topics.asked import MOST_WORDS, AskedAgain
from topics.curation import agreement as agreements
from topics.curation import codebook as codebooks
from web import curation_shapes, topic_shapes
from web import refit_shapes as refitted
from web.api import paging
from web.api.answers import accepted, no_content
from web.api.blueprint import api, tag
from web.api.collections import job_of
from web.api.params import CollectionPath, Line, Nothing, Paging, Parameters, SmallId, Text
from web.api.params import Id as PassageNumber
from web.curating import Asked, request_of
from web.curation_shapes import EditedShape, EditShape, HistoryShape
from web.job_shapes import JobShape
from web.refit_shapes import AgreementShape, DriftShape, ProposalShape, TakenShape
from web.topic_shapes import TopicModelShape
from web.wiring import services

CURATION = tag("curation", "Topics changed by people, and refits that keep what they did.")

LONGEST_BOOK = 20_000_000
MOST_PASSAGES = 10_000

Form = Literal["json", "csv", "skos"]

_CODEBOOK: ResponseDict = {
    200: {
        "description": "A codebook.",
        "content": {media: {"schema": {"type": "string"}} for media in codebooks.MEDIA_TYPES.values()},
    }
}


class Signed(Parameters):
    author: Line = Field("", max_length=100, description="Who; the configured user when empty.")
    reason: Line = Field("", description="Why, for the history.")


class EditBody(Signed):
    """Each kind takes its part: rename topic, label · merge topics, into · split topic, parts · move passages, to or
    label · pin and unpin topic or passages · seed words, topic or label · hide topic, hidden · note topic, note."""

    kind: Literal["rename", "merge", "split", "move", "pin", "unpin", "seed", "hide", "note"]
    topic: SmallId | None = None
    topics: list[SmallId] = Field(default_factory=list, max_length=500)
    into: SmallId | None = None
    parts: int = Field(2, ge=2, le=50)
    passages: list[PassageNumber] = Field(default_factory=list, max_length=MOST_PASSAGES)
    to: SmallId | None = None
    label: Line = Field("", max_length=200)
    words: list[Line] = Field(default_factory=list, max_length=50)
    note: Text = Field("", max_length=10_000)
    hidden: bool = True
    preview: bool = Field(False, description="Tell what it would change, and change nothing.")

    def asked(self) -> Asked:
        return Asked(
            self.kind, self.topic, self.topics, self.into, self.parts, self.passages, self.to, self.label, self.words,
            self.note, self.hidden,
        )  # fmt: skip


class RefitBody(Parameters):
    topics: int | None = Field(None, ge=2, le=500, description="How many at least; as many as there are when empty.")
    kind: Line | None = Field(None, description="Kind of model; that of the topics shown when empty.")
    seed: int | None = Field(None, ge=0, le=2**31 - 1, description="As before when empty.")
    labels: str | None = Field(
        None, max_length=1000, description="Field of documents to learn; as before when null, none when empty."
    )
    words: int | None = Field(None, ge=1, le=MOST_WORDS, description="Size of the vocabulary; as before when empty.")
    options: dict[str, bool | int | float | str] | None = Field(
        None, description="Settings of the kind; as before when empty."
    )


class CodebookQuery(Parameters):
    format: Form = "json"


class CodebookBody(Signed):
    format: Form = "json"
    text: Text = Field(min_length=1, max_length=LONGEST_BOOK)


class AgreementBody(Parameters):
    format: Form = "json"
    first: Text = Field(min_length=1, max_length=LONGEST_BOOK)
    second: Text = Field(min_length=1, max_length=LONGEST_BOOK)


# ------------------------------------------------------------------------------ edits


@api.post("/collections/<name>/topics/edits", tags=CURATION, responses={200: EditedShape})
def edit_topics(path: CollectionPath, body: EditBody) -> Response:
    """Change topics, or tell what a change would do"""
    curation, collection, request = services().curation, _collection(path), request_of(body.asked())
    if body.preview:
        return jsonify(curation_shapes.edited(None, curation.preview(collection, request)).json_value())
    stored, effect = curation.edit(collection, request, author=_author(body), reason=body.reason)
    return jsonify(curation_shapes.edited(stored, effect).json_value())


@api.get("/collections/<name>/topics/edits", tags=CURATION, responses={200: HistoryShape})
def list_topic_edits(path: CollectionPath, query: Paging) -> Response:
    """Who changed the topics, when and why"""
    begin = paging.decode(query.cursor)
    found = services().curation.history(_collection(path), limit=query.limit + 1, offset=begin)
    cursor = paging.encode(begin + query.limit) if len(found) > query.limit else None
    answer = HistoryShape(edits=[curation_shapes.edit(edit) for edit in found[: query.limit]], next=cursor)
    return paging.link_next(jsonify(answer.json_value()), cursor)


@api.post("/collections/<name>/topics/undo", tags=CURATION, responses={200: EditShape})
def undo_topic_edit(path: CollectionPath, body: Nothing) -> Response:
    """Take the last edit back"""
    return jsonify(curation_shapes.edit(services().curation.undo(_collection(path))).json_value())


@api.post("/collections/<name>/topics/redo", tags=CURATION, responses={200: EditShape})
def redo_topic_edit(path: CollectionPath, body: Nothing) -> Response:
    """Make the edit again that was taken back last"""
    return jsonify(curation_shapes.edit(services().curation.redo(_collection(path))).json_value())


# ------------------------------------------------------------------------------ refits


@api.post("/collections/<name>/topics/refit", tags=CURATION, responses={202: JobShape})
def refit_topics(path: CollectionPath, body: RefitBody) -> Response:
    """Queue a refit under all that people changed; it is proposed, not shown"""
    again = AskedAgain(body.kind, body.topics, body.seed, body.options, body.labels, body.words)
    job = services().refits.queue(_collection(path), again)
    return accepted(job_of(job))


@api.get("/collections/<name>/topics/proposal", tags=CURATION, responses={200: ProposalShape})
def get_topic_proposal(path: CollectionPath) -> Response:
    """What the refit that waits would change"""
    return jsonify(refitted.proposal(services().refits.proposal(_collection(path))).json_value())


@api.delete("/collections/<name>/topics/proposal", tags=CURATION, responses={204: None})
def discard_topic_proposal(path: CollectionPath) -> Response:
    """Throw the proposed refit away"""
    services().refits.discard(_collection(path))
    return no_content()


@api.post("/collections/<name>/topics/apply", tags=CURATION, responses={200: TopicModelShape})
def apply_topic_proposal(path: CollectionPath, body: Signed) -> Response:
    """Show the proposed topics"""
    info = services().apply_refit(_collection(path), author=_author(body), reason=body.reason)
    return jsonify(topic_shapes.topic_model(info).json_value())


@api.post("/collections/<name>/topics/rollback", tags=CURATION, responses={200: TopicModelShape})
def roll_topics_back(path: CollectionPath, body: Signed) -> Response:
    """Show the topics before the last refit again"""
    info = services().refits.rollback(_collection(path), author=_author(body), reason=body.reason)
    return jsonify(topic_shapes.topic_model(info).json_value())


@api.get("/collections/<name>/topics/drift", tags=CURATION, responses={200: DriftShape})
def get_topic_drift(path: CollectionPath) -> Response:
    """Whether the topics still fit what came since they were found"""
    parts, collection = services(), _collection(path)
    with parts.gate:
        found = parts.drift.drift(collection)
    return jsonify(refitted.drift(found).json_value())


# ------------------------------------------------------------------------------ codebooks


@api.get("/collections/<name>/topics/codebook", tags=CURATION, responses=_CODEBOOK)
def get_codebook(path: CollectionPath, query: CodebookQuery) -> Response:
    """The topics with all that people said of them, as a file"""
    text = codebooks.write(services().curation.codebook(_collection(path)), query.format)
    return Response(text, mimetype=codebooks.MEDIA_TYPES[query.format])


@api.post("/collections/<name>/topics/codebook", tags=CURATION, responses={200: TakenShape})
def take_codebook(path: CollectionPath, body: CodebookBody) -> Response:
    """Make the topics say what a codebook says, as one edit"""
    book = codebooks.read(body.text, body.format)
    edit, effect, taken = services().curation.take_codebook(
        _collection(path), book, author=_author(body), reason=body.reason
    )
    answer = refitted.taken(curation_shapes.edit(edit), curation_shapes.effect(effect), taken)
    return jsonify(answer.json_value())


@api.post("/topics/agreement", tags=CURATION, responses={200: AgreementShape})
def compare_codebooks(body: AgreementBody) -> Response:
    """How far two codebooks agree: Cohen's kappa"""
    books = [codebooks.read(text, body.format) for text in (body.first, body.second)]
    return jsonify(refitted.agreement(agreements.agreement(*books)).json_value())


def _collection(path: CollectionPath) -> CollectionId:
    with services().database.read() as catalog:
        return catalog.collections.named(path.name).id


def _author(body: Signed) -> str:
    return body.author or services().settings.author
