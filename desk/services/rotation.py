"""Another wrapping key: every row of people is sealed anew, and the keys before are destroyed.

So a copy of the file made before an erasure opens no more. The rows go a few at a time, then the
log is emptied, then the keys go, and the hub hears of the erased last; that is repeated until it
has answered. Each step begins where a crash has left it.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, update

from desk.protocol.personal import ErasedHere
from desk.schema.desk_tables import erasure as erasure_table
from desk.services import bootstrap, erasure, settings, shadow, vault_state
from desk.services.hub_client import HubClient
from desk.services.rows import SUBJECTS
from desk.services.store import Store
from desk.services.subjects import SubjectRows, epoch_of

#: Rows sealed anew in one transaction: the writer is free again within some 20 ms.
_TOGETHER = 200
#: Of how many people the hub is told at once.
_TOLD = 500
#: How often emptying the log is tried at once; a reader may hold it up.
_TRIES = 20


def finish(store: Store, client: HubClient) -> None:
    """Do what is left to do for people who were erased here, and tell the hub."""
    with store.read() as connection:
        cleared = erasure.in_state(connection, "cleared")
        unfinished = settings.get(connection, settings.ROTATION) is not None
    if (cleared or unfinished) and not rotate(store):
        return
    with store.read() as connection:
        destroyed = erasure.in_state(connection, "destroyed")
    for start in range(0, len(destroyed), _TOLD):
        some = destroyed[start : start + _TOLD]
        client.erased(ErasedHere(subjects=some))
        with store.write() as connection:
            done = erasure_table.c.subject_id.in_(some) & (erasure_table.c.state == "destroyed")
            connection.execute(delete(erasure_table).where(done))


def rotate(store: Store, told: Callable[[int], None] = lambda _: None) -> bool:
    """Take another wrapping key, seal everybody's row anew, and destroy the keys before.

    ``told`` hears how many rows are done. False where a reader holds the log up: do it again.
    Raises ``KeyLost``.
    """
    bootstrap.clear(store)
    epoch = _next_epoch(store)
    done = 0
    for rows in (SUBJECTS, shadow.SUBJECTS):
        done = _seal_anew(store, rows, epoch, done, told)
    with store.write(durable=True) as connection:
        _seal_bases_anew(connection, epoch)
    if not any(store.scrub() for _ in range(_TRIES)):
        return False
    wrapping = store.keys.wrapping
    for before in range(1, epoch):
        if wrapping.get(before) is not None:
            wrapping.destroy(before)
    store.sealer.forget()
    with store.write(durable=True) as connection:
        settings.drop(connection, settings.ROTATION)
        connection.execute(
            update(erasure_table)
            .where(erasure_table.c.state == "sealing")
            .values(state="destroyed")
        )
    vault_state.anchor(store, anew=True)
    return True


def _next_epoch(store: Store) -> int:
    """The epoch of a rotation that was begun, or of a new one."""
    with store.read() as connection:
        begun = settings.number(connection, settings.ROTATION)
        waits = bool(erasure.in_state(connection, "cleared"))
    if begun and not waits and begun == store.sealer.epoch:
        return begun
    # A crash before the next line costs a key that seals nothing.
    epoch, _ = store.keys.wrapping.add()
    with store.write(durable=True) as connection:
        settings.put(connection, settings.ROTATION, str(epoch))
        connection.execute(
            update(erasure_table).where(erasure_table.c.state == "cleared").values(state="sealing")
        )
    return epoch


def _seal_anew(
    store: Store, rows: SubjectRows, epoch: int, done: int, told: Callable[[int], None]
) -> int:
    after = ""
    while True:
        with store.write() as connection:
            if rows is not SUBJECTS and not shadow.exists(connection):
                return done
            ids = rows.older(connection, epoch, after, _TOGETHER)
            rows.put(connection, rows.get(connection, ids))
        if not ids:
            return done
        after = ids[-1]
        done += len(ids)
        told(done)


def _seal_bases_anew(connection: Connection, epoch: int) -> None:
    query = "SELECT id, body FROM base_row WHERE kind = 'subject' AND body IS NOT NULL"
    for row_id, body in connection.exec_driver_sql(query).all():
        if epoch_of(body) != epoch:
            anew = SUBJECTS.pack(connection, SUBJECTS.unpack(connection, body))
            sql = "UPDATE base_row SET body = ? WHERE kind = 'subject' AND id = ?"
            connection.exec_driver_sql(sql, (anew, row_id))
