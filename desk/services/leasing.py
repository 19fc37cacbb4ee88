"""Keeping the lease up in every exchange, and doing what the hub orders with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desk.services import device_key, lease, recovery, settings, wipe
from desk.services.device_key import Prover
from desk.services.errors import DeskError, WipeOrdered

if TYPE_CHECKING:
    from desk.protocol.leases import State, Wiped
    from desk.services.context import Context
    from desk.services.hub_client import HubClient

#: Makes a client without a session for a hub's address; it is closed after use.
Visit = Callable[[str], "HubClient"]


class Leasing:
    """One desk's lease while it is open."""

    def __init__(self, context: Context, visit: Visit) -> None:
        self._context = context
        self._visit = visit
        self._has_asked = False

    def look(self, *, anew: bool = False, at_once: bool = False) -> None:
        """Ask for another lease where it is time: in a process's first exchange, so that an old
        copy is noticed, and when a part of the last one has passed.

        With ``at_once`` in any case; ``anew`` says that somebody has just signed in. A hub that
        does not answer is asked next time, and work goes on while the lease lasts. Raises
        ``WipeOrdered`` once everything is removed.
        """
        context = self._context
        box, now = context.store.keys.box, context.clock()
        lease.note_clock(box, now)
        if context.account is None or not (
            anew or at_once or not self._has_asked or lease.is_due(box.outer, now)
        ):
            return
        try:
            self._ask(anew=anew)
        except WipeOrdered as ordered:
            wipe.run(context.store.folder, box, ordered.order.id, self._tell)
            raise
        except DeskError:
            return

    def _ask(self, *, anew: bool) -> None:
        context = self._context
        account, keys = context.account, context.store.keys
        with context.store.write(durable=True) as connection:
            # Written through to the disk: the hub must not know a later state than it has.
            settings.put(connection, settings.LEASED_AT, str(context.clock()))
            device = device_key.mine(connection, context.random)
            fresh = settings.get(connection, settings.FRESH) is not None
        if account is None or device is None:
            return
        lease.enrol(keys.box, account.hub, account.hub_id, device.id, device.seed, anew=anew)
        prover = Prover(device, account.hub_id, context.clock, context.random)
        client = self._visit(account.hub)
        try:
            answer = lease.renew(
                keys.box, client, prover, context.clock(), self._state(), fresh=fresh
            )
        finally:
            client.close()
        self._has_asked = True
        if answer.replayed:
            recovery.begin_anew(context)
        elif fresh:
            with context.store.write() as connection:
                settings.drop(connection, settings.FRESH)

    def _state(self) -> State | None:
        from desk.protocol.leases import State

        anchored = self._context.store.keys.anchor.read()
        return State(*anchored) if anchored is not None else None

    def _tell(self, hub: str, said: Wiped) -> None:
        client = self._visit(hub)
        try:
            client.wiped(said)
        finally:
            client.close()
