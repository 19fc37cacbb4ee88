"""A hub under test, people at its desks, and what a desk would hold."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from httpx import Response
from litestar.testing import TestClient

from desk.domain.ids import make_id
from desk.domain.model import Actor, Item
from desk.domain.operations import Create, Intent, Move, Operation
from desk.hub import changes
from desk.hub.accounts import Session
from desk.hub.app import create_app
from desk.hub.changes import Change
from desk.hub.database import Database
from desk.hub.operations import Sent
from desk.hub.passwords import hash_password
from desk.hub.playbooks import current
from desk.hub.projection import Reader
from desk.hub.setup import add_user, init
from desk.protocol.messages import (
    PROTOCOL,
    PROTOCOL_HEADER,
    Numbered,
    Page,
    Problem,
    Push,
    Pushed,
    Refresh,
    Refreshed,
    Result,
    SignedIn,
)
from desk.resources import playbooks_dir
from tests import keys

START = 1_790_000_000_000
MINUTE = 60_000
PASSWORD = "correct horse"
FREIGHT = (playbooks_dir() / "freight.toml").read_text(encoding="utf-8")
PEOPLE = {
    "operator1": "operator",
    "operator2": "operator",
    "consultant1": "consultant",
    "marketer1": "marketer",
    "marketer2": "marketer",
    "sales1": "sales",
    "sales2": "sales",
    "director": "director",
    "head": "head",
    "admin": "admin",
}


def set_up(url: str, playbook: str = FREIGHT, people: Mapping[str, str] = PEOPLE) -> None:
    """A hub of a company, the freight exchange, with ``people``: one or two of each role."""
    hashed = hash_password(PASSWORD, cheap=True)
    with Database(url) as database:
        init(database, playbook, now=START, random_bytes=random.Random(1).randbytes)
        for user, role in people.items():
            add_user(database, user, name=user.title(), role=role, password_hash=hashed)


def copy_files(database: Path, copy: Path) -> None:
    """Copy a hub's SQLite database with its keys, while nobody has it open."""
    shutil.copyfile(database, copy)
    shutil.copyfile(database.with_suffix(".keys.db"), copy.with_suffix(".keys.db"))


class Clock:
    """A clock that stands still until it is told to go."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += int(minutes * MINUTE)


class Hub:
    """One hub process over a database, in this process."""

    def __init__(self, url: str, client: TestClient[Any], database: Database, clock: Clock) -> None:
        self.url = url
        self.client = client
        self.database = database
        self.clock = clock
        self.random = random.Random(7)

    def new_id(self) -> str:
        return make_id(self.clock.now, self.random.randbytes)

    def sign_in(self, user: str, password: str = PASSWORD, device: str = "") -> Response:
        return keys.sign_in(self.client, user, password, device or self.new_id())

    def desk(self, user: str, device: str = "") -> Desk:
        device = device or self.new_id()
        answer = read(self.sign_in(user, device=device), SignedIn)
        return Desk(self, user, device, answer.token, answer.last_op, answer.refresh)


class Desk:
    """A user on a device: sends operations and holds the rows that were pulled."""

    def __init__(
        self, hub: Hub, user: str, device: str, token: str, last_op: int, refresh: str = ""
    ) -> None:
        self.hub = hub
        self.user = user
        self.device = device
        self.token = token
        self.refresh_token = refresh
        self.number = last_op
        self.headers = {"authorization": f"Bearer {token}", PROTOCOL_HEADER: str(PROTOCOL)}
        self.cursor = ""
        self.rows: dict[str, dict[str, Any]] = {}

    def get(self, path: str, **query: Any) -> Response:
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any) -> Response:
        return self._ask("POST", path, content=msgspec.json.encode(body))

    def renew(self, retry: str = "") -> Response:
        """Ask for the next tokens and take them."""
        asked = Refresh(refresh=self.refresh_token, retry=retry or self.hub.new_id())
        answer = self.signed("/v1/refresh", asked)
        if answer.is_success:
            given = read(answer, Refreshed)
            self.token, self.refresh_token = given.token, given.refresh
            self.headers["authorization"] = f"Bearer {given.token}"
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> Response:
        answer = self.hub.client.request(method, path, headers=self.headers, **options)
        if answer.status_code == 401 and self.refresh_token and self.renew().is_success:
            return self.hub.client.request(method, path, headers=self.headers, **options)
        return answer

    def signed(self, path: str, body: Any) -> Response:
        """Post a message with the device's proof."""
        content = msgspec.json.encode(body)
        hub_id = self.hub.client.get("/v1/handshake").json()["hub"]
        proven = keys.signed(hub_id, self.device, path, content, self.hub.clock.now)
        return self.hub.client.post(path, content=content, headers={**self.headers, **proven})

    def operation(self, intent: Intent, identifier: str = "") -> Numbered:
        """The next operation of this device."""
        self.number += 1
        made = Operation(id=identifier or self.hub.new_id(), at=self.hub.clock.now, intent=intent)
        return Numbered(number=self.number, operation=made)

    def send(self, *operations: Numbered) -> Response:
        return self.post("/v1/operations", Push(operations=list(operations)))

    def do(self, *intents: Intent) -> list[Result]:
        sent = [self.operation(intent) for intent in intents]
        return read(self.send(*sent), Pushed).results

    def done(self, intent: Intent) -> str:
        """Carry out an intent that must succeed; the operation's id."""
        (result,) = self.do(intent)
        assert result.result in {"applied", "merged"}, result
        return result.id

    def snapshot(self, limit: int = 1000) -> Snapshot:
        taken = Snapshot()
        after = ""
        while True:
            page = read(self.get("/v1/snapshot", after=after, limit=limit), Page)
            taken.cursor = taken.cursor or page.cursor
            taken.pages.append(page)
            if not page.more:
                return taken
            after = page.after

    def bootstrap(self, limit: int = 1000) -> None:
        """Start anew from a snapshot."""
        taken = self.snapshot(limit)
        self.rows = {}
        self.cursor = taken.cursor
        for page in taken.pages:
            self._apply(page)

    def pull(self, limit: int = 1000) -> list[Page]:
        """Take what changed, as a desk would."""
        pages: list[Page] = []
        while True:
            page = read(self.get("/v1/changes", cursor=self.cursor, limit=limit), Page)
            assert not page.reset
            pages.append(page)
            self._apply(page)
            self.cursor = page.cursor
            if not page.more:
                return pages

    def fresh(self) -> dict[str, dict[str, Any]]:
        """What a desk would hold that has just begun."""
        other = Desk(self.hub, self.user, self.device, self.token, self.number)
        other.bootstrap()
        return other.rows

    def _apply(self, page: Page) -> None:
        for kind, rows in rows_of(page).items():
            self.rows.setdefault(kind, {}).update((row.id, row) for row in rows)
        for gone in page.forget:
            if gone.kind == "subject":
                self.rows["subject"].pop(gone.id, None)
            else:
                self._forget(gone.id)

    def _forget(self, item_id: str) -> None:
        items = self.rows["item"]
        gone = items.pop(item_id, None)
        for kind in ("task", "entry"):
            for row in [row for row in self.rows[kind].values() if row.item_id == item_id]:
                del self.rows[kind][row.id]
        if gone and all(item.subject_id != gone.subject_id for item in items.values()):
            self.rows["subject"].pop(gone.subject_id, None)


