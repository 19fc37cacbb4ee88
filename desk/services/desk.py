"""A desk: everything the screens and the command line may ask of one person's local copy.

Reading and writing answer from ``local.db`` at once; the network is used by ``sign_in``,
``sync_once`` and the background threads of ``start`` alone. Every method may be called from any
thread. What cannot be done raises a ``DeskError``. Everything heavy is imported in ``open``, so
that a screen can be painted before it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, overload

from desk.services.errors import AlteredCopy, DeskError, NotSignedIn, WipeOrdered, WipeUnfinished
from desk.services.views import (
    BoardCard,
    Calling,
    Card,
    Checkup,
    Done,
    DraftInfo,
    Event,
    InboxEntry,
    Listener,
    Progress,
    Row,
    RowsChanged,
    Status,
    StatusChanged,
    Step,
    SyncReport,
    Verdict,
)

if TYPE_CHECKING:
    from httpx import BaseTransport

    from desk.domain.model import Actor, Person, Value
    from desk.domain.operations import Intent
    from desk.domain.playbook import Playbook
    from desk.protocol.leases import Wiped
    from desk.protocol.messages import SecondFactor
    from desk.protocol.sessions import SessionInfo
    from desk.services.context import Context
    from desk.services.device_key import Prover
    from desk.services.hub_client import HubClient
    from desk.services.journal import Via
    from desk.services.keyfile import Outer
    from desk.services.lease import Standing
    from desk.services.network import Network
    from desk.services.officer import Officer
    from desk.services.persons import PersonFound
    from desk.services.profile import Profile
    from desk.services.recovery import Salvaged
    from desk.services.vault import OpenKeyFile
    from desk.services.vault_report import VaultState

__all__ = [
    "BoardCard",
    "Calling",
    "Card",
    "Checkup",
    "Desk",
    "Done",
    "DraftInfo",
    "Event",
    "InboxEntry",
    "Listener",
    "Progress",
    "Row",
    "RowsChanged",
    "Status",
    "StatusChanged",
    "Step",
    "SyncReport",
    "Verdict",
    "wall_clock",
]


def wall_clock() -> int:
    """Now, in UTC milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class _Door:
    """Lets a vault open by its lease, or removes it where the hub orders that."""

    def __init__(
        self, profile: Profile, clock: Callable[[], int], transport: BaseTransport | None
    ) -> None:
        self._profile = profile
        self._clock = clock
        self._transport = transport

    def admit(self, box: OpenKeyFile) -> bytes:
        """The lease share, if it is a factor. Raises as ``lease.admit``."""
        from desk.services import lease, wipe

        try:
            return lease.admit(box, self._clock, self._connect)
        except WipeOrdered as ordered:
            wipe.run(self._profile.folder, box, ordered.order.id, _teller(self._transport))
            raise

    def _connect(self, outer: Outer) -> tuple[HubClient, Prover]:
        from desk.services.device_key import Device, Prover
        from desk.services.hub_client import HubClient

        device = Device(outer.device, outer.device_key)
        prover = Prover(device, outer.hub_id, self._clock, os.urandom)
        return HubClient(outer.hub, "", self._transport), prover


def _teller(transport: BaseTransport | None) -> Callable[[str, Wiped], None]:
    """Says to a hub that everything is gone."""

    def tell(hub: str, said: Wiped) -> None:
        from desk.services.hub_client import HubClient

        client = HubClient(hub, "", transport)
        try:
            client.wiped(said)
        finally:
            client.close()

    return tell


def _go_on_wiping(profile: Profile, transport: BaseTransport | None) -> None:
    """Go on with a wipe that did not end. Raises ``WipeUnfinished``."""
    if not profile.is_being_wiped:
        return
    from desk.services import wipe

    if not wipe.go_on(profile.folder):
        raise WipeUnfinished(profile=str(profile.folder))
    wipe.tell(profile.folder, _teller(transport))


def _begin_anew_if_old(context: Context, network: Network) -> None:
    """Show nothing of a file that somebody put back; the person is told."""
    from desk.services import vault_state

    if not vault_state.is_old(context.store):
        return
    from desk.services import quarantine

    try:
        quarantine.look(context)
    except AlteredCopy as error:
        network.lost(error)


