"""Single values in ``local.db``: who is signed in where, how far the rows are, the playbook."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, insert, select

from desk.schema.desk_tables import setting

#: Who signed in (``context.Account``); it stays after a sign-out, for the work that waits.
ACCOUNT: Final = "account"
SIGNED_OUT: Final = "signed_out"
TOKEN: Final = "token"  # noqa: S105 - the name of it
#: What gets the next token, and under which id it is asked for while no answer has come.
REFRESH: Final = "refresh"
RETRY: Final = "retry"
#: The company's certificate authority in PEM, where a person named one.
HUB_AUTHORITY: Final = "hub_authority"
DEVICE: Final = "device"
#: The private half of the device's key, and the device that somebody begins to be.
DEVICE_KEY: Final = "device_key"
NEXT_DEVICE: Final = "next_device"
PLAYBOOK: Final = "playbook"
PLAYBOOK_VERSION: Final = "playbook_version"
#: Number of this device's last operation that the hub has answered.
LAST_OP: Final = "last_op"
#: Where the next pull starts; absent until a first bootstrap is complete.
CURSOR: Final = "cursor"
#: Under which masks the rows here were shown (see ``sight``).
MASKS: Final = "masks"
#: How the last comparison with the hub ended ("same", "repaired", "differs"), when (ms), where the
#: next one begins (see ``watch``), and when something was repaired last.
DIGEST_STATE: Final = "digest_state"
DIGEST_AT: Final = "digest_at"
DIGEST_NEXT: Final = "digest_next"
REPAIRED_AT: Final = "repaired_at"
#: A snapshot that is arriving in the shadow copy (see ``bootstrap``).
SNAPSHOT: Final = "snapshot"
#: The epoch of a rotation of the wrapping keys that is not ended (``erasure``).
ROTATION: Final = "rotation"
#: When this desk asked for its lease last, ms.
LEASED_AT: Final = "leased_at"
#: The rows were begun anew since the hub last heard how they stand (see ``recovery``).
FRESH: Final = "fresh"
#: What the last failed exchange failed of (``mishaps``), and when it began to fail, ms.
LAST_ERROR: Final = "last_error"
LAST_ERROR_AT: Final = "last_error_at"
#: When the last whole exchange ended, ms; a minute behind at most.
SYNCED_AT: Final = "synced_at"

#: The last entry of this desk's journal that the hub has (number and MAC), and what was found
#: wrong with the journal and is to be told to the hub, as a code.
JOURNAL_SENT: Final = "journal_sent"
JOURNAL_BROKEN: Final = "journal_broken"


def get(connection: Connection, key: str) -> str | None:
    """The value of a key, if it has one."""
    query = select(setting.c.value).where(setting.c.key == key)
    return connection.execute(query).scalar_one_or_none()


def put(connection: Connection, key: str, value: str) -> None:
    """Set a key's value."""
    drop(connection, key)
    connection.execute(insert(setting).values(key=key, value=value))


def drop(connection: Connection, *keys: str) -> None:
    """Forget the values of keys."""
    connection.execute(delete(setting).where(setting.c.key.in_(keys)))


def number(connection: Connection, key: str) -> int:
    """A key's value as a whole number; 0 where it has none."""
    return int(get(connection, key) or 0)
