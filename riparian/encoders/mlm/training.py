"""Training a small BERT as a masked language model, or an existing one further, on the user's own text.

Devlin et al. 2019, task 1; next-sentence prediction is left out, as in RoBERTa (Liu et al. 2019).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import BertConfig, BertForMaskedLM

from riparian.device import Device, choose
from riparian.encoders import batches
from riparian.encoders.base import Progress
from riparian.encoders.checkpoint import Checkpoint
from riparian.encoders.epochs import Epochs
from riparian.encoders.fingerprint import canonical, text_digest
from riparian.encoders.mlm import wordpiece
from riparian.encoders.mlm.corpus import Block, Corpus, blocks, counts, framed, gather, plan
from riparian.encoders.mlm.masking import hide
from riparian.encoders.mlm.settings import Settings
from riparian.encoders.steps import Look
from riparian.encoders.storage import new_folder, read_json
from riparian.encoders.training_steps import Steps, chance, set_rate, use_threads, warmed_up
from riparian.encoders.weights import digest, tensors, weight_files
from riparian.errors import BadWeights

REPORT = "training.json"

Report = dict[str, Any]

_JUDGING = 7
"""What is masked in held-out text is the same for every model."""


def train(
    texts: Iterable[str],
    settings: Settings,
    seed: int,
    progress: Progress | None = None,
    *,
    into: Path,
    base: Path | None = None,
    checkpoint: Path | None = None,
    device: str = "cpu",
    workers: int = 0,
) -> Report:
    """Writes the folder `into`, which `bert:FOLDER` loads, and answers with what `training.json` in it says: loss and
    first-guess accuracy on held-out text beside those of word frequencies alone.

    With `base`, a BERT folder, that model is trained further with its own tokenizer and sizes. The same texts,
    settings and seed give the same weights on one machine. `progress` hears (batches done, batches in all) and may
    raise to stop; with `checkpoint`, a stopped run goes on to the same weights, and Conflict is raised where the file
    belongs to another run. Raises Invalid for too little text, BadWeights for a `base` that is no BERT, AlreadyExists
    where `into` is there and not empty.
    """
    corpus = gather(texts, settings.held_out, seed)
    place = choose(device)
    use_threads(place, workers)
    tokenizer = _tokenizer(corpus, settings, base)
    model = _model(settings, seed, tokenizer, base, place)
    start = "" if base is None else digest(tensors(weight_files(base)))
    run = text_digest(canonical([settings.to_json(), seed, corpus.digest, start]))
    kept = None if checkpoint is None else Checkpoint(checkpoint, run)
    with new_folder(into) as draft:
        trainer = _Trainer(settings, seed, corpus, _Parts(tokenizer, model, place))
        trainer.run(progress, kept)
        report = trainer.report()
        model.save_pretrained(draft)
        wordpiece.write(draft, tokenizer, model.config.max_position_embeddings, settings.lower)
        _describe(draft, settings, report)
    return report


@dataclass(frozen=True, slots=True)
class _Parts:
    tokenizer: Tokenizer
    model: Any
    device: Device

    def number(self, token: str) -> int:
        return wordpiece.number(self.tokenizer, token)


class _Trainer:
    """One run. All chance comes from the seed and the number of the step, so that a run can go on anywhere."""

    def __init__(self, settings: Settings, seed: int, corpus: Corpus, parts: _Parts) -> None:
        self._settings, self._seed, self._corpus, self._parts = settings, seed, corpus, parts
        size = min(settings.max_length, parts.model.config.max_position_embeddings) - 2
        self._train = blocks(corpus.train, parts.tokenizer, size)
        self._held_out = blocks(corpus.held_out, parts.tokenizer, size)
        self._parameters = dict(parts.model.named_parameters())
        self._optimiser = torch.optim.AdamW(
            self._parameters.values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._epochs = Epochs(lambda epoch: plan(self._train, settings.batch_tokens, seed, epoch))
        self._total = len(self._epochs) * settings.epochs

    def run(self, progress: Progress | None, checkpoint: Checkpoint | None) -> None:
        self._parts.model.train()
        Steps(self._total, self._parameters, self._optimiser, checkpoint).run(
            self._learn, progress, Look("accuracy", self._accuracy)
        )
        self._parts.model.eval()

    def _learn(self, step: int) -> Tensor:
        batch = self._epochs.batch(step)
        numbers = np.random.default_rng([self._seed, step])
        with chance(self._seed, step, self._parts.device):
            scores, targets = self._guesses(self._train, batch, numbers)
            loss = functional.cross_entropy(scores, targets)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters.values(), self._settings.clip_norm)
        set_rate(self._optimiser, self._settings.learning_rate * warmed_up(step, self._total))
        self._optimiser.step()
        return loss.detach()

    def _guesses(self, rows: list[Block], batch: batches.Batch, numbers: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(M, V) scores at the M chosen positions, and the (M,) tokens that stood there."""
        parts, model = self._parts, self._parts.model
        ends = [parts.number(token) for token in (wordpiece.BEGIN, wordpiece.END, wordpiece.PADDING)]
        ids, mask = framed([rows[at] for at in batch], *ends)
        eligible = (mask == 1) & ~np.isin(ids, ends)
        span = (len(wordpiece.SPECIAL), model.config.vocab_size)
        hidden = hide(ids, eligible, self._settings.masked, parts.number(wordpiece.MASK), span, numbers)
        states = model.bert(input_ids=self._put(hidden.ids), attention_mask=self._put(mask)).last_hidden_state
        chosen = self._put(hidden.chosen)
        return model.cls(states[chosen]), self._put(ids)[chosen]

    def _put(self, found: NDArray[Any]) -> Tensor:
        return torch.from_numpy(found).to(self._parts.device.name)

    def report(self) -> Report:
        return {
            "settings": self._settings.to_json(),
            "seed": self._seed,
            "texts_sha256": self._corpus.digest,
            "sentences": sum(map(len, self._corpus.train)),
            "tokens": sum(map(len, self._train)),
            "held_out_tokens": sum(map(len, self._held_out)),
            "vocabulary": int(self._parts.model.config.vocab_size),
            **self._judged(),
        }

    def _accuracy(self) -> float:
        self._parts.model.eval()
        found = float(self._judged()["accuracy"])
        self._parts.model.train()
        return found

    @torch.no_grad()
    def _judged(self) -> Report:
        """Loss and share of right first guesses over hidden tokens of held-out text; frequencies count from one."""
        seen = torch.from_numpy(counts(self._train, int(self._parts.model.config.vocab_size)))
        plain = ((seen + 1) / (seen + 1).sum()).log()
        numbers = np.random.default_rng(_JUDGING)
        sums = np.zeros(5)
        for batch in plan(self._held_out, self._settings.batch_tokens, 0, 0):
            scores, targets = (found.cpu() for found in self._guesses(self._held_out, batch, numbers))
            sums += [
                len(targets),
                float(functional.cross_entropy(scores, targets, reduction="sum")),
                float((scores.argmax(dim=1) == targets).sum()),
                -float(plain[targets].sum()),
                float((targets == int(seen.argmax())).sum()),
            ]
        names = ("loss", "accuracy", "unigram_loss", "unigram_accuracy")
        found = {name: round(float(total / sums[0]), 4) for name, total in zip(names, sums[1:], strict=True)}
        return {"judged_tokens": int(sums[0]), **found}


