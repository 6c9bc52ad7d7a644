"""Fine-tuning as a job: split by document, tune, judge on what was held out, and promote only what is better."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from riparian import jobs
from riparian.catalog.engine import Database
from riparian.config import Settings
from riparian.encoders.base import Encoder
from riparian.encoders.library import Library
from riparian.encoders.pool import EncoderPool
from riparian.encoders.storage import is_saved, read_json
from riparian.errors import Conflict, Invalid
from riparian.jobs import Handler, Running
from riparian.types import JobId
from training.collected import Source, body_of, documents, given_texts
from training.desk import CHECKPOINT, REPORT, RESULT, desk_of, write_json
from training.evaluation.gate import Verdict, judge
from training.evaluation.rankers import static_row
from training.evaluation.split import Split, split
from training.evaluation.trial import draw
from training.heads.tables import rows
from training.judged_pairs import check_enough, judged_pairs
from training.material import Material, Pair, Run
from training.plausible import check_order, check_pairs
from training.recipes.base import Recipe, Report
from training.recipes.table import named
from training.spoken import Spoken

TUNE = "tune"

_SIDES = ("first", "second")

General = Callable[[], Iterable[str]]
"""Texts of another kind than the user's, on which forgetting shows."""


@dataclass(frozen=True, slots=True)
class TuneWish:
    """A fine-tuning as someone asked for it. `pairs` are files of questions and answers, or of other texts that belong
    together, learnt from beside the titles of the documents; with `judgments`, also the collection's queries with the
    passages that were judged relevant for them. With `force`, text that looks shuffled is learnt from too,
    and the result is promoted whatever the gate says."""

    recipe: str
    encoder: str
    name: str
    collection: str | None = None
    paths: Sequence[str] = ()
    pairs: Sequence[str] = ()
    judgments: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    force: bool = False

    def payload(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe, "encoder": self.encoder, "name": self.name, "collection": self.collection,
            "paths": list(self.paths), "pairs": list(self.pairs),
            "settings": dict(self.settings), "seed": self.seed, "force": self.force,
            **({"judgments": True} if self.judgments else {}),
        }  # fmt: skip


