"""The hub's keys, in a database of their own: each subject's, and the hub's few secrets.

They are apart from the rows they open, so that an old backup of the rows does not bring back whose
key was destroyed. Every key here is wrapped by the master key (`desk.hub.kms`). A key is committed
before the row that needs it: of a transaction that fails, no more than an unused key is left.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema

from desk.hub.errors import SetupError
from desk.hub.kms import KEY_SIZE, KeySource, Kms

#: The schema of the keys on PostgreSQL; on SQLite they have a file.
SCHEMA = "desk_keys"
_VERSION = 1
#: So many keys are asked for, or rewrapped, at once.
_PIECE = 5000
_NONCE = 12
#: Opens at every start: whether this is the master key of these keys.
_CHECK = "check"

_metadata = MetaData(schema=SCHEMA)
#: Whose keys these are: one row.
_store = Table(
    "store",
    _metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("hub_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    #: The master key that new keys are wrapped by.
    Column("key_id", LargeBinary(8), nullable=False),
)
#: The hub's own secrets, by name; ``key_id`` says by which master key each is wrapped.
_secret = Table(
    "secret",
    _metadata,
    Column("name", String(80), primary_key=True),
    Column("key_id", LargeBinary(8), nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
_subject_key = Table(
    "subject_key",
    _metadata,
    #: The subject, or the item that speaks of none.
    Column("id", LargeBinary(16), primary_key=True),
    Column("key_id", LargeBinary(8), nullable=False),
    #: Nothing where the key was destroyed.
    Column("wrapped", LargeBinary),
    Column("destroyed_at", BigInteger),
)
#: Where each chain of the journal ended when it was last looked at.
_journal_head = Table(
    "journal_head",
    _metadata,
    Column("stream", String(80), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

_GET = select(_subject_key.c.id, _subject_key.c.key_id, _subject_key.c.wrapped).where(
    _subject_key.c.id.in_(bindparam("ids", expanding=True)), _subject_key.c.wrapped.is_not(None)
)


class KeyDestroyed(Exception):
    """A key was asked for that is destroyed: whom it belonged to is erased."""


class JournalHead(NamedTuple):
    """The number and the MAC of a chain's last entry."""

    seq: int
    mac: bytes


