"""What a pull does to an open desk: other people's rows arrive, cards leave sight, rules change."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from desk.domain.model import Entry, Item, Value
from desk.services import settings
from desk.services.context import Account
from desk.services.desk import Desk
from desk.services.rows import ENTRIES, ITEMS, SUBJECTS, TASKS
from tests.screens.desks import MINUTE, NOW, PEOPLE_HERE, identifier


def item_of(desk: Desk, item_id: str) -> Item:
    """The card's item as it is here."""
    return desk.card(item_id).item


def arrive(
    desk: Desk, items: Iterable[Item] = (), entries: Iterable[Entry] = (), *, whole: bool = False
) -> None:
    """Rows that the hub sent; `whole` tells that nearly all changed."""
    items, entries = list(items), list(entries)
    with desk.context.store.write() as connection:
        ITEMS.put(connection, items)
        ENTRIES.put(connection, entries)
    ids = {item.id for item in items} | {entry.item_id for entry in entries}
    desk.context.rows_changed(None if whole else ids)


def fill_in(desk: Desk, item_id: str, **fields: Value) -> None:
    """Somebody else changed fields of a card."""
    item = item_of(desk, item_id)
    version = item.version + 1
    arrive(
        desk,
        [
            msgspec.structs.replace(
                item,
                version=version,
                fields={**item.fields, **fields},
                field_versions={**item.field_versions, **dict.fromkeys(fields, version)},
            )
        ],
    )


def move(desk: Desk, item_id: str, stage: str, who: str | None = "sales2", **more: object) -> None:
    """Somebody else moved a card, 27 minutes ago."""
    item = item_of(desk, item_id)
    entry = Entry(
        id=identifier(5000 + item.version),
        item_id=item_id,
        at=NOW - 27 * MINUTE,
        who=who,
        event="accept",
        from_stage=item.stage,
        to_stage=stage,
    )
    moved = msgspec.structs.replace(item, stage=stage, version=item.version + 1, **more)
    arrive(desk, [moved], [entry])


def forget(desk: Desk, *item_ids: str) -> None:
    """Cards left sight."""
    with desk.context.store.write() as connection:
        subjects = [one.subject_id for one in ITEMS.get(connection, item_ids) if one.subject_id]
        ITEMS.delete(connection, item_ids)
        TASKS.delete(connection, item_ids, "item_id")
        ENTRIES.delete(connection, item_ids, "item_id")
        SUBJECTS.delete(connection, subjects)
    desk.context.rows_changed(item_ids)


def rule(
    desk: Desk, *, role: str = "", old: str = "", new: str = "", ids: Iterable[str] | None = None
) -> None:
    """Another role, or another playbook with `new` in the place of `old`; screens hear of the
    cards `ids`, of all of them if None."""
    person = next(one for one in PEOPLE_HERE if one.id == desk.me.id)
    with desk.context.store.write() as connection:
        account = msgspec.json.decode(
            settings.get(connection, settings.ACCOUNT) or "", type=Account
        )
        if role:
            person = msgspec.structs.replace(person, role=role)
            account = msgspec.structs.replace(account, person=person)
            encoded = msgspec.json.encode(account).decode()
            settings.put(connection, settings.ACCOUNT, encoded)
        source = settings.get(connection, settings.PLAYBOOK) or ""
        assert old in source
        settings.put(connection, settings.PLAYBOOK, source.replace(old, new) if old else source)
        settings.put(connection, settings.PLAYBOOK_VERSION, "2")
    desk.context.reload()
    desk.context.rows_changed(ids, people=True)
