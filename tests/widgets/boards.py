"""A board in memory for tests of the board widget."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field

from desk.domain.playbook import Text
from desk.services.views import BoardCard

NOW = 1_764_000_000_000
HOUR = 3_600_000
STAGES = ("New", "Contact", "Qualified", "Handed off", "Refused")


@dataclass
class MemoryColumn:
    title: Text
    ids: list[str] = field(default_factory=list)


def card(item_id: str, **changes: object) -> BoardCard:
    values: dict[str, object] = {
        "id": item_id,
        "title": f"Cargo {item_id}",
        "source": "site",
        "created_at": NOW - 2 * HOUR,
        "score": 42,
        "responsible": "marketer1",
        "due_at": None,
        "pending": False,
        "stage": "new",
        "round": 0,
        "version": 1,
    }
    return BoardCard(**{**values, **changes})  # pyright: ignore[reportArgumentType]


class MemoryBoard:
    """Columns whose cards are ordered by id."""

    def __init__(self, counts: Sequence[int] = (8, 3, 0, 1, 2)) -> None:
        self.columns = [MemoryColumn(Text(ru=title, en=title)) for title in STAGES[: len(counts)]]
        self.rows: dict[str, BoardCard] = {}
        self._places: dict[str, int] = {}
        self.asked: list[str] = []
        for column, count in enumerate(counts):
            for number in range(count):
                self.put(card(f"{column}-{number:04}"), column)

    def cards(self, ids: Sequence[str], /) -> list[BoardCard]:
        self.asked.extend(ids)
        return [self.rows[item_id] for item_id in ids if item_id in self.rows]

    def where(self, item_id: str, /) -> tuple[int, int] | None:
        column = self._places.get(item_id)
        if column is None:
            return None
        return column, bisect_left(self.columns[column].ids, item_id)

    def put(self, row: BoardCard, column: int) -> set[int]:
        """Bring or move a card; the answer is the columns that changed."""
        changed = self.take(row.id) | {column}
        self.rows[row.id] = row
        self._places[row.id] = column
        insort(self.columns[column].ids, row.id)
        return changed

    def take(self, item_id: str) -> set[int]:
        """Take a card off the board."""
        column = self._places.pop(item_id, None)
        if column is None:
            return set()
        self.columns[column].ids.remove(item_id)
        del self.rows[item_id]
        return {column}
