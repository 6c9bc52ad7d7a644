from __future__ import annotations

from pathlib import Path

import pytest

from tests.search.world import ARCHIVE, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Empty, with the hashing encoder."""
    return World(tmp_path)


@pytest.fixture
def fresh(world: World) -> World:
    """Five documents: flood, banks, bread (English and German), rivers; ids 1 to 5."""
    assert world.fill(*ARCHIVE) == [1, 2, 3, 4, 5]
    return world


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same five, shared: not to be written to."""
    shared = World(tmp_path_factory.mktemp("archive"))
    shared.fill(*ARCHIVE)
    return shared
