"""The state of a desk in one glance."""

from __future__ import annotations

from desk.services import inbox, queue, settings
from desk.services.context import Context
from desk.services.network import Network
from desk.services.views import Status


def status(context: Context, network: Network) -> Status:
    """What the status line and ``desk status`` show."""
    with context.store.read() as connection:
        waiting = queue.count_unanswered(connection)
        conflicts = inbox.count(connection)
        cursor = settings.get(connection, settings.CURSOR) or ""
    account = context.account
    return Status(
        user=account.person.id if account else None,
        role=account.person.role if account else None,
        hub=account.hub if account else None,
        online=network.online,
        offline_by_choice=network.offline_by_choice,
        pending=waiting,
        conflicts=conflicts,
        cursor=cursor,
        syncing=network.syncing,
        last_error=network.last_error,
    )
