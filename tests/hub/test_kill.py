"""A hub that is killed in the middle: an operation happened whole, with its answer, or not."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import func, select

from desk.domain.ids import derive_id, make_id
from desk.hub.database import Database
from desk.protocol.messages import Pushed, Result
from desk.schema import hub_tables as t
from tests.hub.hubs import PASSWORD, START, read, running

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
    body = {
        "user": "operator1",
        "password": PASSWORD,
        "device": DEVICE,
        "device_name": "",
        "protocol": 1,
    }
    answer = httpx.post(f"{address}/v1/sign-in", json=body, timeout=30).json()
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
