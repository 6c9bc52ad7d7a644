"""What every encoder must keep: a suite for the built-in kinds and for plug-ins.

In a plug-in's tests::

    from riparian.encoders.checks import CHECKS, Subject

    @pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
    def test_my_encoder_keeps_the_contract(check, tmp_path):
        check(Subject(my_encoder, load=lambda folder: load_mine(folder), folder=tmp_path))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riparian.encoders.base import Encoder
from riparian.encoders.languages import TellsKnown
from riparian.encoders.parts import Additive
from riparian.errors import AlreadyExists, TokensUnavailable
from riparian.types import Matrix, Role

TEXTS = (
    "The Reserve Bank left interest rates unchanged.",
    "They sat on the river bank and watched the ducks until the sun went down behind the trees.",
    "Bank!",
    "Café déjà vu — naïve façade, Zürich, Łódź.",
    "Smile 😀👍🏽 and wave 👋",
    "日本語の文章と中文混在",
    "שלום עולם، مرحبا بالعالم",
    "A long word: Donaudampfschifffahrtsgesellschaftskapitän.",
    "Numbers 3.14, 1,000 and U.S. dates 2001-12-24.",
)
ROLES: tuple[Role, ...] = ("query", "passage")
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Subject:
    """An encoder under test, the way to load what it saves, and an empty folder to save into."""

    encoder: Encoder
    load: Callable[[Path], Encoder]
    folder: Path


Check = Callable[[Subject], None]


def rows_have_unit_length(subject: Subject) -> None:
    """(N, passage_dim) float32, finite, unit or zero rows, for both roles; no text gives no row."""
    info = subject.encoder.info
    for role in ROLES:
        rows = subject.encoder.encode_passages(TEXTS, role)
        _require(rows.shape == (len(TEXTS), info.passage_dim), f"shape {rows.shape}")
        _require(rows.dtype == np.float32, f"dtype {rows.dtype}")
        lengths = np.linalg.norm(rows, axis=1)
        _require(bool((np.isclose(lengths, 1, atol=1e-5) | (lengths == 0)).all()), f"row lengths {lengths}")
    none = subject.encoder.encode_passages([], "passage")
    _require(none.shape == (0, info.passage_dim), f"shape of no rows {none.shape}")


def empty_texts_give_zero_rows(subject: Subject) -> None:
    """Empty and blank texts: zero rows, no tokens; their neighbours are not touched."""
    rows = subject.encoder.encode_passages(["", TEXTS[0], " \n\t"], "passage")
    _require(not rows[[0, 2]].any(), "an empty text has a row that is not zero")
    _close(rows[1:2], subject.encoder.encode_passages([TEXTS[0]], "passage"), "a text among empty ones")
    _require([len(tokens.tokens) for tokens in subject.encoder.tokenize(["", " \n\t"])] == [0, 0], "blank tokens")


def company_changes_nothing(subject: Subject) -> None:
    """Alone, batched, reversed, beside itself, beside a long text: the same row."""
    encode = subject.encoder.encode_passages
    together = encode(TEXTS, "passage")
    _close(np.concatenate([encode([text], "passage") for text in TEXTS]), together, "texts alone")
    _close(encode(TEXTS[::-1], "passage")[::-1], together, "texts reversed")
    padded = encode([*TEXTS, _long(250), *TEXTS], "passage")
    _close(padded[: len(TEXTS)], together, "texts beside a long one")
    _close(padded[-len(TEXTS) :], together, "texts given twice")


def same_call_same_bits(subject: Subject) -> None:
    """Two equal calls give equal bits."""
    first, second = (subject.encoder.encode_passages(TEXTS, "query") for _ in range(2))
    _require(np.array_equal(first, second), "two equal calls differ")


def offsets_point_into_the_text(subject: Subject) -> None:
    """Offsets are ordered code point ranges of the original text, and together hold every letter and digit."""
    for text, found in zip(TEXTS, subject.encoder.tokenize(TEXTS), strict=True):
        offsets = found.offsets
        _require(offsets.shape == (len(found.tokens), 2) and offsets.dtype == np.int64, f"offsets of {text!r}")
        inside = (offsets[:, 0] >= 0) & (offsets[:, 0] <= offsets[:, 1]) & (offsets[:, 1] <= len(text))
        _require(bool(inside.all()), f"offsets outside of {text!r}: {offsets.tolist()}")
        _require(bool((np.diff(offsets[:, 0]) >= 0).all()), f"offsets out of order in {text!r}")
        covered = {at for start, end in offsets.tolist() for at in range(start, end)}
        lost = [text[found.start()] for found in re.finditer(r"\w", text) if found.start() not in covered]
        _require(not lost, f"no token holds {lost} of {text!r}")


def token_vectors_belong_to_tokens(subject: Subject) -> None:
    """`encode_tokens` gives the tokens of `tokenize` with one vector each; alone = batched. Or TokensUnavailable."""
    encoder = subject.encoder
    if encoder.info.token_dim is None:
        _refuses(lambda: encoder.encode_tokens(TEXTS), TokensUnavailable)
        return
    together = encoder.encode_tokens([*TEXTS, ""])
    for text, tokens, found in zip([*TEXTS, ""], encoder.tokenize([*TEXTS, ""]), together, strict=True):
        _require(found.tokens == tokens.tokens, f"tokens of {text!r}")
        _require(np.array_equal(found.offsets, tokens.offsets), f"offsets of {text!r}")
        shape = (len(tokens.tokens), encoder.info.token_dim)
        _require(found.vectors.shape == shape and found.vectors.dtype == np.float32, f"vectors of {text!r}")
        _require(found.known.shape == shape[:1] and found.known.dtype == np.bool_, f"known of {text!r}")
        _require(not found.vectors[~found.known].any(), f"unknown tokens of {text!r} have vectors")
        _close(encoder.encode_tokens([text])[0].vectors, found.vectors, f"token vectors of {text!r} alone")


def long_texts_are_read_to_the_end(subject: Subject) -> None:
    """No token is lost in a text of many windows, and its last sentence still counts."""
    encoder = subject.encoder
    text = _long(700)
    rows = encoder.encode_passages([text + " A bank.", text + " Ducks swim."], "passage")
    _require(not np.array_equal(rows[0], rows[1]), "the end of a long text changes nothing")
    if encoder.info.token_dim is None:
        return
    found = encoder.encode_tokens([text])[0]
    _require(found.tokens == encoder.tokenize([text])[0].tokens, "a long text loses tokens")
    _require(bool(found.vectors[found.known].any(axis=1).all()), "a token of a long text has no vector")


def progress_counts_texts(subject: Subject) -> None:
    """Progress grows up to the number of texts, and what it raises stops the work."""
    seen: list[tuple[int, int]] = []
    texts = [f"{text} {number}" for number, text in enumerate(TEXTS * 2)]
    subject.encoder.encode_passages(texts, "passage", lambda done, total: seen.append((done, total)))
    done = [count for count, _ in seen]
    _require(bool(seen) and done == sorted(done) and seen[-1] == (len(texts), len(texts)), f"progress {seen}")

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    _refuses(lambda: subject.encoder.encode_passages(texts, "passage", stop), InterruptedError)


def threads_do_not_meet(subject: Subject) -> None:
    """Two threads that encode at once get what they get one after the other."""
    jobs = [TEXTS, TEXTS[::-1], (_long(100), *TEXTS), TEXTS[2:5]]
    serial = [subject.encoder.encode_passages(job, "passage") for job in jobs]
    with ThreadPoolExecutor(max_workers=2) as pool:
        parallel = list(pool.map(lambda job: subject.encoder.encode_passages(job, "passage"), jobs * 2))
    for rows, expected in zip(parallel, serial * 2, strict=True):
        _close(rows, expected, "rows of parallel threads")


def saving_keeps_everything(subject: Subject) -> None:
    """Saved and loaded: the same fingerprint, equal rows and token vectors; nothing pickled; no folder overwritten."""
    encoder, folder = subject.encoder, subject.folder / "saved"
    encoder.save(folder)
    pickled = [path.name for path in folder.rglob("*") if path.suffix in {".bin", ".pkl", ".pt", ".pth", ".npy"}]
    _require(not pickled, f"{pickled} in a saved encoder")
    _refuses(lambda: encoder.save(folder), AlreadyExists)
    loaded = subject.load(folder)
    _require(loaded.fingerprint() == encoder.fingerprint(), "a saved encoder has another fingerprint")
    _require(loaded.info.kind == encoder.info.kind, f"kind {loaded.info.kind}")
    _close(loaded.encode_passages(TEXTS, "query"), encoder.encode_passages(TEXTS, "query"), "rows of the saved encoder")
    if encoder.info.token_dim is not None:
        pairs = zip(loaded.encode_tokens(TEXTS), encoder.encode_tokens(TEXTS), strict=True)
        for mine, expected in pairs:
            _close(mine.vectors, expected.vectors, "token vectors of the saved encoder")


def the_fingerprint_is_stable(subject: Subject) -> None:
    """64 hex digits, the same at every call and after encoding."""
    first = subject.encoder.fingerprint()
    subject.encoder.encode_passages(TEXTS[:2], "query")
    _require(re.fullmatch(r"[0-9a-f]{64}", first) is not None, f"fingerprint {first!r}")
    _require(subject.encoder.fingerprint() == first, "the fingerprint changes")


def known_tokens_line_up(subject: Subject) -> None:
    """An encoder that tells which tokens it knows (`languages.TellsKnown`) tells one truth value a token, and knows
    none whose vector is said to be missing."""
    encoder = subject.encoder
    if not isinstance(encoder, TellsKnown):
        return
    for tokens, flags in zip(encoder.tokenize(TEXTS), encoder.known(TEXTS), strict=True):
        _require(flags.shape == (len(tokens.tokens),) and flags.dtype == np.bool_, f"{flags.shape} {flags.dtype}")
    if encoder.info.token_dim is not None and encoder.info.contextual == "none":
        for encoding, flags in zip(encoder.encode_tokens(TEXTS), encoder.known(TEXTS), strict=True):
            _require(not (flags & ~encoding.known).any(), "a known token has no vector")


def parts_add_up(subject: Subject) -> None:
    """Where the encoder says how its vectors add up: one part a token, and the row as their sum, also for a long text
    and for an empty one."""
    encoder = subject.encoder
    if not isinstance(encoder, Additive):
        return
    texts = [*TEXTS, _long((encoder.info.max_tokens or 100) * 2), ""]
    for role in ROLES:
        found = encoder.summands(texts, role)
        if found is None:
            return
        for text, parts, tokens in zip(texts, found, encoder.tokenize(texts), strict=True):
            _require(np.array_equal(parts.offsets, tokens.offsets), f"parts beside other tokens in {text[:60]!r}")
            _require(len(parts.vectors) == len(parts.offsets), f"{len(parts.vectors)} parts in {text[:60]!r}")
        rows = np.array([parts.row for parts in found], dtype=np.float32)
        _close(rows, encoder.encode_passages(texts, role), f"the sum of the parts, role {role}")


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        rows_have_unit_length,
        empty_texts_give_zero_rows,
        company_changes_nothing,
        same_call_same_bits,
        offsets_point_into_the_text,
        token_vectors_belong_to_tokens,
        long_texts_are_read_to_the_end,
        progress_counts_texts,
        threads_do_not_meet,
        saving_keeps_everything,
        the_fingerprint_is_stable,
        known_tokens_line_up,
        parts_add_up,
    )
}
"""Name → check; each raises AssertionError saying what is broken."""


def _long(words: int) -> str:
    return " ".join(f"word{number % 97} of the river bank." for number in range(words // 4))


def _close(found: Matrix, expected: Matrix, what: str) -> None:
    _require(found.shape == expected.shape, f"{what}: shape {found.shape} instead of {expected.shape}")
    gap = float(np.abs(found - expected).max(initial=0.0))
    _require(gap <= TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0))), f"{what}: off by {gap:.2g}")


def _refuses(call: Callable[[], object], error: type[Exception]) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"no {error.__name__} was raised")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)
