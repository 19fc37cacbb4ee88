"""From the start of the process to the first painting, and to a board one can work with."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from bench.figures import Aim, Line, Series
from bench.floor_app import MARK
from bench.pictures import any_text, first_moment
from bench.plan import Plan
from bench.terminal import Piece, Terminal, environment
from bench.world import BOARD, Place, World

_FLOOR = [sys.executable, "-m", "bench.floor_app"]
_BARE = [sys.executable, "-c", "pass"]


def measure(plan: Plan, world: World) -> list[Line]:
    """The starts are taken in turn, so that whatever else runs slows all of them alike."""
    place = world.place(plan.usual)
    mark = first_title(place)
    _start(place.command, mark)  # Compiles and caches what was never run.
    skeleton: list[float] = []
    board: list[float] = []
    floor: list[float] = []
    bare: list[float] = []
    for _ in range(plan.starts):
        began, pieces = _start(place.command, mark)
        skeleton.append(first_moment(pieces, any_text) - began)
        board.append(first_moment(pieces, lambda shown: _holds(shown, mark)) - began)
        began, pieces = _start(_FLOOR, MARK)
        floor.append(first_moment(pieces, any_text) - began)
        bare.append(_bare())
    painted = Series("Textual, one Static", floor)
    return [
        Line(Series("start to the first painting", skeleton), place.leads, painted),
        Line(Series("start to a usable board", board), place.leads, painted, Aim("median", 1.0)),
        Line(
            Series("start to the first painting", skeleton),
            place.leads,
            Series("python -c pass", bare),
        ),
    ]


def first_title(place: Place) -> str:
    """How the first card of the board begins: where that stands, the cards are there."""
    from desk.services.board import Board

    with place.open() as desk:
        board = Board(desk, BOARD)
        board.load()
        column = next(column for column in board.columns if column.ids)
        return board.cards(column.ids[:1])[0].title[:12]


def _start(command: Sequence[str], mark: str) -> tuple[float, list[Piece]]:
    with Terminal(command, environment()) as terminal:
        return terminal.started, terminal.until(mark)


def _holds(shown: list[str], mark: str) -> bool:
    return any(mark in line for line in shown)


def _bare() -> float:
    began = time.perf_counter()
    subprocess.run(_BARE, check=True)
    return time.perf_counter() - began
