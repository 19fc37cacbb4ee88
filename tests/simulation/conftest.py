"""What tests of simulations share: hubs that are set up once, and cheap work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation import backends
from tests.simulation.backends import Fresh
from tests.simulation.cheap import cheaply
from tests.simulation.places import InProcess
from tests.simulation.world import World


@pytest.fixture(autouse=True)
def cheap_work() -> Iterator[None]:
    """See ``cheaply``."""
    with cheaply():
        yield


@pytest.fixture(scope="session")
def fresh_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Hubs over files."""
    with cheaply():
        return backends.sqlite(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def fresh_postgres(postgres_url: str) -> Fresh:
    """Hubs over databases of one PostgreSQL server."""
    with cheaply():
        return backends.postgresql(postgres_url)


@pytest.fixture
def world(fresh_sqlite: Fresh, tmp_path: Path) -> Iterator[World]:
    """Desk 0 is an operator's, 1 a marketer's, 2 a sales manager's; six leads, three handed off."""
    place = InProcess(fresh_sqlite(tmp_path), 1)
    made = World(tmp_path, place)
    for _ in range(6):
        made.create(0)
    for _ in range(6):
        made.pass_on(0, 0)
    made.sync(0)
    made.sync(1)
    for _ in range(3):
        made.pass_on(1, 1)
    made.sync(1)
    made.sync(2)
    yield made
    made.close()
    place.close()
