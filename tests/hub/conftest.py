"""Every test of the hub runs on SQLite and on PostgreSQL, each over a database of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from sqlalchemy import create_engine, make_url, text

from tests.hub.hubs import Hub, copy_files, running, set_up
from tests.postgres import postgres_url as postgres_url

_NUMBERS = count(1)


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Nothing is logged but where a test asks for it; that ends with the test."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    for name in ("uvicorn", "asyncio", "litestar"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """The work of a password check is what it is; tests need not wait for it."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr("desk.hub.passwords._HASHER", cheap)
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's database that was set up, to be copied."""
    path = tmp_path_factory.mktemp("template") / "hub.db"
    set_up(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The same on PostgreSQL: the name of the database to be copied."""
    _administer(postgres_url, "CREATE DATABASE hub_template")
    set_up(_database(postgres_url, "hub_template"))
    return "hub_template"


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return request.param


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with nothing in it."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: str = request.getfixturevalue("postgres_url")
    yield from _postgres_database(server, "template0")


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A hub's database with the freight playbook and people of every role."""
    if backend == "sqlite":
        path = tmp_path / "hub.db"
        copy_files(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template: str = request.getfixturevalue("postgres_template")
    yield from _postgres_database(request.getfixturevalue("postgres_url"), template)


@pytest.fixture
def hub(database_url: str) -> Iterator[Hub]:
    """A running hub."""
    with running(database_url) as hub:
        yield hub


def _postgres_database(server: str, template: str) -> Iterator[str]:
    name = f"hub_{next(_NUMBERS)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _database(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _administer(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