def _tokenizer(corpus: Corpus, settings: Settings, base: Path | None) -> Tokenizer:
    if base is None:
        return wordpiece.learn(corpus.sentences(), settings.vocabulary, settings.lower)
    path = base / "tokenizer.json"
    if not path.is_file():
        raise BadWeights(path, "a tokenizer.json", "no such file")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    missing = [token for token in wordpiece.SPECIAL if tokenizer.token_to_id(token) is None]
    if missing:
        raise BadWeights(path, f"the tokens {', '.join(wordpiece.SPECIAL)}", f"no {', '.join(missing)}")
    return tokenizer


def _model(settings: Settings, seed: int, tokenizer: Tokenizer, base: Path | None, device: Device) -> Any:
    with chance(seed, -1, device):
        model: Any = BertForMaskedLM(_config(settings, tokenizer)) if base is None else _further(base)
    return model.to(device.name)


def _further(base: Path) -> Any:
    config = read_json(base / "config.json")
    if config.get("model_type") != "bert":
        raise BadWeights(
            base / "config.json", "a BERT model to train further", f"model_type {config.get('model_type')!r}"
        )
    weight_files(base)
    return BertForMaskedLM.from_pretrained(
        str(base), local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )


def _config(settings: Settings, tokenizer: Tokenizer) -> Any:
    return BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.hidden,
        max_position_embeddings=settings.max_length,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        pad_token_id=tokenizer.token_to_id(wordpiece.PADDING),
    )


def _describe(folder: Path, settings: Settings, report: Report) -> None:
    (folder / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    facts = {"license": settings.licence, "language": list(settings.languages)}
    front = "".join(f"{name}: {json.dumps(value)}\n" for name, value in facts.items())
    (folder / "README.md").write_text(
        f"---\n{front}---\n# {settings.name}\n\nA small BERT trained by Riparian as a masked language model on "
        f"{report['tokens']} tokens. Held-out text: loss {report['loss']} (word frequencies {report['unigram_loss']}), "
        f"first guess right {report['accuracy']:.1%} (word frequencies {report['unigram_accuracy']:.1%}).\n\n"
        "It was never trained to compare sentences: a weak search encoder until it is tuned.\n",
        encoding="utf-8",
    )
