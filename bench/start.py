"""From the start of the process to the first painting, and to a board one can work with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence

from bench.figures import Aim, Line, Series, Took
from bench.floor_app import MARK
from bench.pictures import any_text, first_piece
from bench.plan import Plan
from bench.terminal import Terminal, environment
from bench.world import BOARD, Place, World

_FLOOR = [sys.executable, "-m", "bench.floor_app"]
_BARE = [sys.executable, "-c", "pass"]


def measure(plan: Plan, world: World) -> list[Line]:
    """The starts are taken in turn, so that whatever else runs slows all of them alike."""
    place = world.place(plan.usual)
    mark = first_title(place)
    # Compile what was never run: that happens once after an installation, not at each start.
    _start(place.command, mark)
    _start(_FLOOR, MARK)
    skeleton: list[Took] = []
    board: list[Took] = []
    floor: list[Took] = []
    bare: list[Took] = []
    for _ in range(plan.starts):
        painted, usable = _start(place.command, mark)
        skeleton.append(painted)
        board.append(usable)
        floor.append(_start(_FLOOR, MARK)[0])
        bare.append(_bare())
    static = Series("Textual, one Static", floor)
    first = Series("start to the first painting", skeleton)
    usable_board = Series("start to a usable board", board)
    return [
        Line(first, place.leads, static),
        Line(first, place.leads, Series("python -c pass", bare)),
        Line(usable_board, place.leads, static, Aim("median", 1.0)),
    ]


def first_title(place: Place) -> str:
    """How the first card of the board begins: where that stands, the cards are there."""
    from desk.services.board import Board

    with place.open() as desk:
        board = Board(desk, BOARD)
        board.load()
        column = next(column for column in board.columns if column.ids)
        return board.cards(column.ids[:1])[0].title[:12]


def _start(command: Sequence[str], mark: str) -> tuple[Took, Took]:
    """Until anything is painted, and until the mark is."""
    with Terminal(command, environment()) as terminal:
        pieces = terminal.until(mark)
        painted = first_piece(pieces, any_text)
        marked = first_piece(pieces, lambda shown: any(mark in line for line in shown))
        return terminal.since_start(painted), terminal.since_start(marked)


def _bare() -> Took:
    began = time.perf_counter()
    with subprocess.Popen(_BARE, env=environment()) as process:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return Took(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)
