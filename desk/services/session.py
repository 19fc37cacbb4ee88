"""Signing in and out: whose desk this is, and as which device the hub knows it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import msgspec
from sqlalchemy import Connection

from desk.domain.model import Person, Unspoken
from desk.protocol.messages import PROTOCOL, NewDevice, SecondFactor, SignedIn, SignIn
from desk.schema.desk_tables import metadata
from desk.services import access, device_key, inbox, queue, settings, shadow, vault_state
from desk.services.context import Account, Context, read_playbook
from desk.services.device_key import Device, Prover
from desk.services.errors import DeskError, NotSignedIn, OtherAccount
from desk.services.hub_client import HubClient
from desk.services.rows import PEOPLE
from desk.services.views import StatusChanged

Connect = Callable[[str, str], HubClient]

_DEVICE_NAME = 200


class Credentials(Unspoken, frozen=True, kw_only=True):
    """What a person proves himself by: ``enrolment`` and ``code`` only where the hub asks."""

    hub: str
    user: str
    password: str
    enrolment: str = ""
    code: str = ""
    #: The company's certificate authority in PEM; empty leaves the one that is kept.
    authority: str = ""


def sign_in(context: Context, connect: Connect, typed: Credentials) -> Person:
    """Sign in and keep the session; another user's rows are removed, unsent work never is.

    ``connect`` makes a client for an address and a token. Raises what ``Desk.sign_in`` says.
    """
    with _asking(context, connect, typed) as (client, asked, prover, device, switching):
        answer = client.sign_in(asked, prover)
        address = client.hub
    entered = connect(address, answer.token)
    try:
        playbook = entered.playbook()
    finally:
        entered.close()
    read_playbook(playbook.source, playbook.version)
    with context.store.write(durable=True) as connection:
        if switching:
            _wipe(connection)
        _keep(connection, address, device, answer)
        if typed.authority:
            settings.put(connection, settings.HUB_AUTHORITY, typed.authority)
        settings.put(connection, settings.PLAYBOOK, playbook.source)
        settings.put(connection, settings.PLAYBOOK_VERSION, str(playbook.version))
    if switching:
        context.store.scrub()
    context.reload()
    context.rows_changed(None, people=True)
    context.events.emit(StatusChanged())
    return answer.person


def begin_second_factor(context: Context, connect: Connect, typed: Credentials) -> SecondFactor:
    """A secret for an authenticator; signing in with its first code puts it in force."""
    with _asking(context, connect, typed) as (client, asked, prover, *_):
        return client.second_factor(asked, prover)


@contextmanager
def _asking(
    context: Context, connect: Connect, typed: Credentials
) -> Generator[tuple[HubClient, SignIn, Prover, Device, bool]]:
    """A client with what it has to send, the device it is sent from, and whether another user's
    rows are here."""
    user = typed.user.strip()
    client = connect(typed.hub, "")
    try:
        hello = client.handshake()
        switching = _is_other(context, hello.hub, user)
        device = _device(context, hello.hub, user, switching=switching)
        prover = Prover(device, hello.hub, context.clock, context.random)
        prover.learn(hello.now)
        asked = SignIn(
            user=user,
            password=typed.password,
            device=device.id,
            device_name=_name(),
            protocol=PROTOCOL,
            key=device.public,
            enrolment=typed.enrolment.strip(),
            code=typed.code.strip(),
        )
        yield client, asked, prover, device, switching
    finally:
        client.close()


def sign_out(context: Context, client: HubClient | None) -> None:
    """End the session at the hub when it answers, and here; rows and unsent work stay."""
    try:
        if client is not None:
            # Where it does not answer, the session ends there by itself.
            with suppress(DeskError):
                client.sign_out()
    finally:
        with context.store.write(durable=True) as connection:
            access.forget(connection)
            settings.put(connection, settings.SIGNED_OUT, "1")
        context.reload()
        context.events.emit(StatusChanged())


def become_a_device(context: Context, client: HubClient) -> None:
    """Get a device of this profile's own: it is a copy, and the other one works on, too.

    What waits keeps its ids and gets new numbers, so what the other one sent is not done twice.
    """
    account = context.account
    with context.store.write(durable=True) as connection:
        copied = device_key.mine(connection, context.random)
    if account is None or copied is None:
        raise NotSignedIn
    device = device_key.make(context.new_id(), context.random)
    asked = NewDevice(device=device.id, device_name=_name(), key=device.public)
    answer = client.new_device(asked, Prover(copied, account.hub_id, context.clock, context.random))
    with context.store.write(durable=True) as connection:
        device_key.keep(connection, device)
        access.keep(connection, answer)
        queue.begin_anew(connection, answer.last_op)
    context.events.emit(StatusChanged())


def device(context: Context) -> str | None:
    """The id of the device that a session is open for, if one is."""
    with context.store.read() as connection:
        if settings.get(connection, settings.TOKEN) is None:
            return None
        return settings.get(connection, settings.DEVICE) or ""


def _is_other(context: Context, hub_id: str, user: str) -> bool:
    """Whether somebody else's rows are here. Raises ``OtherAccount`` if his work waits, too."""
    with context.store.read() as connection:
        raw = settings.get(connection, settings.ACCOUNT)
        if raw is None:
            return False
        before = msgspec.json.decode(raw, type=Account)
        if before.person.id == user and before.hub_id == hub_id:
            return False
        drafts = connection.exec_driver_sql("SELECT count(*) FROM draft").scalar_one()
        if queue.count_unanswered(connection) or inbox.count(connection) or drafts:
            raise OtherAccount(user=before.person.id)
        return True


def _device(context: Context, hub_id: str, user: str, *, switching: bool) -> Device:
    """The device to sign in as, on the disk before the hub hears of it: an answer may be lost."""

    def new() -> Device:
        return device_key.make(context.new_id(), context.random)

    with context.store.write(durable=True) as connection:
        known = None if switching else device_key.mine(connection, context.random)
        return known or device_key.next_of(connection, hub_id, user, new)


def _name() -> str:
    return platform.node()[:_DEVICE_NAME]


def _keep(connection: Connection, hub: str, device: Device, answer: SignedIn) -> None:
    account = Account(hub=hub, hub_id=answer.hub, company=answer.company, person=answer.person)
    known = settings.number(connection, settings.LAST_OP)
    settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
    access.keep(connection, answer)
    device_key.keep(connection, device)
    settings.put(connection, settings.LAST_OP, str(max(known, answer.last_op)))
    settings.drop(connection, settings.SIGNED_OUT)
    PEOPLE.put(connection, [answer.person])


def _wipe(connection: Connection) -> None:
    shadow.drop(connection)
    epoch = vault_state.read(connection).epoch
    for table in metadata.tables.values():
        connection.execute(table.delete())
    vault_state.begin(connection, epoch)
