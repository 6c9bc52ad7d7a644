"""Training a small MT-LSTM: it learns from the source, it can be repeated and resumed, and it says what it is."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from riparian.encoders import registry
from riparian.encoders.cove.corpus import BEGIN, END, FIRST_WORD, RARE, Corpus, Example, gather, mismatched, plan
from riparian.encoders.cove.loading import load
from riparian.encoders.cove.parallel import catalogues, read
from riparian.encoders.cove.settings import Settings
from riparian.encoders.cove.training import started, train
from riparian.encoders.cove.translator import batch_of
from riparian.encoders.cove.words import UNKNOWN, Lookup
from riparian.encoders.options import Options
from riparian.encoders.static import StaticEncoder
from riparian.errors import BadWeights, Conflict, Invalid

ENGLISH = dict(
    zip("the a duck bank clerk sees leaves counts old small river money and".split(), range(13), strict=True)
)
GERMAN = "das ein ente bank angestellter sieht verlässt zählt alt klein fluss geld und".split()

TINY = Settings(
    hidden=32, embedding=24, vocabulary=50, epochs=8, batch_words=200, learning_rate=2e-2, dropout=0.0, held_out=0.1
)
SHORT = replace(TINY, epochs=1, dropout=0.1)


@pytest.fixture(scope="module")
def glove(tmp_path_factory: pytest.TempPathFactory) -> StaticEncoder:
    folder = tmp_path_factory.mktemp("glove")
    matrix = np.random.default_rng(3).normal(size=(len(ENGLISH), 16)).astype(np.float32)
    rows = (f"{word} {' '.join(map(str, matrix[at].tolist()))}\n" for word, at in ENGLISH.items())
    (folder / "glove.txt").write_text("".join(rows))
    found = registry.load(f"glove:{folder / 'glove.txt'}", cache_dir=folder)
    assert isinstance(found, StaticEncoder)
    return found


def phrases(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Sentences and their translations: other words, the verb last, the adjective behind its noun."""
    numbers, words, found = np.random.default_rng(seed), list(ENGLISH), []
    for _ in range(count):
        article, other = (words[at] for at in numbers.integers(2, size=2))
        noun, second = (words[2 + at] for at in numbers.integers(3, size=2))
        verb, adjective, thing = (words[at + numbers.integers(n)] for at, n in ((5, 3), (8, 2), (10, 2)))
        order = [article, noun, adjective, "and", other, second, "the", thing, verb]
        target = " ".join(GERMAN[ENGLISH[word]] for word in order)
        found.append((f"{article} {adjective} {noun} and {other} {second} {verb} the {thing}", target))
    return found


def numbered(glove: StaticEncoder, pairs: list[tuple[str, str]], seed: int = 1) -> Corpus:
    rows = {word: row for row, word in enumerate(glove.table.words)}
    return gather(pairs, Lookup(rows, lower=True), replace(TINY, held_out=0.3), seed)


def test_true_sources_beat_the_sources_of_other_pairs_and_word_frequencies(glove: StaticEncoder) -> None:
    report = train(phrases(500), glove, TINY, seed=1, workers=1).info.extra["training"]

    assert report["perplexity"] < 1.5
    assert report["perplexity"] < 0.5 * report["perplexity_shuffled_sources"]
    assert report["perplexity"] < 0.5 * report["unigram_perplexity"]
    assert report["words_known"] == 1.0


def test_the_card_says_that_it_was_trained_here_and_saving_keeps_it(glove: StaticEncoder, tmp_path: Path) -> None:
    encoder = train(phrases(60), glove, replace(SHORT, name="archive"), seed=1, workers=1)
    encoder.save(tmp_path / "saved")
    saved = load(str(tmp_path / "saved"), Options(tmp_path, device="cpu", threads=1))

    assert (saved.info.origin, saved.info.name, saved.info.languages) == ("trained-here", "archive", ("en",))
    assert saved.info.token_dim == 16 + 2 * 32
    assert saved.info.extra["training"] == encoder.info.extra["training"]
    assert saved.fingerprint() == encoder.fingerprint()
    assert saved.model.glove.fingerprint() == glove.fingerprint()


def test_the_seed_alone_decides(glove: StaticEncoder) -> None:
    first, again, other = (train(phrases(60), glove, SHORT, seed, workers=1).fingerprint() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(glove: StaticEncoder, tmp_path: Path) -> None:
    whole = train(phrases(60), glove, SHORT, seed=3, workers=1)
    path, seen = tmp_path / "run.safetensors", list[tuple[int, int]]()

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 1:
            raise InterruptedError

    def follow(done: int, total: int) -> None:
        seen.append((done, total))

    with pytest.raises(InterruptedError):
        train(phrases(60), glove, SHORT, 3, stop, checkpoint=path, workers=1)
    resumed = train(phrases(60), glove, SHORT, 3, follow, checkpoint=path, workers=1)

    assert seen[-1][1] > 1
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))
    assert resumed.fingerprint() == whole.fingerprint()
    with pytest.raises(Conflict, match="other settings or text"):
        train(phrases(61), glove, SHORT, 3, checkpoint=path, workers=1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadWeights, match="a safetensors file"):
        train(phrases(60), glove, SHORT, 3, checkpoint=path, workers=1)


