"""The first sync into the encrypted file: what the desk does of it, and with a real hub."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import JSON, MetaData

from bench import plain
from bench.figures import Aim, Line, Series, Took, timed
from bench.plan import Plan
from bench.terminal import environment
from bench.world import CASE, NOW, USER, World, playbook_source, say
from desk.commands.session import DEMO_SECRET
from desk.domain.model import Subject
from desk.hub.demo.build import PASSWORD, Parameters, build, database_url
from desk.protocol.messages import Page
from desk.schema.tables import mirrored
from desk.services.bootstrap import Bootstrap
from desk.services.desk import Desk
from desk.services.rows import ROWS, Rows

_AIM = Aim("ratio", 2.5)


def measure(plan: Plan, world: World) -> list[Line]:
    """The pages of a real hub are kept and played again, so that its own work counts once only."""
    folder = world.folder / "hub"
    leads = plan.bootstrap
    say(f"making a hub with {leads:,} leads".replace(",", " "))
    build(folder, Parameters(case=CASE, leads=leads), playbook_source(), NOW, lambda *_: None)
    wire = _Wire()
    with _hub(folder) as url, Desk.open(folder / "real", DEMO_SECRET, transport=wire) as desk:
        desk.sign_in(url, USER, PASSWORD)
        real = timed(desk.sync_once)
    own: list[Took] = []
    beside: list[Took] = []
    wire.play()
    for number in range(plan.syncs):
        with Desk.open(folder / f"desk{number}", DEMO_SECRET, transport=wire) as desk:
            desk.sign_in(url, USER, PASSWORD)
            own.append(timed(lambda desk=desk: _bootstrap(desk)))
        beside.append(_plain(folder / f"plain{number}.db", wire.pages))
    rows = sum(len(part) for page in wire.pages for part in _parts(_decoded(page)).values())
    floor = Series("plain sqlite3: unzip, decode, insert", beside)
    return [
        Line(Series(f"bootstrap, {rows} rows", own), leads, floor, _AIM),
        Line(Series("the same with a hub beside it", [real]), leads, floor),
    ]


def _bootstrap(desk: Desk) -> None:
    Bootstrap(desk.context, desk._network.client(), lambda _: None).run()


class _Wire(httpx.BaseTransport):
    """The way to a hub, which keeps every answer as it came, and can give them again without it."""

    def __init__(self) -> None:
        self._http = httpx.HTTPTransport()
        self._answers: dict[tuple[str, str], httpx.Response] = {}
        self._playing = False
        #: The pages of the snapshot, compressed.
        self.pages: list[bytes] = []

    def play(self) -> None:
        """From now on answer from what was kept."""
        self._playing = True

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        key = (request.method, str(request.url))
        if not self._playing:
            answer = self._http.handle_request(request)
            assert isinstance(answer.stream, httpx.SyncByteStream)
            body = b"".join(answer.stream)
            answer.close()
            self._answers[key] = _again(answer, body)
            if request.url.path == "/v1/snapshot" and "order" not in request.url.params:
                self.pages.append(body)
        kept = self._answers[key]
        return _again(kept, b"".join(kept.stream))  # type: ignore[arg-type]

    def close(self) -> None:
        """Close what the pages came through; what was kept stays."""
        self._http.close()


def _again(answer: httpx.Response, body: bytes) -> httpx.Response:
    headers = [(n, v) for n, v in answer.headers.multi_items() if n != "transfer-encoding"]
    return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(body))


#: People as plain rows.
_PEOPLE = Rows("subject", Subject, mirrored(MetaData(), JSON())["subject"])


def _plain(path: Path, pages: list[bytes]) -> Took:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        plain.prepare(connection)
        return timed(lambda: [_insert(connection, _decoded(page)) for page in pages])


def _decoded(page: bytes) -> Page:
    return msgspec.json.decode(gzip.decompress(page), type=Page)


def _insert(connection: sqlite3.Connection, page: Page) -> None:
    connection.execute("BEGIN")
    for kind, part in _parts(page).items():
        rows = _PEOPLE if kind == "subject" else ROWS[kind]
        marks = ", ".join("?" * len(rows.columns))
        # One subject may come with several pages.
        into = f"INSERT OR REPLACE INTO {kind} ({', '.join(rows.columns)}) VALUES ({marks})"
        values: list[Any] = list(rows.values(part))  # pyright: ignore[reportArgumentType]
        connection.executemany(into, values)
    connection.execute("COMMIT")


def _parts(page: Page) -> dict[str, list[object]]:
    return {
        "item": [*page.items],
        "task": [*page.tasks],
        "entry": [*page.entries],
        "subject": [*page.subjects],
        "person": [*page.people],
    }


@contextmanager
def _hub(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "desk", "hub", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--db", database_url(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    try:
        ready, _, url = process.stdout.readline().strip().partition(" ")
        if ready != "ready":
            raise RuntimeError("the hub did not start")
        yield url
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
