"""What guesses tags from the encoder's states (Clark et al. 2018, section 3.2): one primary module that sees all of
them, and auxiliary ones that each see a part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from riparian.encoders.cvt.network import Sizes, States
from riparian.encoders.weights import Shape


@dataclass(frozen=True, slots=True)
class View:
    """What an auxiliary module sees, and whose tag it guesses: its own word's (0), the next word's (1), the word
    before's (-1)."""

    sees: tuple[str, ...]
    of: int = 0
    activates: bool = True


VIEWS = {
    "forward": View(("ahead",)),
    "backward": View(("back",)),
    "future": View(("ahead",), of=1),
    "past": View(("back",), of=-1),
    "full": View(("uni", "both"), activates=False),
}
"""The auxiliary modules. `future` has not seen the word whose tag it guesses, nor has `past`."""

PRIMARY = View(("uni", "both"))


class Module(nn.Module):
    """softmax(U relu(W1 a + W2 b)) without its softmax; no relu where the view says so."""

    def __init__(self, view: View, sizes: Sizes, tags: int) -> None:
        super().__init__()
        self.view = view
        widths = {"ahead": sizes.projected, "back": sizes.projected, "uni": sizes.first_width}
        self.project = nn.ModuleList(
            nn.Linear(widths.get(name, sizes.second_width), sizes.module) for name in view.sees
        )
        self.predict = nn.Linear(sizes.module, tags)
        for layer in (*self.project, self.predict):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def shapes(self) -> dict[str, Shape]:
        """Name and shape of every tensor."""
        return {name: tuple(value.shape) for name, value in self.named_parameters()}

    def forward(self, states: States) -> Tensor:
        """(B, L, tags) scores."""
        return self.scores([getattr(states, name) for name in self.view.sees])

    def scores(self, seen: Sequence[Tensor]) -> Tensor:
        """Of states in the order of the view."""
        x = torch.stack([layer(state) for layer, state in zip(self.project, seen, strict=True)]).sum(dim=0)
        found: Tensor = self.predict(torch.relu(x) if self.view.activates else x)
        return found


class Modules(nn.Module):
    """The primary module and the five auxiliary ones."""

    def __init__(self, sizes: Sizes, tags: int) -> None:
        super().__init__()
        self.primary = Module(PRIMARY, sizes, tags)
        self.auxiliary = nn.ModuleDict({f"view_{name}": Module(view, sizes, tags) for name, view in VIEWS.items()})

    def views(self) -> Iterator[Module]:
        return cast("Iterator[Module]", iter(self.auxiliary.values()))
