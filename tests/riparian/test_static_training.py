"""Training word2vec and GloVe: what is counted, what is minimised, and that the result is a static encoder like any."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riparian.encoders import registry
from riparian.encoders.static import StaticEncoder
from riparian.encoders.static_training import glove, word2vec
from riparian.encoders.static_training.adagrad import Factors, Pairs, pairs_of, weights
from riparian.encoders.static_training.cooccurrence import Counts, count
from riparian.encoders.static_training.corpus import gather
from riparian.encoders.static_training.settings import GloveSettings, Word2vecSettings
from riparian.encoders.word_tokens import split
from riparian.errors import BadWeights, Conflict, Invalid
from tests.evaldata import folder as data_folder
from tests.riparian.trained_models import grammar

SKIP = Word2vecSettings(dimension=16, trim=2, epochs=4, sample=0.0)
COUNTED = GloveSettings(dimension=16, trim=2, epochs=4)

Train = Callable[..., StaticEncoder]

BOTH = pytest.mark.parametrize(
    ("train", "chosen"), [(word2vec.train, SKIP), (glove.train, COUNTED)], ids=["word2vec", "glove"]
)


# ------------------------------------------------------------------ the text


def test_rare_words_are_left_out_and_capitals_folded() -> None:
    corpus = gather(["Ducks swim, ducks dive.", "Don’t! The Ducks don't swim.", ""], trim=2)

    assert corpus.words == ("ducks", ".", "do", "n't", "swim")
    assert corpus.counts.tolist() == [3, 2, 2, 2, 2]
    assert [stretch.tolist() for stretch in corpus.stretches] == [[0, 4, 0, 1], [2, 3, 0, 2, 3, 4, 1]]
    assert (corpus.texts, corpus.total) == (3, 11)


@given(st.lists(st.text(st.sampled_from("aB'’.-sSnNtT 1é日,\n"), max_size=30), min_size=1, max_size=5))
@settings(deadline=None)
def test_every_word_that_is_trained_on_is_found_again(texts: list[str]) -> None:
    try:
        corpus = gather(texts, trim=1)
    except Invalid:
        return
    rows = {word: row for row, word in enumerate(corpus.words)}
    found = Counter[str]()
    for text in texts:
        found.update(token.lower().replace("’", "'") for token in split(text, rows).tokens)

    assert found == dict(zip(corpus.words, corpus.counts.tolist(), strict=True))


# ------------------------------------------------------------------ GloVe: counts and objective


def dense(counts: Counts, words: int) -> Any:
    found = np.zeros((words, words))
    found[counts.rows, counts.columns] = counts.values
    return found


def test_words_at_a_distance_of_d_count_one_over_d_in_both_directions() -> None:
    stretches = [np.array(words, dtype=np.int32) for words in ([0, 1, 2, 0], [2, 2])]

    found = dense(count(stretches, words=3, reach=2), 3)

    assert found.tolist() == [[0, 1.5, 1.5], [1.5, 0, 1], [1.5, 1, 2]]


@given(
    st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=12), min_size=1, max_size=4),
    st.integers(1, 12),
)
@settings(deadline=None, max_examples=50)
def test_counts_are_those_of_the_plain_double_loop(lists: list[list[int]], reach: int) -> None:
    expected = np.zeros((5, 5))
    for words in lists:
        for at, word in enumerate(words):
            for before in range(max(0, at - reach), at):
                expected[word, words[before]] += 1 / (at - before)
                expected[words[before], word] += 1 / (at - before)

    found = dense(count([np.array(words, dtype=np.int32) for words in lists], 5, reach), 5)

    assert np.allclose(found, expected, rtol=1e-12)
    assert np.array_equal(found, found.T)


def test_rare_pairs_count_less_and_none_more_than_once() -> None:
    found = weights(np.array([10 / 16, 10.0, 11.0, 1e9]), x_max=10.0, alpha=0.75)

    assert found.tolist() == [0.125, 1.0, 1.0, 1.0]


def toy(words: int = 5, seed: int = 1) -> Pairs:
    values = np.random.default_rng(seed).uniform(0.1, 40, (words, words))
    rows, columns = (index.astype(np.int32).ravel() for index in np.indices((words, words)))
    return pairs_of(Counts(rows, columns, (values + values.T).ravel()), x_max=10.0, alpha=0.75)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_cost_of_a_toy_falls_at_every_step_over_all_pairs(seed: int) -> None:
    pairs, factors = toy(seed=seed), Factors(words=5, dimension=4, seed=seed)
    costs = [factors.cost(pairs)]
    for _ in range(200):
        before = factors.learn(pairs, rate=0.05, clip=100.0)
        assert before == pytest.approx(costs[-1], rel=1e-5)
        costs.append(factors.cost(pairs))

    assert all(after < before for before, after in pairwise(costs))
    assert costs[-1] < 0.02 * costs[0]


@pytest.mark.parametrize("clip", [100.0, 0.03])
def test_a_batch_of_one_pair_is_the_published_update(clip: float) -> None:
    pairs, factors = toy(), Factors(words=5, dimension=4, seed=1)
    tables = {name: table.astype(np.float64) for name, table in factors.arrays.items()}
    for at in (7, 3, 7, 24):
        i, j = int(pairs.words[at]), int(pairs.contexts[at])
        own, other = tables["words"][i].copy(), tables["contexts"][j].copy()
        error = own[:4] @ other[:4] + own[4] + other[4] - pairs.logs[at]
        for name, row, factor in (("words", i, [*other[:4], 1.0]), ("contexts", j, [*own[:4], 1.0])):
            gradient = 0.05 * np.clip(pairs.weights[at] * error * np.array(factor), -clip, clip)
            tables[name][row] -= gradient / np.sqrt(tables[f"squares/{name}"][row])
            tables[f"squares/{name}"][row] += gradient**2
        factors.learn(pairs.taken(np.array([at])), rate=0.05, clip=clip)

    for name, table in factors.arrays.items():
        assert np.allclose(table, tables[name], atol=1e-6)


def test_what_is_not_clipped_is_the_same_whether_or_not_it_was_looked_at() -> None:
    pairs = toy()
    pairs = replace(pairs, logs=np.where(pairs.contexts == 0, 0, pairs.logs).astype(np.float32))
    plain, looked_at = (Factors(words=5, dimension=4, seed=1) for _ in range(2))
    for factors, clip in ((plain, 1e9), (looked_at, 6.0)):
        factors.contexts[0, 0] = 2.0  # its pairs have small errors; times the largest error it is above the clip
        factors.learn(pairs, rate=0.05, clip=clip)

    assert 3.0 < np.abs(pairs.weights * pairs.logs).max() < 5.0
    assert np.allclose(plain.words, looked_at.words, atol=1e-6)
    assert np.allclose(plain.contexts, looked_at.contexts, atol=1e-6)


# ------------------------------------------------------------------ the encoders


@BOTH
def test_words_of_one_subject_stand_together_and_the_card_says_what_was_done(
    train: Train, chosen: Any, tmp_path: Path
) -> None:
    encoder = train(grammar(300), replace(chosen, epochs=30, name="archive", languages=("en",)), 1)
    encoder.save(tmp_path / "saved")
    saved = registry.load(str(tmp_path / "saved"), cache_dir=tmp_path)
    rows = dict(zip(encoder.table.words, encoder.table.matrix, strict=True))
    near = {word: cosine(rows["bank"], rows[word]) for word in ("lends", "counts", "swims")}

    assert near["lends"] == max(near.values())
    assert (saved.info.origin, saved.info.name, saved.info.languages) == ("trained-here", "archive", ("en",))
    assert saved.info.extra == encoder.info.extra
    assert saved.info.extra["training"]["words"] == encoder.info.extra["training"]["words"] > 2_000
    assert saved.fingerprint() == encoder.fingerprint()


@BOTH
def test_a_trained_word_has_one_vector_bit_for_bit_wherever_it_stands(train: Train, chosen: Any) -> None:
    encoder = train([*grammar(60), "I went to the bank.", "the river bank of the river"], chosen, 1)
    texts = ["The bank lends.", "river bank", "bank bank (bank)", *(text for text in grammar(60) if "bank" in text)][
        :22
    ]
    found = {
        encoding.vectors[at].tobytes()
        for encoding in encoder.encode_tokens(texts)
        for at, token in enumerate(encoding.tokens)
        if token == "bank"
    }

    assert len(texts) == 22
    assert len(found) == 1
    assert any(found.pop())


@BOTH
def test_the_seed_alone_decides(train: Train, chosen: Any) -> None:
    first, again, other = (train(grammar(60), chosen, seed).fingerprint() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_the_hash_seed_of_the_process_decides_nothing() -> None:
    code = (
        "from riparian.encoders.static_training import word2vec\n"
        "from riparian.encoders.static_training.settings import Word2vecSettings\n"
        "texts = ['the bank lends money', 'the duck swims in the river'] * 20\n"
        "print(word2vec.train(texts, Word2vecSettings(dimension=8, epochs=2), 1).fingerprint())"
    )
    environments = [{**os.environ, "PYTHONHASHSEED": seed} for seed in ("1", "2")]
    found = {
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        for env in environments
    }

    assert len(found) == 1


@BOTH
def test_a_run_that_was_stopped_goes_on_to_the_same_vectors(
    train: Train, chosen: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word2vec, "_PIECE", 300)
    whole = train(grammar(100), chosen, 3)
    path, seen = tmp_path / "run.safetensors", list[int]()

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if done == 5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(grammar(100), chosen, 3, stop, checkpoint=path)
    resumed = train(grammar(100), chosen, 3, lambda done, _: seen.append(done), checkpoint=path)

    assert seen == list(range(1, seen[-1] + 1))
    assert len(seen) > 8
    assert resumed.fingerprint() == whole.fingerprint()
    assert resumed.info == whole.info
    with pytest.raises(Conflict, match="other settings or text"):
        train(grammar(100), chosen, 4, checkpoint=path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BadWeights, match="a safetensors file"):
        train(grammar(100), chosen, 3, checkpoint=path)


@BOTH
def test_each_step_tells_its_loss(train: Train, chosen: Any) -> None:
    class Told:
        def __init__(self) -> None:
            self.losses: list[float] = []

        def __call__(self, done: int, total: int) -> None:
            assert len(self.losses) == done

        def loss(self, value: float) -> None:
            self.losses.append(value)

    told = Told()
    train(grammar(100), replace(chosen, epochs=20), 1, told)

    assert all(loss > 0 for loss in told.losses)
    assert told.losses[-1] < 0.8 * told.losses[0]


@BOTH
@pytest.mark.parametrize("texts", [[], [""], ["bank", "bank"], ["each word here stands once"]])
def test_too_little_text_is_refused(train: Train, chosen: Any, texts: list[str]) -> None:
    with pytest.raises(Invalid, match="too few to train on"):
        train(texts, chosen, 1)


def test_a_learning_rate_that_leads_nowhere_is_named() -> None:
    with pytest.raises(Invalid, match="no numbers at learning_rate 1e\\+30"), np.errstate(all="ignore"):
        glove.train(grammar(60), replace(COUNTED, learning_rate=1e30, clip=1e30), 1)


@pytest.mark.parametrize("change", [{"dimension": 0}, {"sample": 1.0}, {"learning_rate": 0.0}, {"trim": 0}])
def test_settings_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(SKIP, **change)


@pytest.mark.parametrize("change", [{"reach": 0}, {"x_max": 0.0}, {"alpha": float("inf")}, {"clip": -1.0}])
def test_settings_of_glove_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(COUNTED, **change)


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("train", "chosen"),
    [(word2vec.train, Word2vecSettings()), (glove.train, GloveSettings())],
    ids=["word2vec", "glove"],
)
def test_on_real_text_words_that_stand_together_are_nearer_than_others_as_frequent(
    train: Train, chosen: Any, seed: int
) -> None:
    with gzip.open(data_folder("topics-state-of-the-union") / "docs.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in islice(file, 32)]
    encoder = train(texts, chosen, seed)
    rows = dict(zip(encoder.table.words, encoder.table.matrix, strict=True))
    related = telling_pairs(texts, rows)
    seconds = np.random.default_rng(seed).permutation([second for _, second in related])
    near = np.mean([cosine(rows[first], rows[second]) for first, second in related])
    apart = np.mean(
        [cosine(rows[first], rows[str(second)]) for (first, _), second in zip(related, seconds, strict=True)]
    )

    assert near > apart + 0.15


def telling_pairs(texts: list[str], known: dict[str, Any]) -> list[tuple[str, str]]:
    """The 50 pairs of neighbours that say most of each other, each a good 10 times in the text."""
    lines = [[token.lower() for token in split(text, ()).tokens] for text in texts]
    single = Counter(word for line in lines for word in line)
    double = Counter(pair for line in lines for pair in pairwise(line))
    frequent = [pair for pair, times in double.items() if times >= 10 and all(word in known for word in pair)]
    return sorted(frequent, key=lambda pair: -double[pair] / single[pair[0]] / single[pair[1]])[:50]
