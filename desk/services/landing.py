"""Rows from the hub put in place, with the rules they were written under and the overlay on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from sqlalchemy import Connection

from desk.domain.model import Actor
from desk.domain.operations import Operation
from desk.protocol.messages import Page, PlaybookSource
from desk.services import overlay, settings, sight
from desk.services.context import Account, Context, Rulebook, read_playbook
from desk.services.errors import HubUnreachable
from desk.services.hub_client import HubClient
from desk.services.rows import PEOPLE
from desk.services.views import StatusChanged


class Landing:
    """How rows come into the mirrored tables: ``learn`` of each page, then ``land`` in one
    transaction, then ``landed`` when that is committed."""

    def __init__(self, context: Context, client: HubClient) -> None:
        self._context = context
        self._client = client
        self._playbook: PlaybookSource | None = None
        self._new_rules = False
        #: Whether they are another role or another playbook, which every card looks different by.
        self._all_differ = False

    @property
    def has_new_playbook(self) -> bool:
        """Whether a playbook waits to come into force with the next rows."""
        return self._playbook is not None

    def learn(self, page: Page) -> None:
        """Fetch the playbook that the page's rows are written under, if it is not known here.

        Raises ``HubUnreachable`` where the hub has a newer one by now: rows that an older one
        masked must not pass for its own.
        """
        known = self._playbook.version if self._playbook else self._context.playbook_version
        if page.playbook_version != known:
            playbook = self._client.playbook()
            if playbook.version != page.playbook_version:
                raise HubUnreachable(hub=self._client.hub)
            read_playbook(playbook.source, playbook.version)
            self._playbook = playbook

    def land(
        self,
        connection: Connection,
        write: Callable[[], set[str]],
        covered: Iterable[Operation] = (),
    ) -> set[str]:
        """Lift the overlay, let ``write`` change the hub's rows, and lay the overlay anew by the
        rules and the role that came with them. Gives the items that may look different.

        ``write`` gives the items it touches; ``covered`` are the operations that the rows cover.
        """
        touched = overlay.restore(connection)
        touched |= write()
        rulebook = self._rules(connection)
        sight.settle(connection, rulebook)
        sight.keep_shown(connection, rulebook, covered)
        return touched | overlay.replay(connection, rulebook)

    def landed(self, touched: set[str] | None, *, people: bool) -> None:
        """The transaction is committed: work by the new rules, and tell everybody."""
        whole, self._all_differ = self._all_differ, False
        if self._new_rules:
            self._context.reload()
            self._new_rules = False
            self._playbook = None
        self._context.rows_changed(None if whole else touched, people=people)
        self._context.events.emit(StatusChanged())

    def _rules(self, connection: Connection) -> Rulebook:
        rulebook = self._context.rulebook
        if self._playbook is not None:
            settings.put(connection, settings.PLAYBOOK, self._playbook.source)
            settings.put(connection, settings.PLAYBOOK_VERSION, str(self._playbook.version))
            playbook = read_playbook(self._playbook.source, self._playbook.version)
            rulebook = Rulebook(playbook, rulebook.actor)
            self._new_rules = self._all_differ = True
        return Rulebook(rulebook.playbook, self._actor(connection, rulebook.actor))

    def _actor(self, connection: Connection, actor: Actor) -> Actor:
        """Who works here, after rows that may have given him another name or role."""
        raw = settings.get(connection, settings.ACCOUNT)
        me = next(iter(PEOPLE.get(connection, (actor.id,))), None)
        if raw is None or me is None:
            return actor
        account = msgspec.json.decode(raw, type=Account)
        if account.person != me:
            account = msgspec.structs.replace(account, person=me)
            settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
            self._new_rules = True
        self._all_differ = self._all_differ or me.role != actor.role
        return Actor(me.id, me.role)
