"""What the services of one desk share: the store, the clock, who works here, by which rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from desk.domain.ids import make_id
from desk.domain.model import Actor, Person
from desk.domain.playbook import Playbook
from desk.domain.playbook_loader import PlaybookError, load
from desk.services import settings
from desk.services.errors import BrokenPlaybook, NotSignedIn
from desk.services.events import Events
from desk.services.rows import PEOPLE
from desk.services.store import Store
from desk.services.views import RowsChanged


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed in, and where."""

    hub: str
    hub_id: str
    company: str
    person: Person


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Whose rules, and who acts by them."""

    playbook: Playbook
    actor: Actor


class Context:
    """The shared state of one open desk."""

    def __init__(
        self, store: Store, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self.store = store
        self.clock = clock
        self.random = random
        self.events = Events()
        self.account: Account | None = None
        self._rulebook: Rulebook | None = None
        self._read_from = ("", 0)
        self._people: dict[str, Person] | None = None
        self.reload()

    @property
    def rulebook(self) -> Rulebook:
        """The rules to work by. Raises ``NotSignedIn``."""
        if self._rulebook is None:
            raise NotSignedIn
        return self._rulebook

    @property
    def playbook_version(self) -> int:
        """The version of the rules in force here."""
        return self.rulebook.playbook.version

    def reload(self) -> None:
        """Take account and playbook from the store, after they changed there."""
        with self.store.read() as connection:
            raw = settings.get(connection, settings.ACCOUNT)
            signed_out = settings.get(connection, settings.SIGNED_OUT)
            source = settings.get(connection, settings.PLAYBOOK)
            version = settings.number(connection, settings.PLAYBOOK_VERSION)
        self._people = None
        if raw is None or signed_out or source is None:
            self.account = self._rulebook = None
            return
        account = msgspec.json.decode(raw, type=Account)
        playbook = self._rulebook.playbook if self._rulebook else None
        # Its version alone says nothing: another hub counts its own.
        if playbook is None or self._read_from != (source, version):
            playbook = read_playbook(source, version)
            self._read_from = (source, version)
        self.account = account
        self._rulebook = Rulebook(playbook, Actor(account.person.id, account.person.role))
        self.store.sealer.overview = overview_of(playbook)

    def new_id(self) -> str:
        """A new id of this moment."""
        return make_id(self.clock(), self.random)

    def people(self) -> dict[str, Person]:
        """Everybody, by user id."""
        known = self._people
        if known is None:
            with self.store.read() as connection:
                known = self.people_in(connection)
            self._people = known
        return known

    @staticmethod
    def people_in(connection: Connection) -> dict[str, Person]:
        """Everybody as one transaction sees it."""
        return {person.id: person for person in PEOPLE.all(connection)}

    def items(self) -> int:
        """How many items are here."""
        with self.store.read() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM item")
            return int(count.scalar_one())

    def rows_changed(self, ids: Iterable[str] | None, *, people: bool = False) -> None:
        """Forget what was remembered of the rows and tell everybody; after the commit."""
        if people:
            self._people = None
        self.events.emit(RowsChanged(None if ids is None else frozenset(ids)))


def read_playbook(source: str, version: int) -> Playbook:
    """The playbook the hub sent. Raises ``BrokenPlaybook``."""
    try:
        return load(source, "playbook", version=version)
    except PlaybookError as error:
        raise BrokenPlaybook(where=error.where) from None


def overview_of(playbook: Playbook) -> frozenset[str]:
    """The fields of a person that lists and searches need."""
    fields = playbook.subject_fields.values()
    return frozenset(field.id for n, field in enumerate(fields) if n == 0 or field.overview)
