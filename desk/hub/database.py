"""The hub's database: SQLite by default, PostgreSQL in production, one way to use both."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from desk.hub.errors import SetupError
from desk.hub.keystore import KeyStore
from desk.hub.kms import KeySource
from desk.schema import conditions
from desk.schema.hub_tables import hub

#: How long a writer waits for another one on SQLite, ms.
BUSY_TIMEOUT = 30_000
_CONNECTIONS = 16
_KEY_CONNECTIONS = 4
_MIGRATING = 0x6465736B
#: PostgreSQL asks to repeat these: serialization failure and deadlock.
_REPEATABLE = frozenset({"40001", "40P01"})


class Database:
    """A pool of connections. Rows written in one ``write`` appear together or not at all."""

    def __init__(self, url: str) -> None:
        """Connect lazily to ``url``; raises `SetupError` for a URL of another kind of database."""
        self.url = _accepted(url)
        #: What the rows are sealed with; apart from them, and opened by its first use.
        self.keys = self._key_store()
        engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        self.engine = engine.execution_options(desk_keys=self.keys)
        self._reading = self.engine
        self._writing = self.engine.execution_options(desk_write=True)
        if not self.is_sqlite:
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ")
            self._writing = self.engine.execution_options(isolation_level="READ COMMITTED")

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self) -> Generator[Connection]:
        """A transaction that writes: committed at the end, rolled back by an exception."""
        with self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Generator[Connection]:
        """One consistent snapshot of the whole database, for reading only."""
        with self._reading.begin() as connection:
            yield connection

    def is_set_up(self) -> bool:
        """Whether the tables are there; raises `SetupError` if the database cannot be reached."""
        if self.is_sqlite and not Path(str(self.url.database)).is_file():
            # To connect would make an empty file.
            return False
        try:
            return inspect(self.engine).has_table("hub")
        except DBAPIError as error:
            raise SetupError("unreachable") from error

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
        self.keys.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _key_store(self) -> KeyStore:
        if not self.is_sqlite:
            # Connections of its own: whoever waits for one must not wait for those who hold both.
            return KeyStore(_postgresql(self.url, _KEY_CONNECTIONS), KeySource(None))
        file = Path(str(self.url.database))
        beside = file.with_suffix(".keys.db")
        url = self.url.set(database=str(beside))
        return KeyStore(_sqlite(url), KeySource(file.with_suffix(".key")))


def keys_of(connection: Connection) -> KeyStore:
    """The keys of the database that a connection is to."""
    return connection.get_execution_options()["desk_keys"]


def is_to_repeat(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed when it is begun anew."""
    return getattr(error.orig, "sqlstate", None) in _REPEATABLE


def insert_missing(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert the row unless one with its key is there, also when another writer is at it now.

    Whether it was inserted.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(table).values(**values).on_conflict_do_nothing()
    options = {"preserve_rowcount": True}
    return connection.execute(new, execution_options=options).rowcount == 1


def hub_id(connection: Connection) -> str:
    """The hub's lasting id. Raises `SetupError` ``not_set_up``."""
    identifier = connection.execute(select(hub.c.id)).scalar_one_or_none()
    if identifier is None:
        raise SetupError("not_set_up")
    return identifier


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest version; does nothing when it is there."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "desk.hub:migrations")
    with engine.execution_options(desk_write=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            # Of several processes that start at once, one does the work.
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _accepted(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise SetupError("unsupported_url") from error
    if url.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    # Every connection to a database in memory would see one of its own.
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url
    raise SetupError("unsupported_url")


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS * 2,
        # Errors of the database would quote what was being written.
        hide_parameters=True,
        json_serializer=_encode,
        json_deserializer=msgspec.json.decode,
    )

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        # Python's own transaction handling is off: it knows no BEGIN IMMEDIATE.
        connection.isolation_level = None
        conditions.register(connection)
        for setting in (
            f"busy_timeout={BUSY_TIMEOUT}",
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            # What is erased must not stay in the file.
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        writes = connection.get_execution_options().get("desk_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL, connections: int = _CONNECTIONS) -> Engine:
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=_CONNECTIONS * 2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10},
        # Errors of the database would quote what was being written.
        hide_parameters=True,
        json_serializer=_encode,
        json_deserializer=msgspec.json.decode,
    )


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
