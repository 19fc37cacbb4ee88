"""A hub that is killed in the middle: an operation happened whole, with its answer, or not."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from sqlalchemy import func, select

from desk.domain.ids import derive_id, make_id
from desk.domain.operations import Move
from desk.hub.database import Database
from desk.hub.store import Opened
from desk.protocol.messages import Numbered, Push, Pushed, Result
from desk.schema import hub_tables as t
from tests import keys
from tests.hub.hubs import PASSWORD, START, Desk, Hub, move, qualification, read, running

ROOT = Path(__file__).resolve().parents[2]
DEVICE = make_id(START, lambda count: b"\7" * count)


@contextmanager
def hub_process(url: str, *dying: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hub.serving", url, *dying],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(30)
        if process.stdout:
            process.stdout.close()


def sign_in(address: str) -> dict[str, str]:
    with httpx.Client(base_url=address, timeout=30) as client:
        answer = keys.sign_in(client, "operator1", PASSWORD, DEVICE).json()
    return {"authorization": f"Bearer {answer['token']}"}


def operation(number: int) -> dict[str, object]:
    intent = {"do": "create", "kind": "lead", "title": f"ООО {number}"}
    made = {"id": derive_id(DEVICE, number), "at": START, "intent": intent}
    return {"number": number, "operation": made}


def test_effect_number_and_answer_stand_or_fall_together(database_url: str) -> None:
    """The process is killed while it answers; the desk then sends everything again."""
    with hub_process(database_url) as (process, address):
        headers = sign_in(address)
        given = 0
        with (
            suppress(httpx.HTTPError),
            httpx.Client(base_url=address, headers=headers, timeout=30) as client,
        ):
            for number in range(1, 300):
                client.post("/v1/operations", json={"operations": [operation(number)]})
                given = number
                if number == 3:
                    # The next operations are under way while the process dies.
                    threading.Timer(0.03, process.kill).start()
        assert 3 <= given < 299
    numbers = whole(database_url)
    assert given <= len(numbers) <= given + 1
    with running(database_url) as hub:
        desk = hub.desk("operator1", DEVICE)
        assert desk.number == len(numbers)
        body = {"operations": [operation(number) for number in range(1, given + 3)]}
        pushed = read(desk.post("/v1/operations", body), Pushed)
        assert [one.result for one in pushed.results] == ["applied"] * (given + 2)
    assert len(whole(database_url)) == given + 2


class Dying:
    """Starts hubs that die at a step of a push; see ``tests.faults.dying``."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.dying", url, str(START)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def live(self, kill_at: int, work: Callable[[str], object]) -> int:
        """Let a hub live while ``work`` is done at its address; the number of its steps."""
        address = self._ask(str(kill_at))
        with suppress(httpx.HTTPError):
            work(address)
        return int(self._ask("end"))

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _ask(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_wherever_a_hub_is_killed_within_an_operation_all_of_it_stands_or_nothing(
    database_url: str,
) -> None:
    """A hand-off: it changes two items, tasks, the timeline and the tallies. The desk then sends
    it again to a hub that lives."""
    with running(database_url) as hub:
        _, card = qualification(hub, "marketer1", name="Анна")
        marketer, sales = hub.desk("marketer1"), hub.desk("sales1")
        dying = Dying(database_url)
        try:
            done = hand_off(dying, hub, marketer, card, 0)
            sales.done(move(card, "return", comment="ещё раз"))
            steps = done.steps
            assert steps > 15
            stood = 0
            for kill_at in range(1, steps + 1):
                done = hand_off(dying, hub, marketer, card, kill_at)
                assert done.steps == kill_at
                stood += done.stood
                sales.done(move(card, "return", comment="ещё раз"))
            # Only what was killed after the commit stands.
            assert 2 <= stood <= 4
            assert rounds(hub, card) == steps + 1
        finally:
            dying.close()


class HandedOff(NamedTuple):
    steps: int
    stood: bool


def hand_off(dying: Dying, hub: Hub, marketer: Desk, card: str, kill_at: int) -> HandedOff:
    """Hand a card off to a hub that dies at a step, and look that it is all or nothing."""
    handed = marketer.operation(move(card, "hand_off", to="sales1", comment=f"так {kill_at}"))
    body = msgspec.json.encode(Push(operations=[handed]))
    before = traces(hub, handed, marketer, card)

    def send(address: str) -> None:
        with httpx.Client(headers=marketer.headers, timeout=30, verify=False) as client:
            client.post(f"{address}/v1/operations", content=body)

    steps = dying.live(kill_at, send)
    after = traces(hub, handed, marketer, card)
    if after != before:
        assert after == {
            "answered": 1,
            "last_op": before["last_op"] + 1,
            "stage": "handed",
            "round": before["round"] + 1,
            "tallies": before["tallies"] + 1,
            "calls": before["calls"] + 1,
            "entries": 2,
            "log": after["log"],
        }
        assert after["log"] > before["log"]
    pushed = read(marketer.send(handed), Pushed)
    assert [one.result for one in pushed.results] == ["applied"]
    final = traces(hub, handed, marketer, card)
    assert final == (after if after != before else {**final, "round": before["round"] + 1})
    return HandedOff(steps, after != before)


def rounds(hub: Hub, card: str) -> int:
    """How many times a card was handed off."""
    with hub.database.read() as connection:
        return connection.execute(select(t.item.c.round).where(t.item.c.id == card)).scalar_one()


def traces(hub: Hub, handed: Numbered, marketer: Desk, card: str) -> dict[str, Any]:
    """What a hand-off leaves, wherever it does."""
    assert isinstance(handed.operation.intent, Move)
    comment = handed.operation.intent.comment
    numbers = {
        "answered": select(func.count()).where(t.operation.c.id == handed.operation.id),
        "last_op": select(t.device.c.last_op).where(t.device.c.id == marketer.device),
        "stage": select(t.item.c.stage).where(t.item.c.id == card),
        "round": select(t.item.c.round).where(t.item.c.id == card),
        "tallies": select(func.count()).select_from(t.tally).where(t.tally.c.event == "handed"),
        "calls": select(func.count()).select_from(t.task).where(t.task.c.type == "call_sales"),
        "log": select(func.max(t.change.c.seq)),
    }
    with hub.database.read() as connection:
        found = {name: connection.execute(one).scalar_one() for name, one in numbers.items()}
        said = [one.comment for one in Opened(connection).entries(select(t.entry))]
        found["entries"] = said.count(comment)
        assert found["log"] == connection.execute(select(t.sync_head.c.seq)).scalar_one()
    return found


@pytest.mark.parametrize(("step", "times"), [("judged", 15), ("written", 2), ("logged", 2)])
def test_a_group_stands_or_falls_as_a_whole(database_url: str, step: str, times: int) -> None:
    """The process dies in the middle of the second group of ten."""
    queued = [operation(number) for number in range(1, 21)]
    with hub_process(database_url, step, str(times)) as (_, address):
        headers = sign_in(address)
        with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
            client.post("/v1/operations", json={"operations": queued[:10]}).raise_for_status()
            with pytest.raises(httpx.HTTPError):
                client.post("/v1/operations", json={"operations": queued[10:]})
    assert len(whole(database_url)) == 10
    with running(database_url) as hub:
        desk = hub.desk("operator1", DEVICE)
        pushed = read(desk.post("/v1/operations", {"operations": queued}), Pushed)
        assert [one.result for one in pushed.results] == ["applied"] * 20
    assert len(whole(database_url)) == 20


def whole(url: str) -> list[int]:
    """The numbers of the operations that happened; every part of each is there."""
    with Database(url) as database, database.read() as connection:
        rows = connection.execute(select(t.operation).order_by(t.operation.c.number)).all()
        numbers = [row.number for row in rows]
        assert numbers == list(range(1, len(rows) + 1))
        for row in rows:
            assert msgspec.json.decode(row.result, type=Result).result == "applied"
        last_op = connection.execute(select(t.device.c.last_op)).scalar_one()
        assert last_op == len(rows)
        items = set(connection.execute(select(t.item.c.id)).scalars())
        assert items == {row.id for row in rows}
        logged = select(t.change.c.id).where(t.change.c.kind == "item")
        assert set(connection.execute(logged).scalars()) == items
        head = connection.execute(select(t.sync_head.c.seq)).scalar_one()
        assert head == connection.execute(select(func.max(t.change.c.seq))).scalar_one()
    return numbers
