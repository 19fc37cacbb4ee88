"""Where a simulated hub runs: in this process without sockets, or as real processes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
from litestar.testing import TestClient

from desk.hub.app import create_app
from desk.hub.database import Database
from desk.hub.passwords import hash_password
from desk.hub.setup import add_user, init
from desk.resources import playbooks_dir
from tests.faults.plans import Plan, Watch
from tests.faults.proxy import Proxy
from tests.faults.wire import Wire
from tests.hub_process import HubProcess

PASSWORD = "correct horse"
FREIGHT = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
#: Nobody is ever asked there: in process the wire takes every request.
NOWHERE = "http://127.0.0.1:9"
START = 1_790_000_000_000
PEOPLE = {
    "operator1": "operator",
    "marketer1": "marketer",
    "marketer2": "marketer",
    "sales1": "sales",
    "head": "head",
}


def set_up(database: Database) -> None:
    """The freight company with a few people; the head alone is present by heartbeat."""
    hashed = hash_password(PASSWORD, cheap=True)
    init(database, FREIGHT, now=START, random_bytes=random.Random(1).randbytes)
    for user, role in PEOPLE.items():
        add_user(
            database,
            user,
            name=user.title(),
            role=role,
            password_hash=hashed,
            present=user != "head",
        )


@dataclass(frozen=True)
class Line:
    """A desk's way to the hub: the address it signs in at, and how it gets there."""

    url: str
    transport: httpx.BaseTransport | None


class Place(Protocol):
    """A running hub, as a world needs it. Nobody else writes while its ``database`` is changed
    by hand, but the hub itself may run."""

    database: Database
    clock: Callable[[], int]

    def pass_time(self, milliseconds: int) -> None:
        """Let the clock go on, where it is not the true one."""
        ...

    def line(self, number: int, plan: Plan, watch: Watch) -> Line:
        """The way of the desk of that number, with its faults, watched."""
        ...

    def restart(self) -> None:
        """All that the hub's processes held in memory is gone."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


class Clock:
    """Goes on by a millisecond each time it is read."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        self.now += 1
        return self.now


class InProcess:
    """``count`` hubs of this process over one database; requests go to each in turn."""

    def __init__(self, url: str, count: int) -> None:
        self.database = Database(url)
        self._time = Clock()
        self.clock: Callable[[], int] = self._time
        self._random = random.Random(7)
        self._count = count
        self._turn = 0
        self._start()

    def pass_time(self, milliseconds: int) -> None:
        self._time.now += milliseconds

    def line(self, number: int, plan: Plan, watch: Watch) -> Line:
        return Line(NOWHERE, Wire(self._send, plan, watch))

    def restart(self) -> None:
        self._stack.close()
        self._start()

    def close(self) -> None:
        self._stack.close()
        self.database.close()

    def _send(self, request: httpx.Request) -> httpx.Response:
        self._turn += 1
        client = self._clients[self._turn % self._count]
        return client._transport.handle_request(request)

    def _start(self) -> None:
        self._stack = ExitStack()
        self._clients: list[TestClient[Any]] = []
        url = self.database.url.render_as_string(hide_password=False)
        for _ in range(self._count):
            database = self._stack.enter_context(Database(url))
            app = create_app(database, clock=self.clock, random_bytes=self._random.randbytes)
            self._clients.append(self._stack.enter_context(TestClient(app)))


class Processes:
    """``count`` real hub processes over one database, and a real proxy before each desk."""

    def __init__(self, url: str, count: int, folder: Path) -> None:
        self.database = Database(url)
        self.clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        #: What the processes logged.
        self.logs = [folder / f"hub{number}.log" for number in range(count)]
        self._hubs = [HubProcess(folder, db_url=url) for _ in range(count)]
        self._proxies: list[Proxy] = []
        self._restarts = 0
        for hub, log in zip(self._hubs, self.logs, strict=True):
            hub.log = log
            hub.start()

    def pass_time(self, milliseconds: int) -> None:
        """It passes by itself."""

    def line(self, number: int, plan: Plan, watch: Watch) -> Line:
        proxy = Proxy(self._hubs[number % len(self._hubs)].url, plan, watch)
        self._proxies.append(proxy)
        return Line(proxy.url, None)

    def restart(self) -> None:
        """In turn as by a power cut and in order."""
        self._restarts += 1
        for hub in self._hubs:
            if self._restarts % 2:
                hub.kill()
            else:
                hub.stop()
        for hub in self._hubs:
            hub.start()

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()
        for hub in self._hubs:
            hub.kill()
        self.database.close()
