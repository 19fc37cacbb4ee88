"""One exchange with the hub: what waits goes out, what is new comes in, and a look whether both
sides agree."""

from __future__ import annotations

from collections.abc import Callable

from desk.services import rotation, settings, vault_state, watch
from desk.services.arrivals import Arrived
from desk.services.context import Context
from desk.services.errors import HubProblem
from desk.services.hub_client import HubClient
from desk.services.pull import Pull
from desk.services.push import Answers, push, resend
from desk.services.reconcile import Reconcile
from desk.services.views import Progress

#: How often in one exchange the hub may ask to begin anew.
_RESETS = 4


class Exchange:
    """One exchange of one desk; ``tell`` hears of its progress and may raise to stop it."""

    def __init__(
        self, context: Context, client: HubClient, tell: Callable[[Progress | None], None]
    ) -> None:
        self._context = context
        self._client = client
        self._tell = tell
        self.answers = Answers()
        self.arrived = Arrived()

    def run(self) -> None:
        """Send, fetch, and look. Raises what the hub makes it raise; what was done stays done."""
        try:
            self._push()
            self._pull()
            watch.glance(self._context, self._client, self._tell)
        finally:
            self._tell(None)
        store = self._context.store
        rotation.finish(store, self._client)
        if store.to_scrub:
            store.scrub()
        vault_state.anchor_in_time(store)

    def _push(self) -> None:
        push(self._context, self._client, self.answers)

    def _pull(self) -> None:
        for _ in range(_RESETS):
            pull = Pull(self._context, self._client, self._tell)
            reset = pull.run()
            self._add(pull.arrived)
            forgotten = self._forgotten(pull.last_op)
            if forgotten:
                # What waits goes first: the hub decides about rows that may go.
                self._push()
            if reset is not None:
                self._add(Reconcile(self._context, self._client, self._tell).run(reset))
            elif not forgotten:
                return
        raise HubProblem(hub=self._client.hub, reason="resets")

    def _forgotten(self, last_op: int) -> bool:
        """Whether the hub, restored from a backup, lacks something of this desk: it is queued."""
        with self._context.store.read() as connection:
            known = settings.number(connection, settings.LAST_OP)
        return last_op < known and resend(self._context, last_op) > 0

    def _add(self, arrived: Arrived) -> None:
        self.arrived.pulled += arrived.pulled
        self.arrived.forgotten += arrived.forgotten
        self.arrived.cursor = arrived.cursor or self.arrived.cursor
