"""Five hundred desks on one hub process: what they cost, and how they come back."""

from __future__ import annotations

import asyncio
import os
import random
import time
from dataclasses import dataclass, field

import msgspec

from bench.figures import Fact, Line, Series, Took, fullest_second, show
from bench.hubs import PASSWORD, Hub, postgresql, round_trips, serving, set_up
from bench.plan import Plan
from bench.world import World, say
from desk.domain.ids import make_id
from desk.domain.operations import Create, Operation
from desk.hub import accounts
from desk.hub.database import Database
from desk.protocol.messages import PROTOCOL, PROTOCOL_HEADER, Numbered, Push, SignIn
from desk.services.backoff import Pace

#: Four in five see new leads; the sales managers do not, and are not to be hinted at them.
_ROLES = ("operator", "marketer", "head", "director", "sales")
_USERS = [(f"{role}{number}", role) for number in range(1, 11) for role in _ROLES]
#: A hub that is restarted is away for so long at least, s.
_AWAY = 2.0
_PATIENCE = 120.0


def measure(plan: Plan, _: World) -> list[Line | Fact]:
    """On PostgreSQL, where so many would be."""
    with postgresql() as url:
        set_up(url, _USERS)
        tokens = _enter(url, plan.crowd)
        with serving(url) as hub:
            trips = round_trips(hub.url, plan.trips)
            return asyncio.run(_watch(plan, hub, tokens, trips))


