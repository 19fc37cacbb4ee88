"""Signing in and out: whose desk this is, and the token the hub knows it by."""

from __future__ import annotations

import platform
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from desk.domain.model import Person
from desk.protocol.messages import PROTOCOL, NewDevice, SignedIn, SignIn
from desk.schema.desk_tables import metadata
from desk.services import inbox, queue, settings, shadow
from desk.services.context import Account, Context, read_playbook
from desk.services.errors import DeskError, OtherAccount
from desk.services.hub_client import HubClient
from desk.services.rows import PEOPLE
from desk.services.views import StatusChanged

Connect = Callable[[str, str], HubClient]

_DEVICE_NAME = 200


def sign_in(context: Context, connect: Connect, hub: str, user: str, password: str) -> Person:
    """Sign in and keep the session; another user's rows are removed, unsent work never is.

    ``connect`` makes a client for an address and a token. Raises what ``Desk.sign_in`` says.
    """
    client = connect(hub, "")
    try:
        hub_id = client.handshake().hub
        switching = _is_other(context, hub_id, user.strip())
        device = context.new_id() if switching else _device(context)
        answer = client.sign_in(
            SignIn(
                user=user.strip(),
                password=password,
                device=device,
                device_name=platform.node()[:_DEVICE_NAME],
                protocol=PROTOCOL,
            )
        )
        address = client.hub
    finally:
        client.close()
    entered = connect(hub, answer.token)
    try:
        playbook = entered.playbook()
    finally:
        entered.close()
    read_playbook(playbook.source, playbook.version)
    with context.store.write(durable=True) as connection:
        if switching:
            _wipe(connection)
        _keep(connection, address, device, answer)
        settings.put(connection, settings.PLAYBOOK, playbook.source)
        settings.put(connection, settings.PLAYBOOK_VERSION, str(playbook.version))
    if switching:
        context.store.scrub()
    context.reload()
    context.rows_changed(None, people=True)
    context.events.emit(StatusChanged())
    return answer.person


def sign_out(context: Context, client: HubClient | None) -> None:
    """Forget the token here, and at the hub when it answers; rows and unsent work stay."""
    with context.store.write(durable=True) as connection:
        settings.drop(connection, settings.TOKEN)
        settings.put(connection, settings.SIGNED_OUT, "1")
    context.reload()
    context.events.emit(StatusChanged())
    if client is not None:
        try:
            client.sign_out()
        except DeskError:
            return  # The token is forgotten here; at the hub it ends by itself.


def become_a_device(context: Context, client: HubClient) -> None:
    """Get a device of this profile's own: it is a copy, and the other one works on, too.

    What waits keeps its ids and gets new numbers, so what the other one sent is not done twice.
    """
    device = context.new_id()
    answer = client.new_device(NewDevice(device=device, device_name=platform.node()[:_DEVICE_NAME]))
    with context.store.write(durable=True) as connection:
        settings.put(connection, settings.DEVICE, device)
        settings.put(connection, settings.TOKEN, answer.token)
        queue.begin_anew(connection, answer.last_op)
    context.events.emit(StatusChanged())


def token(context: Context) -> str | None:
    """The session's token, if there is one."""
    with context.store.read() as connection:
        return settings.get(connection, settings.TOKEN)


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


def _device(context: Context) -> str:
    with context.store.read() as connection:
        return settings.get(connection, settings.DEVICE) or context.new_id()


def _keep(connection: Connection, hub: str, device: str, answer: SignedIn) -> None:
    account = Account(hub=hub, hub_id=answer.hub, company=answer.company, person=answer.person)
    known = settings.number(connection, settings.LAST_OP)
    settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
    settings.put(connection, settings.TOKEN, answer.token)
    settings.put(connection, settings.DEVICE, device)
    settings.put(connection, settings.LAST_OP, str(max(known, answer.last_op)))
    settings.drop(connection, settings.SIGNED_OUT)
    PEOPLE.put(connection, [answer.person])


def _wipe(connection: Connection) -> None:
    shadow.drop(connection)
    for table in metadata.tables.values():
        connection.execute(table.delete())
