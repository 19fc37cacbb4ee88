"""A hub, people at their desks, and whatever may happen to them; and what must be so afterwards.

A step is a method; its numbers choose among what is possible and may be any. Nothing here draws at
random: the same steps give the same world.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select

from desk.domain.model import Item, Value
from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    Intent,
    Move,
)
from desk.domain.playbook import Transition
from desk.hub import administration, changes
from desk.schema import hub_tables as t
from desk.services import settings
from desk.services.desk import Desk
from desk.services.errors import (
    DiskFull,
    HubProblem,
    HubUnreachable,
    NotSignedIn,
    Refused,
)
from tests.faults.plans import Exchange, Fault, Kind, Plan
from tests.services.rooms import PASSPHRASE, mirrored
from tests.services.test_secrecy import decrypted
from tests.simulation import disk
from tests.simulation.ledger import Ledger, device_of, kept_operations, waiting
from tests.simulation.oracle import Oracle, Sight, Spot, canaries
from tests.simulation.places import FREIGHT, PASSWORD, PEOPLE, Line, Place

YEAR = 365 * 24 * 3_600_000
HOUR = 3_600_000
MINUTE = 60_000
#: By how much a desk's clock may be wrong, ms.
SKEWS = (0, YEAR, -YEAR, HOUR, -HOUR, -61_000)
ROLES = ("operator", "marketer", "sales", "head", "director", "consultant")
#: Where a fault may strike.
PATHS = (
    "/v1/operations",
    "/v1/changes",
    "/v1/snapshot",
    "/v1/digests",
    "/v1/playbook",
    "/v1/handshake",
    "/v1/device",
)
#: What may be changed in the playbook: other masks and other sights.
VARIANTS: Sequence[tuple[tuple[str, str], ...]] = (
    (),
    (('"lead.utm_source" = "none"', '"lead.request" = "none", "lead.company" = "none"'),),
    (('mask = { lead = "full", subject = "full" }', 'mask = { lead = "full" }'),),
    (
        (
            'mask = { lead = "full", qualification = "full", deal = "full", contact = "full",'
            ' company = "full", subject = "full" }',
            'mask = { lead = "full", "lead.request" = "none", qualification = "full",'
            ' "qualification.need" = "none", deal = "full", contact = "full", company = "full",'
            ' subject = "masked" }',
        ),
        ('qualification = "always", deal = "owner', 'qualification = "owner = me", deal = "owner'),
    ),
)
#: Fields that people edit here, by the kind that owns them.
FIELDS = {
    "lead": ("request", "company", "route_from"),
    "qualification": ("need", "next_step", "company"),
    "deal": ("next_step", "company"),
    "subject": ("name", "phone", "position"),
}
_FILLED: dict[str, Value] = {
    "junk_stage": "junk_spam",
    "target_direction": "ftl",
    "monthly_volume": 3,
}
_MOST_DESKS = 7


class Seat:
    """A desk of one user on one device, and what its user typed into forms."""

    def __init__(self, number: int, user: str, folder: Path) -> None:
        self.number = number
        self.user = user
        self.folder = folder
        self.skew = 0
        self.drafts: dict[str, dict[str, str]] = {}
        self.plan = Plan()
        self.line: Line | None = None
        self.desk: Desk | None = None
        #: Done once, between the hub's answer to the path and the desk.
        self.meanwhile: tuple[str, Callable[[], None]] | None = None

    @property
    def open(self) -> Desk:
        """The desk, which is open whenever a step begins."""
        assert self.desk is not None
        return self.desk


class Broken(AssertionError):
    """Something is so that must never be so."""


class World:
    """Everything of one simulation, in ``folder``."""

    def __init__(self, folder: Path, place: Place) -> None:
        self.folder = folder
        self.place = place
        self.oracle = Oracle(place.database)
        self.ledger = Ledger()
        self.seats: list[Seat] = []
        self._guard = threading.RLock()
        #: What was found to be wrong in another thread.
        self._broken: list[str] = []
        self._at_once = False
        self._words = 0
        self._randomness = 0
        self._variant = 0
        self._backup: dict[str, list[dict[str, Any]]] | None = None
        #: Where each canary ever stood.
        self._spots: dict[str, set[Spot]] = {}
        for user in ("operator1", "marketer1", "sales1"):
            self.sit(user)

    def close(self) -> None:
        """End every desk."""
        for seat in self.seats:
            if seat.desk is not None:
                seat.desk.close()

    # Desks

    def sit(self, user: str) -> None:
        """A user takes a seat at a new device."""
        if len(self.seats) >= _MOST_DESKS:
            return
        seat = Seat(len(self.seats), user, self.folder / f"desk{len(self.seats)}")
        self.seats.append(seat)
        self.open(seat)
        self._sign_in(seat)
        seat.open.sync_once()

    def restart_desk(self, n: int, _: int = 0) -> None:
        """The application is closed and opened again."""
        seat = self._seat(n)
        seat.open.close()
        self.open(seat)

    def clone(self, n: int, _: int = 0) -> None:
        """A profile's folder is copied, and both copies are used."""
        if len(self.seats) >= _MOST_DESKS:
            return
        seat = self._seat(n)
        seat.open.close()
        copy = Seat(len(self.seats), seat.user, self.folder / f"desk{len(self.seats)}")
        shutil.copytree(seat.folder, copy.folder)
        copy.drafts = {item: dict(values) for item, values in seat.drafts.items()}
        self.seats.append(copy)
        self.open(seat)
        self.open(copy)

    def crash(self, n: int, statement: int) -> None:
        """A desk's process dies while it syncs, at one of its statements."""
        seat = self._seat(n)
        died = disk.killed(seat.folder, 3 * statement + 1, lambda: self._try_to_sync(seat))
        if died:
            seat.open.close()
            disk.bring_back(seat.folder)
            self.open(seat)

    def full_disk(self, n: int, transaction: int) -> None:
        """One of the transactions of a sync finds the disk full when it is committed."""
        seat = self._seat(n)
        with disk.failing(seat.open.context.store, transaction % 4), suppress(DiskFull):
            self._try_to_sync(seat)

    def set_clock(self, n: int, skew: int) -> None:
        """A desk's clock is wrong, or jumps."""
        self._seat(n).skew = SKEWS[skew % len(SKEWS)]

    def save_draft(self, n: int, item: int) -> None:
        """Something is typed into a form and not sent."""
        seat = self._seat(n)
        values = {"need": self._word()}
        shown = self._item(seat, item)
        key = shown.id if shown else "nothing"
        seat.open.save_draft(key, "form", values)
        seat.drafts[key] = values

    # Work

    def create(self, n: int) -> None:
        """A new lead, with somebody's name and phone."""
        subject: dict[str, Value] = {"name": self._word(), "phone": self._phone()}
        fields: dict[str, Value] = {"source": "site", "request": self._word()}
        lead = Create(kind="lead", title=self._word(), fields=fields, subject=subject)
        self._do(self._seat(n), lead)

    def move(self, n: int, item: int, transition: int, colleague: int) -> None:
        """One of the transitions that the desk offers."""
        seat = self._seat(n)
        shown = self._item(seat, item)
        if shown is None:
            return
        offered = [p.transition for p in seat.open.card(shown.id).possible if p.refusal is None]
        if offered:
            chosen = offered[transition % len(offered)]
            self._do(seat, self._move(seat, shown, chosen, colleague))

    def pass_on(self, n: int, colleague: int) -> None:
        """The first card that can be assigned, handed off, accepted or returned is."""
        seat = self._seat(n)
        wanted = ("assign", "hand_off", "accept", "return")
        for item in self._items(seat):
            offered = {
                p.transition.id: p.transition
                for p in seat.open.card(item.id).possible
                if p.refusal is None
            }
            names = [name for name in wanted if name in offered]
            if names:
                name = names[colleague % len(names)]
                self._do(seat, self._move(seat, item, offered[name], colleague))
                return

    def edit(self, n: int, item: int, field: int) -> None:
        """Another value of one field."""
        seat = self._seat(n)
        shown = self._item(seat, item)
        if shown is not None:
            self._edit(seat, shown, field)

    def edit_person(self, n: int, item: int, field: int) -> None:
        """Another value of somebody's personal data."""
        seat = self._seat(n)
        shown = self._item(seat, item)
        if shown is not None and shown.subject_id:
            name = FIELDS["subject"][field % len(FIELDS["subject"])]
            value = self._phone() if name == "phone" else self._word()
            self._do(seat, EditSubject(item_id=shown.id, fields={name: value}))

    def edit_same(self, n: int, other: int, item: int, field: int) -> None:
        """Two desks edit the same field of the same card without knowing of each other."""
        one, two = self._seat(n), self._seat(other)
        both = {row.item.id for row in two.open.rows()}
        common = [shown for shown in self._items(one) if shown.id in both]
        if common and one is not two:
            shown = common[item % len(common)]
            self._edit(one, shown, field)
            self._edit(two, shown, field)

    def comment(self, n: int, item: int) -> None:
        """A note on a timeline."""
        seat = self._seat(n)
        shown = self._item(seat, item)
        if shown is not None:
            self._do(seat, Comment(item_id=shown.id, text=self._word()))

    def close_task(self, n: int, task: int) -> None:
        """A task is done."""
        seat = self._seat(n)
        tasks = [one for one in mirrored(seat.open)["task"] if one.closed_at is None]
        if tasks:
            chosen = tasks[task % len(tasks)]
            closing = CloseTask(item_id=chosen.item_id, task_id=chosen.id, comment=self._word())
            self._do(seat, closing)

    def retry(self, n: int, entry: int) -> None:
        """An entry of the inbox is asked for anew."""
        self._decide(self._seat(n), entry, lambda desk, identifier: desk.retry(identifier))

    def discard(self, n: int, entry: int) -> None:
        """An entry of the inbox is thrown away by its person."""
        self._decide(self._seat(n), entry, lambda desk, identifier: desk.discard(identifier))

    # Network

    def sync(self, n: int) -> None:
        """One exchange without a fault, half a minute after what was before."""
        self.place.pass_time(MINUTE // 2)
        self._sync(self._seat(n))

    def sync_badly(self, n: int, path: int, kind: Kind, nth: int) -> None:
        """One exchange with a fault."""
        seat = self._seat(n)
        seat.plan.add(PATHS[path % len(PATHS)], *[None] * (nth % 3), Fault(kind))
        with suppress(HubUnreachable, HubProblem):
            self._try_to_sync(seat)
        seat.plan.heal()

    def sync_all_at_once(self) -> None:
        """Every desk exchanges at the same time; only where a hub is made of real processes."""
        self._at_once = True
        with ThreadPoolExecutor(len(self.seats)) as pool:
            done = [pool.submit(self._sync, seat) for seat in self.seats]
        self._at_once = False
        for one in done:
            one.result()
        self._say_broken()

    def work_meanwhile(self, n: int, item: int) -> None:
        """Something is done while a pull is on its way."""
        seat = self._seat(n)
        seat.meanwhile = ("/v1/changes", lambda: self.comment(n, item))
        self._sync(seat)
        seat.meanwhile = None

    # The hub and its administrator

    def restart_hub(self, _: int = 0, __: int = 0) -> None:
        """The hub's processes end and start again."""
        self.place.restart()

    def change_role(self, user: int, role: int) -> None:
        """Somebody has another role from now on."""
        name = list(PEOPLE)[user % len(PEOPLE)]
        chosen = ROLES[role % len(ROLES)]
        administration.change_role(self.place.database, name, chosen, self.place.clock())

    def change_playbook(self, _: int, variant: int) -> None:
        """A playbook with other masks and other sights is installed."""
        source = FREIGHT
        for old, new in VARIANTS[variant % len(VARIANTS)]:
            assert old in source
            source = source.replace(old, new)
        now = self.place.clock()
        administration.install_playbook(self.place.database, source, "a playbook", now)

    def revoke(self, user: int, _: int = 0) -> None:
        """Somebody's tokens end, on all of his devices."""
        name = list(PEOPLE)[user % len(PEOPLE)]
        administration.revoke(self.place.database, name, self.place.clock())

    def prune(self, _: int, keep: int) -> None:
        """All of the log is forgotten but its last few minutes."""
        with self.place.database.write() as connection:
            while changes.prune(connection, self.place.clock() - keep * MINUTE):
                pass

    def back_up(self, _: int = 0, __: int = 0) -> None:
        """Everything on the hub is copied."""
        with self.place.database.read() as connection:
            self._backup = {
                name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for name, table in t.metadata.tables.items()
            }

    def restore(self, _: int = 0, __: int = 0) -> None:
        """The hub's disk dies: it begins anew from the last copy, and says so.

        Two copies of one profile that the hub has not told apart yet would use the same numbers
        for what one of them has to send again: that is not promised.
        """
        devices = [device_of(seat.open) for seat in self.seats]
        if self._backup is None or len(set(devices)) < len(devices):
            return
        # What a person's desks have forgotten with the card, by right, nobody can send again.
        kept = {key for seat in self.seats for key in kept_operations(seat.open)}
        self.ledger.give_up(self.oracle.answers(), kept)
        with self.place.database.write() as connection:
            for name, table in t.metadata.tables.items():
                connection.execute(delete(table))
                if self._backup[name]:
                    connection.execute(insert(table), self._backup[name])
        now = self.place.clock()
        administration.new_epoch(self.place.database, now, self._random_bytes)

    # Rest

    def come_to_rest(self) -> Sight:
        """No faults any more: everybody syncs until nothing is on its way."""
        for seat in self.seats:
            seat.plan.heal()
        for _ in range(12):
            before = self._look().key
            for seat in self.seats:
                self._sync(seat)
            still = [seat.number for seat in self.seats if seat.open.status().pending]
            if not still and self._look().key == before:
                break
        else:
            raise Broken(f"no rest: pending at {still}")
        sight = self._look()
        self._check_ledger(sight)
        for seat in self.seats:
            self.check(seat)
        return sight

    def check(self, seat: Seat) -> None:
        """A desk that has synced holds what its user may see, and nothing more anywhere."""
        sight = self._look()
        self._check_rows(seat, sight)
        self._check_agreement(seat, sight)
        self._check_bytes(seat, sight)
        for item, values in seat.drafts.items():
            if seat.open.draft(item, "form") != values:
                raise Broken(f"desk {seat.number} lost a draft")

    def _check_ledger(self, sight: Sight) -> None:
        kept: dict[str, frozenset[str]] = {}
        for seat in self.seats:
            for entry in seat.open.inbox():
                text = msgspec.json.encode([entry.intent, entry.mine]).decode()
                kept[entry.id] = kept.get(entry.id, frozenset()) | canaries(text)
        answers = self.oracle.answers()
        lost = self.ledger.lost(answers, kept)
        if lost:
            raise Broken(f"lost: {[(self.ledger.asked[key].intent, why) for key, why in lost]}")
        wrong = self.ledger.wrong_effects(answers, sight)
        if wrong:
            raise Broken("; ".join(wrong))

    def _check_rows(self, seat: Seat, sight: Sight) -> None:
        held, expected = mirrored(seat.open), sight.of(seat.user)
        for kind, rows in expected.items():
            if held[kind] != rows:
                raise Broken(_difference(seat, kind, held[kind], rows))
        with seat.open.context.store.read() as connection:
            laid = connection.exec_driver_sql("SELECT count(*) FROM base_row").scalar_one()
        if laid:
            raise Broken(f"desk {seat.number} has {laid} rows under an overlay of nothing")

    def _check_agreement(self, seat: Seat, sight: Sight) -> None:
        """The desk works by the hub's rules, and finds itself that it agrees with the hub."""
        desk = seat.open
        with desk.context.store.read() as connection:
            source = settings.get(connection, settings.PLAYBOOK)
            state = settings.get(connection, settings.DIGEST_STATE)
        if source != sight.source or desk.me.role != sight.people[seat.user].role:
            raise Broken(f"desk {seat.number} works by other rules than the hub")
        # A repair would hide that rows were lost on their way.
        if state not in (None, "same") or not desk.verify().same:
            raise Broken(f"desk {seat.number} says that rows differ, or differed: {state}")

    def _check_bytes(self, seat: Seat, sight: Sight) -> None:
        """Nothing that left the reader's sight is left in the decrypted file."""
        found = canaries(decrypted(seat.open).decode("utf-8", "ignore"))
        rest = found - sight.words_of(seat.user) - self.ledger.words_of(seat.user)
        typed = {word for values in seat.drafts.values() for word in values.values()}
        left = [
            word
            for word in sorted(rest - typed)
            if not sight.may_read(seat.user, self._spots.get(word, ()))
        ]
        if left:
            where = {word: disk.tables_with(seat.open, word) for word in left}
            spots = {word: self._spots.get(word) for word in left}
            raise Broken(f"desk {seat.number} of {seat.user} still holds {where} of {spots}")

    # How it is done

    def open(self, seat: Seat) -> None:
        """Open a seat's desk over its files."""
        if seat.line is None:
            seat.line = self.place.line(seat.number, seat.plan, lambda: self._watch(seat))
        seat.desk = Desk.open(
            seat.folder,
            PASSPHRASE,
            clock=lambda: self.place.clock() + seat.skew,
            random=self._random_bytes,
            transport=seat.line.transport,
        )

    def _sign_in(self, seat: Seat) -> None:
        assert seat.line is not None
        seat.open.sign_in(seat.line.url, seat.user, PASSWORD)

    def _sync(self, seat: Seat) -> None:
        try:
            seat.open.sync_once()
        except NotSignedIn:
            self._sign_in(seat)
            seat.open.sync_once()
        self._say_broken()

    def _try_to_sync(self, seat: Seat) -> None:
        with suppress(NotSignedIn):
            seat.open.sync_once()
        self._say_broken()

    def _say_broken(self) -> None:
        if self._broken and not self._at_once:
            raise Broken("; ".join(self._broken))

    def _watch(self, seat: Seat) -> Callable[[Exchange], None]:
        """Look at every byte of an answer, at what the reader might see before and after it."""
        before = self._look()

        def answered(exchange: Exchange) -> None:
            self._inspect(seat, before, exchange)
            if seat.meanwhile is not None and seat.meanwhile[0] == exchange.path:
                (_, work), seat.meanwhile = seat.meanwhile, None
                work()

        return answered

    def _inspect(self, seat: Seat, before: Sight, exchange: Exchange) -> None:
        asked = exchange.request.decode("utf-8", "ignore")
        found = canaries(exchange.answer.text) - canaries(asked)
        if found:
            after = self._look()
            found -= before.words_of(seat.user) | after.words_of(seat.user)
        if found and (self._at_once or asked.count('"number"') > 1):
            # Between two operations of one push, or of two, a card may have been in sight.
            found = {word for word in found if not self._readable(seat, word, asked)}
        if found:
            spots = {word: self._spots.get(word) for word in found}
            self._broken.append(f"{exchange.path} told {seat.user} {spots}")

    def _readable(self, seat: Seat, word: str, asked: str) -> bool:
        """Whether the word stands in a card that the request names, in a field not masked."""
        sight = self._look()
        role = sight.people[seat.user].role
        return any(
            sight.playbook.mask(role, owner, field) == "full"
            for owner, row, field in self._spots.get(word, ())
            if field and (owner == "subject" or self._at_once or row in asked)
        )

    def _look(self) -> Sight:
        with self._guard:
            sight = self.oracle.look(self.place.clock())
            for word, spots in sight.spots.items():
                self._spots.setdefault(word, set()).update(spots)
            return sight

    def _do(self, seat: Seat, intent: Intent) -> None:
        try:
            done = seat.open.do(intent)
        except Refused:
            return
        based = next((o.intent for o in waiting(seat.open) if o.id == done.operation_id), intent)
        self.ledger.note(done.operation_id, seat.user, based)

    def _decide(self, seat: Seat, entry: int, decide: Callable[[Desk, str], object]) -> None:
        """Whatever leaves the inbox was decided about; what comes into the queue for it is new."""
        before = {one.id for one in seat.open.inbox()}
        if not before:
            return
        chosen = sorted(before)[entry % len(before)]
        try:
            decide(seat.open, chosen)
        except Refused:
            return
        for identifier in before - {one.id for one in seat.open.inbox()}:
            self.ledger.settle(identifier)
        for operation in waiting(seat.open):
            self.ledger.note(operation.id, seat.user, operation.intent)

    def _edit(self, seat: Seat, item: Item, field: int) -> None:
        names = FIELDS.get(item.kind, ())
        if names:
            values: dict[str, Value] = {names[field % len(names)]: self._word()}
            self._do(seat, EditFields(item_id=item.id, fields=values))

    def _move(self, seat: Seat, item: Item, chosen: Transition, colleague: int) -> Move:
        names = {*chosen.required, *chosen.form} & set(_FILLED)
        to = None
        if chosen.choose is not None and (colleague % 3 or not chosen.choose.route):
            roles = chosen.choose.roles
            able = [one.id for one in seat.open.people().values() if one.role in roles]
            to = able[colleague % len(able)] if able else None
        return Move(
            item_id=item.id,
            transition=chosen.id,
            comment=self._word(),
            fields={name: _FILLED[name] for name in sorted(names)},
            to=to,
        )

    def _seat(self, n: int) -> Seat:
        return self.seats[n % len(self.seats)]

    def _items(self, seat: Seat) -> list[Item]:
        return [row.item for row in seat.open.rows()]

    def _item(self, seat: Seat, n: int) -> Item | None:
        shown = self._items(seat)
        return shown[n % len(shown)] if shown else None

    def _word(self) -> str:
        self._words += 1
        return f"cn{self._words}x"

    def _phone(self) -> str:
        self._words += 1
        return f"+7999{self._words:07d}"

    def _random_bytes(self, size: int) -> bytes:
        self._randomness += 1
        return self._randomness.to_bytes(size, "big")


def _difference(seat: Seat, kind: str, held: list[Any], expected: list[Any]) -> str:
    mine = {row.id: row for row in held}
    theirs = {row.id: row for row in expected}
    missing, more = theirs.keys() - mine.keys(), mine.keys() - theirs.keys()
    other = {
        key: {
            name: (getattr(mine[key], name), getattr(row, name))
            for name in row.__struct_fields__
            if getattr(mine[key], name) != getattr(row, name)
        }
        for key, row in theirs.items()
        if key in mine and mine[key] != row
    }
    return (
        f"desk {seat.number} of {seat.user}, {kind}: missing {sorted(missing)},"
        f" more {sorted(more)}, other (here, expected) {other}"
    )
