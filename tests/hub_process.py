"""A real hub in a process of its own, for tests of what stands on the other side of the wire."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from desk.hub.database import Database
from desk.hub.passwords import hash_password
from desk.hub.setup import add_user, init
from desk.resources import playbooks_dir

PASSWORD = "demo"
PEOPLE = (
    ("operator1", "operator"),
    ("marketer1", "marketer"),
    ("marketer2", "marketer"),
    ("sales1", "sales"),
    ("sales2", "sales"),
    ("head", "head"),
)

_SERVE = """
import sys
from desk.hub.server import serve
serve(sys.argv[1], port=int(sys.argv[2]), on_ready=lambda hub: print(hub.url, flush=True))
"""


class HubProcess:
    """A hub over an SQLite file in ``folder``; it can be killed and started again."""

    def __init__(
        self, folder: Path, people: Iterable[tuple[str, str]] = PEOPLE, case: str = "freight"
    ) -> None:
        self.db_url = f"sqlite:///{folder / 'hub.db'}"
        self.url = ""
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        source = (playbooks_dir() / f"{case}.toml").read_text(encoding="utf-8")
        hashed = hash_password(PASSWORD, cheap=True)
        with Database(self.db_url) as database:
            init(database, source)
            for name, role in people:
                add_user(
                    database,
                    name,
                    name=name.capitalize(),
                    role=role,
                    password_hash=hashed,
                    present=True,
                )

    def start(self) -> HubProcess:
        """Serve, on the same port as before; returns once requests are answered."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, self.db_url, str(self._port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the hub did not start"
        self._port = int(self.url.rpartition(":")[2])
        return self

    def kill(self) -> None:
        """End at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
