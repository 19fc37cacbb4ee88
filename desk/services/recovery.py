"""A damaged or replayed local copy: what a person did is kept, the rest is fetched anew.

Rows that the hub has can be rebuilt; the queue, the inbox, drafts and the journal cannot. A damaged
file is read row by row into a fresh one, which takes its place when it is whole on the disk; the
old one is put aside where something in it could not be read. A replayed file is sound but old: its
rows go, and what a person did stays where it is.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table
from sqlcipher3 import dbapi2  # pyright: ignore[reportMissingTypeStubs]

from desk.schema.desk_tables import metadata
from desk.services import device_key, keyfile, settings, shadow, vault_state
from desk.services.context import Context
from desk.services.device_key import Device
from desk.services.profile import Profile
from desk.services.rows import ROWS
from desk.services.store import Store, connect
from desk.services.vault import Keys
from desk.services.views import StatusChanged

_driver: Any = dbapi2
#: What the hub gives again.
_REBUILT = frozenset({*ROWS, "base_row", "staged", "subject_lookup", "vault_state"})
#: How far the rows are; with other rows it says nothing.
_PROGRESS = (
    settings.CURSOR,
    settings.SNAPSHOT,
    settings.MASKS,
    settings.DIGEST_STATE,
    settings.DIGEST_AT,
    settings.DIGEST_NEXT,
)
#: After so many rows in a row that are not there, no more follow.
_GAP = 1000


@dataclass(slots=True)
class Salvaged:
    """What was saved of a damaged file: rows by table, how many could not be read, and where the
    old file is if some could not."""

    kept: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    aside: Path | None = None


def salvage(profile: Profile, keys: Keys) -> Salvaged:
    """Make a fresh file out of what can be read of the profile's, and put it in its place.

    The subjects' keys begin a new epoch: those in the old file open nothing any more.
    """
    making, fresh = _making(profile.database), profile.fresh_database
    _remove(making)
    found = Salvaged()
    store = Store.open(making, keys)
    try:
        with closing(_Old(profile.database, keys)) as old, store.write(durable=True) as connection:
            for table in metadata.tables.values():
                if table.name not in _REBUILT:
                    _copy(old, connection, table, found)
            _stay_the_device(connection, keys.box.outer)
            settings.drop(connection, *_PROGRESS)
            settings.put(connection, settings.FRESH, "1")
        vault_state.anchor(store, anew=True)
    finally:
        store.close()
    begin_epoch(keys)
    _sync(making)
    making.replace(fresh)
    keyfile.sync_folder(profile.folder)
    found.aside = finish(profile)
    if found.unreadable == 0 and found.aside is not None:
        _remove(found.aside)
        found.aside = None
    return found


def finish(profile: Profile) -> Path | None:
    """Let a fresh file that is whole take the place of the old one, which is put aside.

    A crash between two of these steps is gone on with at the next opening.
    """
    database = profile.database
    fresh = profile.fresh_database
    if not fresh.exists():
        return None
    aside = _free(database)
    # The log first: beside another file it would be taken for its own.
    _move(_log(database), _log(aside))
    database.with_name(f"{database.name}-shm").unlink(missing_ok=True)
    _move(database, aside)
    fresh.replace(database)
    keyfile.sync_folder(profile.folder)
    return aside if aside.exists() else None


def begin_anew(context: Context) -> None:
    """Let the rows of an old copy go: the next exchange fetches them. What a person did stays."""
    with context.store.write(durable=True) as connection:
        shadow.drop(connection)
        for name in _REBUILT & metadata.tables.keys():
            connection.execute(metadata.tables[name].delete())
        settings.drop(connection, *_PROGRESS)
        settings.put(connection, settings.FRESH, "1")
    begin_epoch(context.store.keys)
    context.store.sealer.forget()
    context.store.scrub()
    vault_state.anchor(context.store, anew=True)
    context.rows_changed(None, people=True)
    context.events.emit(StatusChanged())


def begin_epoch(keys: Keys) -> None:
    """A new wrapping key; the ones before are destroyed with what they wrap."""
    epoch, _key = keys.wrapping.add()
    for before in range(1, epoch):
        if keys.wrapping.get(before) is not None:
            keys.wrapping.destroy(before)


def _stay_the_device(connection: Connection, outer: keyfile.Outer) -> None:
    """Whom the hub knows this desk as is in the key file, too: its numbers go on."""
    if outer.device and settings.get(connection, settings.DEVICE) is None:
        device_key.keep(connection, Device(outer.device, outer.device_key))


class _Old:
    """The old file, to read. A connection that met a damaged page reads no others: the next
    question goes to a new one."""

    def __init__(self, file: Path, keys: Keys) -> None:
        self._file = file
        self._keys = keys
        self._connection: Any = None

    def all(self, sql: str, *values: object) -> Generator[Sequence[Any]]:
        """The rows until the first that cannot be read; that raises the driver's
        ``DatabaseError``."""
        try:
            if self._connection is None:
                self._connection = connect(self._file, self._keys)
                self._connection.execute("PRAGMA query_only = ON")
            yield from self._connection.execute(sql, values)
        except _driver.DatabaseError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(_driver.DatabaseError):
                connection.close()


def _copy(old: _Old, connection: Connection, table: Table, found: Salvaged) -> None:
    kept = 0
    for row in _rows(old, table, found):
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        sql = f"INSERT OR REPLACE INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
        connection.exec_driver_sql(sql, tuple(row.values()))
        kept += 1
    if kept:
        found.kept[table.name] = kept


def _rows(old: _Old, table: Table, found: Salvaged) -> Iterator[dict[str, Any]]:
    """The table's rows that can be read, by the columns that both files have."""
    try:
        there = {row[1] for row in old.all(f"PRAGMA table_info({table.name})")}
    except _driver.DatabaseError:
        found.unreadable += 1
        return
    names = [column.name for column in table.columns if column.name in there]
    if not names:
        return
    listed = ", ".join(names)
    last = 0
    try:
        for row in old.all(f"SELECT rowid, {listed} FROM {table.name} ORDER BY rowid"):  # noqa: S608
            last = row[0]
            yield dict(zip(names, row[1:], strict=True))
    except _driver.DatabaseError:
        yield from _one_by_one(old, table.name, names, last, found)


def _one_by_one(
    old: _Old, table: str, names: list[str], last: int, found: Salvaged
) -> Iterator[dict[str, Any]]:
    """Rows behind one that cannot be read: each is looked for by its number."""
    end = last + _GAP
    with suppress(_driver.DatabaseError):
        ((most,),) = old.all(f"SELECT max(rowid) FROM {table}")  # noqa: S608
        end = max(end, most or 0)
    sql = f"SELECT {', '.join(names)} FROM {table} WHERE rowid = ?"  # noqa: S608
    for number in range(last + 1, end + 1):
        try:
            for row in old.all(sql, number):
                yield dict(zip(names, row, strict=True))
        except _driver.DatabaseError:
            found.unreadable += 1


def _making(database: Path) -> Path:
    return database.with_name(f"{database.name}.making")


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def _free(database: Path) -> Path:
    """Under which name the old file is put aside: the first of which there is no file yet."""
    number = 1
    while (name := database.with_name(f"{database.name}.aside{number}")).exists():
        number += 1
    return name


def _move(file: Path, to: Path) -> None:
    with suppress(FileNotFoundError):
        file.replace(to)


def _remove(database: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())
