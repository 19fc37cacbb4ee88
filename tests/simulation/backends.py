"""Fresh hubs for simulations: set up once, then copied; SQLite files or PostgreSQL databases."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import create_engine, make_url, text

from desk.hub.database import Database
from tests.hub.hubs import copy_files
from tests.simulation.places import set_up

#: Gives the URL of a fresh hub's database; the folder is the simulation's.
Fresh: TypeAlias = Callable[[Path], str]


def sqlite(folder: Path) -> Fresh:
    """Hubs over files; ``folder`` keeps the one they are copied from."""
    template = folder / "template.db"
    with Database(f"sqlite:///{template}") as database:
        set_up(database)

    def fresh(place: Path) -> str:
        copy_files(template, place / "hub.db")
        return f"sqlite:///{place / 'hub.db'}"

    return fresh


def postgresql(server: str) -> Fresh:
    """Hubs over databases of the server at that URL; they go with the server."""
    numbers = count(1)
    administer(server, "CREATE DATABASE world_template")
    with Database(named(server, "world_template")) as database:
        set_up(database)

    def fresh(_: Path) -> str:
        name = f"world_{next(numbers)}"
        administer(server, f"CREATE DATABASE {name} TEMPLATE world_template")
        return named(server, name)

    return fresh


def named(server: str, name: str) -> str:
    """The URL of another database of the server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def administer(server: str, statement: str) -> None:
    """Run a statement that makes or drops a database."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
