"""Evaluation sets for topic models, and scores of words and groups. Pure functions; what every topic benchmark shares.

20 Newsgroups is prepared as topic models are usually measured on it: bodies without quotations and signatures, lower
case words of three letters and more without English stop words, the 2,000 words that most training posts hold, posts
of five such words or more. Coherence equals gensim's `CoherenceModel` to seven digits, gensim's way of sliding a
window included.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from topics.base import BagOfWords

Rows = NDArray[np.int64]
Reals = NDArray[np.float64]

TOP = 10
FEWEST_WORDS = 5
_EPSILON = 1e-12

# ------------------------------------------------------------------------------ texts


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts with their ids and class labels ("" where there is none)."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def read_texts(path: Path, split: str | None = None) -> Texts:
    """Any JSONL (.gz) file with `text` and, where there is one, `label` (a string, or a list whose first counts). With
    `split` the rows alone whose field of that name is it."""
    wanted = (row for row in _rows_of(path) if split is None or row.get("split") == split)
    rows = [row for row in wanted if str(row.get("text") or "").strip()]
    return Texts(
        tuple(str(row.get("id", number)) for number, row in enumerate(rows)),
        tuple(" ".join(str(row["text"]).split()) for row in rows),
        tuple(_first(row.get("label")) for row in rows),
    )


def newsgroups(path: Path, split: str) -> Texts:
    """The posts of "train" or "test" by group, then by number as a string, cleaned; empty ones stay in place."""
    rows = sorted((row for row in _rows_of(path) if row["split"] == split), key=lambda row: str(row["id"]).split("/"))
    return Texts(
        tuple(str(row["id"]) for row in rows),
        tuple(clean(str(row["text"])) for row in rows),
        tuple(str(row["label"]) for row in rows),
    )


_QUOTED = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")


def clean(text: str) -> str:
    """A post on one line without quoted lines and without what stands below its last blank or dashed line."""
    kept = "\n".join(line for line in text.replace("\r", "\n").split("\n") if not _QUOTED.search(line))
    lines = kept.strip().split("\n")
    last = next((i for i in range(len(lines) - 1, -1, -1) if not lines[i].strip().strip("-")), 0)
    return " ".join((" ".join(lines[:last]) if last > 0 else kept).split())


def _first(label: object) -> str:
    if isinstance(label, list):
        label = label[0] if label else ""
    return "" if label is None else str(label)


def _rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


# ------------------------------------------------------------------------------ words

_TOKEN = re.compile(r"\b[a-z]{3,}\b")
_USENET = frozenset("don didn doesn isn wasn ve ll re edu com cs subject max writes article".split())


@dataclass(frozen=True, slots=True)
class Prepared:
    """What models are given. `rows` are the places of the kept texts among those that were read; `labels` number the
    classes (-1: none)."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: Rows
    rows: Rows
    bag: BagOfWords

    def __len__(self) -> int:
        return len(self.ids)

    def only(self, chosen: Rows) -> Prepared:
        """Some of them, in the order given, over the same vocabulary."""
        return Prepared(
            tuple(self.ids[i] for i in chosen), tuple(self.texts[i] for i in chosen),
            self.labels[chosen], self.rows[chosen], self.bag.rows(chosen),
        )  # fmt: skip


def tokens(text: str) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    stop = _USENET | ENGLISH_STOP_WORDS
    return [word for word in _TOKEN.findall(text.lower()) if word not in stop]


def prepare(given: Texts, vocabulary: Sequence[str] | None = None, size: int = 2000) -> Prepared:
    """The texts of five or more vocabulary words. Without a vocabulary: the `size` words that most texts hold, below
    half of them; among equals the word met in the earlier text, then the alphabet."""
    found = [tokens(text) for text in given.texts]
    words = tuple(vocabulary) if vocabulary is not None else _vocabulary(found, size)
    place = {word: number for number, word in enumerate(words)}
    numbers = [np.array([place[word] for word in text if word in place], np.int32) for text in found]
    rows = np.array([i for i, text in enumerate(numbers) if len(text) >= FEWEST_WORDS], np.int64)
    names = {label: number for number, label in enumerate(dict.fromkeys(label for label in given.labels if label))}
    return Prepared(
        tuple(given.ids[i] for i in rows),
        tuple(given.texts[i] for i in rows),
        np.array([names.get(given.labels[i], -1) for i in rows], np.int64),
        rows,
        bag_of(words, [numbers[i] for i in rows]),
    )


