"""Refits, drift, codebooks and agreement as JSON, the same in the API and in `--json` of the command line."""

from __future__ import annotations

from pydantic import Field

from topics.curation.agreement import Agreement
from topics.curation.importing import Taken
from topics.refit.drift import Drift
from topics.refit.service import Proposal
from web import topic_shapes
from web.curation_shapes import EditShape, EffectShape
from web.shapes import Shape
from web.topic_shapes import TermShape, TopicModelShape


class KeptTopicShape(Shape):
    """A topic that the refit knows again; `came` and `went` are words, `moved` the part of its passages it loses."""

    id: int
    label: str
    label_before: str
    came: list[str]
    went: list[str]
    passages_before: int
    passages: int
    moved: float


class NewThemeShape(Shape):
    number: int
    label: str
    words: list[str]
    passages: int
    split_from: str


class VanishedShape(Shape):
    id: int
    label: str
    passages: int
    into: str


class ProposalShape(Shape):
    """A refit that waits to be applied."""

    model: TopicModelShape
    stale: bool = Field(description="The topics were changed since; it can no longer be applied.")
    kept: list[KeptTopicShape]
    new: list[NewThemeShape]
    vanished: list[VanishedShape]
    passages: int
    moved: float = Field(description="Part of the passages whose main topic changes.")
    settled: int = Field(description="Passages that people pinned or moved, and all of pinned topics.")
    settled_kept: float = Field(description="Part of those whose topic and label stay.")
    quality_before: dict[str, float]
    quality: dict[str, float]
    notes: list[str]


class ThemeShape(Shape):
    """A theme that the topics lack; `passages` are the most typical, `size` is how many there are."""

    label: str
    words: list[TermShape]
    passages: list[int]
    size: int


class DriftShape(Shape):
    """How what came since the fit differs from what the topics were found in."""

    documents: int
    passages: int
    drifted: bool
    doubtful_at_fit: float
    doubtful: float
    distance_at_fit: float
    distance: float
    farther: float = Field(description="How often a document since lies farther out than one of the fit; 0.5: alike.")
    company: float = Field(description="Part of the ten nearest neighbours of new passages that are new, too.")
    company_by_chance: float = Field(description="What that would be without drift.")
    chance: float = Field(description="How often chance gives as much.")
    themes: list[ThemeShape]


class TakenShape(Shape):
    """What became of a codebook: topics met, made and wished for; passages placed, and left without a place."""

    edit: EditShape
    effect: EffectShape
    met: int
    made: int
    wished: int
    passages: int
    passages_left: int


class ApartShape(Shape):
    first: str
    second: str
    passages: int


class AgreementShape(Shape):
    """Cohen's kappa over the passages that both curators put somewhere."""

    kappa: float
    observed: float
    expected: float
    passages: int
    only_first: int
    only_second: int
    apart: list[ApartShape]


def proposal(value: Proposal) -> ProposalShape:
    report = value.report.data()
    return ProposalShape(model=topic_shapes.topic_model(value.model), stale=value.stale, **report)


def drift(value: Drift) -> DriftShape:
    return DriftShape(
        documents=value.documents, passages=value.passages, drifted=value.drifted,
        doubtful_at_fit=value.doubtful_at_fit, doubtful=value.doubtful, distance_at_fit=value.distance_at_fit,
        distance=value.distance, farther=value.farther, company=value.company,
        company_by_chance=value.company_by_chance, chance=value.chance,
        themes=[
            ThemeShape(
                label=theme.label, words=[TermShape(word=t.term, weight=t.weight) for t in theme.words],
                passages=[int(p) for p in theme.passages], size=theme.size,
            )
            for theme in value.themes
        ],
    )  # fmt: skip


def taken(edit: EditShape, effect: EffectShape, value: Taken) -> TakenShape:
    return TakenShape(
        edit=edit, effect=effect, met=value.met, made=value.made, wished=value.wished, passages=value.passages,
        passages_left=value.passages_left,
    )  # fmt: skip


def agreement(value: Agreement) -> AgreementShape:
    return AgreementShape(
        kappa=value.kappa, observed=value.observed, expected=value.expected, passages=value.passages,
        only_first=value.only_first, only_second=value.only_second,
        apart=[ApartShape(first=a, second=b, passages=n) for a, b, n in value.apart],
    )  # fmt: skip
