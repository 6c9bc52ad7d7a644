"""A small archive in which "bank" is money in some texts and the side of a river in others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from riparian.encoders.base import Encoder
from senses.service import SenseService
from tests.search.world import Text, World

MONEY = (
    "The bank raised its interest rate on {} loans in {}.",
    "Customers of the {} bank opened savings accounts in {}.",
    "The {} bank lent money to merchants of {} against a mortgage.",
    "Shares of the bank fell after the {} report from {} on its credit losses.",
    "A cashier of the {} bank counted the deposits from {}.",
)
RIVER = (
    "Willows and reeds grew on the muddy bank of the {} river near {}.",
    "The anglers sat on the {} bank and watched the stream flow past {}.",
    "The flood washed away the {} bank of the creek below {}.",
    "Otters dug a burrow in the {} bank where the water turns at {}.",
    "We moored the boat to the {} bank of the river and walked to {}.",
)
OTHER = (
    "The {} orchestra played a symphony in the hall of {}.",
    "Painters of the {} school showed their portraits in {}.",
    "The {} team won the match in {} after extra time.",
    "Engineers repaired the {} engine of the train to {}.",
    "The {} bakery sold bread and cakes in the streets of {}.",
    "A {} doctor treated patients in the hospital of {}.",
)
HOW = ("northern", "old", "small", "former", "famous", "local", "southern", "steep", "new", "royal")
WHERE = ("Dover", "Lyon", "Graz", "Turin", "Porto", "Bergen", "Leeds", "Ghent", "Basel", "Cork")


def sentence(forms: tuple[str, ...], number: int) -> str:
    return forms[number % len(forms)].format(HOW[number // 5 % 10], WHERE[(number + number // 10) % 10])


def texts(money: int = 45, river: int = 20, other: int = 110) -> list[Text]:
    """Money until 2000 and river from 2000 on, so that the sense changes with time."""
    found = [Text(f"money-{n}.txt", sentence(MONEY, n), date=date(1980 + n % 20, 1, 1)) for n in range(money)]
    found += [Text(f"river-{n}.txt", sentence(RIVER, n), date=date(2000 + n % 20, 1, 1)) for n in range(river)]
    return found + [Text(f"other-{n}.txt", sentence(OTHER, n)) for n in range(other)]


@dataclass
class Archive:
    world: World
    senses: SenseService


def archive(folder: Path, encoder: str, *documents: Text) -> Archive:
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder, encoder=encoder)
    world.put(*documents)
    world.lexical.catch_up(world.id)
    return Archive(world, SenseService(world.database, world.encoders, world.lexical, folder / "senses"))


@pytest.fixture(scope="session")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The archive under the default encoder, for tests that change nothing."""
    made = archive(tmp_path_factory.mktemp("senses"), "sentence-transformers", *texts())
    yield made
    made.world.engine.dispose()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Archive]:
    """An archive of one's own, under the default encoder."""
    made = archive(tmp_path / "own", "sentence-transformers", *texts())
    yield made
    made.world.engine.dispose()


def cloud(centres: np.ndarray, sizes: tuple[int, ...], spread: float, seed: int = 0) -> np.ndarray:
    """Unit vectors around unit centres."""
    draw = np.random.default_rng(seed)
    rows = np.concatenate(
        [centre + spread * draw.normal(size=(size, len(centre))) for centre, size in zip(centres, sizes, strict=True)]
    )
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def encoder(read_only: Archive) -> Encoder:
    assert read_only.world.encoder is not None
    return read_only.world.encoders.of(read_only.world.encoder)
