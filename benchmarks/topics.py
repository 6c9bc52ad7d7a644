"""Topic models side by side: same texts, vocabulary and vectors, a fresh process a fit, one scorer.

    python benchmarks/topics.py DOCS.jsonl[.gz] --topics K|auto [--models NAME,...] [--seeds 3] [--heldout DOCS2]

DOCS has an object a line with `text` and, where there is one, `label` (a string, or a list whose first counts). Words
are scored in these texts and in those of DOCS2, which no model sees; groups by the labels. `--models` takes our kinds
(joint, combined, zeroshot, combined-published, zeroshot-published, kmeans, lda, nmf), peers by their names, and the
groups "ours", "peers", "all". Peers run in an environment that the first run makes below the cache folder.

`--clean newsgroups` prepares the posts of 20 Newsgroups as figures on them are usually measured; `--split` takes the
rows of one split (with --heldout-split from the same file for the unseen ones), `--two-thirds` two of every three.
A fit that was made before is taken from the cache folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import topic_environment
from benchmarks import topic_scores as scores
from benchmarks.figures import machine, machine_line
from benchmarks.judged import Failed
from benchmarks.topic_fits import Answer, Cost, Given, read_answer, write_given
from benchmarks.topic_ours import FITS as OURS
from benchmarks.topic_peers import FITS as PEERS
from benchmarks.topic_scores import Prepared, Texts
from benchmarks.topic_table import Row, Scorer, agreement, held, markdown
from riparian.config import Settings
from riparian.encoders.pool import EncoderPool
from riparian.errors import RiparianError
from topics.choose import choose
from topics.ordering import by_content

PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "gensim")
GROUPS = {"ours": tuple(OURS), "peers": tuple(PEERS), "all": (*OURS, *PEERS)}
NAMED = {"joint"}
_THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RIPARIAN_THREADS"), "1"
)
_PEER_PACKAGE = {
    "combinedtm": "contextualized-topic-models",
    "zeroshottm": "contextualized-topic-models",
    "keynmf": "turftopic",
    "gmm": "turftopic",
    "s3": "turftopic",
}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    models = _models(options.models)
    texts, unseen = _prepared(options)
    work = _Work(options, texts)
    topics = _topics(options.topics, texts, work.given.vectors)
    scorer, rows = Scorer(texts, work.given.vectors, unseen), []
    for model in models:
        rows.append(_row(work, scorer, model, topics, options))
        print(markdown(rows[-1:]).splitlines()[-1], file=sys.stderr)
    report = {
        "machine": machine(PACKAGES),
        "peers": topic_environment.installed(work.peers.python) if work.peers else {},
        "texts": len(texts), "tokens": int(texts.bag.counts.sum()), "words": len(texts.bag.vocabulary),
        "unseen": len(unseen) if unseen else 0, "topics": topics, "topics_asked": options.topics,
        "rows": [row.json_value() for row in rows],
    }  # fmt: skip
    print(json.dumps(report) if options.json else _as_text(report, rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("docs", type=Path)
    parser.add_argument("--topics", required=True, metavar="K|auto")
    parser.add_argument("--models", default="all", help="names, or ours, peers, all; by commas")
    parser.add_argument("--seeds", type=int, default=3, help="fits a model")
    parser.add_argument("--seeds-of", nargs="*", default=[], metavar="MODEL=N", help="fewer for some")
    parser.add_argument("--parts", type=int, default=0, help="fits on parts of 90 %%, for the stability of words")
    parser.add_argument("--heldout", type=Path, metavar="DOCS2")
    parser.add_argument("--words", type=int, default=2000, help="size of the vocabulary")
    parser.add_argument("--clean", choices=["newsgroups"])
    parser.add_argument("--split", help="rows of DOCS whose `split` is this")
    parser.add_argument("--heldout-split", help="the same of DOCS2 (of DOCS, where there is none)")
    parser.add_argument("--two-thirds", action="store_true", help="places 0 and 1 of every three texts")
    parser.add_argument("--encoder", default=Settings(data_dir=Path()).encoder)
    parser.add_argument("--vectors", type=Path, help="an .npy with a row a text as read, instead of encoding")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "riparian-benchmarks" / "topics")
    parser.add_argument("--limit", type=int, default=3600, help="seconds a fit may take")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _models(asked: str) -> list[str]:
    found = [name for part in asked.split(",") for name in GROUPS.get(part.strip(), (part.strip(),))]
    if strange := [name for name in found if name not in GROUPS["all"]]:
        raise Failed(f"no model {', '.join(strange)}; there is: {', '.join(GROUPS['all'])}, or {', '.join(GROUPS)}")
    return list(dict.fromkeys(found))


# ------------------------------------------------------------------------------ texts


def _prepared(options: argparse.Namespace) -> tuple[Prepared, Prepared | None]:
    texts = scores.prepare(_read(options, options.docs, options.split), size=options.words)
    if not len(texts) or not texts.bag.vocabulary:
        raise Failed(f"{options.docs}: no text of {scores.FEWEST_WORDS} words that could name a topic")
    unseen = None
    if options.heldout or options.heldout_split:
        given = _read(options, options.heldout or options.docs, options.heldout_split)
        unseen = scores.prepare(given, texts.bag.vocabulary)
    return (scores.two_thirds(texts) if options.two_thirds else texts), unseen


def _read(options: argparse.Namespace, path: Path, split: str | None) -> Texts:
    if not path.is_file():
        raise Failed(f"{path}: no such file")
    if options.clean:
        return scores.newsgroups(path, split or "train")
    return scores.read_texts(path, split)


def _topics(asked: str, texts: Prepared, vectors: NDArray[np.float32]) -> int:
    if asked == "auto":
        order = by_content(vectors, texts.bag)  # as the product has them: the number is sought among the first
        return choose(vectors[order], texts.bag.rows(order), np.arange(len(texts))).topics
    if not asked.isdecimal() or int(asked) < 1:
        raise Failed(f"--topics is a number or auto, not {asked!r}")
    return int(asked)


def _vectors(options: argparse.Namespace, texts: Prepared) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of texts and of words, from the cache where they were made before."""
    encoder = EncoderPool(options.cache / "encoder", threads=1).load(options.encoder)
    if options.vectors:
        own = np.load(options.vectors, allow_pickle=False)[texts.rows]
    else:
        own = _kept(options.cache, encoder, texts.texts)
    return own, _kept(options.cache, encoder, texts.bag.vocabulary)


