"""What curated topics become under a new fit: who keeps its id, and with it label, note, pins and place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from riparian.catalog.curation import StoredTopic
from riparian.types import PassageId, TopicId
from topics.corpus import Corpus
from topics.curation.edits import Curated, TopicState
from topics.discover import Described
from topics.refit.guiding import Guided
from topics.refit.matching import AGREE, Matched


@dataclass(frozen=True, slots=True)
class Carried:
    """The topics that the new model begins with. `parts` gives each base topic its id; those that are new have ids
    below 0 in it, -1 - number, until the catalog gives them one. `vanished` are not carried on."""

    topics: Mapping[TopicId, TopicState]
    parts: Mapping[int, TopicId]
    vanished: tuple[TopicId, ...]

    def numbered(self, ids: Mapping[TopicId, TopicId]) -> Carried:
        topics = {
            ids.get(key, key): replace(state, topic=replace(state.topic, id=ids.get(key, key)))
            for key, state in self.topics.items()
        }
        return Carried(topics, {number: ids.get(key, key) for number, key in self.parts.items()}, self.vanished)


def carry(
    curated: Curated,
    guided: Guided,
    settled: Mapping[TopicId, frozenset[int]],
    matched: Matched,
    described: Sequence[Described],
    found: Corpus,
) -> Carried:
    """A matched topic keeps all that people gave it, and its label where they named it, settled passages in it, or the
    words agree. One without a match stays only where passages were settled in it, and holds those."""
    by_number = {topic.number: topic for topic in described}
    states: dict[TopicId, TopicState] = {}
    for topic, number in matched.best.items():
        states[topic] = _kept(curated.topics[topic], settled[topic], by_number[number], matched.words[number], found)
    lost = [topic for topic in guided.topics if topic not in matched.best]
    held = [topic for topic in lost if settled[topic]]
    for place, topic in enumerate(held):
        old = curated.topics[topic]
        stays = replace(old.topic, number=len(described) + place)
        states[topic] = replace(old, topic=stays, kept=settled[topic] - old.pins - old.moved)
    taken = {state.topic.label for state in states.values()}
    parts = dict(matched.parts)
    for number in sorted(by_number.keys() - matched.parts.keys()):
        parts[number] = TopicId(-1 - number)
        states[parts[number]] = _new(number, by_number[number], guided, matched, found, taken)
        taken.add(states[parts[number]].topic.label)
    return Carried(states, parts, tuple(topic for topic in lost if not settled[topic]))


def _kept(old: TopicState, settled: frozenset[int], new: Described, agreement: float, found: Corpus) -> TopicState:
    same = old.topic.named or bool(settled) or agreement >= AGREE
    topic = replace(
        old.topic,
        number=new.number,
        label=old.topic.label if same else new.label,
        terms=new.terms,
        coherence=new.coherence,
        representatives=_passages(new, found),
    )
    return replace(old, topic=topic, kept=settled - old.pins - old.moved)


def _new(number: int, new: Described, guided: Guided, matched: Matched, found: Corpus, taken: set[str]) -> TopicState:
    wish = number - len(guided.topics)
    origin: dict[str, object] = {"by": "refit"}
    if number in matched.within:
        origin["from"] = int(matched.within[number])
    topic = StoredTopic(
        TopicId(-1 - number), number, _free(new.label, taken), new.terms, new.coherence, _passages(new, found),
        origin=origin,
    )  # fmt: skip
    if not 0 <= wish < len(guided.wishes) or not _speaks_of(new, guided.wishes[wish].words):
        return TopicState(topic)
    wished = guided.wishes[wish]
    named = replace(topic, label=_free(wished.label, taken), named=True, origin={"by": "seed"})
    return TopicState(named, seeds=wished.words)


def _speaks_of(topic: Described, words: Sequence[str]) -> bool:
    """Whether the topic holds any of the words that it was wished for with."""
    parts = {part for word in words for part in word.lower().split()}
    return bool(parts & {term.term for term in topic.terms})


def _passages(topic: Described, found: Corpus) -> tuple[PassageId, ...]:
    return tuple(PassageId(int(found.passages[row])) for row in topic.representatives)


def _free(label: str, taken: set[str]) -> str:
    number, free = 2, label
    while free in taken:
        free, number = f"{label} ({number})", number + 1
    return free
