"""Which batch a step of a training takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from riparian.encoders.batches import Batch


class Epochs:
    """`plan` answers with the batches of an epoch, equally many in each; it is asked once for each epoch."""

    def __init__(self, plan: Callable[[int], Sequence[Batch]]) -> None:
        self._plan, self._epoch, self._batches = plan, 0, plan(0)

    def __len__(self) -> int:
        """Batches of one epoch."""
        return len(self._batches)

    def batch(self, step: int) -> Batch:
        """Steps count through all epochs."""
        epoch, at = divmod(step, len(self._batches))
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._plan(epoch)
        return self._batches[at]
