"""``local.db``: the encrypted file, its one writer and its readers.

Journal mode is WAL, so a screen reads while a pull is written. What a person did or typed is
written with ``synchronous=FULL`` and survives a power cut; what came from the hub is written with
NORMAL, because it can be fetched again, and a pull's rows and cursor are lost together or not at
all. Deleted data is overwritten (``secure_delete``); temporary data stays in memory.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool, StaticPool
from sqlcipher3 import dbapi2  # pyright: ignore[reportMissingTypeStubs]

from desk.schema import conditions, desk_tables
from desk.schema.desk_upgrades import upgrade
from desk.schema.records import Broken
from desk.services import subjects
from desk.services.errors import (
    AlteredCopy,
    DamagedFile,
    DeskError,
    DiskFull,
    ForeignFile,
    NewerFile,
)
from desk.services.sealing import Random, Sealer
from desk.services.vault import SQLITE_HEADER, Keys

#: The driver, which has no types of its own.
_driver: Any = dbapi2
#: "desk" in ASCII: a file of ours says so in its header.
_APPLICATION = 0x6465736B
_VERSION = 3
_SALT = 16
_BUSY_MS = 10_000
#: Emptying the log waits for readers no longer than this, for writers wait meanwhile.
_SCRUB_MS = 250
_KEPT_READERS = 4
#: Enough for the indexes' hot pages during a first sync.
_CACHE_KIB = 16_000
#: Pages of log before it is merged into the file: a page of a snapshot writes about 500.
_MERGE_AFTER = 4000


class Store:
    """The open file. Any thread may read; writers wait for each other."""

    def __init__(self, path: Path, keys: Keys, random: Random) -> None:
        self._path = path
        self.keys = keys
        self.sealer = Sealer(keys, random)

        def new() -> Any:
            return connect(path, keys)

        self._guard = threading.RLock()
        self._writing = _engine(new, self.sealer, StaticPool, "BEGIN IMMEDIATE")
        self._reading = _engine(
            lambda: _read_only(new()),
            self.sealer,
            QueuePool,
            "BEGIN",
            pool_size=_KEPT_READERS,
            max_overflow=-1,
        )
        self._writer: Connection | None = None
        self._closed = False
        #: When the state of people's rows may be anchored again (``vault_state``), s, monotonic.
        self.anchor_due = 0.0
        #: Whether something deleted may be left in the log.
        self.to_scrub = False

    @classmethod
    def open(cls, path: Path, keys: Keys, random: Random = os.urandom) -> Store:
        """Open the file, or make it where there is none; keys and nonces come from ``random``.

        Raises ``ForeignFile``, ``DamagedFile``, ``NewerFile``; the file is left as it is then.
        """
        _check_header(path, keys)
        store = cls(path, keys, random)
        # A desk that was killed may have left in the log what it had deleted.
        store.to_scrub = _is_filled(path.with_name(f"{path.name}-wal"))
        try:
            with store._translated():
                store._begin()
        except BaseException:
            store.close()
            raise
        return store

    @property
    def folder(self) -> Path:
        """Where the file lies."""
        return self._path.parent

    @contextmanager
    def read(self) -> Generator[Connection]:
        """A connection that sees one moment of the file until the block ends."""
        if self._closed:
            raise RuntimeError("the store is closed")
        with self._translated(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = False) -> Generator[Connection]:
        """One transaction: committed when the block ends, undone when it raises.

        With ``durable`` it is on the disk when the block has ended. Raises ``DiskFull``.
        """
        with self._translated(), self._guard:
            connection = self._only_writer()
            self._pragma(f"synchronous = {'FULL' if durable else 'NORMAL'}")
            with connection.begin():
                yield connection

    def scrub(self) -> bool:
        """Empty the write-ahead log, so that nothing deleted is left in it.

        False when a reader held it up: do it again later.
        """
        with self._translated(), self._guard:
            self._only_writer()
            self._pragma(f"busy_timeout = {_SCRUB_MS}")
            try:
                busy, _, _ = self._pragma("wal_checkpoint(TRUNCATE)")
            finally:
                self._pragma(f"busy_timeout = {_BUSY_MS}")
            self.to_scrub = busy != 0
            return not self.to_scrub

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return not self._closed

    def close(self) -> None:
        """Close every connection; the last one merges the write-ahead log into the file."""
        with self._guard:
            self._closed = True
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            self._reading.dispose()
            self._writing.dispose()

    def _begin(self) -> None:
        self._writer = self._writing.connect()
        known = {row[0] for row in self._all("SELECT name FROM sqlite_master")}
        (application,), (version,) = self._pragma("application_id"), self._pragma("user_version")
        if known and application != _APPLICATION:
            raise ForeignFile(file=str(self._path))
        if version > _VERSION:
            raise NewerFile(file=str(self._path))
        self._pragma("journal_mode = WAL")
        if not known:
            with self._writer.begin():
                desk_tables.metadata.create_all(self._writer, checkfirst=False)
                self._pragma(f"application_id = {_APPLICATION}")
                self._pragma(f"user_version = {_VERSION}")
        elif version < _VERSION:
            with self._writer.begin() as transaction:
                upgrade(transaction.connection, version)
                subjects.take_over(transaction.connection)
                self._pragma(f"user_version = {_VERSION}")
            self.to_scrub = True

    def _only_writer(self) -> Connection:
        if self._writer is None:
            raise RuntimeError("the store is closed")
        return self._writer

    def _pragma(self, pragma: str) -> Any:
        rows = self._all(f"PRAGMA {pragma}")
        return rows[0] if rows else ()

    def _all(self, sql: str) -> list[Any]:
        # Straight to the driver: SQLAlchemy would begin a transaction first.
        driver: Any = self._only_writer().connection.driver_connection
        return driver.execute(sql).fetchall()

    @contextmanager
    def _translated(self) -> Generator[None]:
        try:
            yield
        except Broken:
            self.sealer.suspects = True
            raise AlteredCopy from None
        except DatabaseError as error:
            translated = self._translate(str(error.orig))
            if translated is None:
                raise
            raise translated from None
        except _driver.DatabaseError as error:
            translated = self._translate(str(error))
            if translated is None:
                raise
            raise translated from None

    def _translate(self, message: str) -> DeskError | None:
        if "is full" in message:
            return DiskFull()
        if "malformed" in message or "not a database" in message or "disk I/O" in message:
            return DamagedFile(file=str(self._path))
        return None


def _engine(
    connect: Callable[[], Any], sealer: Sealer, pool: type[Any], begin: str, **options: Any
) -> Engine:
    # hide_parameters: an error's text must not carry what was to be written.
    engine = create_engine(
        "sqlite://",
        module=_driver,
        creator=connect,
        poolclass=pool,
        hide_parameters=True,
        **options,
    )

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    def entrust(_connection: Any, record: Any) -> None:
        # Whoever reads or writes a person's data takes the keys from his connection.
        record.info["vault"] = sealer.keys
        record.info["sealer"] = sealer

    event.listen(engine, "begin", start)
    event.listen(engine, "connect", entrust)
    return engine


def connect(path: Path, keys: Keys) -> Any:
    """A connection of the driver's own; raises its ``DatabaseError``."""
    # Transactions are begun by hand: the driver itself would begin one before writing only.
    connection: Any = _driver.connect(
        str(path), timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{keys.file_key.hex()}{keys.file_salt.hex()}'\"")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_MERGE_AFTER}")
        conditions.register(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _read_only(connection: Any) -> Any:
    connection.execute("PRAGMA query_only = ON")
    return connection


def _is_filled(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _check_header(path: Path, keys: Keys) -> None:
    """Refuse a file of another vault, and make an absent one readable by its owner alone."""
    try:
        with path.open("rb") as file:
            header = file.read(_SALT)
    except FileNotFoundError:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        return
    if header and (header == SQLITE_HEADER or header != keys.file_salt):
        raise ForeignFile(file=str(path))
