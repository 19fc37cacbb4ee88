"""What happens to a desk's files: a process that dies, a full disk; and what is in them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from desk.services.desk import Desk
from desk.services.errors import DiskFull
from desk.services.store import Store

_FILES = ("local.db", "local.db-wal", "local.key")


class Killed(BaseException):
    """The process ends here; nothing may catch it and go on."""


def killed(folder: Path, statement: int, work: Callable[[], object]) -> bool:
    """Do ``work`` until the desk's statement number ``statement``, counted from 1, and keep its
    files as they are then; whether it came so far. Other databases' statements do not count."""

    def step(number: int) -> None:
        if number == statement:
            for name in _FILES:
                if (folder / name).exists():
                    shutil.copyfile(folder / name, folder / f"{name}.killed")
            raise Killed

    try:
        _count(work, step)
    except Killed:
        return True
    return False


def statements_of(work: Callable[[], object]) -> int:
    """How many statements ``work`` takes; twice, for each is a step before it and one after."""
    return _count(work, lambda _: None)


def _count(work: Callable[[], object], step: Callable[[int], None]) -> int:
    count = 0

    def stepped(connection: Connection, *_: Any) -> None:
        nonlocal count
        if "sqlcipher" in str(connection.dialect.dbapi):
            count += 1
            step(count)

    events = ("before_cursor_execute", "after_cursor_execute")
    for name in events:
        event.listen(Engine, name, stepped)
    try:
        work()
    finally:
        for name in events:
            event.remove(Engine, name, stepped)
    return count


def bring_back(folder: Path) -> None:
    """The files as they were when the process died."""
    for name in _FILES:
        kept = folder / f"{name}.killed"
        (folder / name).unlink(missing_ok=True)
        if kept.exists():
            kept.replace(folder / name)
    (folder / "local.db-shm").unlink(missing_ok=True)


@contextmanager
def failing(
    store: Store, transaction: int, error: BaseException | type[BaseException] = DiskFull
) -> Iterator[None]:
    """The transaction of that number, counted from 0, is undone by an error at its end."""
    write = store.write
    count = 0

    @contextmanager
    def limited(*, durable: bool = False) -> Iterator[Connection]:
        nonlocal count
        with write(durable=durable) as connection:
            yield connection
            count += 1
            if count == transaction + 1:
                raise error

    store.write = limited
    try:
        yield
    finally:
        del store.write


def tables_with(desk: Desk, word: str) -> list[str]:
    """The tables in which a text still stands."""
    from desk.schema.desk_tables import metadata

    with desk.context.store.read() as connection:
        return [
            name
            for name, table in metadata.tables.items()
            if any(word in str(tuple(row)) for row in connection.execute(table.select()))
        ]
