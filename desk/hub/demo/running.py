"""A demo's hub as a process of its own, which lives as long as the last desk that works with it.

Every desk holds the lock of a file in DIR/desks while it runs. The system gives the lock free
however the desk ends, so the hub need not be told.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import msgspec
from filelock import FileLock, Timeout

from desk.hub.server import Serving
from desk.protocol.messages import Handshake

_DESKS = "desks"
_RUNNING = "hub.json"
_STARTING = "starting.lock"
_LOG = "hub.log"
#: How often the hub looks for desks, s; and how long none may be there before it ends.
_LOOK = 0.5
_GRACE = 2.0
#: How long the hub may take to answer, s.
_START = 60.0


class Running(msgspec.Struct, frozen=True):
    """A demo's hub that answers."""

    url: str
    port: int
    pid: int
    #: The hub's lasting id; a demo made anew is another hub.
    hub: str = ""


class DidNotStart(Exception):
    """The hub's process ended, or took too long; its log is in ``log``."""

    def __init__(self, log: Path) -> None:
        super().__init__(str(log))
        self.log = log


def starting(folder: Path) -> FileLock:
    """Whoever holds this alone makes and starts the demo of ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / _STARTING)


def find(folder: Path) -> Running | None:
    """The hub of the demo in ``folder``, if one answers."""
    last = last_known(folder)
    if last is None:
        return None
    try:
        answer = httpx.get(f"{last.url}/v1/handshake", timeout=2.0, trust_env=False)
        handshake = msgspec.json.decode(answer.content, type=Handshake)
    except (httpx.HTTPError, msgspec.DecodeError):
        return None
    return msgspec.structs.replace(last, hub=handshake.hub)


def last_known(folder: Path) -> Running | None:
    """The hub that ran last in ``folder``."""
    try:
        return msgspec.json.decode((folder / _RUNNING).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def announce(folder: Path, serving: Serving) -> None:
    """Write down where the hub of ``folder`` is; called by the hub itself."""
    running = Running(serving.url, serving.port, os.getpid())
    aside = folder / f"{_RUNNING}.new"
    aside.write_bytes(msgspec.json.encode(running))
    aside.replace(folder / _RUNNING)


def desk_lock(folder: Path, user: str) -> FileLock:
    """What a desk of ``user`` holds while it runs."""
    desks = folder / _DESKS
    desks.mkdir(parents=True, exist_ok=True)
    return FileLock(desks / f"{user}.lock")


def desk_folder(folder: Path, user: str) -> Path:
    """The profile of ``user`` in the demo."""
    return folder / _DESKS / user


def claim(folder: Path, users: Sequence[str]) -> tuple[str, FileLock] | None:
    """The first of ``users`` whom nobody works as, with his lock held; none when all are taken."""
    for user in users:
        lock = desk_lock(folder, user)
        try:
            # The hub holds a lock for an instant when it looks whether anybody does.
            lock.acquire(timeout=1.0)
        except Timeout:
            continue
        return user, lock
    return None


def desks_at_work(folder: Path) -> bool:
    """Whether any desk of the demo runs."""
    return any(_is_held(path) for path in (folder / _DESKS).glob("*.lock"))


def _is_held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def forget_desks(folder: Path) -> None:
    """Remove the desks of a demo that is made anew: what they hold is of another world."""
    for path in (folder / _DESKS).glob("*"):
        if path.is_dir():
            shutil.rmtree(path)


def stop_with_last_desk(folder: Path, serving: Serving) -> None:
    """End ``serving`` once no desk of the demo runs or starts any more; returns at once."""

    def watch() -> None:
        seen = time.monotonic()
        while True:
            time.sleep(_LOOK)
            # Whoever starts the hub has no desk yet, but is on his way to one.
            if desks_at_work(folder) or _is_held(folder / _STARTING):
                seen = time.monotonic()
            elif time.monotonic() - seen > _GRACE:
                serving.stop()
                return

    threading.Thread(target=watch, name="desks", daemon=True).start()


def spawn(folder: Path, arguments: Sequence[str]) -> Running:
    """Start the hub as a process of its own and wait until it answers. Raises `DidNotStart`.

    ``arguments`` are those of `desk` that make it serve this demo.
    """
    log = folder / _LOG
    (folder / _RUNNING).unlink(missing_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            [sys.executable, "-m", "desk", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            # Ctrl+C in the desk's terminal, or closing it, must not reach the others' hub.
            start_new_session=os.name != "nt",
            creationflags=_windows_flags(),
        )
    _wait(lambda: last_known(folder) is not None, process, log)
    running = find(folder)
    if running is None:
        raise DidNotStart(log)
    return running


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _START
    while not ready():
        if process.poll() is not None:
            raise DidNotStart(log)
        if time.monotonic() > until:
            process.terminate()
            raise DidNotStart(log)
        time.sleep(0.02)


def _windows_flags() -> int:
    if sys.platform == "win32":
        return subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0