def test_too_little_text_is_refused(glove: StaticEncoder) -> None:
    with pytest.raises(Invalid, match="1 pairs are too few"):
        train([("the old duck", "die alte ente")], glove, SHORT, seed=1, workers=1)


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"dropout": 1.0}, {"learning_rate": 0.0}, {"most_words": 1}, {"case": "upper"}]
)
def test_settings_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        replace(TINY, **change)  # type: ignore[arg-type]


def test_pairs_that_teach_nothing_are_left_out(glove: StaticEncoder) -> None:
    useless = [("the duck", "the duck"), ("duck", "ente"), ("xyz zyx", "wort wort"), ("a duck " * 40, "ente")]
    corpus = numbered(glove, [*useless, *phrases(80), *phrases(80)])

    assert len(corpus.train) + len(corpus.held_out) == len(set(phrases(80)))
    assert corpus.digest == numbered(glove, phrases(80)).digest


def test_target_words_are_numbered_by_frequency_and_counted_as_they_are_predicted(glove: StaticEncoder) -> None:
    corpus = numbered(glove, phrases(80))
    targets = np.concatenate([example.target for example in corpus.train])

    assert corpus.vocabulary.counts.tolist() == np.bincount(targets, minlength=len(corpus.vocabulary)).tolist()
    assert list(corpus.vocabulary.counts[FIRST_WORD:]) == sorted(corpus.vocabulary.counts[FIRST_WORD:], reverse=True)
    assert corpus.vocabulary.counts[[RARE, BEGIN, END]].tolist() == [0, 0, len(corpus.train)]
    total = corpus.vocabulary.counts.sum() + len(corpus.vocabulary)
    assert corpus.vocabulary.unigram_loss(np.array([END])) == pytest.approx(-np.log((len(corpus.train) + 1) / total))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 5), st.integers(0, 5))
def test_each_pair_is_learnt_once_an_epoch_and_mismatched_ones_keep_their_targets(seed: int, epoch: int) -> None:
    examples = [Example(np.full(1 + at % 4, at), np.array([at, END])) for at in range(23)]
    planned = plan(examples, 12, seed, epoch)
    false = mismatched(examples, seed)

    assert sorted(at for batch in planned for at in batch) == list(range(23))
    assert [int(each.target[0]) for each in false] == list(range(23))
    assert all(int(each.source[0]) != at for at, each in enumerate(false))


def test_the_loss_of_a_batch_is_the_sum_of_the_losses_of_its_pairs(glove: StaticEncoder) -> None:
    matrix = glove.table.matrix
    pairs = [([0, 2, 5, 1, 3], [4, 5]), ([2, UNKNOWN], [6, 3, 7, 8]), ([1], [5])]
    examples = [Example(np.array(source), np.array([*target, END])) for source, target in pairs]
    model = started(TINY, 16, 12, seed=1)
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(6)
        together = float(model.loss(batch_of(examples, matrix, "cpu")))
        alone = [float(model.loss(batch_of([example], matrix, "cpu"))) for example in examples]

    assert together == pytest.approx(sum(alone), rel=1e-5)


def test_the_decoder_is_attention_with_input_feeding_as_published(glove: StaticEncoder) -> None:
    example = Example(np.array([0, 2, 5]), np.array([4, 5, END]))
    model = started(TINY, 16, 12, seed=2)
    batch = batch_of([example], glove.table.matrix, "cpu")
    with torch.no_grad():
        found = float(model.loss(batch))
        read = model.encoder(batch.vectors, batch.lengths)
        memory, state = read.layers[1][0], [(read.outputs[at], read.cells[at]) for at in (0, 1)]
        fed, loss = torch.zeros(64), 0.0
        for before, word in zip((BEGIN, 4, 5), (4, 5, END), strict=True):
            state[0] = model.cells[0](torch.cat([model.embedding.weight[before], fed])[None], state[0])
            state[1] = model.cells[1](state[0][0], state[1])
            h = state[1][0][0]
            weights = torch.softmax(memory @ (model.attend.weight @ h), dim=0)
            fed = torch.tanh(model.join.weight @ torch.cat([weights @ memory, h]))
            scores = model.words.weight @ fed + model.words.bias
            loss += float(functional.cross_entropy(scores[None], torch.tensor([word])))

    assert found == pytest.approx(loss, rel=1e-5)


@pytest.mark.slow
def test_on_real_catalogues_held_out_messages_are_predicted_better_from_their_own_source(tmp_path: Path) -> None:
    found = catalogues(Path("/usr/share/locale"), "de")
    if len(found) < 5:
        pytest.skip("fewer than five German gettext catalogues below /usr/share/locale")
    glove = registry.load("glove", cache_dir=tmp_path)
    assert isinstance(glove, StaticEncoder)
    pairs = [pair for pair in read(found) if len(pair.source.split()) >= 4]
    random.Random(1).shuffle(pairs)
    small = Settings(hidden=96, vocabulary=3_000, epochs=3, batch_words=384, learning_rate=4e-3)
    encoder = train(pairs[:6_000], glove, small, seed=1, workers=1)
    report = encoder.info.extra["training"]
    money, river = encoder.encode_tokens(["I went to the bank to deposit money.", "I sat by the bank of the river."])
    one, other = (each.vectors[each.tokens.index("bank")] for each in (money, river))

    assert report["perplexity"] < report["perplexity_shuffled_sources"]
    assert report["perplexity"] < report["unigram_perplexity"]
    assert np.array_equal(one[:50], other[:50])
    assert not np.allclose(one[50:], other[50:], atol=1e-3)
