"""Reading the order of a whole board from the encrypted file."""

from __future__ import annotations

from bench import plain
from bench.figures import Line, Series, Took, timed
from bench.plan import Plan
from bench.world import Place, World
from desk.services.board import Board

_KIND = "lead"


def measure(plan: Plan, world: World) -> list[Line]:
    """The board of all leads, beside the same ids in the same order from a plain file."""
    return [_at(plan, world.place(leads)) for leads in plan.sizes]


def _at(plan: Plan, place: Place) -> Line:
    own: list[Took] = []
    beside: list[Took] = []
    with place.open() as desk:
        for _ in range(plan.loads):
            board = Board(desk, _KIND)
            own.append(timed(board.load))
            beside.append(plain.ids_in_order(place.plain, _KIND))
    return Line(
        Series("board read from local.db", own),
        place.leads,
        Series("plain sqlite3, the same ids", beside),
    )