class Snapshot:
    def __init__(self) -> None:
        self.cursor = ""
        self.pages: list[Page] = []

    def ids(self, kind: str = "item") -> list[str]:
        return [row.id for page in self.pages for row in rows_of(page)[kind]]


def rows_of(page: Page) -> dict[str, Sequence[Any]]:
    """A page's rows by kind."""
    return {
        "item": page.items,
        "task": page.tasks,
        "entry": page.entries,
        "subject": page.subjects,
        "person": page.people,
    }


def read(response: Response, kind: Any) -> Any:
    """The message of a good answer."""
    assert response.is_success, (response.status_code, response.text)
    return msgspec.json.decode(response.content, type=kind)


def problem(response: Response) -> tuple[int, str, dict[str, str]]:
    """Status, code and arguments of a refused request."""
    answer = msgspec.json.decode(response.content, type=Problem)
    return response.status_code, answer.code, answer.args


@contextmanager
def running(url: str, **options: Any) -> Iterator[Hub]:
    """A hub over the database at ``url``, with a clock of its own."""
    clock = Clock()
    with (
        Database(url) as database,
        TestClient(create_app(database, clock=clock, **options)) as client,
    ):
        yield Hub(url, client, database, clock)


def new_lead(title: str = "ООО Вектор", **subject: Any) -> Create:
    """A request of somebody who wants to send cargo."""
    return Create(kind="lead", title=title, fields={"source": "site"}, subject=subject)


def move(item_id: str, transition: str, **more: Any) -> Move:
    """A transition."""
    return Move(item_id=item_id, transition=transition, **more)


def qualification(hub: Hub, marketer: str = "marketer1", **subject: Any) -> tuple[str, str]:
    """A lead that an operator took and gave to a marketer: the lead, the qualification."""
    operator = hub.desk("operator1")
    lead = operator.done(new_lead(**subject))
    operator.done(move(lead, "assign", to=marketer))
    found = hub.desk(marketer).snapshot()
    rows = [row for page in found.pages for row in page.items]
    return lead, next(row.id for row in rows if row.parent_id == lead)


def session(hub: Hub, desk: Desk) -> Session:
    """The desk's session, for calls that go past HTTP."""
    return Session(
        id="",
        actor=Actor(desk.user, PEOPLE[desk.user]),
        device_id=desk.device,
        policy_version=1,
        token_hash=b"",
        expires_at=desk.hub.clock.now,
        seen_at=None,
    )


def sent(numbered: Numbered) -> Sent:
    """An operation as the hub gets it."""
    return Sent(number=numbered.number, operation=msgspec.to_builtins(numbered.operation))


def a_lead(**values: object) -> Item:
    """A lead that nobody is responsible for, for a line of the change log."""
    made = Item(
        id=make_id(1, bytes),
        kind="lead",
        stage="new",
        title="",
        created_at=START,
        updated_at=START,
        stage_since=START,
    )
    return msgspec.structs.replace(made, **values)


def write_lines(database: Database, *log: Change) -> int:
    """Append to the change log, or what concerns everybody who sees leads; its new end."""
    with database.write() as connection:
        lines = log or [changes.of_item(None, a_lead())]
        return changes.write(connection, lines, at=START)


def a_reader(database: Database, user: str) -> Reader:
    """The user as he reads now."""
    with database.read() as connection:
        installed = current(connection)
    return Reader(
        actor=Actor(user, PEOPLE[user]),
        playbook=installed.playbook,
        playbook_version=installed.version,
        policy_version=1,
        now=START,
    )
