"""Analyses of topics as JSON, the same in the API and in `--json` of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from pydantic import Field

from riparian.types import TopicId
from topics.analysis import tree
from topics.analysis.doubt import Stretch
from topics.analysis.groups import Compared, Contrast, Group
from topics.analysis.periods import OverTime, Timeline
from topics.analysis.places import Drawn
from topics.analysis.report import Report, TopicQuality
from topics.analysis.service import Closely, Mix
from topics.analysis.tree import Node
from web.shapes import AnswerShape, Shape, SpanShape, span


class NodeShape(Shape):
    """A topic, or topics joined at `height`. `share` and `passages` are sums over the topics below."""

    label: str
    words: list[str]
    share: float
    passages: int
    height: float
    topic: int | None
    children: list[NodeShape]


class TreeShape(Shape):
    """The groups of one level, the largest share first; their shares sum to 1."""

    level: int = Field(description="Number of groups asked for; the number of topics where none was.")
    levels: list[int] = Field(description="Levels worth a look.")
    topics: int
    groups: list[NodeShape]


class PeriodShape(Shape):
    name: str
    first: date
    last: date
    documents: int


class DriverShape(Shape):
    document: int
    period: int = Field(description="Place in `periods`.")
    weight: float
    part: float = Field(description="Of the topic's whole spread between periods.")


class PeriodWordShape(Shape):
    """A word of a topic in a period: its part of the topic's words then, and that over its part at all times."""

    word: str
    share: float
    times: float


class TimelineShape(Shape):
    """A topic's share in each period, null where no document is dated in it; and whether that changes."""

    topic: int
    label: str
    share: float
    shares: list[float | None]
    trend: float = Field(description="Correlation of the topic's weight with the rank of the date.")
    p_spread: float
    p_trend: float
    q: float = Field(description="Adjusted over topics (Benjamini-Hochberg).")
    changes: bool
    high: list[int]
    low: list[int]
    drivers: list[DriverShape]
    words: list[list[PeriodWordShape]] = Field(
        description="For each period the words that mark the topic then, best first; none where it holds too little."
    )


class OverTimeShape(Shape):
    unit: str
    periods: list[PeriodShape]
    topics: list[TimelineShape]
    documents: int
    undated: int
    permutations: int


class ContrastShape(Shape):
    topic: int
    label: str
    share: float
    rest: float
    log_odds: float
    low: float
    high: float
    p: float
    q: float
    differs: bool


class GroupShape(Shape):
    value: str
    documents: int
    topics: list[ContrastShape]


class GroupsShape(Shape):
    field: str
    groups: list[GroupShape]
    documents: int
    left: int
    permutations: int


class MixedTopicShape(Shape):
    topic: int
    label: str
    share: float = Field(description="Mean of the topic's weight over the documents.")
    documents: int = Field(description="Documents with a passage that is mainly about it.")


class MixShape(Shape):
    """The topics of exactly the documents that the answer counts; shares sum to 1."""

    topics: list[MixedTopicShape]
    documents: int
    without: int = Field(description="Counted documents that have no topics yet.")


class MixedAnswerShape(AnswerShape):
    """A search answer; `topic_mix` only where it was asked for."""

    topic_mix: MixShape | None = None


class StretchShape(Shape):
    span: SpanShape
    topic: int
    label: str
    weight: float
    margin: float = Field(description="The largest weight minus the second: 0 could be either.")
    entropy: float = Field(description="0 for one topic, 1 for all alike.")
    passages: list[int]


class StretchesShape(Shape):
    stretches: list[StretchShape]


class BinShape(Shape):
    low: float
    high: float
    topics: int
    forecast: float
    observed: float


class TopicQualityShape(Shape):
    topic: int
    npmi: float | None
    npmi_held_out: float | None
    own_words: float
    exclusivity: float
    stability: float
    low: float
    high: float
    observed: float
    phrases: list[str]
    sentence: str


class QualityShape(Shape):
    """What the quality job found. `error` is how far the forecast of stability was off in fresh draws, of which `noise`
    is the draws' own."""

    made: str
    passages: int
    draws: int
    fresh: int
    error: float
    noise: float
    bias: float
    bins: list[BinShape]
    topics: list[TopicQualityShape]


class NearShape(Shape):
    topic: int
    label: str
    similarity: float


class BorderlineShape(Shape):
    passage: int
    document: int
    text: str
    weight: float
    other: int
    other_label: str
    margin: float


class CloselyShape(Shape):
    """One topic looked at closely; `quality` is null before the quality job."""

    topic: int
    doubt: float
    own_words: float
    nearest: list[NearShape]
    borderline: list[BorderlineShape]
    quality: TopicQualityShape | None


class MapTopicShape(Shape):
    topic: int
    label: str
    x: float
    y: float


class MapShape(Shape):
    """Passages on a map: `points` are [passage, x, y, main topic], topics lie in the median of their passages."""

    method: str
    kept: int
    moved: float
    topics: list[MapTopicShape]
    points: list[tuple[int, float, float, int]]


# ------------------------------------------------------------------------------ from values to shapes


