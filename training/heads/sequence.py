"""A small two-way LSTM over the words of a sentence, and how it learns tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from riparian.device import choose
from riparian.encoders.training_steps import chance
from riparian.types import Matrix
from training.heads.figures import Numbers
from training.heads.fitting import Plan, fit
from training.heads.scaling import Scaling
from training.heads.word_vectors import Sentences
from training.material import Run

Arrays = dict[str, NDArray[np.float32]]

_NONE = -1
_DROPPED = 0.3


class Reader(nn.Module):
    """(d) vectors of words, scaled by `mean` and `spread`, to (labels) logits."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int, hidden: int, labels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.lstm = nn.LSTM(width, hidden, bidirectional=True, batch_first=True)
        self.out = nn.Linear(2 * hidden, labels)

    def forward(self, sentences: Sequence[Tensor]) -> Tensor:
        """Logits of all words, one sentence after the other. No sentence may be empty."""
        lengths = torch.tensor([len(sentence) for sentence in sentences])
        scaled = (pad_sequence(list(sentences), batch_first=True) - self.mean) / self.spread
        dropped = nn.functional.dropout(scaled, _DROPPED, self.training)
        packed = pack_padded_sequence(dropped, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        kept = torch.arange(states.shape[1])[None] < lengths[:, None]
        found: Tensor = self.out(nn.functional.dropout(states[kept.to(states.device)], _DROPPED, self.training))
        return found


def learn(
    sentences: Sentences,
    rows: Sequence[int],
    tags: Sequence[Numbers],
    labels: int,
    hidden: int,
    plan: Plan,
    run: Run,
    name: str,
) -> Arrays:
    """Minimises the cross-entropy over the words of the sentences of these numbers that have a tag (not -1)."""
    device = choose(run.device)
    with chance(run.seed, -1, device):
        reader = Reader(sentences.vectors.shape[1], hidden, labels).to(device.name)
    scaling = Scaling.of(np.concatenate([sentences.of(row) for row in rows]))
    reader.mean.copy_(torch.from_numpy(scaling.mean))
    reader.spread.copy_(torch.from_numpy(np.minimum(scaling.spread, np.float32(1e30))))

    def loss(batch: NDArray[np.int64]) -> Tensor:
        chosen = [rows[at] for at in batch]
        found = reader([torch.from_numpy(sentences.of(row)).to(device.name) for row in chosen])
        wanted = torch.from_numpy(np.concatenate([tags[row] for row in chosen])).to(device.name)
        total = cross_entropy(found, wanted, ignore_index=_NONE, reduction="sum")
        return total / (wanted != _NONE).sum().clamp(min=1)

    fit(dict(reader.named_parameters()), plan, loss, run, name)
    return {key: value.detach().cpu().numpy().copy() for key, value in reader.state_dict().items()}


def read(arrays: Mapping[str, NDArray[np.float32]], sentences: Sequence[Matrix]) -> list[NDArray[np.float64]]:
    """(words, labels) logits of each sentence, each computed alone, so that it depends on no other."""
    labels, width = arrays["out.bias"].shape[0], arrays["mean"].shape[0]
    reader = Reader(width, arrays["out.weight"].shape[1] // 2, labels).eval()
    reader.load_state_dict({key: torch.from_numpy(np.asarray(arrays[key])) for key in reader.state_dict()})
    with torch.inference_mode():
        return [
            reader([torch.from_numpy(words)]).numpy().astype(np.float64) if len(words) else np.zeros((0, labels))
            for words in sentences
        ]


def shapes(width: int, hidden: int, labels: int) -> dict[str, tuple[int, ...]]:
    """Tensor name → shape."""
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in Reader(width, hidden, labels).state_dict().items()}