class TuningService:
    """Tunes encoders on a collection's own text."""

    def __init__(
        self,
        database: Database,
        encoders: EncoderPool,
        library: Library,
        settings: Settings,
        *,
        read_texts: Callable[[Sequence[Path]], Iterable[str]],
        general: General,
    ) -> None:
        self._database, self._encoders, self._library, self._settings = database, encoders, library, settings
        self._read_texts, self._general = read_texts, general

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """What runs the jobs of fine-tuning."""
        return {TUNE: self._run_tune}

    def tune(self, wish: TuneWish) -> JobId:
        """Queues fine-tuning. Refused before anything is written: Invalid for a recipe, setting or name that cannot be,
        or an encoder that the recipe does not accept (with the reason), AlreadyExists for a name that is taken,
        UnknownEncoder, UnknownCollection.

        A tuning that was stopped goes on where it was when the same is asked again; one that was not promoted is
        promoted without another run when the same is asked with `force`.
        """
        recipe = named(wish.recipe)
        self._library.check_free(wish.name)
        _known_settings(recipe, wish.settings)
        why = recipe.refuses(self._encoders.load(wish.encoder))
        if why:
            raise Invalid(f"{wish.recipe} cannot tune {wish.encoder}: {why}")
        if wish.collection is None and not wish.paths:
            raise Invalid("name a collection or files to learn from")
        if wish.pairs and recipe.needs != "pairs":
            raise Invalid(
                f"{wish.recipe} does not learn from pairs; leave the files of pairs out, or take recipe pairs"
            )
        for path in wish.pairs:
            next(rows(Path(path), _SIDES), None)
        self._check_judgments(wish, recipe)
        with self._database.write() as catalog:
            if wish.collection is not None:
                catalog.collections.named(wish.collection)
            return jobs.enqueue(catalog, TUNE, wish.payload())

    def _check_judgments(self, wish: TuneWish, recipe: Recipe) -> None:
        if not wish.judgments:
            return
        if recipe.needs != "pairs":
            raise Invalid(f"{wish.recipe} does not learn from judgments; take recipe pairs")
        if wish.collection is None:
            raise Invalid("judgments belong to a collection; name it")
        check_enough(self._database, wish.collection)

    # ---------------------------------------------------------------- working

    def _run_tune(self, running: Running) -> Mapping[str, Any]:
        wish, began = TuneWish(**running.job.payload), time.monotonic()
        recipe, before = named(wish.recipe), self._encoders.load(wish.encoder)
        sides = split(self._sources(wish, Spoken(running, "read", "texts")), wish.seed)
        draw(sides.held_out, sides.seed)  # too little to judge by is said before anything is learnt
        judged = self._judged(wish, sides)
        # what was judged since is another lesson: no earlier result stands for it
        lesson = {"judged": [[pair.first, pair.second] for pair in judged]} if judged else {}
        desk = desk_of(self._settings.data_dir, wish.payload() | {"force": None} | lesson)
        report = self._tuned(running, wish, recipe, before, sides, judged, desk)
        after = self._encoders.load(str(desk / RESULT))
        verdict = self._verdict(running, before, after, sides)
        result = {
            "recipe": wish.recipe,
            "base": before.info.name,
            "promoted": verdict.allows(wish.force),
            "forced": wish.force and not verdict.promote,
            "learnt_documents": len(sides.learnt),
            "judged_pairs": len(judged),
            "held_out_documents": [source.id for source in sides.held_out],
            "report": report,
            "verdict": asdict(verdict),
            "seconds": round(time.monotonic() - began, 1),
        }
        if not verdict.allows(wish.force):
            return {"encoder": None, "fingerprint": after.fingerprint(), **result}
        made = self._library.adopt(wish.name, desk / RESULT)
        shutil.rmtree(desk, ignore_errors=True)
        return {"encoder": made.name, "fingerprint": made.card.fingerprint, **result}

    def _tuned(
        self,
        running: Running,
        wish: TuneWish,
        recipe: Recipe,
        before: Encoder,
        sides: Split,
        judged: Sequence[Pair],
        desk: Path,
    ) -> Report:
        if is_saved(desk / RESULT) and (desk / REPORT).is_file():  # done before, and not promoted or killed since
            done: Report = read_json(desk / REPORT)
            return done
        run = Run(
            seed=wish.seed,
            progress=Spoken(running, "train", "steps"),
            checkpoint=desk / CHECKPOINT,
            device=self._settings.device,
            workers=self._settings.threads,
        )
        settings = {"name": wish.name} | dict(wish.settings) if "name" in recipe.defaults else wish.settings
        material = _material(recipe, wish, sides, judged)
        if not wish.force:
            check_order(material.texts, wish.seed)
            check_pairs(material.pairs, wish.seed)
        shutil.rmtree(desk / RESULT, ignore_errors=True)
        try:
            report = recipe.tune(before, material, desk / RESULT, run, settings)
        except Conflict:  # the text is not what it was: what was learnt from the old one is no start
            (desk / CHECKPOINT).unlink(missing_ok=True)
            report = recipe.tune(before, material, desk / RESULT, run, settings)
        write_json(desk / REPORT, report)
        return report

    def _judged(self, wish: TuneWish, sides: Split) -> list[Pair]:
        if not wish.judgments or wish.collection is None:
            return []
        return judged_pairs(self._database, wish.collection, sides.held_out)

    def _verdict(self, running: Running, before: Encoder, after: Encoder, sides: Split) -> Verdict:
        return judge(
            before,
            after,
            sides.held_out,
            sides.seed,
            learnt=sides.learnt,
            general=list(given_texts(self._general())),
            static=static_row(self._encoders.load),
            progress=Spoken(running, "judge", "parts of 1000"),
        )

    def _sources(self, wish: TuneWish, tell: Spoken) -> list[Source]:
        found = list(documents(self._database, wish.collection, tell)) if wish.collection is not None else []
        first = max((source.id for source in found), default=0) + 1
        read = self._read_texts([Path(path) for path in wish.paths]) if wish.paths else ()
        return [*found, *given_texts(read, first)]


def _material(recipe: Recipe, wish: TuneWish, sides: Split, judged: Sequence[Pair] = ()) -> Material:
    """Of the documents to learn from, near-duplicates once. Invalid where they hold nothing that the recipe needs."""
    once = {source.group: source for source in reversed(sides.learnt)}
    learnt = sorted(once.values(), key=lambda source: source.id)
    where = f"collection {wish.collection!r}" if wish.collection else "files"
    material = Material(f"{len(learnt)} texts of {where}")
    if recipe.needs == "texts":
        return replace(material, texts=[source.text for source in learnt])
    if recipe.needs == "pairs":
        titled = [Pair(one.title, body_of(one)) for one in learnt if one.title.strip() and body_of(one)]
        given = list(_given_pairs(wish.pairs, sides))
        if not titled and not given and not judged:
            raise Invalid(f"{recipe.name} needs documents with a title, or files of pairs; none of {where} has one")
        origin = f"{len(titled)} titles and their texts of {where}"
        origin += f" and {len(given)} pairs of files" if given else ""
        origin += f" and {len(judged)} judgments" if judged else ""
        return replace(material, pairs=[*titled, *given, *judged], origin=origin)
    raise Invalid(f"{recipe.name} learns from {recipe.needs}, which a collection does not hold")


def _given_pairs(paths: Sequence[str], sides: Split) -> Iterator[Pair]:
    """The pairs of files with the columns first and second, without those whose texts stand in a document that is held
    out: what was learnt from could not be judged by."""
    held_out = [one.text for one in sides.held_out]
    for path in paths:
        for row in rows(Path(path), _SIDES):
            pair = Pair(row.filled(Path(path), "first"), row.filled(Path(path), "second"))
            if not any(pair.second.strip() in text or pair.first.strip() in text for text in held_out):
                yield pair


def _known_settings(recipe: Recipe, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in recipe.defaults:
            raise Invalid(f"{recipe.name} has no setting {name!r}; it has {', '.join(recipe.defaults)}")
