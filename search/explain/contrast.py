"""Why one passage lies above another: their explanations, subtracted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from riparian.text import fold
from search.explain.records import Contrast, Difference, Explanation, Meaning, Placing, WordShare

REST = "·"
"""Label of what belongs to no word: special tokens, signs."""


def contrast(first: Explanation, second: Explanation) -> Contrast:
    """Both must answer the same query. Differences sum to the difference of the cosines, the BM25 scores and the final
    scores."""
    return Contrast(
        first=first,
        second=second,
        by_query=_differences(_query_shares(first.meaning), _query_shares(second.meaning)),
        by_word=_differences(_word_shares(first.meaning), _word_shares(second.meaning)),
        by_term=_differences(_term_scores(first), _term_scores(second)),
        by_retriever=_differences(_given(first.placing), _given(second.placing)),
    )


def _differences(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[Difference, ...]:
    labels = dict.fromkeys([*first, *second])
    found = [Difference(label, first.get(label, 0.0), second.get(label, 0.0)) for label in labels]
    return tuple(sorted(found, key=lambda one: -abs(one.gap)))


def _query_shares(meaning: Meaning | None) -> dict[str, float]:
    return {} if meaning is None else _by_label(meaning.query, meaning.query_rest)


def _word_shares(meaning: Meaning | None) -> dict[str, float]:
    return {} if meaning is None else _by_label(meaning.passage, meaning.rest)


def _by_label(shares: Iterable[WordShare], rest: float) -> dict[str, float]:
    """Equal words together, and everything without a letter or digit as the rest."""
    return _summed([*((_label(one.text), one.share) for one in shares), (REST, rest)])


def _label(text: str) -> str:
    return fold(text) if any(sign.isalnum() for sign in text) else REST


def _term_scores(explanation: Explanation) -> dict[str, float]:
    return _summed((one.term, one.score) for one in (explanation.terms.terms if explanation.terms else ()))


def _summed(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for label, value in pairs:
        found[label] = found.get(label, 0.0) + value
    return found


def _given(placing: Placing) -> dict[str, float]:
    found: dict[str, float] = {one.part.retriever: one.adds for one in placing.given}
    return {**found, "re-ranking": placing.other} if abs(placing.other) > 1e-9 else {**found}
