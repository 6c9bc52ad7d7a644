"""What a head must beat: the commonest label, and a linear classifier of bags of words. Kept nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from riparian.text import words
from training.heads.figures import Numbers


def majority(truth: Numbers, count: int) -> Numbers:
    """The commonest label of `truth` for each of `count` texts; of equally common ones the lower number."""
    return np.full(count, np.bincount(truth).argmax(), dtype=np.int64)


def bag_of_words(texts: Sequence[str], truth: Numbers, others: Sequence[str]) -> Numbers:
    """Labels for `others` by logistic regression on TF-IDF of words and pairs of words (scikit-learn, C = 1), learnt
    from `texts`. Where they hold no word, the commonest label."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second to import
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(analyzer=_terms, sublinear_tf=True)
    if not any(words(text) for text in texts) or len(np.unique(truth)) < 2:
        return majority(truth, len(others))
    model = LogisticRegression(C=1.0, max_iter=1000).fit(vectors.fit_transform(texts), truth)
    return np.asarray(model.predict(vectors.transform(others)), dtype=np.int64)


def _terms(text: str) -> list[str]:
    found = [word.word for word in words(text)]
    return [*found, *(f"{left} {right}" for left, right in pairwise(found))]
