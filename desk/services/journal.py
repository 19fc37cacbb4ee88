"""What a person did with personal data on this desk: noted here, in a chain, and sent to the hub.

Ids, names of fields and codes alone. The entries are chained by HMAC under a key of the vault; the
hub acknowledges how far it has them, and what it has is dropped here.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, delete, insert, select

from desk.domain.journal import Access, encoded, pack
from desk.protocol.journal import UPLOADED_AT_ONCE, Noted, Upload, Uploaded
from desk.schema.desk_tables import journal
from desk.services import settings

if TYPE_CHECKING:
    from desk.services.context import Context
    from desk.services.hub_client import HubClient

#: A card that is opened again so soon, or found again, is not noted again, ms.
AGAIN = 60_000
#: Of more cards than this it is not remembered when they were noted.
_REMEMBERED = 5000

#: The most subjects of one entry, and about how much of the journal one request takes, bytes.
_SUBJECTS = 2000
_REQUEST = 512 * 1024

#: How a person came to see it: a card he opened; the commands `list`, `show`, `find`; the search.
Via: TypeAlias = Literal["card", "list", "show", "find", "search"]

_decode = msgspec.json.Decoder(Access).decode


class _Link(msgspec.Struct, frozen=True):
    """The number and the MAC of an entry."""

    seq: int
    mac: bytes


_START = _Link(0, b"")


class Journal:
    """The journal of one open desk. ``is_offline`` says whether the hub cannot know now."""

    def __init__(self, context: Context, is_offline: Callable[[], bool]) -> None:
        self._context = context
        self._is_offline = is_offline
        self._key = context.store.keys.journal_key
        self._guard = threading.Lock()
        self._noted: dict[str, int] = {}

    def read(self, item_id: str, subject_id: str | None, fields: Iterable[str], via: Via) -> None:
        """A person opened a card and sees these fields of it; noted once a minute at most."""
        if self._are_new([item_id]):
            self.note("read", item_id=item_id, subject_id=subject_id, fields=fields, via=via)

    def listed(self, event: str, found: Sequence[tuple[str, str | None]], via: Via) -> None:
        """Cards stood in a list, by their ids and those of their subjects.

        Of those that a search shows again while one types, it is noted once a minute at most.
        """
        fresh = self._are_new([item for item, _ in found]) if event == "search" else None
        shown = [one for one in found if fresh is None or one[0] in fresh]
        subjects = sorted({subject for _, subject in shown if subject})
        for first in range(0, len(subjects), _SUBJECTS):
            some = subjects[first : first + _SUBJECTS]
            self.note(event, subjects=some, via=via, count=len(some))

    def note(
        self,
        event: str,
        *,
        item_id: str | None = None,
        subject_id: str | None = None,
        fields: Iterable[str] = (),
        subjects: Iterable[str] = (),
        count: int = 1,
        via: Via = "card",
        purpose: str = "",
    ) -> None:
        """Write one entry; it is on the disk when this returns. Raises ``DiskFull``.

        Without a stated ``purpose`` it is the one that the role's reading stands under.
        """
        context = self._context
        book = context.rulebook
        role = book.playbook.roles.get(book.actor.role)
        access = Access(
            id=context.new_id(),
            at=context.clock(),
            who=book.actor.id,
            role=book.actor.role,
            event=event,
            purpose=purpose or (role.purpose if role else ""),
            item_id=item_id,
            subject_id=subject_id,
            fields=tuple(sorted(fields)),
            offline=self._is_offline(),
            count=count,
            subjects=pack(subjects),
            detail={"via": via},
        )
        with context.store.write(durable=True) as connection:
            self._append(connection, [access])

    def upload(self, client: HubClient) -> None:
        """Send what is here until the hub has all of it. Raises what the hub makes it raise."""
        while (waiting := self._waiting()) is not None:
            answer = client.ask("/v1/journal", waiting, Uploaded)
            with self._context.store.write(durable=True) as connection:
                self._acknowledge(connection, waiting, _Link(answer.seq, answer.mac))

    def _waiting(self) -> Upload | None:
        """What to send next; None where the hub has everything."""
        with self._context.store.read() as connection:
            sent = _sent(connection)
            broken = settings.get(connection, settings.JOURNAL_BROKEN) or ""
            query = select(journal).order_by(journal.c.seq).limit(UPLOADED_AT_ONCE)
            rows = connection.execute(query).all()
        if not rows:
            nothing = Upload(after=sent.seq, after_mac=sent.mac, entries=[], broken=broken)
            return nothing if broken else None
        before = sent
        if rows[0].seq != sent.seq + 1:
            # Entries are gone; the hub sees by the number that some are missing.
            before = _Link(rows[0].seq - 1, b"")
        entries: list[Noted] = []
        last, size = before, 0
        for row in rows:
            size += len(row.body)
            if row.seq != last.seq + 1 or (entries and size > _REQUEST):
                break
            access = _decode(row.body)
            if last.mac or not last.seq:
                is_sound = hmac.compare_digest(row.mac, self._link(last.mac, access))
                broken = broken if is_sound else "local"
            entries.append(Noted(seq=row.seq, mac=row.mac, access=access))
            last = _Link(row.seq, row.mac)
        return Upload(after=before.seq, after_mac=before.mac, entries=entries, broken=broken)

    def _acknowledge(self, connection: Connection, waiting: Upload, head: _Link) -> None:
        """Drop what the hub has, and go on from where it is."""
        if waiting.broken:
            settings.drop(connection, settings.JOURNAL_BROKEN)
        last = waiting.entries[-1] if waiting.entries else None
        if last is not None:
            connection.execute(delete(journal).where(journal.c.seq <= last.seq))
        if last is None or (last.seq, last.mac) == (head.seq, head.mac):
            _put_sent(connection, head)
            return
        # The hub has had all of it and more: this file is an older state of itself.
        later = connection.execute(select(journal.c.body).order_by(journal.c.seq)).scalars().all()
        connection.execute(delete(journal))
        _put_sent(connection, head)
        settings.put(connection, settings.JOURNAL_BROKEN, "restored")
        self._append(connection, [_decode(body) for body in later])

    def _append(self, connection: Connection, accesses: Iterable[Access]) -> None:
        query = select(journal.c.seq, journal.c.mac).order_by(journal.c.seq.desc()).limit(1)
        row = connection.execute(query).first()
        last = _Link(row.seq, row.mac) if row else _sent(connection)
        for access in accesses:
            last = _Link(last.seq + 1, self._link(last.mac, access))
            values = {"seq": last.seq, "body": encoded(access), "mac": last.mac}
            connection.execute(insert(journal).values(values))

    def _link(self, before: bytes, access: Access) -> bytes:
        return hmac.digest(self._key, before + encoded(access), "sha256")

    def _are_new(self, ids: Iterable[str]) -> set[str]:
        """Those that were not noted a moment ago; they are noted now."""
        now = self._context.clock()
        with self._guard:
            if len(self._noted) > _REMEMBERED:
                self._noted.clear()
            fresh = {one for one in ids if not 0 <= now - self._noted.get(one, -AGAIN) < AGAIN}
            self._noted.update(dict.fromkeys(fresh, now))
        return fresh


def _sent(connection: Connection) -> _Link:
    """The last entry that the hub has."""
    kept = settings.get(connection, settings.JOURNAL_SENT)
    if kept is None:
        return _START
    seq, _, mac = kept.partition(":")
    return _Link(int(seq), bytes.fromhex(mac))


def _put_sent(connection: Connection, link: _Link) -> None:
    settings.put(connection, settings.JOURNAL_SENT, f"{link.seq}:{link.mac.hex()}")
