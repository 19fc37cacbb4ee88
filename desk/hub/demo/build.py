"""Making the demo's hub: its database with an invented month, once for each set of parameters."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from desk.domain.model import Person
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub.database import Database
from desk.hub.demo import consents, freight
from desk.hub.intake import Batch, Intake
from desk.hub.passwords import hash_password
from desk.hub.setup import add_user, init

#: Every account's password; such accounts work on loopback alone.
PASSWORD = "demo"  # noqa: S105
#: The cases that have invented people and history.
CASES = ("freight",)
_DATABASE = "hub.db"
_KEYS = "hub.keys.db"
_PARAMETERS = "demo.json"
#: Raised when the generator makes other rows than before, so that old data is not taken for new.
_GENERATION = 2
_ROUND_TO = 60_000


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a demo is made of."""

    case: str = "freight"
    leads: int = 20_000
    seed: int = 1
    generation: int = _GENERATION


def staff(case: str) -> list[Person]:
    """The people of a case."""
    if case != "freight":
        raise ValueError(case)
    return freight.staff()


def history(playbook: Playbook, parameters: Parameters, now: int) -> Iterator[Batch]:
    """The invented rows; the same for the same parameters and ``now`` (ms)."""
    moment = now // _ROUND_TO * _ROUND_TO
    return freight.history(playbook, parameters.seed, moment, parameters.leads)


def database_url(folder: Path) -> str:
    """The URL of the demo's database in ``folder``."""
    return f"sqlite:///{(folder / _DATABASE).absolute().as_posix()}"


def made_of(folder: Path) -> Parameters | None:
    """What the demo in ``folder`` was made of; none where there is none that is whole."""
    try:
        found = msgspec.json.decode((folder / _PARAMETERS).read_bytes(), type=Parameters)
    except (OSError, msgspec.DecodeError):
        return None
    whole = found.generation == _GENERATION and (folder / _DATABASE).is_file()
    return found if whole else None


def build(
    folder: Path,
    parameters: Parameters,
    playbook_source: str,
    now: int,
    on_progress: Callable[[int, int], None],
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> None:
    """Make the demo's database in ``folder`` in place of what is there.

    ``on_progress`` gets how many leads are written, and of how many. Interrupted, it leaves no
    demo behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PARAMETERS).unlink(missing_ok=True)
    for name in (_DATABASE, _KEYS):
        for suffix in ("", "-wal", "-shm"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    name = f"{parameters.case}.toml"
    playbook = load(playbook_source, name)
    with Database(database_url(folder)) as database:
        init(database, playbook_source, playbook_name=name, now=now, random_bytes=random_bytes)
        _add_staff(database, parameters.case)
        intake = Intake(database, playbook)
        done = 0
        on_progress(done, parameters.leads)
        with _no_collections():
            for batch in history(playbook, parameters, now):
                intake.insert(batch)
                done += len(batch.subjects)
                on_progress(done, parameters.leads)
        consents.invent(database, playbook, parameters.seed, now)
    (folder / _PARAMETERS).write_bytes(msgspec.json.encode(parameters))


def _add_staff(database: Database, case: str) -> None:
    hashed = hash_password(PASSWORD, cheap=True)
    for person in staff(case):
        add_user(
            database,
            person.id,
            name=person.name,
            role=person.role,
            password_hash=hashed,
            loopback_only=True,
            present=person.present,
        )


@contextmanager
def _no_collections() -> Generator[None]:
    """Rows hold no cycles; looking for some takes a seventh of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
