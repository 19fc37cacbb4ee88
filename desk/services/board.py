"""A board: the ids of each column in order, and the cards that are looked at.

A column holds ids alone, with their sort keys beside them, so a hundred thousand items fit and a
change is one bisection. Cards are read from the local copy when they are shown and kept in an LRU.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from desk.services import collector
from desk.services.errors import UnknownKind
from desk.services.views import BoardCard

if TYPE_CHECKING:
    from desk.domain.playbook import Stage, Text
    from desk.services.desk import Desk

Sort: TypeAlias = Literal["urgent", "new", "old", "score"]
#: What a card is ordered by within its column; its last part is the id.
Key: TypeAlias = tuple[int, int, str]

_KEPT_CARDS = 4000


@dataclass(slots=True)
class BoardColumn:
    """One stage with the ids of its items in order."""

    stage: Stage
    ids: list[str] = field(default_factory=list[str])
    keys: list[Key] = field(default_factory=list[Key])

    @property
    def title(self) -> Text:
        """The stage's bilingual title."""
        return self.stage.title

    @property
    def final(self) -> bool:
        """Whether an item's way ends here."""
        return self.stage.final


class Board:
    """The items of one kind by stage. ``load`` reads them; ``update`` follows changes.

    Raises ``UnknownKind``, ``NotSignedIn``. "urgent" is the soonest deadline first, then what has
    none, the newest first.
    """

    def __init__(
        self,
        desk: Desk,
        kind: str,
        sort: Sort = "urgent",
        filter: str | None = None,  # noqa: A002 - the word people use
    ) -> None:
        self._desk = desk
        self.kind = kind
        self.sort: Sort = sort
        self.filter = filter
        self._guard = threading.RLock()
        self._loading = False
        self._missed: set[str] = set()
        self._places: dict[str, tuple[int, Key]] = {}
        self._cards: OrderedDict[str, BoardCard] = OrderedDict()
        self.columns: list[BoardColumn] = self._empty_columns()
        self._index = {column.stage.id: number for number, column in enumerate(self.columns)}

    def load(self) -> None:
        """Read the order of every column anew; call it in a worker.

        Raises ``BadCondition``, ``NotSignedIn``.
        """
        with self._guard:
            self._loading = True
            self._missed.clear()
        try:
            with collector.put_off():
                self._read()
        finally:
            with self._guard:
                self._loading = False
                missed, self._missed = self._missed, set()
        self.update(missed)

    def _read(self) -> None:
        from desk.services import board_rows

        columns = self._empty_columns()
        places: dict[str, tuple[int, Key]] = {}
        order = board_rows.order(self._desk.context, self.kind, self.sort, self.filter)
        for stage, key in order:
            number = self._index.get(stage)
            if number is None:
                continue
            columns[number].ids.append(key[2])
            columns[number].keys.append(key)
            places[key[2]] = (number, key)
        with self._guard:
            self.columns = columns
            self._places = places
            self._cards.clear()

    def count(self, column: int) -> int:
        """How many cards the column has."""
        return len(self.columns[column].ids)

    def where(self, item_id: str) -> tuple[int, int] | None:
        """The column and the row of an item; ``None`` when it is not on the board."""
        with self._guard:
            place = self._places.get(item_id)
            if place is None:
                return None
            number, key = place
            return number, bisect_left(self.columns[number].keys, key)

    def cards(self, ids: Sequence[str]) -> list[BoardCard]:
        """The cards of ``ids`` in that order, without those that are gone."""
        from desk.services import board_rows

        with self._guard:
            missing = [item_id for item_id in ids if item_id not in self._cards]
        if missing:
            found = board_rows.cards(self._desk.context, missing)
            with self._guard:
                self._cards.update(found)
        with self._guard:
            shown: list[BoardCard] = []
            for item_id in ids:
                card = self._cards.get(item_id)
                if card is not None:
                    self._cards.move_to_end(item_id)
                    shown.append(card)
            while len(self._cards) > _KEPT_CARDS:
                self._cards.popitem(last=False)
            return shown

    def remembered(self, ids: Iterable[str]) -> dict[str, BoardCard]:
        """Those of the cards ``ids`` that were looked at, as they were then."""
        with self._guard:
            return {item_id: self._cards[item_id] for item_id in ids if item_id in self._cards}

    def update(self, ids: Iterable[str]) -> set[int]:
        """Follow a change of the items ``ids``; the answer is the columns that look different."""
        from desk.services import board_rows

        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return set()
        with self._guard:
            if self._loading:
                self._missed.update(wanted)
        context = self._desk.context
        now = dict(board_rows.places(context, self.kind, self.sort, self.filter, wanted))
        changed: set[int] = set()
        with self._guard:
            for item_id in wanted:
                self._cards.pop(item_id, None)
                changed.update(self._replace(item_id, now.get(item_id)))
        return changed

    def _replace(self, item_id: str, place: tuple[str, Key] | None) -> Iterable[int]:
        old = self._places.pop(item_id, None)
        if old is not None:
            number, key = old
            column = self.columns[number]
            row = bisect_left(column.keys, key)
            del column.keys[row], column.ids[row]
            yield number
        if place is None or place[0] not in self._index:
            return
        number, key = self._index[place[0]], place[1]
        column = self.columns[number]
        row = bisect_left(column.keys, key)
        column.keys.insert(row, key)
        column.ids.insert(row, item_id)
        self._places[item_id] = (number, key)
        yield number

    def _empty_columns(self) -> list[BoardColumn]:
        kinds = self._desk.playbook.kinds
        if self.kind not in kinds:
            raise UnknownKind(kind=self.kind, known=", ".join(kinds))
        return [BoardColumn(stage) for stage in kinds[self.kind].stages]
