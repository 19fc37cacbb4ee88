"""The state of the people's rows as a whole, so that old ones put back are noticed.

Each row's MAC covers its id, its version and the tags of its records; the state is their number and
their XOR, changed in the transaction that changes a row. SQLCipher does not notice one page that is
put back, but the rows do not add up to the state then. An old file adds up: it is noticed by the
state's epoch, which is never below the one anchored outside of the file. The file's epoch is on the
disk before the anchor's: a crash leaves a file that is not older than its anchor.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from desk.services.sealing import DIGEST

if TYPE_CHECKING:
    from desk.services.store import Store

_LIVE = "subject"
#: Between two anchors of a session, s.
_ANCHOR_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class State:
    """The state of one table's rows."""

    epoch: int = 0
    count: int = 0
    mac: int = 0


def read(connection: Connection, table: str = _LIVE) -> State:
    """The state that stands in the file."""
    sql = "SELECT epoch, count, mac FROM vault_state WHERE name = ?"
    row = connection.exec_driver_sql(sql, (table,)).one_or_none()
    return State(row[0], row[1], int.from_bytes(row[2], "big")) if row is not None else State()


def change(connection: Connection, table: str, count: int, mac: int) -> None:
    """So many rows came, and the XOR of the MACs of all that came and went is ``mac``."""
    was = read(connection, table)
    _write(connection, table, State(was.epoch, was.count + count, was.mac ^ mac))


def begin(connection: Connection, epoch: int) -> None:
    """There are no rows any more; the file is not older for that."""
    _write(connection, _LIVE, State(epoch))


def swap(connection: Connection, shadow: str) -> None:
    """The rows of ``shadow`` are the rows now."""
    now = read(connection, shadow)
    _write(connection, _LIVE, State(read(connection).epoch, now.count, now.mac))
    forget(connection, shadow)


def forget(connection: Connection, table: str) -> None:
    """The table is gone."""
    connection.exec_driver_sql("DELETE FROM vault_state WHERE name = ?", (table,))


def is_old(store: Store) -> bool:
    """Whether the file is older than its anchor: it, or its log, was put back or lost."""
    anchor = store.keys.anchor.read()
    if anchor is None:
        return False
    with store.read() as connection:
        return read(connection).epoch < anchor.epoch


def is_sound(store: Store) -> bool:
    """Whether the rows are those that the state tells of. Reads all of them: 0.5 s for 100 000."""
    from desk.services.rows import SUBJECTS

    with store.read() as connection, connection.begin():
        state = read(connection)
        return SUBJECTS.measure(connection) == (state.count, state.mac)


def anchor(store: Store, *, anew: bool = False) -> bool:
    """Anchor the state if it is another than the anchored one; ``anew`` in any case."""
    kept = store.keys.anchor.read()
    with store.read() as connection:
        now = read(connection)
    if not anew and kept is not None and kept[1:] == (now.count, _bytes(now.mac)):
        return False
    if not anew and kept is None and now == State():
        return False
    with store.write(durable=True) as connection:
        now = read(connection)
        now = State(max(now.epoch, kept.epoch if kept else 0) + 1, now.count, now.mac)
        _write(connection, _LIVE, now)
    store.keys.anchor.write(now.epoch, now.count, _bytes(now.mac))
    return True


def anchor_in_time(store: Store) -> None:
    """Anchor a changed state, the first time at once and then once a minute at most: a keyring
    takes its time."""
    if time.monotonic() >= store.anchor_due and anchor(store):
        store.anchor_due = time.monotonic() + _ANCHOR_EVERY


def _write(connection: Connection, table: str, state: State) -> None:
    sql = "INSERT OR REPLACE INTO vault_state (name, epoch, count, mac) VALUES (?, ?, ?, ?)"
    connection.exec_driver_sql(sql, (table, state.epoch, state.count, _bytes(state.mac)))


def _bytes(mac: int) -> bytes:
    return mac.to_bytes(DIGEST, "big")