def two_thirds(prepared: Prepared) -> Prepared:
    """Those at places 0 and 1 of every three: the posts that published figures were measured on."""
    return prepared.only(np.flatnonzero(np.arange(len(prepared)) % 3 < 2))


def _vocabulary(found: Iterable[Sequence[str]], size: int) -> tuple[str, ...]:
    texts = list(found)
    frequency = Counter(word for text in texts for word in sorted(set(text)))
    return tuple(sorted([word for word, n in frequency.most_common() if n < len(texts) * 0.5][:size]))


def bag_of(vocabulary: tuple[str, ...], numbers: Sequence[NDArray[np.int32]]) -> BagOfWords:
    """The bag of texts that are given as vocabulary numbers in reading order."""
    starts = np.concatenate([[0], np.cumsum([len(text) for text in numbers])]).astype(np.int64)
    stream = np.concatenate([np.zeros(0, np.int32), *numbers])
    rows = np.repeat(np.arange(len(numbers)), np.diff(starts))
    shape = (len(numbers), len(vocabulary))
    counts = csr_matrix((np.ones(len(stream), np.float32), (rows, stream)), shape=shape)
    counts.sum_duplicates()
    return BagOfWords(vocabulary, counts, stream, starts)


# ------------------------------------------------------------------------------ vectors


def embed(texts: Sequence[str], encoder: Any, longest: int = 128) -> NDArray[np.float32]:
    """Passage vectors of the texts' first `longest` tokens, the two special ones among them."""
    cut = []
    for text, known in zip(texts, encoder.tokenize([text[: 40 * longest] for text in texts]), strict=True):
        whole = len(known.offsets) <= longest - 2
        cut.append(text[: 40 * longest] if whole else text[: int(known.offsets[longest - 3][1])])
    return np.asarray(encoder.encode_passages(cut, "passage"), np.float32)


# ------------------------------------------------------------------------------ coherence


@dataclass(slots=True)
class Coherences:
    """NPMI (windows of 10) and C_V (windows of 110) of word lists in a bag's texts, counted once for all models.

    Equal to gensim's `CoherenceModel(coherence="c_npmi" | "c_v")`, which loses a word from a window when one of its
    occurrences slides out although another is still inside.
    """

    bag: BagOfWords
    _counts: dict[int, tuple[Reals, float]] = field(default_factory=dict)

    def npmi(self, topics: Sequence[Sequence[str]], top: int = TOP) -> list[float]:
        """Per topic the mean over its word pairs; NaN below two words."""
        together, windows = self._of(10)
        return [_mean_npmi(together, windows, numbers) for numbers in self._numbers(topics, top)]

    def c_v(self, topics: Sequence[Sequence[str]], top: int = TOP) -> list[float]:
        """Per topic the mean cosine between each word's NPMI profile and the sum of all of them."""
        together, windows = self._of(110)
        return [_c_v(together, windows, numbers) for numbers in self._numbers(topics, top)]

    def _numbers(self, topics: Sequence[Sequence[str]], top: int) -> list[Rows]:
        place = {word: number for number, word in enumerate(self.bag.vocabulary)}
        return [np.array([place[word] for word in words[:top]], np.int64) for words in topics]

    def _of(self, size: int) -> tuple[Reals, float]:
        if size not in self._counts:
            self._counts[size] = window_counts(self.bag, size)
        return self._counts[size]


def window_counts(bag: BagOfWords, size: int) -> tuple[Reals, float]:
    """(V, V) windows that hold both words (diagonal: the word) and the number of windows, as gensim counts them."""
    total = np.zeros((len(bag.vocabulary),) * 2)
    lengths = np.diff(bag.starts)
    edges = np.unique(np.searchsorted(np.cumsum(lengths), np.arange(0, lengths.sum() + 50_000, 50_000), "right"))
    for first, last in itertools.pairwise(edges):
        held = _windows(bag, int(first), int(last), size)
        total += (held.T @ held).toarray()
    return total, float(np.maximum(lengths - size + 1, 1).sum())