class Desk:
    """One person's desk on one device."""

    def __init__(
        self,
        profile: Profile,
        context: Context,
        network: Network,
        transport: BaseTransport | None = None,
    ) -> None:
        self._profile = profile
        self._context = context
        self._network = network
        self._transport = transport

    @classmethod
    def open(
        cls,
        profile_dir: str | Path | None = None,
        passphrase: str | None = None,
        *,
        clock: Callable[[], int] = wall_clock,
        random: Callable[[int], bytes] = os.urandom,
        transport: BaseTransport | None = None,
    ) -> Desk:
        """Own the profile, unlock its vault (or make a new one) and open the local copy.

        ``profile_dir`` defaults to ``DESK_HOME`` or the system's folder for user data. A
        ``passphrase`` is needed where the vault was made with one, and for a new vault where the
        machine has no keyring. Raises ``Locked``, ``PassphraseNeeded``, ``WrongPassphrase``,
        ``KeyLost``, ``OtherKeyring``, ``MissingKeyFile``, ``DamagedKeyFile``, ``DamagedFile``,
        ``ForeignFile``, ``NewerFile``, ``AlreadyOpen``, ``UnusableProfile``,
        ``LeaseOver``, ``ClockSetBack``, ``HubNeeded``, ``LeaseRefused``; none of them changes what
        is kept. Where the hub has ordered it, everything is removed and ``WipeOrdered`` raised.
        """
        from desk.services import lockdown, vault
        from desk.services.profile import Profile

        lockdown.harden()
        profile = Profile.own(profile_dir)
        try:
            # The passphrase is stretched while what comes next is imported.
            stretched = vault.begin(profile, passphrase)
            from desk.services.context import Context
            from desk.services.network import Network
            from desk.services.store import Store

            _go_on_wiping(profile, transport)
            keys = vault.unlock(
                profile,
                passphrase,
                random=os.urandom,
                stretched=stretched,
                admit=_Door(profile, clock, transport).admit,
            )
            if profile.fresh_database.exists():
                from desk.services import recovery

                recovery.finish(profile)
            store = Store.open(profile.database, keys)
        except BaseException:
            profile.release()
            raise
        try:
            context = Context(store, clock, random)
            network = Network(context, transport)
            _begin_anew_if_old(context, network)
            return cls(profile, context, network, transport)
        except BaseException:
            store.close()
            profile.release()
            raise

    @classmethod
    def recover(cls, profile_dir: str | Path | None, passphrase: str | None) -> Salvaged:
        """Save what a person did from a file that is damaged; the rest is fetched anew later.

        The desk must not be open. Raises as ``open``, but not ``DamagedFile``.
        """
        from desk.services import vault
        from desk.services.profile import Profile

        profile = Profile.own(profile_dir)
        try:
            stretched = vault.begin(profile, passphrase)
            from desk.services import recovery

            admit = _Door(profile, wall_clock, None).admit
            keys = vault.unlock(
                profile, passphrase, random=os.urandom, stretched=stretched, admit=admit
            )
            return recovery.salvage(profile, keys)
        finally:
            profile.release()

    def close(self) -> None:
        """End the background threads, close the local copy and give the profile free."""
        self._network.stop()
        self._anchor()
        self._context.store.close()
        try:
            # What was open could not be removed everywhere.
            _go_on_wiping(self._profile, self._transport)
        finally:
            self._profile.release()

    def wipe(self) -> None:
        """Remove everything this desk holds, unsent work too, tell the hub, and close the desk.

        Raises ``WipeUnfinished`` where something is left for the next start.
        """
        from desk.services import wipe

        self._network.stop()
        self._context.store.close()
        try:
            box = self._context.store.keys.box
            if not wipe.run(self.profile_dir, box, "", _teller(self._transport)):
                raise WipeUnfinished(profile=str(self.profile_dir))
        finally:
            self._profile.release()

    def _anchor(self) -> None:
        """Let the next opening know by what it finds that nobody changed it meanwhile."""
        from desk.services import vault_state

        if not self._context.store.is_open or self._profile.is_being_wiped:
            return
        if not self._profile.key_file.exists():
            return
        # A keyring that went away, or a full disk: the last anchor stands.
        with suppress(DeskError):
            vault_state.anchor(self._context.store)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # Who

    @property
    def profile_dir(self) -> Path:
        """The folder of this desk's files."""
        return self._profile.folder

    @property
    def context(self) -> Context:
        """What the services share; for the services' own use."""
        return self._context

    @property
    def lease(self) -> Standing:
        """How long this desk may work without the hub, and whether it still may."""
        from desk.services import lease

        return lease.standing(self._context.store.keys.box.outer, self._context.clock())

    @property
    def vault(self) -> VaultState:
        """What the vault is opened by and how it stands."""
        from desk.services import vault_report

        return vault_report.report(self._context, self.lease)

    def renew_keys(self, passphrase: str | None = None) -> None:
        """Wrap the vault's keys anew, by ``passphrase`` where another one is given.

        Raises ``KeyLost``; a crash leaves a vault that opens.
        """
        from desk.services import vault_report

        vault_report.renew(self._context, passphrase)

    @property
    def signed_in(self) -> bool:
        """Whether somebody has signed in, so that there is a playbook and a person."""
        return self._context.account is not None

    @property
    def playbook(self) -> Playbook:
        """The company's process. Raises ``NotSignedIn``."""
        return self._context.rulebook.playbook

    @property
    def me(self) -> Actor:
        """Who works here, as rules see it. Raises ``NotSignedIn``."""
        return self._context.rulebook.actor

    @property
    def person(self) -> Person:
        """Who works here. Raises ``NotSignedIn``."""
        account = self._context.account
        if account is None:
            raise NotSignedIn
        return account.person

    @property
    def company(self) -> str:
        """The company's name as the hub told it at sign-in. Raises ``NotSignedIn``."""
        account = self._context.account
        if account is None:
            raise NotSignedIn
        return account.company

    def sign_in(
        self,
        hub: str,
        user: str,
        password: str,
        *,
        enrolment: str = "",
        code: str = "",
        authority: str = "",
    ) -> Person:
        """Sign in at the hub's URL and keep the session; rows come with ``sync_once``.

        ``enrolment`` is the code for a new device, ``code`` that of the authenticator;
        ``authority`` is the company's own certificate authority (PEM), kept from then on. Raises
        ``WrongPassword``, ``CodeNeeded``, ``WrongCode``, ``SecondFactorNeeded``,
        ``TooManyAttempts``, ``HubUnreachable``, ``WrongProtocol``, ``NotAHub``, ``OtherAccount``,
        ``BadHubAddress``, ``InsecureHub``, ``UntrustedHub``.
        """
        from desk.services import operators
        from desk.services.session import Credentials

        person = self._network.sign_in(
            Credentials(
                hub=hub,
                user=user,
                password=password,
                enrolment=enrolment,
                code=code,
                authority=authority,
            )
        )
        operators.remember(self.profile_dir, person.id)
        return person

    def begin_second_factor(
        self, hub: str, user: str, password: str, *, enrolment: str = "", authority: str = ""
    ) -> SecondFactor:
        """A secret for an authenticator: signing in with its first code puts it in force.

        Raises as ``sign_in``, and ``HasSecondFactor``.
        """
        from desk.services.session import Credentials

        return self._network.begin_second_factor(
            Credentials(
                hub=hub, user=user, password=password, enrolment=enrolment, authority=authority
            )
        )

    def sessions(self) -> list[SessionInfo]:
        """One's own sessions at the hub, the latest used first. Raises what the hub makes it."""
        return self._network.client().sessions()

    def end_session(self, session_id: str) -> None:
        """End one of one's own sessions. Raises ``NoSuchSession``."""
        from desk.protocol.sessions import EndSession

        self._network.client().end_session(EndSession(id=session_id))

    def change_password(self, current: str, new: str) -> None:
        """Take another password; one's other sessions end.

        Raises ``WrongPassword``, ``WeakPassword``, ``TooManyAttempts``.
        """
        from desk.protocol.sessions import NewPassword

        self._network.client().change_password(NewPassword(current=current, new=new))

    def sign_out(self) -> None:
        """Forget the session here and, when it can be reached, at the hub; rows and work stay."""
        self._network.sign_out()

    def status(self) -> Status:
        """The state of the desk, quickly."""
        from desk.services import status

        return status.status(self._context, self._network)

    def examine(self) -> Checkup:
        """Look the desk over for ``desk doctor``; asks the hub, so call it in a worker.

        Raises nothing for a hub that does not answer: that is one of the findings.
        """
        from desk.services import doctor

        return doctor.examine(
            self._context, self._network, self._profile.database, time.perf_counter
        )

    def items(self) -> int:
        """How many items are here, also when nobody is signed in; slower than ``status``."""
        return self._context.items()

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Call ``callback`` with each event, in whichever thread; the answer unsubscribes it."""
        return self._context.events.listen(callback)

    # Reading

    def rows(
        self,
        kind: str | None = None,
        filter: str | None = None,  # noqa: A002 - the word people use
        sort: str | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """Items of ``kind`` that meet the condition ``filter``, the newest first.

        ``sort`` is a column or a field, ``-`` before it turns the order. Raises
        ``BadCondition``, ``UnknownColumn``, ``UnknownKind``, ``NotSignedIn``.
        """
        from desk.services import query

        return query.rows(self._context, kind, filter, sort, limit)

    @overload
    def count(self, kind: str | None = None, filter: str | None = None, by: None = None) -> int: ...

    @overload
    def count(
        self, kind: str | None = None, filter: str | None = None, *, by: str
    ) -> dict[str, int]: ...

    def count(
        self,
        kind: str | None = None,
        filter: str | None = None,  # noqa: A002 - the word people use
        by: str | None = None,
    ) -> int | dict[str, int]:
        """How many items of ``kind`` meet ``filter``; with ``by``, for each value of that column
        or field ("" is no value), the most frequent first. Raises as ``rows``."""
        from desk.services import query

        if by is None:
            return query.count(self._context, kind, filter)
        return query.count_by(self._context, by, kind, filter)

    def card(self, item_id: str) -> Card:
        """An item with all that belongs to it. Raises ``Refused`` (``no_item``)."""
        from desk.services import query

        return query.card(self._context, item_id)

    def people(self) -> dict[str, Person]:
        """Everybody who works here, by user id."""
        return self._context.people()

    def find(self, text: str, limit: int = 50) -> list[Row]:
        """Items whose title, id, or person's data contain ``text``, the newest first.

        Reads everything (0.2 s for 100 000 rows): call it in a worker.
        """
        from desk.services import search

        return search.find(self._context, text, limit)

    # Writing

    def do(self, intent: Intent) -> Done:
        """Apply ``intent`` here and queue it for the hub. Raises ``Refused``, ``DiskFull``."""
        from desk.services import work

        done = work.do(self._context, intent)
        self._network.wake()
        return done

    def inbox(self) -> list[InboxEntry]:
        """Operations the hub did not carry out, the oldest first."""
        from desk.services import inbox

        return inbox.entries(self._context)

    def discard(self, entry_id: str) -> None:
        """Drop an entry of the inbox: the person said so. Raises ``NoSuchEntry``."""
        from desk.services import inbox

        inbox.discard(self._context, entry_id)

    def retry(self, entry_id: str) -> Done:
        """Ask for it anew on top of what stands now. Raises ``Refused``, ``NoSuchEntry``."""
        from desk.services import work

        done = work.retry(self._context, entry_id)
        self._network.wake()
        return done

    def save_draft(self, item_id: str, form: str, values: Mapping[str, str]) -> None:
        """Keep what was typed into a form; it is on the disk when this returns."""
        from desk.services import drafts

        drafts.save(self._context, item_id, form, values)

    def draft(self, item_id: str, form: str) -> dict[str, str]:
        """What was typed into the form and not sent; empty when there is nothing."""
        from desk.services import drafts

        return drafts.load(self._context, item_id, form)

    def drafts(self) -> list[DraftInfo]:
        """Every form that was begun and not sent, the latest first."""
        from desk.services import drafts

        return drafts.all_drafts(self._context)

    def drop_draft(self, item_id: str, form: str) -> None:
        """Forget a draft: it was sent or thrown away by the person."""
        from desk.services import drafts

        drafts.drop(self._context, item_id, form)

    # Personal data

    def note_card(self, card: Card, via: Via = "card") -> None:
        """Put into the journal that the person has a card before him; on the disk at return.

        A card that is opened again within a minute is not noted again. Raises ``DiskFull``.
        """
        from desk.services import looks

        self._network.journal.read(
            card.item.id, card.item.subject_id, looks.fields_shown(self._context, card), via
        )

    def reveal(self, item_id: str, fields: Sequence[str], purpose: str) -> dict[str, Value]:
        """Masked fields ("subject.phone") of a card in full, for a purpose of the playbook's.

        The hub shows them and journals it; nothing of them is kept here. Call it in a worker.
        Raises ``NeedsHub``, ``LookRefused``, ``TooOften``, ``NotSignedIn``.
        """
        from desk.services import looks

        return looks.reveal(self._network, item_id, fields, purpose)

    def call(self, dialer: Sequence[str], item_id: str, field: str, place: int = 0) -> Calling:
        """Have a card's number dialled by a program; call it in a worker.

        Without one, whoever sees the number is given it. Raises ``NoDialer``, ``DialerFailed``,
        ``NeedsHub``, ``LookRefused``, ``Refused``, ``TooOften``, ``NotSignedIn``.
        """
        from desk.services import looks

        return looks.call(self._context, self._network, dialer, item_id, field, place)

    def note_copy(self, card: Card) -> None:
        """Put into the journal that text of a card was copied. Raises ``DiskFull``."""
        self._network.journal.note(
            "copy", item_id=card.item.id, subject_id=card.item.subject_id, via="card"
        )

    def note_rows(self, rows: Iterable[Row], via: Via) -> None:
        """Put into the journal whose cards a list or a search showed. Raises ``DiskFull``."""
        event = "search" if via in ("search", "find") else "read"
        found = [(row.item.id, row.item.subject_id) for row in rows]
        self._network.journal.listed(event, found, via)

    def show_person(self, subject_id: str, purpose: str) -> PersonFound:
        """A person by the id or its beginning, for a purpose of the playbook's; journaled.

        Raises ``NoSuchPerson``, ``NoSuchPurpose``, ``DiskFull``.
        """
        from desk.services import persons

        return persons.show(self._context, self._network.journal, subject_id, purpose)

    def find_people(self, contact: str) -> list[PersonFound]:
        """The people of the local copy with a whole phone or e-mail; journaled."""
        from desk.services import persons

        return persons.find(self._context, self._network.journal, contact)

    def consents_of(self, subject_id: str) -> PersonFound:
        """What a person agreed to, without his data. Raises ``NoSuchPerson``."""
        from desk.services import persons

        return persons.consents(self._context, subject_id)

    @property
    def officer(self) -> Officer:
        """What the officer for personal data asks of the hub; call it in a worker."""
        from desk.services.officer import Officer

        return Officer(self._network.client)

    # Network

    def sync_once(self, told: Callable[[Step], None] | None = None) -> SyncReport:
        """Send what waits and fetch what is new, now. Raises what the hub makes it raise.

        ``told`` hears of each step, in whichever thread.
        """
        return self._network.sync_once(told)

    def verify(self, *, repair: bool = False) -> Verdict:
        """Exchange, and compare everything here with what the hub shows this person.

        With ``repair`` what differs is fetched anew. Raises what the hub makes it raise.
        """
        return self._network.verify(repair=repair)

    def cancel_sync(self) -> None:
        """Stop the exchange under way between two pages: its ``sync_once`` raises
        ``SyncCancelled``, and the next one goes on where it was.

        The background rests until the person does something or syncs by himself.
        """
        self._network.cancel()

    def start(self) -> None:
        """Send and fetch in the background from now on."""
        self._network.start()

    def stop(self) -> None:
        """End the background threads (within a second)."""
        self._network.stop()

    @property
    def hears_hints(self) -> bool:
        """Whether the hub would tell of a change at once; else it is asked every few seconds."""
        return self._network.hears_hints

    def set_presence(self, presence: Literal["auto", "present", "away"]) -> None:
        """Tell the hub whether one is at work; "auto" follows whether the desk is open."""
        from desk.protocol.messages import Presence

        self._network.set_presence(Presence(presence=presence))

    def go_offline(self, offline: bool) -> None:
        """The operator's own network switch; it lasts as long as the process."""
        self._network.go_offline(offline)
