"""Hubs of the benches: real processes on loopback, over SQLite or a real PostgreSQL."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text

from bench.figures import Series, Took, timed
from bench.terminal import environment
from bench.world import playbook_source
from desk.hub.database import Database
from desk.hub.kms import KEY, KEY_SIZE
from desk.hub.passwords import hash_password
from desk.hub.setup import add_user, init

PASSWORD = "bench"
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


def set_up(url: str, people: Sequence[tuple[str, str]]) -> None:
    """A company without leads, with the ``people`` as user and role."""
    hashed = hash_password(PASSWORD, cheap=True)
    with Database(url) as database:
        init(database, playbook_source())
        for user, role in people:
            add_user(database, user, name=user, role=role, password_hash=hashed, present=True)


class Hub:
    """One hub process over the database at ``db_url``; it can be ended and started again."""

    def __init__(self, db_url: str) -> None:
        self.db_url = db_url
        self.url = ""
        self._port = "0"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Serve, on the same port as before; returns once requests are answered."""
        command = [sys.executable, "-m", "desk", "hub", "serve", "--port", self._port]
        self._process = subprocess.Popen(
            [*command, "--db", self.db_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(PYTHONUNBUFFERED="1", **_key()),
        )
        assert self._process.stdout is not None
        ready, _, self.url = self._process.stdout.readline().strip().partition(" ")
        if ready != "ready":
            raise RuntimeError("the hub did not start")
        self._port = self.url.rpartition(":")[2]

    def stop(self) -> None:
        """End it as an administrator would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @property
    def memory(self) -> float:
        """What the process holds in memory, MB; 0 where the system does not say."""
        statm = self._about("statm")
        return int(statm[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if statm else 0.0

    @property
    def cpu(self) -> float:
        """What the processor has worked for it so far, s; 0 where the system does not say."""
        stat = self._about("stat")
        return (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK") if stat else 0.0

    def _about(self, what: str) -> list[str]:
        assert self._process is not None
        file = Path(f"/proc/{self._process.pid}/{what}")
        return file.read_text(encoding="ascii").split() if file.exists() else []


def _key() -> dict[str, str]:
    """The master key, where there is none in a file beside the database."""
    return {KEY: os.environ[KEY]} if KEY in os.environ else {}


@contextmanager
def serving(db_url: str) -> Iterator[Hub]:
    """A hub that answers."""
    hub = Hub(db_url)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a database on a server that waits for the disk, as one in production does."""
    from tests.postgres import start

    url, stop = start()
    # There is no file for it beside such a database; the hub's processes read it here, too.
    os.environ[KEY] = base64.b64encode(os.urandom(KEY_SIZE)).decode()
    try:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for setting in _DURABLE:
                connection.execute(text(f"ALTER SYSTEM RESET {setting}"))
            connection.execute(text("SELECT pg_reload_conf()"))
        engine.dispose()
        yield url
    finally:
        os.environ.pop(KEY)
        stop()


def round_trips(url: str, count: int) -> Series:
    """A bare request of the hub and its answer, over a connection that is open already."""
    with httpx.Client(base_url=url) as client:
        client.get("/v1/handshake")
        runs: list[Took] = [timed(lambda: client.get("/v1/handshake")) for _ in range(count)]
    return Series("bare HTTP round trip", runs)