def _windows(bag: BagOfWords, first: int, last: int, size: int) -> csr_matrix:
    """(windows, V) 0/1 of some texts. An occurrence at p puts its word into the windows from max(p - size + 1, 0) on,
    until the first occurrence at or after that window's beginning has left."""
    stream = bag.tokens[bag.starts[first] : bag.starts[last]].astype(np.int64)
    lengths = np.diff(bag.starts[first : last + 1])
    text = np.repeat(np.arange(last - first), lengths)
    position = np.arange(len(stream)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    begin = np.maximum(position - size + 1, 0)
    span = int(lengths.max(initial=0)) + 1
    key = (text * len(bag.vocabulary) + stream) * span
    order = np.argsort(key + position, kind="stable")
    leaving = position[order[np.searchsorted((key + position)[order], key + begin)]]
    end = np.minimum(leaving, np.maximum(lengths - size, 0)[text])
    windows = np.maximum(lengths - size + 1, 1)
    offset = (np.cumsum(windows) - windows)[text] + begin
    times = np.maximum(end - begin + 1, 0)
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    rows, columns = np.repeat(offset, times) + within, np.repeat(stream, times)
    held = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(int(windows.sum()), len(bag.vocabulary)))
    held.sum_duplicates()
    held.data[:] = 1.0
    return held


def _pair_npmi(together: Reals, windows: float, numbers: Rows) -> Reals:
    """(n, n) gensim's NPMI; 0 where a word never occurs."""
    one = np.diag(together)[numbers] / windows
    both = together[np.ix_(numbers, numbers)] / windows + _EPSILON
    chance = np.outer(one, one)
    known = chance > 0
    return np.where(known, np.log(both / np.where(known, chance, 1)) / -np.log(both), 0.0)


def _mean_npmi(together: Reals, windows: float, numbers: Rows) -> float:
    if len(numbers) < 2:
        return float("nan")
    return float(_pair_npmi(together, windows, numbers)[np.triu_indices(len(numbers), 1)].mean())


def _c_v(together: Reals, windows: float, numbers: Rows) -> float:
    if len(numbers) < 2:
        return float("nan")
    profiles = _pair_npmi(together, windows, numbers)
    whole = profiles.sum(axis=0)
    norms = np.linalg.norm(profiles, axis=1) * np.linalg.norm(whole)
    return float(np.mean(profiles @ whole / np.maximum(norms, _EPSILON)))


def diversity(topics: Sequence[Sequence[str]], top: int = TOP) -> float:
    """Distinct words ÷ words among the first `top` of every topic."""
    words = [word for topic in topics for word in topic[:top]]
    return len(set(words)) / max(len(words), 1)


# ------------------------------------------------------------------------------ groups


def purity(labels: Rows, groups: Rows) -> float:
    """Σ over groups of the largest class in it ÷ texts."""
    table = _table(labels, groups)
    return float(table.max(axis=0).sum() / table.sum())


def nmi(labels: Rows, groups: Rows) -> float:
    """Mutual information ÷ the mean of both entropies."""
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, groups))


def ari(labels: Rows, groups: Rows) -> float:
    """Rand index, 0 for chance."""
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels, groups))


def _table(labels: Rows, groups: Rows) -> NDArray[np.int64]:
    classes, rows = np.unique(labels, return_inverse=True)
    found, columns = np.unique(groups, return_inverse=True)
    return np.bincount(rows * len(found) + columns, minlength=len(classes) * len(found)).reshape(len(classes), -1)


# ------------------------------------------------------------------------------ stability


def agreement(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]], top: int = TOP) -> float:
    """Mean Jaccard of the top words of topics matched one to one (Hungarian), over the smaller number of topics."""
    from scipy.optimize import linear_sum_assignment

    first, second = ([set(topic[:top]) for topic in topics] for topics in (one, other))
    jaccard = np.array([[len(a & b) / max(len(a | b), 1) for b in second] for a in first])
    rows, columns = linear_sum_assignment(-jaccard)
    return float(jaccard[rows, columns].mean())


def best_match(whole: Sequence[Sequence[str]], part: Sequence[Sequence[str]], top: int = TOP) -> float:
    """Mean over the topics of `whole` of the Jaccard of their top words with the most alike topic of `part`."""
    first, second = ([set(topic[:top]) for topic in topics] for topics in (whole, part))
    return float(np.mean([max(len(a & b) / max(len(a | b), 1) for b in second) for a in first]))


def subsamples(texts: int, count: int = 5, part: float = 0.9) -> list[Rows]:
    """Rows of that many random parts, ascending, the same ones every time."""
    return [
        np.sort(np.random.default_rng(1000 + number).permutation(texts)[: round(part * texts)])
        for number in range(count)
    ]


def mean(values: Sequence[float]) -> float:
    """The mean of those that are numbers."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
