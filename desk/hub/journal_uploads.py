"""What desks have noted while they worked by themselves comes into the hub's journal.

A desk numbers and chains its entries; the hub keeps how far it has them. What comes again is not
written again, and where a desk's chain does not go on from there, that itself is an entry.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, select, update

from desk.domain.ids import is_id
from desk.domain.journal import DESK_EVENTS, Access
from desk.domain.playbook import Playbook
from desk.hub import accesses, journal
from desk.hub.accounts import Session
from desk.hub.database import insert_missing
from desk.hub.errors import HubProblem
from desk.hub.keystore import JournalHead
from desk.protocol.journal import UPLOADED_AT_ONCE, Noted, Upload, Uploaded
from desk.schema import hub_tables as t

#: A moment, ms, that any database takes.
_LATEST = 2**53
#: What every kind of card has beside the fields that it declares.
_OF_CARDS = ("title", "comments")


def take(
    connection: Connection, session: Session, playbook: Playbook, asked: Upload, now: int
) -> Uploaded:
    """Write what is new; raises `HubProblem` ``bad_request`` for what no desk sends."""
    _check(asked)
    head = _lock(connection, session.device_id)
    known = _known(connection, session.device_id, asked.entries)
    new = [one for one in asked.entries if one.access.id not in known]
    found = asked.broken if asked.broken in _FOUND else "local"
    broken = [_broken(session, now, code=found)] if asked.broken else []
    if new and not _goes_on(asked, new[0], head):
        is_gap = new[0].seq > head.seq + 1
        numbers = {"expected": str(head.seq + 1), "given": str(new[0].seq)}
        broken.append(_broken(session, now, code="gap" if is_gap else "fork", **numbers))
    names = _names(playbook)
    taken = [_of_desk(one.access, session, playbook, names, now) for one in new]
    if taken or broken:
        journal.write(connection, [*broken, *taken])
    if not new:
        return Uploaded(seq=head.seq, mac=head.mac)
    last = new[-1]
    moved = update(t.journal_upload).where(t.journal_upload.c.device_id == session.device_id)
    connection.execute(moved.values(seq=last.seq, mac=last.mac))
    return Uploaded(seq=last.seq, mac=last.mac)


def _check(asked: Upload) -> None:
    noted = asked.entries
    is_sound = (
        len(noted) <= UPLOADED_AT_ONCE
        and [one.seq - asked.after for one in noted] == list(range(1, len(noted) + 1))
        and len({one.access.id for one in noted}) == len(noted)
        and all(is_id(one.access.id) and 0 <= one.access.at < _LATEST for one in noted)
    )
    if not is_sound:
        raise HubProblem(400, "bad_request")


def _lock(connection: Connection, device_id: str) -> JournalHead:
    """How far the desk's entries are here; nobody else takes some of it meanwhile."""
    mine = select(t.journal_upload).where(t.journal_upload.c.device_id == device_id)
    row = connection.execute(mine.with_for_update()).first()
    if row is None:
        new = {"device_id": device_id, "seq": 0, "mac": b""}
        insert_missing(connection, t.journal_upload, new)
        row = connection.execute(mine.with_for_update()).one()
    return JournalHead(row.seq, bytes(row.mac))


def _known(connection: Connection, device_id: str, noted: Sequence[Noted]) -> set[str]:
    ids = [one.access.id for one in noted]
    mine = (t.journal.c.stream == device_id, t.journal.c.id.in_(ids))
    return set(connection.execute(select(t.journal.c.id).where(*mine)).scalars())


def _goes_on(asked: Upload, first: Noted, head: JournalHead) -> bool:
    """Whether the first new entry follows the last one that the hub has."""
    place = first.seq - asked.after - 1
    before = asked.entries[place - 1].mac if place else asked.after_mac
    return first.seq == head.seq + 1 and hmac.compare_digest(before, head.mac)


def _broken(session: Session, now: int, **detail: str) -> Access:
    return accesses.of_session(session, "journal_broken", now, detail=detail)


def _names(playbook: Playbook) -> frozenset[str]:
    """Every name that a field of personal data may have."""
    owners: Mapping[str, Sequence[str]] = {
        "subject": list(playbook.subject_fields),
        **{kind.id: [*kind.fields, *_OF_CARDS] for kind in playbook.kinds.values()},
    }
    return frozenset(f"{owner}.{name}" for owner, names in owners.items() for name in names)


def _of_desk(
    access: Access, session: Session, playbook: Playbook, names: frozenset[str], now: int
) -> Access:
    """The entry as the hub vouches for it: whose it is, and nothing that a desk cannot tell of."""
    return msgspec.structs.replace(
        access,
        who=session.actor.id,
        role=access.role if access.role in playbook.roles else session.actor.role,
        device=session.device_id,
        received_at=now,
        event=access.event if access.event in DESK_EVENTS else "unknown",
        purpose=access.purpose if access.purpose in playbook.purposes else "",
        fields=tuple(name for name in access.fields if name in names),
        detail={name: code for name, code in access.detail.items() if code in _SAID.get(name, ())},
    )


#: What a desk may find wrong with its own journal: an entry is not what was written, or the hub has
#: later ones, because the desk's file is an older state of itself.
_FOUND = frozenset({"local", "restored"})
#: What a desk may add to an entry, by name.
_SAID: Mapping[str, frozenset[str]] = {
    "via": frozenset({"card", "list", "show", "find", "search"}),
}
