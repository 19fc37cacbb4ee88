"""Moving a card: from the key to the screen, and what of it is the durable write."""

from __future__ import annotations

import sys
from contextlib import closing
from itertools import islice

from bench.figures import Line, Series, Took, timed
from bench.floor_app import MARK
from bench.plain import Moves
from bench.plan import Plan
from bench.start import first_title
from bench.terminal import Terminal, environment, missing
from bench.world import BOARD, Place, World, movable
from desk.domain.operations import Move
from desk.services.board import Board

_FLOOR = [sys.executable, "-m", "bench.floor_app", "list"]
_CALM = 1.0
#: The first frame shows the card at its new stage; a notice and new counts follow it.
_QUIET = 0.15


def measure(plan: Plan, world: World) -> list[Line]:
    """By the services, and where there is a pseudo-terminal, by the key."""
    lines: list[Line] = []
    for leads in plan.sizes:
        place = world.place(leads)
        if not missing():
            lines += _by_key(plan, place)
        lines.append(_by_service(plan, place))
    return lines


def _by_key(plan: Plan, place: Place) -> list[Line]:
    card: list[Took] = []
    everything: list[Took] = []
    beside: list[Took] = []
    with (
        Terminal(place.command, environment()) as board,
        Terminal([*_FLOOR, str(place.plain)], environment()) as floor,
    ):
        board.until(first_title(place))
        floor.until(MARK)
        board.settle(_CALM)
        for _ in range(plan.moves):
            # The cursor went with the card before; back to the top of the first column.
            board.send(b"hg")
            frame, whole = board.press_in_frames(b"L", _QUIET)
            card.append(frame)
            everything.append(whole)
            beside.append(floor.press(b"L"))
    floor_line = Series("Textual, plain sqlite3, a line", beside)
    return [
        Line(Series("card moved: key to the card there", card), place.leads, floor_line),
        Line(Series("card moved: notice and counts too", everything), place.leads, floor_line),
    ]


def _by_service(plan: Plan, place: Place) -> Line:
    own: list[Took] = []
    beside: list[Took] = []
    with place.open() as desk, closing(Moves(place.plain)) as plain:
        board = Board(desk, BOARD)
        board.load()
        for item_id in list(islice(movable(desk), plan.moves)):
            move = Move(item_id=item_id, transition="start")
            own.append(timed(lambda move=move: board.update(desk.do(move).item_ids)))
            beside.append(timed(plain.move_one))
    return Line(
        Series("card moved: durable and queued", own),
        place.leads,
        Series("plain sqlite3, two statements", beside),
    )
