"""What a person is told of a conflict: the values that stand on the hub, who put them there, when.

Both are cut by his rights like anything else that he reads.
"""

from __future__ import annotations

from sqlalchemy import Connection

from desk.domain.model import Item, Subject, Value
from desk.domain.operations import EditSubject, Operation
from desk.domain.refusals import Conflict
from desk.domain.scene import Scene
from desk.hub import changes
from desk.hub.projection import Reader
from desk.protocol.messages import Changed

#: The name under which the stage of an item stands among the fields.
STAGE = "stage"


def theirs(reader: Reader, scene: Scene, wanted: Operation, conflict: Conflict) -> dict[str, Value]:
    """The values that stand on the hub, as far as the asker may read them."""
    row = _row(reader, scene, wanted)
    if row is None:
        return {}
    values = {name: row.fields[name] for name in conflict.fields if name in row.fields}
    if STAGE in conflict.fields and scene.item is not None:
        values[STAGE] = scene.item.stage
    return values


def changed(
    connection: Connection, reader: Reader, scene: Scene, wanted: Operation, conflict: Conflict
) -> dict[str, Changed]:
    """Who put them there, for each field of which the log still knows it."""
    row = _row(reader, scene, wanted)
    if row is None:
        return {}
    kind = "item" if isinstance(row, Item) else "subject"
    versions = {
        name: row.field_versions[name] for name in conflict.fields if name in row.field_versions
    }
    found = changes.last_changed(connection, kind, row.id, versions)
    moved = changes.last_moved(connection, row.id) if STAGE in conflict.fields else None
    return {**found, STAGE: moved} if moved else found


def _row(reader: Reader, scene: Scene, wanted: Operation) -> Item | Subject | None:
    """The row that the operation was to change, as the asker may read it."""
    if scene.item is None:
        return None
    subject = scene.subject_of(scene.item)
    if isinstance(wanted.intent, EditSubject):
        return reader.subject(subject) if subject is not None else None
    return reader.item(scene.item)
