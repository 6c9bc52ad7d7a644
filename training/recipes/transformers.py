"""The recipes that tune transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from riparian.encoders.base import Encoder
from riparian.errors import AlreadyExists, Invalid
from training.material import Material, Run
from training.recipes.base import Needs, Report
from training.settings import defaults, parsed

KINDS = ("bert", "mirror-bert", "sentence-transformers")

_OWN_OBJECTIVE = "its network learns by its own objective: train one on your text instead"
_TABLE = "a word has one vector there, so that two views of a text would be the same; tune it with pairs"
_WHY = {
    "hashing": "it has no weights, its vectors are computed from spelling",
    "use": "it has no dropout and no hidden token to make two views of a text with; tune it with pairs",
    "use-lite": "its weights are published for use alone, and nothing here trains them",
    "context2vec-awe": "it has no weights of its own; tune the word vectors that it reads",
    **dict.fromkeys(("elmo", "cove", "cvt", "context2vec-lstm", "twin-causal", "view-match"), _OWN_OBJECTIVE),
    **dict.fromkeys(("word2vec", "glove"), _TABLE),
}


def not_one(kind: str) -> str:
    """The end of a sentence that says why an encoder of this kind is not tuned."""
    return f"and this is of the kind {kind}" + (f": {why}" if (why := _WHY.get(kind)) else "")


@dataclass(frozen=True, slots=True)
class TransformerRecipe:
    """A recipe for transformers of any size. `settings` and `lesson` are "module:name", imported when it is used;
    `lesson(student, settings, seed, material)` says what is learnt from."""

    name: str
    summary: str
    needs: Needs
    settings: str
    lesson: str
    how: str

    @property
    def defaults(self) -> Mapping[str, Any]:
        return defaults(_named(self.settings))

    def refuses(self, encoder: Encoder) -> str | None:
        kind = encoder.info.kind
        return None if kind in KINDS else f"it tunes transformers ({', '.join(KINDS)}), {not_one(kind)}"

    def tune(self, encoder: Encoder, material: Material, into: Path, run: Run, settings: Mapping[str, Any]) -> Report:
        from riparian.encoders.training_steps import chance
        from training.recipes.lesson import digest_of
        from training.recipes.teaching import run_lesson, student_of

        chosen = parsed(_named(self.settings), settings, self.name)
        if why := self.refuses(encoder):
            raise Invalid(f"{self.name} cannot tune {encoder.info.name}: {why}")
        if into.exists() and any(into.iterdir()):
            raise AlreadyExists(f"{into} is not empty; give a new folder to save into")
        student = student_of(encoder, chosen, run)
        with chance(run.seed, -2, student.device):
            lesson = _named(self.lesson)(student, chosen, run.seed, material)
        digest = digest_of(map(str, lesson.examples))
        report: Report = run_lesson(student, lesson, chosen, run, digest)
        report |= {"recipe": self.name, "origin": material.origin}
        how = f"tuned here ({self.how}) on {len(lesson.examples)} examples of {material.origin}, SHA-256 {digest[:16]}…"
        student.save(into, chosen.name, how, report)
        return report


Lesson = Callable[..., Any]


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
