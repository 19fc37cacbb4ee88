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
        # On the board of all leads; its second column holds about a third of them.
        board.send(b"1")
        board.settle(_CALM)
        board.send(_RIGHT)
        down = _along(board, _DOWN, floor, plan.keys, place.leads // 10)
        page = _along(board, _PAGE, floor, plan.keys, place.leads // 50)
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


def _along(
    board: Terminal, key: bytes, floor: Terminal, times: int, fit: int
) -> list[tuple[Took, Took]]:
    """Go along a column in which so many presses of the key fit, again and again from its top."""
    pairs: list[tuple[Took, Took]] = []
    for number in range(times):
        if number % max(fit, 1) == 0:
            board.send(_TOP)
        pairs.append(_pair(board, key, floor))
    board.send(_TOP)
    return pairs


def _pair(board: Terminal, key: bytes, floor: Terminal) -> tuple[Took, Took]:
    return board.press(key), floor.press(_DOWN)
