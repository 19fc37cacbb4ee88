"""Live hints: a desk hears that something changed, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import update

from desk.domain.ids import make_id
from desk.hub import accounts, app, changes, gate, hints
from desk.hub.changes import Head
from desk.hub.database import Database
from desk.hub.gate import reader_of
from desk.hub.hints import Hints, Listener
from desk.protocol.messages import PROTOCOL, PROTOCOL_HEADER, SignIn
from desk.schema.hub_tables import account, person
from tests import keys
from tests.hub.hubs import PASSWORD, START, Clock, Hub, a_lead, a_reader, new_lead, write_lines
from tests.hub.serving import listening

ON_POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
NEVER = 3600.0


@asynccontextmanager
async def streaming(
    database: Database, hub_hints: Hints, keep_alive: float = NEVER, user: str = "head"
) -> AsyncGenerator[AsyncGenerator[Head | None]]:
    told = hub_hints.subscribe(Listener(a_reader(database, user)), keep_alive)
    try:
        yield told
    finally:
        await told.aclose()


def sign_in(client: httpx.Client, user: str, number: int) -> dict[str, str]:
    token = keys.sign_in(client, user, PASSWORD, make_id(number, bytes)).json()["token"]
    return {"authorization": f"Bearer {token}", PROTOCOL_HEADER: str(PROTOCOL)}


def a_push() -> dict[str, object]:
    intent = {"do": "create", "kind": "lead", "title": "ООО Вектор"}
    operation = {"id": make_id(3, lambda count: b"\1" * count), "at": 1, "intent": intent}
    return {"operations": [{"number": 1, "operation": operation}]}


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
            pushed = httpx.post(
                f"{client.base_url}/v1/operations",
                json=a_push(),
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


def a_gate(database: Database, clock: Clock, poll: float = NEVER) -> gate.Hub:
    return gate.Hub(
        database=database,
        clock=clock,
        random_bytes=bytes,
        hints=Hints(database, poll=poll),
        is_loopback=True,
    )


def enter(database: Database, user: str, clock: Clock) -> accounts.Session:
    device = make_id(1, bytes)
    asked = SignIn(
        user=user,
        password=PASSWORD,
        device=device,
        device_name="",
        protocol=PROTOCOL,
        key=keys.public_key(device),
    )
    near = accounts.Arrival("127.0.0.1", is_local=True)
    token = accounts.sign_in(database, asked, near, clock(), bytes).tokens.token
    return accounts.authenticate(database, token, near, clock())


async def test_a_stream_ends_when_its_person_may_not_come_in_any_more(database_url: str) -> None:
    clock = Clock()
    with Database(database_url) as database:
        hub = a_gate(database, clock)
        session = enter(database, "head", clock)
        told = app._events(hub, session, reader_of(hub, session), keep_alive=0.01)
        await anext(told)
        clock.pass_minutes(2)
        await anext(told)
        accounts.sign_out(database, session)
        clock.pass_minutes(2)
        assert [line async for line in told] == []


async def test_a_stream_whose_token_has_ended_asks_to_come_in_again(database_url: str) -> None:
    clock = Clock()
    with Database(database_url) as database:
        hub = a_gate(database, clock)
        session = enter(database, "head", clock)
        told = app._events(hub, session, gate.reader_of(hub, session), keep_alive=0.01)
        await anext(told)
        clock.now = session.expires_at
        assert [line async for line in told if line != ": alive\n\n"] == ["event: renew\n\n"]


async def test_a_write_of_another_process_is_heard_by_looking(database_url: str) -> None:
    with Database(database_url) as database, Database(database_url) as other:
        async with streaming(database, Hints(database, poll=0.01)) as told:
            first = await anext(told)
            end = await asyncio.to_thread(write_lines, other)
            second = await anext(told)
    assert isinstance(first, Head)
    assert isinstance(second, Head)
    assert second.seq == end > first.seq


async def test_a_write_of_this_process_is_heard_at_once(database_url: str) -> None:
    with Database(database_url) as database:
        hub_hints = Hints(database, poll=NEVER)
        async with streaming(database, hub_hints) as told:
            await anext(told)
            # The pause after a hint is over before the hub looks again by itself.
            end = await asyncio.to_thread(write_lines, database)
            hub_hints.wake()
            second = await asyncio.wait_for(anext(told), 30)
    assert isinstance(second, Head)
    assert second.seq == end


async def test_silence_is_broken_by_a_sign_of_life(database_url: str) -> None:
    with Database(database_url) as database:
        async with streaming(database, Hints(database, poll=NEVER), keep_alive=0.02) as told:
            while await anext(told) is None:
                pass
            # Nothing was written since: only a sign of life can come.
            assert await anext(told) is None


async def test_nobody_looks_at_the_log_while_nobody_listens(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    true_head = changes.head
    monkeypatch.setattr(changes, "head", lambda one: looks.append(1) or true_head(one))
    with Database(database_url) as database:
        hub_hints = Hints(database, poll=0.001)
        assert not looks
        async with streaming(database, hub_hints) as told:
            await anext(told)
        before = len(looks)
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert len(looks) <= before + 1


async def test_several_listeners_hear_the_same(database_url: str) -> None:
    with Database(database_url) as database:
        hub_hints = Hints(database, poll=0.01)
        streams = [hub_hints.subscribe(Listener(a_reader(database, "head"))) for _ in range(5)]
        firsts = [await anext(one) for one in streams]
        await asyncio.to_thread(write_lines, database)
        seconds = [await anext(one) for one in streams]
        for one in streams:
            await one.aclose()
    assert len(set(firsts)) == len(set(seconds)) == 1
    assert firsts != seconds


async def test_a_failure_while_looking_does_not_silence_the_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Database(database_url) as database:
        hub_hints = Hints(database, poll=0.01)
        async with streaming(database, hub_hints) as told:
            await anext(told)
            failed = asyncio.Event()
            loop = asyncio.get_running_loop()

            def fail(*_: object) -> None:
                loop.call_soon_threadsafe(failed.set)
                raise LookupError

            with monkeypatch.context() as broken:
                broken.setattr(hints.concern, "between", fail)
                await asyncio.to_thread(write_lines, database)
                await failed.wait()
            assert isinstance(await anext(told), Head)


def test_an_operation_pushed_here_wakes_the_listeners(hub: Hub) -> None:
    woken: list[int] = []
    hub_hints: Hints = hub.client.app.state.hints
    hub_hints.wake = lambda: woken.append(1)  # pyright: ignore[reportAttributeAccessIssue]
    desk = hub.desk("operator1")
    woken.clear()
    desk.done(new_lead())
    assert woken == [1]


async def test_a_new_epoch_concerns_everybody(database_url: str) -> None:
    with Database(database_url) as database:
        async with streaming(database, Hints(database, poll=0.01), user="sales1") as told:
            first = await anext(told)
            with database.write() as connection:
                changes.start_epoch(connection, "another")
            second = await anext(told)
    assert first is not None
    assert second is not None
    assert (first.epoch, second.epoch) != (second.epoch, first.epoch)


async def test_another_role_is_heard_at_once_and_decides_what_comes_after(
    database_url: str,
) -> None:
    clock = Clock()
    with Database(database_url) as database:
        hub = a_gate(database, clock, poll=0.01)
        session = enter(database, "sales2", clock)
        told = app._events(hub, session, reader_of(hub, session))
        first = await anext(told)
        with database.write() as connection:
            connection.execute(update(person).where(person.c.id == "sales2").values(role="head"))
            mine = update(account).where(account.c.user_id == "sales2")
            connection.execute(mine.values(policy_version=2))
            changes.write(connection, [changes.of_person("sales2", 2)], at=START)
        second = await anext(told)
        # What a head sees and a sales manager does not.
        end = write_lines(database, changes.of_item(None, a_lead(responsible="sales1")))
        third = await anext(told)
    assert first.partition(":")[0] == "data"
    assert ".2:" in second
    assert third.endswith(f".2:{end}\n\n")


@ON_POSTGRESQL
def test_a_hint_travels_from_one_hub_process_to_another_without_being_looked_for(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "POLL", NEVER)
    monkeypatch.setattr(hints, "POLL_BESIDE_NOTICES", NEVER)
    with listening(database_url) as here, listening(database_url) as there:
        headers = sign_in(here, "head", 1)
        with here.stream("GET", "/v1/hints", headers=headers) as stream:
            told = heads(stream.iter_lines())
            first = next(told)
            pushed = there.post(
                "/v1/operations", json=a_push(), headers=sign_in(there, "operator1", 2)
            )
            assert pushed.json()["results"][0]["result"] == "applied"
            assert next(told) != first


@ON_POSTGRESQL
async def test_word_that_was_lost_on_the_way_is_made_good_by_looking(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "POLL", 0.01)
    monkeypatch.setattr(hints, "POLL_BESIDE_NOTICES", 0.01)
    monkeypatch.setattr(changes, "CHANNEL", "where_nobody_listens")
    with Database(database_url) as database:
        async with streaming(database, Hints(database)) as told:
            await anext(told)
            end = await asyncio.to_thread(write_lines, database)
            second = await anext(told)
    assert second is not None
    assert second.seq == end
