"""A key while a large pull is applied, beside the same key at rest."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import Connection

from bench.figures import Aim, Line, Series, Took
from bench.plan import Plan
from bench.start import first_title
from bench.stub import Stub, serving
from bench.terminal import QUIET, Terminal, environment
from bench.world import World, say
from desk.protocol.messages import Page
from desk.services import settings
from desk.services.context import Account
from desk.services.desk import Desk
from desk.services.rows import ENTRIES, ITEMS, SUBJECTS, TASKS

_AIM = Aim("p95", 0.016)
_DOWN, _TOP = b"j", b"g"
_CALM = 1.0
#: As the desk asks for them.
_PAGE = 500
#: How long keys are still measured when the pull is over: the board is read anew then.
_AFTER = 1.0
_PATIENCE = 60.0


def measure(plan: Plan, world: World) -> list[Line]:
    """Rounds of a pull of so many rows; in each, as many keys at rest as while it lasts."""
    place = world.place(plan.usual, "pull")
    say(f"making {plan.rounds} pulls of {plan.pulled:,} rows".replace(",", " "))
    mark = first_title(place)
    rest: list[Took] = []
    busy: list[Took] = []
    spans: list[Took] = []
    with place.open() as desk:
        count, pages = _pages(desk, plan)
        rounds = [f"bench:{1 + n * count}" for n in range(plan.rounds + 1)]
    with serving(pages) as stub:
        with place.open() as desk:
            _move_to(desk, stub.url)
        with Terminal(place.command, environment()) as board:
            board.until(mark)
            stub.wait_for(rounds[0], _PATIENCE)
            board.settle(_CALM)
            for first, end in pairwise(rounds):
                board.send(_TOP)
                began = len(busy)
                spans.append(_during(board, stub, pages, first, end, busy))
                board.settle(_CALM)
                board.send(_TOP)
                rest += [_press(board) for _ in busy[began:]]
    return [
        Line(
            Series("key to screen while a pull comes", busy),
            place.leads,
            Series("the same key at rest", rest),
            _AIM,
        ),
        Line(Series(f"pull of {plan.pulled} rows, under keys", spans), place.leads),
    ]


def _during(
    board: Terminal,
    stub: Stub,
    pages: Mapping[str, bytes],
    first: str,
    end: str,
    busy: list[Took],
) -> Took:
    """Press keys from the first page's request until a while after the last was applied."""
    stub.offer(*(cursor for cursor in pages if _number(first) <= _number(cursor) < _number(end)))
    before = time.perf_counter()
    stub.hint()
    over: float | None = None
    while over is None or time.perf_counter() - over < _AFTER:
        if over is None:
            # The desk comes with the new cursor only when everything is applied.
            stub.hint()
            if stub.was_asked(end):
                over = time.perf_counter()
        busy.append(_press(board))
    return Took(stub.wait_for(end, _PATIENCE) - before, 0.0)


def _press(board: Terminal) -> Took:
    """Until the end of the first frame: what the status line paints later is not the key's."""
    return board.press_in_frames(_DOWN, QUIET)[0]


def _number(cursor: str) -> int:
    return int(cursor.rpartition(":")[2])


def _move_to(desk: Desk, url: str) -> None:
    """Let the desk have its hub at this address."""
    with desk.context.store.write() as connection:
        account = msgspec.json.decode(
            settings.get(connection, settings.ACCOUNT) or "", type=Account
        )
        account = msgspec.structs.replace(account, hub=url)
        settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())


def _pages(desk: Desk, plan: Plan) -> tuple[int, dict[str, bytes]]:
    """How many pages a pull has, and for each cursor the compressed page that follows it."""
    with desk.context.store.read() as connection:
        items = ITEMS.where(connection, "id", _newest(connection, plan.pulled // 4))
        ids = [item.id for item in items]
        tasks = TASKS.where(connection, "item_id", ids)
        entries = ENTRIES.where(connection, "item_id", ids)
        subjects = SUBJECTS.get(connection, {item.subject_id or "" for item in items})
    kinds = {"items": items, "subjects": subjects, "tasks": tasks, "entries": entries}
    rows = [(kind, row) for kind, found in kinds.items() for row in found][: plan.pulled]
    parts = [rows[start : start + _PAGE] for start in range(0, len(rows), _PAGE)]
    pages: dict[str, bytes] = {}
    for turn in range(plan.rounds):
        for n, part in enumerate(parts):
            number = 1 + turn * len(parts) + n
            page = _page(part, turn, number, more=n < len(parts) - 1)
            pages[page.asked] = gzip.compress(msgspec.json.encode(page), 5)
    return len(parts), pages


def _page(part: Iterable[tuple[str, Any]], turn: int, number: int, *, more: bool) -> Page:
    rows: dict[str, Any] = {}
    for kind, row in part:
        newer = msgspec.structs.replace(row, version=row.version + turn + 1)
        rows.setdefault(kind, []).append(newer)
    return Page(
        cursor=f"bench:{number + 1}",
        asked=f"bench:{number}",
        last_op=0,
        playbook_version=1,
        more=more,
        **rows,
    )


def _newest(connection: Connection, limit: int) -> Iterator[str]:
    query = "SELECT id FROM item ORDER BY id DESC LIMIT ?"
    return (row[0] for row in connection.exec_driver_sql(query, (limit,)))
