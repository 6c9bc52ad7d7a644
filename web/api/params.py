"""What requests may say: paths, queries and bodies shared by several routes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_ID = 2**63 - 1
LIMIT = 1000
FILTERS = (
    "Conditions that all must hold: `author:Smith`, `language:en,de`, `date>=2001-05`, `path:reports/`, `type:pdf`, "
    "`title:flood`, `topic:12`, `sense:3`, `meta.tags:budget`, `author:` (has none)."
)


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not hold the character NUL")
    return value


Line = Annotated[str, Field(max_length=1000), AfterValidator(_without_nul)]
Text = Annotated[str, AfterValidator(_without_nul)]
Id = Annotated[int, Field(ge=1, le=MAX_ID)]
SmallId = Annotated[int, Field(ge=1, le=2**31 - 1)]  # topics and jobs are numbered by 32 bits


class Parameters(BaseModel):
    """The base: an unknown name is refused, so that a slip of the pen is seen."""

    model_config = ConfigDict(extra="forbid")


class CollectionPath(BaseModel):
    name: Line = Field(description="The collection's name.")


class DocumentPath(BaseModel):
    document_id: Id


class PassagePath(BaseModel):
    passage_id: Id


class TopicPath(BaseModel):
    topic_id: SmallId


class JobPath(BaseModel):
    job_id: SmallId


class Paging(Parameters):
    limit: int = Field(50, ge=1, le=LIMIT, description="How many at most.")
    cursor: Line = Field("", description="The `next` of the page before; empty for the first page.")


class FilteredPaging(Paging):
    filter: list[Line] = Field(
        default_factory=list,
        max_length=20,
        description=FILTERS,
    )


class Nothing(Parameters):
    """An empty JSON object."""


Metadata = dict[str, Any]