def _enter(url: str, count: int) -> list[tuple[str, str]]:
    """Tokens of ``count`` devices, with the role of each."""
    say(f"signing in {count} desks")
    near = accounts.Arrival("127.0.0.1", is_local=True)
    entered: list[tuple[str, str]] = []
    with Database(url) as database:
        for number in range(count):
            user, role = _USERS[number % len(_USERS)]
            asked = SignIn(
                user=user,
                password=PASSWORD,
                device=make_id(time.time_ns() // 1_000_000, os.urandom),
                device_name="",
                protocol=PROTOCOL,
                key=os.urandom(32),
            )
            now = time.time_ns() // 1_000_000
            signed_in = accounts.sign_in(database, asked, near, now, os.urandom)
            entered.append((signed_in.tokens.token, role))
    return entered


async def _watch(
    plan: Plan, hub: Hub, tokens: list[tuple[str, str]], trips: Series
) -> list[Line | Fact]:
    empty = hub.memory
    desks = [_Desk(hub.url, token, role) for token, role in tokens]
    say("opening their streams")
    tasks = [asyncio.create_task(desk.live()) for desk in desks]
    await _until(lambda: all(desk.is_open for desk in desks))
    await asyncio.sleep(2.0)
    held = hub.memory
    say("watching them do nothing")
    worked, began = hub.cpu, time.monotonic()
    await asyncio.sleep(plan.idle)
    idle = (hub.cpu - worked) / (time.monotonic() - began)
    say("hinting at changes")
    hints = await _hints(plan, desks)
    unconcerned = sum(desk.hints for desk in desks if desk.role == "sales")
    say("restarting the hub")
    for desk in desks:
        desk.back.clear()
    hub.stop()
    await asyncio.sleep(_AWAY)
    worked = await asyncio.to_thread(_start, hub)
    restarted = time.monotonic()
    await _until(lambda: all(desk.is_open for desk in desks))
    seconds = time.monotonic() - restarted
    worked = hub.cpu - worked
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    back = [moment for desk in desks for moment in desk.back]
    number = len(desks)
    return [
        Fact(
            f"{number} desks connected: memory of the hub",
            f"{held:.0f} MB",
            beside="without them",
            floor=f"{empty:.0f} MB",
        ),
        Fact(f"{number} desks idle: processor of the hub", f"{idle * 100:.1f} %"),
        Line(Series("a change until each desk is hinted", hints), 0, trips),
        Fact("the same, p99", show(sorted(run.seconds for run in hints)[-len(hints) // 100 - 1])),
        Fact("hints at those it does not concern", str(unconcerned)),
        Fact(
            f"hub restarted: {number} desks back, in the fullest second",
            f"{fullest_second(back)}/s",
            beside="all are back after",
            floor=f"{seconds:.1f} s",
        ),
        Fact("hub restarted: its processor until all are back", f"{worked:.1f} s"),
    ]


def _start(hub: Hub) -> float:
    hub.start()
    return hub.cpu


async def _hints(plan: Plan, desks: list[_Desk]) -> list[Took]:
    """For each change and each desk concerned, from the sending to the hint."""
    writer = next(desk for desk in desks if desk.role == "operator")
    concerned = [desk for desk in desks if desk.role != "sales"]
    for desk in desks:
        desk.hints = 0
    runs: list[Took] = []
    for number in range(1, plan.crowd_hints + 1):
        await asyncio.sleep(random.uniform(0.2, 0.5))
        for desk in desks:
            desk.hinted = 0.0
        began = time.perf_counter()
        await writer.push(number)
        await _until(lambda: all(desk.hinted for desk in concerned))
        runs += [Took(desk.hinted - began, 0.0) for desk in concerned]
    return runs


async def _until(true: object) -> None:
    assert callable(true)
    async with asyncio.timeout(_PATIENCE):
        while not true():  # noqa: ASYNC110 - many things make it true, in another process too
            await asyncio.sleep(0.01)


@dataclass(slots=True)
class _Desk:
    """What a desk does on the wire, by a desk's own pace, without its local copy."""

    url: str
    token: str
    role: str
    is_open: bool = False
    hints: int = 0
    #: When the last hint came, and when it reached the hub again, each by its clock.
    hinted: float = 0.0
    back: list[float] = field(default_factory=list)
    cursor: str = ""

    async def live(self) -> None:
        """Exchange and listen; when the hub is away, as a desk would."""
        pace = Pace(random.random)
        pace.lost(0.0)
        while True:
            try:
                await self._exchange()
                await self._listen()
            except (OSError, EOFError, ConnectionError):
                was_open, self.is_open = self.is_open, False
                now = time.monotonic()
                pace.take(now)
                if was_open:
                    pace.succeeded(now, 60.0)
                    pace.lost(now)
                else:
                    pace.failed(now, 0.0)
                await asyncio.sleep(max(0.0, pace.due - now))

    async def push(self, number: int) -> None:
        """Create a lead."""
        intent = Create(kind="lead", title=f"Лид {number}")
        identifier = make_id(time.time_ns() // 1_000_000, os.urandom)
        operation = Operation(id=identifier, at=0, intent=intent)
        body = msgspec.json.encode(Push(operations=[Numbered(number=number, operation=operation)]))
        reader, writer = await self._connect()
        try:
            await self._ask(reader, writer, "POST", "/v1/operations", body)
        finally:
            writer.close()

    async def _exchange(self) -> None:
        reader, writer = await self._connect()
        self.back.append(time.monotonic())
        try:
            await self._ask(reader, writer, "GET", "/v1/handshake")
            cursor = self.cursor or "none"
            answer = await self._ask(reader, writer, "GET", f"/v1/changes?cursor={cursor}")
            self.cursor = msgspec.json.decode(answer)["cursor"]
        finally:
            writer.close()

    async def _listen(self) -> None:
        reader, writer = await self._connect()
        try:
            self._send(writer, "GET", "/v1/hints")
            await reader.readuntil(b"\r\n\r\n")
            while line := await reader.readline():
                if line.startswith(b"data:"):
                    self.is_open = True
                    self.hinted = time.perf_counter()
                    self.hints += 1
            raise EOFError
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return await asyncio.open_connection(host, int(port))

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        body: bytes = b"",
    ) -> bytes:
        self._send(writer, method, path, body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if " 200 " not in head.partition("\r\n")[0]:
            raise ConnectionError(head.partition("\r\n")[0])
        length = next(line for line in head.splitlines() if line.startswith("content-length:"))
        return await reader.readexactly(int(length.partition(":")[2]))

    def _send(
        self, writer: asyncio.StreamWriter, method: str, path: str, body: bytes = b""
    ) -> None:
        headers = {
            "host": "hub",
            "authorization": f"Bearer {self.token}",
            PROTOCOL_HEADER: str(PROTOCOL),
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{said}\r\n".encode() + body)