def node(value: Node) -> NodeShape:
    return NodeShape(
        label=value.label,
        words=list(value.words),
        share=value.share,
        passages=value.passages,
        height=value.height,
        topic=value.topic.id if value.topic else None,
        children=[node(child) for child in value.children],
    )


def level(root: Node, groups: int | None) -> TreeShape:
    """The tree cut at so many groups; None gives the whole tree as one group."""
    number = len(list(root.topics()))
    found = [root] if groups is None else tree.cut(root, groups)
    return TreeShape(level=len(found), levels=tree.levels(number), topics=number, groups=[node(one) for one in found])


def over_time(value: OverTime) -> OverTimeShape:
    return OverTimeShape(
        unit=value.unit,
        periods=[PeriodShape(name=p.name, first=p.first, last=p.last, documents=p.documents) for p in value.periods],
        topics=[timeline(line) for line in value.timelines],
        documents=value.documents,
        undated=value.undated,
        permutations=value.permutations,
    )


def timeline(value: Timeline) -> TimelineShape:
    return TimelineShape(
        topic=value.topic.id,
        label=value.topic.label,
        share=value.share,
        shares=list(value.shares),
        trend=value.trend,
        p_spread=value.p_spread,
        p_trend=value.p_trend,
        q=value.q,
        changes=value.changes,
        high=list(value.high),
        low=list(value.low),
        drivers=[
            DriverShape(document=d.document_id, period=d.period, weight=d.weight, part=d.part) for d in value.drivers
        ],
        words=[[PeriodWordShape(word=w.word, share=w.share, times=w.times) for w in words] for words in value.words],
    )


def groups(value: Compared) -> GroupsShape:
    return GroupsShape(
        field=value.field,
        groups=[_group(one) for one in value.groups],
        documents=value.documents,
        left=value.left,
        permutations=value.permutations,
    )


def _group(value: Group) -> GroupShape:
    return GroupShape(value=value.value, documents=value.documents, topics=[_contrast(one) for one in value.contrasts])


def _contrast(value: Contrast) -> ContrastShape:
    return ContrastShape(
        topic=value.topic.id,
        label=value.topic.label,
        share=value.share,
        rest=value.rest,
        log_odds=value.log_odds,
        low=value.low,
        high=value.high,
        p=value.p,
        q=value.q,
        differs=value.differs,
    )


def mix(value: Mix) -> MixShape:
    return MixShape(
        topics=[
            MixedTopicShape(topic=part.topic_id, label=part.label, share=part.share, documents=part.documents)
            for part in value.parts
        ],
        documents=value.documents,
        without=value.without,
    )


def stretches(value: Sequence[Stretch], labels: Mapping[TopicId, str]) -> StretchesShape:
    return StretchesShape(
        stretches=[
            StretchShape(
                span=span(one.span),
                topic=one.topic_id,
                label=labels[one.topic_id],
                weight=one.weight,
                margin=one.doubt.margin,
                entropy=one.doubt.entropy,
                passages=[int(p) for p in one.passages],
            )
            for one in value
        ]
    )


def quality(value: Report) -> QualityShape:
    return QualityShape(
        made=value.made,
        passages=value.passages,
        draws=value.draws,
        fresh=value.fresh,
        error=value.error,
        noise=value.noise,
        bias=value.bias,
        bins=[
            BinShape(low=b.low, high=b.high, topics=b.topics, forecast=b.forecast, observed=b.observed)
            for b in value.bins
        ],
        topics=[_quality(topic, found) for topic, found in value.topics.items()],
    )


def _quality(topic: TopicId, found: TopicQuality) -> TopicQualityShape:
    return TopicQualityShape(
        topic=topic,
        npmi=found.npmi,
        npmi_held_out=found.npmi_held_out,
        own_words=found.own_words,
        exclusivity=found.exclusivity,
        stability=found.stability,
        low=found.low,
        high=found.high,
        observed=found.observed,
        phrases=list(found.phrases),
        sentence=found.sentence,
    )


def closely(value: Closely) -> CloselyShape:
    return CloselyShape(
        topic=value.topic.id,
        doubt=value.doubt,
        own_words=value.own_words,
        nearest=[NearShape(topic=t.id, label=t.label, similarity=similarity) for t, similarity in value.nearest],
        borderline=[
            BorderlineShape(
                passage=passage.id, document=passage.document_id, text=passage.text, weight=one.weight,
                other=other.id, other_label=other.label, margin=one.margin,
            )
            for passage, one, other in value.borderline
        ],
        quality=_quality(value.topic.id, value.quality) if value.quality else None,
    )  # fmt: skip


def placed(value: Drawn) -> MapShape:
    points = zip(value.map.passages.tolist(), value.map.places.tolist(), value.main.tolist(), strict=True)
    return MapShape(
        method=value.map.method,
        kept=value.map.kept,
        moved=value.map.moved,
        topics=[MapTopicShape(topic=t, label=value.labels[t], x=x, y=y) for t, (x, y) in value.topics.items()],
        points=[(passage, round(x, 4), round(y, 4), topic) for passage, (x, y), topic in points],
    )
