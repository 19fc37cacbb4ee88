"""A real hub in processes of its own, for tests of what stands on the other side of the wire."""

from __future__ import annotations

import os
import signal
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
    ("pd_officer", "pd_officer"),
)

_SERVE = """
import sys
from desk.hub.server import serve
serve(sys.argv[1], port=int(sys.argv[2]), on_ready=lambda hub: print(hub.url, flush=True))
"""


class HubProcess:
    """A hub that can be killed and started again: over an SQLite file in ``folder``, or over the
    empty PostgreSQL database ``db_url``. ``beside`` gives another process over the same one.
    """

    def __init__(
        self,
        folder: Path,
        people: Iterable[tuple[str, str]] = PEOPLE,
        case: str = "freight",
        *,
        db_url: str = "",
    ) -> None:
        self.db_url = db_url or f"sqlite:///{folder / 'hub.db'}"
        self.url = ""
        #: Where the process writes its log; nowhere if it is None.
        self.log: Path | None = None
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        with Database(self.db_url) as database:
            if database.is_set_up():
                return
            source = (playbooks_dir() / f"{case}.toml").read_text(encoding="utf-8")
            hashed = hash_password(PASSWORD, cheap=True)
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

    def beside(self) -> HubProcess:
        """Another process over the same database; it is started by itself."""
        return HubProcess(Path(), db_url=self.db_url)

    def start(self) -> HubProcess:
        """Serve, on the same port as before; returns once requests are answered."""
        log = self.log.open("ab") if self.log else None
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, self.db_url, str(self._port)],
            stdout=subprocess.PIPE,
            stderr=log or subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        if log is not None:
            log.close()
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the hub did not start"
        self._port = int(self.url.rpartition(":")[2])
        return self

    def kill(self) -> None:
        """End at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._gone()

    def stop(self) -> None:
        """End in order, as an administrator would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._gone()

    def pause(self) -> None:
        """Answer nothing until ``resume``: the process is there and does not run."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after ``pause``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _gone(self) -> None:
        assert self._process is not None
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
