"""Rows of a CSV as items of the hub: checked whole, written in batches, repeated without harm.

The file is read to its end before the first row is written (`importing_csv`). Each batch is one
transaction, and a row's ids come from the row, so an import that was cut short is repeated and
goes on where it stopped.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self, TextIO

import msgspec
from sqlalchemy import select

from desk.domain.refusals import Refusal
from desk.hub.database import Database
from desk.hub.errors import SetupError
from desk.hub.importing_csv import CsvShape, Row, inspect, read_rows
from desk.hub.importing_errors import ImportFailed
from desk.hub.importing_map import Mapping, read_mapping
from desk.hub.importing_rows import Converter, Made
from desk.hub.intake import Batch, Intake
from desk.hub.playbooks import current
from desk.hub.setup import milliseconds
from desk.schema.hub_tables import item as item_table

_BATCH = 1000
#: A new file and no older one; Windows would write each line end twice without O_BINARY.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
#: Marks a row whose key stood in an earlier row of the same file.
_SAME_KEY = Refusal("same_key")


class RefusedRows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows refused for one reason; ``line`` is the first one's."""

    code: str
    args: dict[str, str]
    rows: int
    line: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did; ``present`` rows were imported before."""

    rows: int
    imported: int
    present: int
    refused: list[RefusedRows]
    refused_file: str | None
    dry_run: bool


def import_csv(
    database: Database,
    path: Path,
    mapping_path: Path,
    *,
    dry_run: bool = False,
    refused: Path | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    now: int | None = None,
) -> Report:
    """Import ``path`` by the mapping; rows that cannot be taken are counted and set aside.

    Refused rows go to ``refused`` (``FILE.refused.csv`` unless told) with line, reason and their
    cells; the file is readable by its owner alone and made only when there are some, and for a
    dry run only where it was named. Raises `ImportFailed` before anything is written, and
    `SetupError`.
    """
    if not database.is_set_up():
        raise SetupError("not_set_up")
    with database.read() as connection:
        playbook = current(connection).playbook
    mapping = read_mapping(mapping_path, playbook)
    shape = inspect(
        path,
        mapping.columns,
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        mapping=mapping.name,
    )
    moment = milliseconds() if now is None else now
    converter = Converter(mapping, playbook, shape, path.name, moment)
    intake = None if dry_run else Intake(database, playbook)
    aside = refused or (None if dry_run else path.with_name(f"{path.name}.refused.csv"))
    with _RefusedFile(aside, shape) as refusals:
        run = _Run(database, intake, converter, mapping, refusals)
        for row in read_rows(path, shape):
            run.take(row)
            if row.number % _BATCH == 0:
                run.write()
                on_progress(row.number, shape.rows)
        run.write()
        on_progress(shape.rows, shape.rows)
        return Report(
            rows=shape.rows,
            imported=run.imported,
            present=run.present,
            refused=refusals.counted(),
            refused_file=str(aside) if refusals.written else None,
            dry_run=dry_run,
        )


class _Run:
    """One import under way."""

    def __init__(
        self,
        database: Database,
        intake: Intake | None,
        converter: Converter,
        mapping: Mapping,
        refusals: _RefusedFile,
    ) -> None:
        self.imported = self.present = 0
        self._database = database
        self._intake = intake
        self._converter = converter
        self._refusals = refusals
        self._waiting: list[Made] = []
        #: Rows without a key are told apart by their place, so only keys can repeat.
        self._keys: set[str] | None = set() if mapping.key else None

    def take(self, row: Row) -> None:
        """Convert a row, or set it aside."""
        made = self._converter.convert(row)
        if not isinstance(made, Refusal) and self._keys is not None:
            if made.item.id in self._keys:
                made = _SAME_KEY
            else:
                self._keys.add(made.item.id)
        if isinstance(made, Refusal):
            self._refusals.add(row, made)
        else:
            self._waiting.append(made)

    def write(self) -> None:
        """Write what waits, without what is there already."""
        there = self._there([made.item.id for made in self._waiting])
        new = [made for made in self._waiting if made.item.id not in there]
        self._waiting = []
        self.present += len(there)
        self.imported += len(new)
        if new and self._intake:
            self._intake.insert(
                Batch(
                    items=[made.item for made in new],
                    subjects=[made.subject for made in new],
                    entries=[made.entry for made in new],
                )
            )

    def _there(self, ids: Sequence[str]) -> set[str]:
        with self._database.read() as connection:
            found = connection.execute(
                select(item_table.c.id).where(item_table.c.id.in_(ids))
            ).scalars()
            return set(found)


class _RefusedFile:
    """The rows that were not taken: counted by reason, and written down for whoever mends them."""

    def __init__(self, path: Path | None, shape: CsvShape) -> None:
        self._path = path
        self._shape = shape
        self._counts: dict[tuple[str, str], RefusedRows] = {}
        self._open = ExitStack()
        self._stream: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open.close()

    @property
    def written(self) -> bool:
        """Whether there is such a file."""
        return self._stream is not None

    def counted(self) -> list[RefusedRows]:
        """The reasons, the most frequent first."""
        return sorted(self._counts.values(), key=lambda one: (-one.rows, one.line))

    def add(self, row: Row, refusal: Refusal) -> None:
        """Count the row and write it down."""
        field = refusal.args.get("field", "")
        known = self._counts.get((refusal.code, field))
        self._counts[(refusal.code, field)] = RefusedRows(
            code=refusal.code,
            args=refusal.args,
            rows=known.rows + 1 if known else 1,
            line=known.line if known else row.line,
        )
        if self._path is None:
            return
        if self._stream is None:
            self._stream = self._open_file(self._path)
        writer = csv.writer(self._stream, delimiter=self._shape.delimiter)
        cells = [
            cell.encode(errors="surrogateescape").decode(errors="replace") for cell in row.cells
        ]
        writer.writerow([row.line, refusal.code, field, *cells])

    def _open_file(self, path: Path) -> TextIO:
        try:
            path.unlink(missing_ok=True)
            # Its rows hold personal data: nobody but the owner may read them.
            descriptor = os.open(path, _NEW, 0o600)
        except OSError as error:
            raise ImportFailed("refused_file", file=path) from error
        stream = self._open.enter_context(os.fdopen(descriptor, "w", encoding="utf-8", newline=""))
        csv.writer(stream, delimiter=self._shape.delimiter).writerow(
            ["line", "reason", "field", *self._shape.header]
        )
        return stream