def _kept(cache: Path, encoder: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    name = hashlib.sha256(json.dumps([encoder.fingerprint(), *texts]).encode()).hexdigest()[:24]
    path = cache / "vectors" / f"{name}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        pieces = [_embedded(texts[start : start + 512], encoder) for start in range(0, len(texts), 512)]
        np.save(path, np.concatenate(pieces))
    found: NDArray[np.float32] = np.load(path, allow_pickle=False)
    return found


def _embedded(texts: Sequence[str], encoder: Any) -> NDArray[np.float32]:
    if hasattr(encoder, "tokenize"):
        return scores.embed(texts, encoder)
    return np.asarray(encoder.encode_passages(texts, "passage"), np.float32)


# ------------------------------------------------------------------------------ fits


class _Work:
    """A folder with what all models are given, and what they answered."""

    def __init__(self, options: argparse.Namespace, texts: Prepared) -> None:
        vectors, words = _vectors(options, texts)
        tokens = texts.bag.words()
        self.given = Given(list(texts.texts), tokens, list(texts.bag.vocabulary), texts.bag.counts, vectors, words)
        digest = hashlib.sha256(json.dumps([self.given.texts, tokens]).encode())
        digest.update(np.ascontiguousarray(vectors).data)
        self._folder = options.cache / "work" / digest.hexdigest()[:24]
        self._limit = options.limit
        write_given(self._folder, self.given)
        for number, rows in enumerate(scores.subsamples(len(texts), options.parts)):
            np.save(self._folder / f"rows-{number}.npy", rows)
        asked = set(_models(options.models)) & PEERS.keys()
        self.peers = topic_environment.make(options.cache / "peers") if asked else None

    def fit(self, model: str, topics: int, seed: int, part: str = "") -> tuple[Answer, Cost]:
        """Failed, saying why, where the process did not answer."""
        out = self._folder / f"{model}-k{topics}-s{seed}{'-part' + part if part else ''}.json"
        if not out.is_file():
            self._run(model, [str(self._folder), part, model, str(topics), str(seed), str(out)])
        return read_answer(out)

    def _run(self, model: str, arguments: list[str]) -> None:
        script = Path(__file__).with_name("topic_ours.py" if model in OURS else "topic_peers.py")
        command = [str(self._python(model)), str(script), *arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=self._limit,
                env={**os.environ, **_THREADS, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Failed(f"took longer than {self._limit} s") from None
        if done.returncode:
            raise Failed((done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:300])

    def _python(self, model: str) -> Path:
        if model in OURS or self.peers is None:
            return Path(sys.executable)
        if why := self.peers.failures.get(_PEER_PACKAGE.get(model, model)):
            raise Failed(f"could not be installed: {why}")
        return self.peers.python


def _row(work: _Work, scorer: Scorer, model: str, topics: int, options: argparse.Namespace) -> Row:
    row, words = Row(model), []
    seeds = dict(part.split("=") for part in options.seeds_of)
    try:
        for seed in range(int(seeds.get(model, options.seeds))):
            answer, cost = work.fit(model, topics, seed)
            row.scored.append(scorer.score(answer, cost, is_named=model in NAMED))
            words.append(answer.words)
        row.stability["seeds"] = agreement(words)
        parts = [work.fit(model, topics, 0, str(number))[0].words for number in range(options.parts)]
        row.stability["parts"] = agreement(parts)
        row.stability["held"] = held(words[0], parts)
    except Failed as failed:
        row.failed = str(failed)
    return row


def _as_text(report: dict[str, Any], rows: Sequence[Row]) -> str:
    peers = ", ".join(f"{name} {number}" for name, number in report["peers"].items())
    return (
        f"{report['texts']} texts, {report['tokens']} tokens, {report['words']} words, {report['unseen']} unseen; "
        f"{report['topics']} topics (asked: {report['topics_asked']})\n"
        f"{machine_line(report['machine'])}\n{peers}\n\n{markdown(rows)}"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, RiparianError) as error:
        sys.exit(f"topics: {error}")
