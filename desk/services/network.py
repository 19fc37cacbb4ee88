"""A desk's side of the network: one exchange at a time, by hand or in the background.

What speaks HTTP is imported when it is first used: a board is on the screen sooner.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from desk.domain.model import Person
from desk.protocol.messages import Presence, SecondFactor
from desk.services import mishaps, queue, settings
from desk.services.context import Context
from desk.services.errors import (
    EXIT_REFUSED,
    ClonedProfile,
    DeskError,
    NotSignedIn,
    OfflineByChoice,
    SyncCancelled,
    WipeOrdered,
)
from desk.services.journal import Journal
from desk.services.views import Progress, StatusChanged, SyncReport, Verdict

if TYPE_CHECKING:
    import httpx
    import msgspec

    from desk.services.access import Access
    from desk.services.hub_client import HubClient
    from desk.services.leasing import Leasing
    from desk.services.loop import SyncLoop
    from desk.services.session import Credentials
    from desk.services.steps import Steps, Told

#: How many times progress is told in a second at most.
_TELLS_A_SECOND = 4
#: How exactly the moment of the last exchange is kept on the disk, ms.
_KEPT_EVERY = 60_000


class Network:
    """What goes to the hub and comes from it, and how that stands."""

    def __init__(self, context: Context, transport: httpx.BaseTransport | None = None) -> None:
        self._context = context
        self._transport = transport
        self._exchange = threading.Lock()
        self._clients = threading.Lock()
        self._loop: SyncLoop | None = None
        self._client: tuple[str, HubClient] | None = None
        self._access: Access | None = None
        self._leasing: Leasing | None = None
        self._greeted = False
        self._told = 0.0
        self._cancelled = False
        self._steps: Steps | None = None
        self.online = False
        #: What the person does with personal data here.
        self.journal = Journal(context, lambda: not self.online)
        self.offline_by_choice = False
        self.syncing: Progress | None = None
        self.last_error = ""

    @property
    def paused(self) -> bool:
        """Whether not to try by oneself: by choice, without a session, as a copy, or after a
        person stopped an exchange."""
        return (
            self.offline_by_choice
            or self._context.account is None
            or self.last_error
            in (NotSignedIn.code, ClonedProfile.code, SyncCancelled.code, WipeOrdered.code)
        )

    @property
    def hears_hints(self) -> bool:
        """Whether the stream of hints is open."""
        return self._loop is not None and self._loop.hears_hints

    def sign_in(self, typed: Credentials) -> Person:
        """See ``Desk.sign_in``."""
        from desk.services import session

        if self.offline_by_choice:
            raise OfflineByChoice
        with self._exchange:
            person = session.sign_in(self._context, self._connect_for(typed), typed)
            self._leave_stream()
            self._drop_client()
            self._look_at_lease(anew=True)
        self._forgive()
        self._note(online=True, error="")
        if self._loop is not None:
            self._loop.begin_anew()
        return person

    def begin_second_factor(self, typed: Credentials) -> SecondFactor:
        """See ``Desk.begin_second_factor``."""
        from desk.services import session

        if self.offline_by_choice:
            raise OfflineByChoice
        with self._exchange:
            return session.begin_second_factor(self._context, self._connect_for(typed), typed)

    def sign_out(self) -> None:
        """See ``Desk.sign_out``."""
        from desk.services import session

        with self._exchange:
            client = None
            signed_in = session.device(self._context) is not None
            if signed_in and not self.offline_by_choice and self._context.account is not None:
                client = self.client()
            session.sign_out(self._context, client)
            self._leave_stream()
            self._drop_client()
        self._forgive()
        self._note(online=False, error="")

    def set_presence(self, presence: Presence) -> None:
        """Tell the hub whether one is at work."""
        if self.offline_by_choice:
            raise OfflineByChoice
        self.client().presence(presence)

    def sync_once(self, told: Told | None = None) -> SyncReport:
        """Send what waits, then fetch what is new; ``told`` hears of each step."""
        if self.offline_by_choice:
            raise OfflineByChoice
        started = time.monotonic()
        resting = self.last_error == SyncCancelled.code
        try:
            with self._exchange, self._watched(told):
                self._cancelled = False
                report = self._sync_or_obey(started)
        except DeskError as error:
            self._keep_failure(error)
            self._note(online=error.exit_code == EXIT_REFUSED, error=error.code)
            raise
        self._keep_success()
        self._note(online=True, error="")
        if resting and self._loop is not None:
            self._loop.wake()
        return report

    def start(self) -> None:
        """Exchange in the background from now on."""
        from desk.services.loop import SyncLoop

        if self._loop is None:
            self._loop = SyncLoop(self)
            self._loop.start()
            threading.Thread(target=self._look_through, name="desk-look", daemon=True).start()

    def _look_through(self) -> None:
        """Go through the rows of people once; what is wrong with them is told and mended."""
        from desk.services import quarantine

        # The store may be closed meanwhile.
        with suppress(RuntimeError):
            try:
                if not quarantine.seems_sound(self._context):
                    with self._exchange:
                        quarantine.look_through(self._context)
            except DeskError as error:
                self._note(online=self.online, error=error.code)
                self.wake()

    def stop(self) -> None:
        """End the background threads and close the connections."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.stop()
        self._drop_client()

    def cancel(self) -> None:
        """Stop what is being fetched, between two pages; see ``Desk.cancel_sync``."""
        self._cancelled = True

    def wake(self) -> None:
        """There is something to send, or another reason to look."""
        if self.last_error == SyncCancelled.code:
            self._note(online=self.online, error="")
        if self._loop is not None:
            self._loop.wake()

    def go_offline(self, offline: bool) -> None:
        """The operator's own switch."""
        self.offline_by_choice = offline
        self.online = self.online and not offline
        self.tell_status()
        self._leave_stream()
        if self._loop is not None:
            self._loop.begin_anew()

    def lacks(self, cursor: str) -> bool:
        """Whether a hint at this cursor says anything new."""
        with self._context.store.read() as connection:
            return settings.get(connection, settings.CURSOR) != cursor

    def lost(self, error: DeskError) -> None:
        """The stream of hints was cut or is silent, or the hub ended the session."""
        self._note(online=False, error=error.code)

    def tell_status(self) -> None:
        """Tell everybody that the status changed."""
        self._context.events.emit(StatusChanged())

    def client(self) -> HubClient:
        """The client of this session. Raises ``NotSignedIn``."""
        from desk.services import session

        account, device = self._context.account, session.device(self._context)
        if account is None or device is None:
            raise NotSignedIn
        with self._clients:
            if self._client is None or self._client[0] != device:
                self._close_client()
                self._client = (device, self.connect(account.hub, self._tokens(account.hub)))
            return self._client[1]

    def connect(
        self, hub: str, token: str | Access, patience: float | None = None, authority: str = ""
    ) -> HubClient:
        """A client of its own for an address and a token ("" is none); close it.

        It waits ``patience`` seconds for an answer, or as long as an exchange may take.
        """
        from desk.services.hub_client import ANSWER_SECONDS, HubClient

        return HubClient(
            hub,
            token,
            self._transport,
            lambda: not self.offline_by_choice,
            self._hear,
            patience or ANSWER_SECONDS,
            authority or self._authority(),
        )

    def visit(self, hub: str, patience: float, *, signed_in: bool) -> HubClient:
        """A client of its own that uses the session's tokens where there is one; close it."""
        with self._clients:
            return self.connect(hub, self._tokens(hub) if signed_in else "", patience)

    def _connect_for(self, typed: Credentials) -> Callable[[str, str], HubClient]:
        return lambda hub, token: self.connect(hub, token, authority=typed.authority)

    def _authority(self) -> str:
        """The company's certificate authority, where a person named one."""
        with self._context.store.read() as connection:
            return settings.get(connection, settings.HUB_AUTHORITY) or ""

    def _tokens(self, hub: str) -> Access:
        """The session's tokens, for all its clients together."""
        from desk.services.access import Access

        if self._access is None:
            self._access = Access(self._context, lambda: self.connect(hub, ""))
        return self._access

    def _sync_or_obey(self, started: float) -> SyncReport:
        try:
            return self._sync(started)
        except NotSignedIn:
            # Whoever lost the session may have been ordered to remove everything.
            self._look_at_lease(at_once=True)
            raise

    def _sync(self, started: float) -> SyncReport:
        from desk.services import quarantine, session
        from desk.services.exchange import Exchange

        quarantine.look(self._context)
        client = self._greet()
        # Before the exchange: an old copy of the file has nothing to say.
        self._look_at_lease()
        exchange = Exchange(self._context, client, self._tell)
        try:
            exchange.run()
        except ClonedProfile:
            session.become_a_device(self._context, self.client())
            self._leave_stream()
            exchange = Exchange(self._context, self._greet(), self._tell)
            exchange.run()
        self.journal.upload(self.client())
        answers, arrived = exchange.answers, exchange.arrived
        return SyncReport(
            pushed=answers.pushed,
            applied=answers.applied,
            merged=answers.merged,
            rejected=answers.rejected,
            conflicts=answers.conflicts,
            pulled=arrived.pulled,
            forgotten=arrived.forgotten,
            cursor=arrived.cursor,
            seconds=time.monotonic() - started,
        )

    def _greet(self) -> HubClient:
        client = self.client()
        if not self._greeted:
            client.handshake()
            self._greeted = True
        return client

    def verify(self, *, repair: bool) -> Verdict:
        """See ``Desk.verify``."""
        self.sync_once()
        from desk.services import watch
        from desk.services.exchange import Exchange

        with self._exchange:
            client = self.client()
            exchange = Exchange(self._context, client, self._tell)
            return watch.verify(
                self._context, client, self._tell, repair=repair, catch_up=exchange.run
            )

    @contextmanager
    def _watched(self, told: Told | None) -> Generator[None]:
        """Let ``told`` hear of the steps of what is done meanwhile."""
        if told is None:
            yield
            return
        from desk.services.steps import Steps

        with self._context.store.read() as connection:
            self._steps = Steps(told, queue.count_unanswered(connection))
        try:
            yield
            self._steps.end()
        finally:
            self._steps = None

    def _hear(self, message: msgspec.Struct) -> None:
        steps = self._steps
        if steps is not None:
            steps.hear(message)

    def _leave_stream(self) -> None:
        """Before its client is closed: whoever reads would not notice that."""
        if self._loop is not None:
            self._loop.leave_stream()

    def _drop_client(self) -> None:
        with self._clients:
            self._close_client()

    def _close_client(self) -> None:
        if self._client is not None:
            self._client[1].close()
        self._client = self._access = None
        self._greeted = False

    def _tell(self, progress: Progress | None) -> None:
        if progress is not None and self._cancelled:
            raise SyncCancelled
        now = time.monotonic()
        ended = progress is None or progress.done == progress.total
        if not ended and now - self._told < 1 / _TELLS_A_SECOND:
            return
        self._told = now
        was, self.syncing = self.syncing, progress
        if progress is not None:
            self._context.events.emit(progress)
        elif was is not None:
            self.tell_status()

    def _note(self, *, online: bool, error: str) -> None:
        if not online:
            self._greeted = False
        changed = (self.online, self.last_error) != (online, error)
        self.online, self.last_error = online, error
        if changed:
            self.tell_status()

    def _look_at_lease(self, *, anew: bool = False, at_once: bool = False) -> None:
        """See ``Leasing.look``; where everything was removed, nothing is exchanged any more."""
        from desk.services.leasing import Leasing

        if self._leasing is None:
            self._leasing = Leasing(self._context, lambda hub: self.connect(hub, ""))
        try:
            self._leasing.look(anew=anew, at_once=at_once)
        except WipeOrdered as error:
            self._note(online=False, error=error.code)
            raise

    def _keep_failure(self, error: DeskError) -> None:
        """Let another process tell of it. What the person stopped himself is no failure."""
        if isinstance(error, OfflineByChoice | SyncCancelled):
            return
        # A full disk is told of by the exchange itself.
        with suppress(DeskError), self._context.store.write() as connection:
            mishaps.note(connection, error, self._context.clock())

    def _keep_success(self) -> None:
        now = self._context.clock()
        with suppress(DeskError), self._context.store.write() as connection:
            mishaps.pass_over(connection)
            if abs(now - settings.number(connection, settings.SYNCED_AT)) >= _KEPT_EVERY:
                settings.put(connection, settings.SYNCED_AT, str(now))

    def _forgive(self) -> None:
        """The session is another: what failed before says nothing of it."""
        with suppress(DeskError), self._context.store.write() as connection:
            mishaps.pass_over(connection)
