"""Examples that a head can learn from in a second."""

from __future__ import annotations

import numpy as np

from training.material import Labelled, Tagged

GOOD = "brilliant moving tender gripping wise funny warm graceful".split()
BAD = "dull clumsy shallow tedious bleak noisy stale lazy".split()
PLAIN = "film story scene actor script music ending picture camera cast".split()


def reviews(count: int, seed: int = 1, labels: tuple[str, str] = ("negative", "positive")) -> list[Labelled]:
    """Two plain words around one that tells the label, no two alike."""
    numbers = np.random.default_rng(seed)
    found: dict[str, Labelled] = {}
    while len(found) < count:
        good = bool(numbers.integers(2))
        telling = (GOOD if good else BAD)[numbers.integers(8)]
        words = [PLAIN[numbers.integers(10)] for _ in range(4)]
        text = f"the {words[0]} and the {words[1]} of a {telling} {words[2]} with {words[3]}"
        found[text] = Labelled(text, labels[good])
    return list(found.values())


def tagged(count: int, seed: int = 1) -> list[Tagged]:
    """Names of people after a verb, of places after "in": the word before tells the tag, names serve as both."""
    numbers = np.random.default_rng(seed)
    names, verbs = "Jordan Paris Sydney Florence Austin".split(), "met saw called praised".split()
    found: dict[tuple[str, ...], Tagged] = {}
    while len(found) < count:
        person, place = (
            names[numbers.integers(5)],
            [names[at] for at in numbers.permutation(5)[: numbers.integers(1, 3)]],
        )
        plain = [PLAIN[numbers.integers(10)] for _ in range(2)]
        words = ("we", verbs[numbers.integers(4)], person, "with", *plain, "in", *place, ".")
        tags = ("O", "O", "B-PER", "O", "O", "O", "O", "B-LOC", *["I-LOC"] * (len(place) - 1), "O")
        found[words] = Tagged(words, tags)
    return list(found.values())