def truncate_log(engine: Engine) -> None:
    """Bring SQLite's log of writes into its file, as far as readers allow, and empty it."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def key_name(row_id: str) -> bytes:
    """The name of the key of a subject, or of an item that speaks of none."""
    return bytes.fromhex(row_id.replace("-", ""))


def _new_key() -> bytes:
    return os.urandom(KEY_SIZE)


def _secret_row(name: str, master: Kms) -> dict[str, Any]:
    wrapped = master.wrap(_new_key(), name.encode())
    return {"name": name, "key_id": master.id, "wrapped": wrapped}


class KeyStore:
    """The keys of one hub. Opened by its first use; any thread may use it."""

    def __init__(self, engine: Engine, source: KeySource) -> None:
        """``engine`` is the keys' own; ``source`` gives the master key."""
        self._is_sqlite = engine.dialect.name == "sqlite"
        schema = None if self._is_sqlite else SCHEMA
        self._engine = engine.execution_options(schema_translate_map={SCHEMA: schema})
        self._source = source
        self._lock = threading.Lock()
        self._masters: dict[bytes, Kms] = {}
        self._secrets: dict[str, bytes] = {}
        self._hub_id = ""

    @property
    def key_file(self) -> Path | None:
        """The file of the master key; none where the environment holds the key itself."""
        return self._source.file

    @property
    def hub_id(self) -> str:
        """Whose keys these are."""
        self._opened()
        return self._hub_id

    def prepare(self) -> None:
        """Look for the master key before anything is written; where there are no keys yet, its
        file is made if it is this hub's to make.

        Raises `SetupError` as ``KeySource.load``.
        """
        if not self._is_made():
            self._source.make()
        self._source.load()

    def create(self, hub_id: str) -> None:
        """Make the key store of a hub. Does nothing where there is one.

        Raises `SetupError` ``keys_of_another``, ``unreachable``, and those of ``KeySource.load``.
        """
        try:
            if not self._is_made():
                self._make_tables()
            with self._writing() as connection:
                self._adopt(connection, hub_id)
        except DBAPIError as error:
            raise SetupError("unreachable") from error
        self.check(hub_id)

    def check(self, hub_id: str) -> None:
        """Look whether the keys are there, are this hub's, and are opened by the master key.

        Raises `SetupError` ``keys_missing``, ``keys_of_another``, ``key_wrong``, ``unreachable``,
        and those of ``KeySource.load``.
        """
        if self.hub_id != hub_id:
            raise SetupError("keys_of_another")

    def secret(self, name: str) -> bytes:
        """One of the hub's own secrets: 32 random bytes, made when it is first asked for."""
        self._opened()
        known = self._secrets.get(name)
        if known is None:
            with self._reading() as connection:
                known = self._read_secret(connection, name)
            if known is None:
                with self._writing() as connection:
                    row = _secret_row(name, self._wrapping(connection))
                    self._insert(connection, _secret, [row])
                with self._reading() as connection:
                    known = self._read_secret(connection, name)
            assert known is not None
            self._secrets[name] = known
        return known

    def seal(self, purpose: str, context: str, data: bytes) -> bytes:
        """A small value sealed for a purpose; ``context`` names what it belongs to."""
        nonce = os.urandom(_NONCE)
        cipher = AESGCM(self.secret(purpose))
        return nonce + cipher.encrypt(nonce, data, f"{self.hub_id}\0{context}".encode())

    def unseal(self, purpose: str, context: str, sealed: bytes) -> bytes:
        """What `seal` was given. Raises `ValueError` where it was sealed for anything else."""
        cipher = AESGCM(self.secret(purpose))
        try:
            bound = f"{self.hub_id}\0{context}".encode()
            return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
        except InvalidTag:
            raise ValueError("not sealed for this") from None

    def get(self, names: Collection[bytes]) -> dict[bytes, bytes]:
        """The keys of those names; destroyed ones and those never made are left out."""
        masters = self._opened()
        found: dict[bytes, bytes] = {}
        if names:
            with self._reading() as connection:
                rest = iter(names)
                while some := list(islice(rest, _PIECE)):
                    for name, by, wrapped in connection.execute(_GET, {"ids": some}):
                        found[name] = self._master(masters, by).unwrap(wrapped, name)
        return found

    def ensure(self, names: Collection[bytes]) -> dict[bytes, bytes]:
        """The keys of those names; those never made are made. Raises `KeyDestroyed`."""
        known = self.get(names)
        new = [name for name in dict.fromkeys(names) if name not in known]
        if not new:
            return known
        with self._writing() as connection:
            master = self._wrapping(connection)
            rows = [
                {"id": name, "key_id": master.id, "wrapped": master.wrap(_new_key(), name)}
                for name in new
            ]
            self._insert(connection, _subject_key, rows)
        # Another process may have made one of them first, or it is destroyed.
        known.update(self.get(new))
        if len(known) < len(set(names)):
            raise KeyDestroyed
        return known

    def destroy(self, names: Collection[bytes], at: int) -> None:
        """Destroy keys for good: what they seal cannot be read by anybody any more."""
        self._opened()
        mine = _subject_key.c.id.in_(list(names))
        gone = update(_subject_key).where(mine, _subject_key.c.destroyed_at.is_(None))
        with self._writing() as connection:
            connection.execute(gone.values(wrapped=None, destroyed_at=at))
            # One that was never made must not be made later.
            none = {"key_id": self._wrapping(connection).id, "wrapped": None, "destroyed_at": at}
            self._insert(connection, _subject_key, [{"id": one, **none} for one in names])
        self._wipe()

    def destroyed(self) -> dict[bytes, int]:
        """Every key that was destroyed, and when (ms)."""
        self._opened()
        query = select(_subject_key.c.id, _subject_key.c.destroyed_at)
        with self._reading() as connection:
            rows = connection.execute(query.where(_subject_key.c.destroyed_at.is_not(None)))
            return {row.id: row.destroyed_at for row in rows}

    def read_heads(self) -> dict[str, JournalHead]:
        """The ends of the journal's chains that are kept here, by stream."""
        self._opened()
        with self._reading() as connection:
            rows = connection.execute(select(_journal_head)).all()
        return {row.stream: JournalHead(row.seq, row.mac) for row in rows}

    def keep_heads(self, heads: Mapping[str, tuple[int, bytes]]) -> None:
        """Keep these ends of the journal's chains in place of those before."""
        self._opened()
        with self._writing() as connection:
            for stream, (seq, mac) in heads.items():
                mine = _journal_head.c.stream == stream
                row = {"seq": seq, "mac": mac}
                if not connection.execute(update(_journal_head).where(mine).values(row)).rowcount:
                    self._insert(connection, _journal_head, [{"stream": stream, **row}])

    def rotate(self, on_progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
        """Wrap every key by a new master key; the number of keys.

        Hubs that run go on meanwhile. Cut short, it is repeated and goes on where it stopped.
        Raises `SetupError` ``key_next_needed``, and those of ``KeySource.load``.
        """
        self._opened()
        with self._lock:
            new = self._source.start_rotation()
            self._masters = self._load()
        done = 0
        with self._writing() as connection:
            # Waits for whoever wraps by the old one; from now on nobody does.
            connection.execute(update(_store).values(key_id=new.id))
            query = select(func.count()).select_from(_subject_key)
            total = connection.execute(query).scalar_one()
        for table, name in ((_subject_key, _subject_key.c.id), (_secret, _secret.c.name)):
            while piece := self._rewrap(table, name, new):
                done += piece
                on_progress(min(done, total), total)
        self._source.end_rotation()
        self._wipe()
        return done

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _opened(self) -> dict[bytes, Kms]:
        masters = self._masters
        if not masters:
            with self._lock:
                masters = self._load()
                if not self._is_made():
                    raise SetupError("keys_missing")
                with self._reading() as connection:
                    self._hub_id = connection.execute(select(_store.c.hub_id)).scalar_one()
                    self._unlock(connection, masters)
                self._masters = masters
        return masters

    def _load(self) -> dict[bytes, Kms]:
        return {one.id: one for one in self._source.load()}

    def _unlock(self, connection: Connection, masters: Mapping[bytes, Kms]) -> None:
        query = select(_secret.c.key_id, _secret.c.wrapped).where(_secret.c.name == _CHECK)
        by, wrapped = connection.execute(query).one()
        try:
            masters[by].unwrap(wrapped, _CHECK.encode())
        except (KeyError, ValueError):
            raise SetupError("key_wrong") from None

    def _master(self, masters: Mapping[bytes, Kms], by: bytes) -> Kms:
        known = masters.get(by)
        if known is None:
            # Somebody rotates the master key while this process runs.
            self._masters = self._load()
            known = self._masters.get(by)
        if known is None:
            raise SetupError("key_wrong")
        return known

    def _wrapping(self, connection: Connection) -> Kms:
        """The master key that is to wrap new keys; it stays so until the transaction ends."""
        asked = select(_store.c.key_id).with_for_update(read=True)
        return self._master(self._opened(), connection.execute(asked).scalar_one())

    def _read_secret(self, connection: Connection, name: str) -> bytes | None:
        query = select(_secret.c.key_id, _secret.c.wrapped).where(_secret.c.name == name)
        row = connection.execute(query).first()
        if row is None:
            return None
        return self._master(self._opened(), row.key_id).unwrap(row.wrapped, name.encode())

    def _rewrap(self, table: Table, name: Any, new: Kms) -> int:
        """Wrap some more keys by the new master key; how many. A lock keeps others off them."""
        old = select(name, table.c.key_id, table.c.wrapped).where(table.c.key_id != new.id)
        with self._writing() as connection:
            rows = connection.execute(old.limit(_PIECE).with_for_update()).all()
            changed = [
                {"row": one, "by": new.id, "new": self._rewrapped(one, by, wrapped, new)}
                for one, by, wrapped in rows
            ]
            if changed:
                values: dict[str, Any] = {"key_id": bindparam("by"), "wrapped": bindparam("new")}
                mine = update(table).where(name == bindparam("row"))
                connection.execute(mine.values(values), changed)
        return len(rows)

    def _rewrapped(self, name: bytes | str, by: bytes, wrapped: bytes | None, new: Kms) -> Any:
        if wrapped is None:
            return None
        context = name if isinstance(name, bytes) else name.encode()
        return new.wrap(self._master(self._masters, by).unwrap(wrapped, context), context)

    def _adopt(self, connection: Connection, hub_id: str) -> None:
        """Make the store this hub's, unless it holds keys of another."""
        whose = connection.execute(select(_store.c.hub_id)).scalar_one_or_none()
        if whose == hub_id:
            return
        if connection.execute(select(_subject_key.c.id).limit(1)).first() is not None:
            raise SetupError("keys_of_another")
        if whose is not None:
            # A hub that was begun and never came to be.
            connection.execute(update(_store).values(hub_id=hub_id))
            return
        master = self._source.load()[-1]
        row = {"one": 1, "hub_id": hub_id, "version": _VERSION, "key_id": master.id}
        self._insert(connection, _store, [row])
        self._insert(connection, _secret, [_secret_row(_CHECK, master)])

    def _insert(
        self, connection: Connection, table: Table, rows: Collection[Mapping[str, Any]]
    ) -> None:
        """Insert those that are not there."""
        dialect = sqlite if self._is_sqlite else postgresql
        if rows:
            connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))

    def _is_made(self) -> bool:
        file = self._engine.url.database
        if self._is_sqlite and not Path(str(file)).is_file():
            # To connect would make an empty file.
            return False
        schema = None if self._is_sqlite else SCHEMA
        try:
            if not inspect(self._engine).has_table("store", schema=schema):
                return False
            with self._reading() as connection:
                return connection.execute(select(_store.c.one)).first() is not None
        except DBAPIError as error:
            raise SetupError("unreachable") from error

    def _make_tables(self) -> None:
        if self._is_sqlite:
            file = str(self._engine.url.database)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        with self._writing() as connection:
            if not self._is_sqlite:
                connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
            _metadata.create_all(connection)

    def _wipe(self) -> None:
        """Let no destroyed or old key stay in a file of the store."""
        if self._is_sqlite:
            truncate_log(self._engine)
            return
        with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for table in (_subject_key, _secret):
                connection.exec_driver_sql(f'VACUUM "{SCHEMA}"."{table.name}"')

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        with self._engine.execution_options(desk_write=True).begin() as connection:
            yield connection
