"""How good answers are, as SQuAD counts (Rajpurkar et al. 2016 and 2018). Pure."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

from training.evaluation.statistics import interval
from training.heads.figures import shown
from training.recipes.base import Report

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MARKS = str.maketrans("", "", string.punctuation)


def normal(answer: str) -> list[str]:
    """Its words in lower case without marks and English articles, as the published script does."""
    return _ARTICLES.sub(" ", answer.lower().translate(_MARKS)).split()


def token_f1(found: str, wanted: str) -> float:
    """Of the words in common; 1 for two answers without a word, 0 where one alone has none."""
    first, second = normal(found), normal(wanted)
    if not first or not second:
        return float(first == second)
    both = sum((Counter(first) & Counter(second)).values())
    return 2 * both / (len(first) + len(second))


def exact(found: str, wanted: str) -> float:
    return float(normal(found) == normal(wanted))


def judged(found: Sequence[str | None], wanted: Sequence[str | None], seed: int) -> Report:
    """Exact match and token F1 over the questions that have an answer, both over all questions ("none" is right where
    there is none), and how often it is told right whether there is one. None = no answer; with 95 % intervals."""
    pairs = list(zip(found, wanted, strict=True))
    report: Report = {}
    for name, score in (("exact_match", exact), ("token_f1", token_f1)):
        values = [float(a is b) if a is None or b is None else score(a, b) for a, b in pairs]
        with_answer = [value for value, (_, b) in zip(values, pairs, strict=True) if b is not None]
        if with_answer:
            report[name] = shown(interval(np.array(with_answer), seed))
        report[f"{name}_of_all"] = shown(interval(np.array(values), seed))
    told = [float((a is None) == (b is None)) for a, b in pairs]
    report["has_answer"] = shown(interval(np.array(told), seed))
    return report
