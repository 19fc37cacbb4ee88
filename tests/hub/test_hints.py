"""Live hints: a desk hears that something changed, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from desk.domain.ids import make_id
from desk.hub import accounts, app, changes, gate
from desk.hub.changes import Head
from desk.hub.database import Database
from desk.hub.hints import Hints
from desk.protocol.messages import SignIn
from tests.hub.hubs import PASSWORD, START, Clock, Hub, new_lead
from tests.hub.serving import listening


def write(database: Database, user: str = "somebody") -> int:
    with database.write() as connection:
        return changes.write(connection, [changes.of_person(user, 1)], at=START)


def sign_in(client: httpx.Client, user: str, number: int) -> dict[str, str]:
    device = make_id(number, bytes)
    body = {
        "user": user,
        "password": PASSWORD,
        "device": device,
        "device_name": "",
        "protocol": 1,
    }
    token = client.post("/v1/sign-in", json=body).json()["token"]
    return {"authorization": f"Bearer {token}", "x-desk-protocol": "1"}


def heads(lines: Iterator[str]) -> Iterator[str]:
    return (line.removeprefix("data: ") for line in lines if line.startswith("data: "))


def test_a_push_is_heard_by_other_desks_and_the_cursor_is_where_a_pull_ends(
    database_url: str,
) -> None:
    with listening(database_url) as client:
        operator, head = sign_in(client, "operator1", 1), sign_in(client, "head", 2)
        cursor = client.get("/v1/snapshot", headers=head).json()["cursor"]
        with client.stream("GET", "/v1/hints", headers=head) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in stream.headers
            told = heads(stream.iter_lines())
            first = next(told)
            assert first == cursor
            intent = {"do": "create", "kind": "lead", "title": "ООО Вектор"}
            operation = {"id": make_id(3, lambda count: b"\1" * count), "at": 1, "intent": intent}
            pushed = httpx.post(
                f"{client.base_url}/v1/operations",
                json={"operations": [{"number": 1, "operation": operation}]},
                headers=operator,
            )
            assert pushed.json()["results"][0]["result"] == "applied"
            second = next(told)
        page = client.get("/v1/changes", params={"cursor": cursor}, headers=head).json()
        assert page["cursor"] == second != first
        assert [item["title"] for item in page["items"]] == ["ООО Вектор"]


def test_a_hub_that_ends_ends_its_streams_in_order(database_url: str) -> None:
    with httpx.Client(timeout=30) as listener:
        with listening(database_url) as client:
            headers = sign_in(client, "head", 1)
            request = listener.build_request("GET", f"{client.base_url}/v1/hints", headers=headers)
            lines = listener.send(request, stream=True).iter_lines()
            assert next(heads(lines))
        # A stream that was cut off would raise here.
        assert not any(lines)


def test_hints_need_a_token(hub: Hub) -> None:
    assert hub.client.get("/v1/hints").status_code == 401


async def test_a_stream_ends_when_its_person_may_not_come_in_any_more(database_url: str) -> None:
    clock = Clock()
    with Database(database_url) as database:
        hub = gate.Hub(
            database=database,
            clock=clock,
            random_bytes=bytes,
            hints=Hints(database, poll=3600),
            is_loopback=True,
        )
        asked = SignIn(
            user="head", password=PASSWORD, device=make_id(1, bytes), device_name="", protocol=1
        )
        near = accounts.Arrival("127.0.0.1", is_local=True)
        token = accounts.sign_in(database, asked, near, clock(), bytes).token
        session = accounts.authenticate(database, token, near, clock())
        told = app._events(hub, session, app._reader(hub, session), keep_alive=0.01)
        await anext(told)
        clock.pass_minutes(2)
        await anext(told)
        accounts.sign_out(database, session)
        clock.pass_minutes(2)
        assert [line async for line in told] == []


async def test_a_write_of_another_process_is_heard_by_looking(database_url: str) -> None:
    with Database(database_url) as database, Database(database_url) as other:
        hints = Hints(database, poll=0.01)
        told = hints.subscribe()
        first = await anext(told)
        end = await asyncio.to_thread(write, other)
        second = await anext(told)
        await told.aclose()
    assert isinstance(first, Head)
    assert isinstance(second, Head)
    assert second.seq == end > first.seq


async def test_a_write_of_this_process_is_heard_at_once(database_url: str) -> None:
    with Database(database_url) as database:
        hints = Hints(database, poll=3600)
        told = hints.subscribe()
        await anext(told)
        # The pause after a hint is over before the hub looks again by itself.
        end = await asyncio.to_thread(write, database)
        hints.wake()
        second = await asyncio.wait_for(anext(told), 30)
        await told.aclose()
    assert isinstance(second, Head)
    assert second.seq == end


async def test_silence_is_broken_by_a_sign_of_life(database_url: str) -> None:
    with Database(database_url) as database:
        hints = Hints(database, poll=3600)
        told = hints.subscribe(keep_alive=0.02)
        while await anext(told) is None:
            pass
        # Nothing was written since: only a sign of life can come.
        assert await anext(told) is None
        await told.aclose()


async def test_nobody_looks_at_the_log_while_nobody_listens(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    true_head = changes.head
    monkeypatch.setattr(changes, "head", lambda one: looks.append(1) or true_head(one))
    with Database(database_url) as database:
        hints = Hints(database, poll=0.001)
        assert not looks
        told = hints.subscribe()
        await anext(told)
        await told.aclose()
        before = len(looks)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(looks) <= before + 1


async def test_several_listeners_hear_the_same(database_url: str) -> None:
    with Database(database_url) as database:
        hints = Hints(database, poll=0.01)
        streams = [hints.subscribe() for _ in range(5)]
        firsts = [await anext(one) for one in streams]
        await asyncio.to_thread(write, database)
        seconds = [await anext(one) for one in streams]
        for one in streams:
            await one.aclose()
    assert len(set(firsts)) == len(set(seconds)) == 1
    assert firsts != seconds


def test_an_operation_pushed_here_wakes_the_listeners(hub: Hub) -> None:
    woken: list[int] = []
    hints: Hints = hub.client.app.state.hints
    hints.wake = lambda: woken.append(1)  # pyright: ignore[reportAttributeAccessIssue]
    desk = hub.desk("operator1")
    woken.clear()
    desk.done(new_lead())
    assert woken == [1]
