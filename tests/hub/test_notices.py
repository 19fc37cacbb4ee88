"""Word between hub processes on one PostgreSQL, also after the database was away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from desk.hub import changes, notices
from desk.hub.database import Database
from desk.hub.notices import Notices
from tests.hub.hubs import write_lines

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
WAIT = 30.0


@contextmanager
def listening(database: Database) -> Iterator[Queue[None]]:
    """What one hub process hears, from the moment it listens."""
    heard: Queue[None] = Queue()
    one = Notices(database, lambda: heard.put(None))
    one.start()
    try:
        heard.get(timeout=WAIT)
        assert one.listening
        yield heard
    finally:
        one.stop()
        one.join(WAIT)


def administer(server: str, *statements: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def cut(name: str) -> str:
    """What ends every connection to a database."""
    return (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )


def test_what_another_process_wrote_is_heard(database_url: str) -> None:
    with Database(database_url) as here, Database(database_url) as there, listening(here) as heard:
        write_lines(there)
        heard.get(timeout=WAIT)


def test_what_was_rolled_back_is_not_told(database_url: str) -> None:
    with Database(database_url) as here, listening(here) as heard:
        with here.engine.connect() as connection:
            changes.write(connection, [], at=0)
            connection.rollback()
        write_lines(here)
        heard.get(timeout=WAIT)
        assert heard.empty()


def test_it_listens_again_after_the_database_was_away(
    database_url: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = threading.Event()
    connect = psycopg.connect

    def tried(*arguments: Any, **options: Any) -> object:
        try:
            return connect(*arguments, **options)
        except psycopg.OperationalError:
            refused.set()
            raise

    monkeypatch.setattr(notices.psycopg, "connect", tried)
    with Database(database_url) as database, listening(database) as heard:
        name = database.url.database
        closed = f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
        administer(postgres_url, closed, cut(str(name)))
        assert refused.wait(WAIT)
        administer(postgres_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        # Whatever was written in the meantime was told to nobody.
        heard.get(timeout=WAIT)
        database.engine.dispose()
        write_lines(database)
        heard.get(timeout=WAIT)


def test_it_ends_also_while_the_database_is_away(empty_url: str) -> None:
    missing = make_url(empty_url).set(database="missing").render_as_string(hide_password=False)
    with Database(missing) as database:
        one = Notices(database, lambda: None)
        one.start()
        one.stop()
        one.join(WAIT)
        assert not one.listening
