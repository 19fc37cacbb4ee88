"""The playbooks installed on this hub; the newest one is in force."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import load
from desk.hub.errors import SetupError
from desk.schema.hub_tables import playbook as table


class Installed(msgspec.Struct, frozen=True):
    """A playbook with its version on this hub and the text it was written in."""

    version: int
    source: str
    playbook: Playbook


_NEWEST = select(table.c.version, table.c.installed_at).order_by(table.c.version.desc()).limit(1)


def current(connection: Connection) -> Installed:
    """The playbook in force; raises `SetupError` ``not_set_up`` where there is none.

    Its text is read once in each process: an installed version never changes.
    """
    newest = connection.execute(_NEWEST).first()
    if newest is None:
        raise SetupError("not_set_up")
    key = (str(connection.engine.url), newest.version, newest.installed_at)
    known = _read.get(key)
    if known is None:
        text = select(table.c.source).where(table.c.version == newest.version)
        source = connection.execute(text).scalar_one()
        playbook = load(source, f"playbook {newest.version}", version=newest.version)
        known = Installed(newest.version, source, playbook)
        if len(_read) >= _KEPT:
            _read.clear()
        _read[key] = known
    return known


#: What was read, by database, version and moment.
_read: dict[tuple[str, int, int], Installed] = {}
_KEPT = 8
