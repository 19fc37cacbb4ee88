"""What the board asks of the services: ids by column, and the cards it is about to paint.

`desk.services.board.Board` is such a model; nothing here knows where the rows come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Titled(Protocol):
    """A text in each language of the interface."""

    def get(self, language: str, /) -> str:
        """The text in `language`."""
        ...


class Column(Protocol):
    """One stage with the ids of its items in order."""

    @property
    def title(self) -> Titled:
        """The stage's title."""
        ...

    @property
    def ids(self) -> Sequence[str]:
        """The ids of its items, the first on top."""
        ...


class CardView(Protocol):
    """What a card shows; times in milliseconds since the epoch."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def source(self) -> str | None: ...
    @property
    def created_at(self) -> int: ...
    @property
    def score(self) -> int: ...
    @property
    def responsible(self) -> str | None: ...
    @property
    def due_at(self) -> int | None: ...
    @property
    def pending(self) -> bool: ...
    @property
    def round(self) -> int: ...
    @property
    def version(self) -> int: ...


class BoardModel(Protocol):
    """The columns of a board; called from the main thread, so it answers within a frame."""

    @property
    def columns(self) -> Sequence[Column]:
        """The stages in order."""
        ...

    def cards(self, ids: Sequence[str], /) -> Sequence[CardView]:
        """The cards of `ids`, without those that are gone."""
        ...

    def where(self, item_id: str, /) -> tuple[int, int] | None:
        """The column and the row of an item; `None` when it is not on the board."""
        ...


def _as_it_is(name: str | None) -> str:
    return name or ""


@dataclass(frozen=True, slots=True)
class Names:
    """How the ids on a card are written: the title of a source, the name of a person."""

    source: Callable[[str | None], str] = _as_it_is
    person: Callable[[str | None], str] = _as_it_is
