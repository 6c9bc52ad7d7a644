"""How well a tagger does on held-out sentences, and how well a plain guess does. Pure but for the tagger's own work."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from riparian.encoders.cvt.corpus import Corpus, Example
from riparian.encoders.cvt.objective import NO_TAG
from riparian.encoders.cvt.words import form


class Tagger(Protocol):
    """Tags every word of each sentence."""

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[tuple[str, ...]]: ...


def judged(tagger: Tagger, corpus: Corpus) -> dict[str, float | int]:
    """Counts of held-out words with a tag, and the share of them that is tagged right: by the tagger, by the commonest
    tag of the labelled sentences, and by each word's commonest tag there (the commonest of all for a new word)."""
    numbers = {tag: at for at, tag in enumerate(corpus.tags)}
    found = [[numbers[tag] for tag in tags] for tags in tagger.tag([example.words for example in corpus.held_out])]
    plain, by_word = commonest(corpus.labelled)
    guesses = [[by_word.get(form(word), plain) for word in example.words] for example in corpus.held_out]
    return {
        "held_out_sentences": len(corpus.held_out),
        "held_out_words": sum(tag != NO_TAG for example in corpus.held_out for tag in example.tags),
        "accuracy": accuracy(found, corpus.held_out),
        "accuracy_commonest_tag": accuracy(([plain] * len(e.words) for e in corpus.held_out), corpus.held_out),
        "accuracy_commonest_tag_of_the_word": accuracy(guesses, corpus.held_out),
    }


def commonest(examples: Iterable[Example]) -> tuple[int, dict[str, int]]:
    """The commonest tag, and that of each word; of equally common ones the lower number."""
    counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for example in examples:
        for word, tag in zip(example.words, example.tags, strict=True):
            if tag != NO_TAG:
                counted[form(word)][tag] += 1
    of_all: Counter[int] = Counter()
    for counts in counted.values():
        of_all.update(counts)
    return _most(of_all), {word: _most(counts) for word, counts in counted.items()}


def accuracy(found: Iterable[Sequence[int]], examples: Sequence[Example]) -> float:
    """Over the words that have a tag."""
    pairs = [
        (guess, tag)
        for tags, example in zip(found, examples, strict=True)
        for guess, tag in zip(tags, example.tags, strict=True)
        if tag != NO_TAG
    ]
    return round(sum(guess == tag for guess, tag in pairs) / len(pairs), 4)


def _most(counts: Counter[int]) -> int:
    return min(counts, key=lambda tag: (-counts[tag], tag))
