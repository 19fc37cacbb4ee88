"""The playbooks installed on this hub; the newest one is in force."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from sqlalchemy import Connection, func, select

from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub.errors import SetupError
from desk.schema.hub_tables import playbook as table


class Installed(msgspec.Struct, frozen=True):
    """A playbook with its version on this hub and the text it was written in."""

    version: int
    source: str
    playbook: Playbook


def current(connection: Connection) -> Installed:
    """The playbook in force; raises `SetupError` ``not_set_up`` where there is none."""
    version = connection.execute(select(func.max(table.c.version))).scalar_one()
    if version is None:
        raise SetupError("not_set_up")
    source = connection.execute(
        select(table.c.source).where(table.c.version == version)
    ).scalar_one()
    return _read(version, source)


@lru_cache(maxsize=8)
def _read(version: int, source: str) -> Installed:
    return Installed(version, source, load(source, f"playbook {version}", version=version))
