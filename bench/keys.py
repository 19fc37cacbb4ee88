"""From a key to the last byte it calls forth, for keys that only look."""

from __future__ import annotations

import sys

from bench.figures import Aim, Line, Series, Took
from bench.floor_app import MARK
from bench.plan import Plan
from bench.start import first_title
from bench.terminal import Terminal, environment
from bench.world import Place, World

_FLOOR = [sys.executable, "-m", "bench.floor_app", "list"]
_AIM = Aim("p95", 0.016)
_DOWN, _PAGE, _LEFT, _RIGHT, _TOP = b"j", b"\x04", b"h", b"l", b"g"
#: How long the application may go on loading what it needs later, once the board is there, s.
_CALM = 1.0


def measure(plan: Plan, world: World) -> list[Line]:
    """Each key of the board beside a key of the floor that was pressed right after it."""
    return [line for leads in plan.sizes for line in _at(plan, world.place(leads))]


def _at(plan: Plan, place: Place) -> list[Line]:
    with (
        Terminal(place.command, environment()) as board,
        Terminal(_FLOOR, environment()) as floor,
    ):
        board.until(first_title(place))
        floor.until(MARK)
        board.settle(_CALM)
        # On the board of all leads, at its longest column; a page down keeps the top out of sight.
        board.send(b"1")
        board.settle(_CALM)
        down = [_pair(board, _DOWN, floor) for _ in range(plan.keys)]
        page = [_pair(board, _PAGE, floor) for _ in range(plan.keys)]
        board.send(_TOP)
        right, left = [], []
        for _ in range(plan.keys):
            right.append(_pair(board, _RIGHT, floor))
            left.append(_pair(board, _LEFT, floor))
    named = (("down", down), ("page down", page), ("next column", right), ("column back", left))
    return [
        Line(
            Series(f"key to screen: {name}", [own for own, _ in pairs]),
            place.leads,
            Series("Textual, j on plain lines", [beside for _, beside in pairs]),
            _AIM,
        )
        for name, pairs in named
    ]


def _pair(board: Terminal, key: bytes, floor: Terminal) -> tuple[Took, Took]:
    return board.press(key), floor.press(_DOWN)
