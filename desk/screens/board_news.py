"""Which cards of a board somebody else has changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desk.services.board import Board

#: So many changes at once are an import or a long absence: marks would say nothing.
_MANY = 100


class Others:
    """Tells other people's changes from one's own and from what the hub says to them."""

    def __init__(self) -> None:
        #: Cards on which something of the person's own waits or waited for the hub.
        self._mine: set[str] = set()

    def follow(self, board: Board, ids: Collection[str]) -> tuple[set[int], set[str]]:
        """Let `board` follow a change of `ids`. Answers the columns that look different and the
        cards that somebody else has changed."""
        before = board.remembered(ids)
        self._mine.update(item_id for item_id, card in before.items() if card.pending)
        columns = board.update(ids)
        if len(ids) > _MANY:
            return columns, set()
        here = [item_id for item_id in ids if board.where(item_id) is not None]
        theirs: set[str] = set()
        for card in board.cards(here):
            if card.pending:
                self._mine.add(card.id)
            elif card.id in self._mine:
                self._mine.discard(card.id)
            elif before.get(card.id) != card:
                theirs.add(card.id)
        return columns, theirs
