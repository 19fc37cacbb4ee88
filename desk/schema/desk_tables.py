"""A desk's ``local.db``: the mirrored tables and what only the desk keeps."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from desk.schema.tables import ID, mirrored

metadata = MetaData()
_rows = mirrored(metadata, JSON(none_as_null=True))
item, task, entry, person = (_rows[kind] for kind in ("item", "task", "entry", "person"))

# People are sealed (``desk.services.subjects``): the hub's table is not the desk's.
metadata.remove(_rows["subject"])
subject = Table(
    "subject",
    metadata,
    Column("id", ID, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("consents", Text, nullable=False),
    Column("field_versions", Text, nullable=False),
    #: The records: some fields with the key of the others, and the others.
    Column("overview", LargeBinary, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    #: The digests that the row has in the look-ups, one after the other.
    Column("lookup", LargeBinary, nullable=False),
    #: Covers all of these.
    Column("mac", LargeBinary, nullable=False),
    #: Where among the look-ups they are.
    Column("shelf", Integer, nullable=False),
)
# A search by a part of a name reads every overview: from here it reads them without the details.
Index("subject_overview", subject.c.id, subject.c.version, subject.c.overview)

#: Who has a phone or an address, by its keyed digest; shelf by shelf (``desk.services.lookup``).
subject_lookup = Table(
    "subject_lookup",
    metadata,
    Column("shelf", Integer, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("subject_id", ID, primary_key=True),
    sqlite_with_rowid=False,
)

#: How many rows of people a table has, and the XOR of their MACs (``desk.services.vault_state``).
vault_state = Table(
    "vault_state",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

# A desk asks other questions than the hub: a whole board by stage and urgency, answered from the
# index alone, and the newest of a kind. What the hub's rights and routing ask, it never does.
for _table in (item, task):
    _table.indexes -= {
        _index
        for _index in _table.indexes
        if _index.name in ("item_stage", "item_responsible", "item_shared", "task_assignee")
    }
Index(
    "item_board",
    item.c.kind,
    item.c.stage,
    item.c.due_at,
    item.c.created_at,
    item.c.score,
    item.c.id,
    item.c.responsible,
)
Index("item_newest", item.c.kind, item.c.created_at, item.c.id)

#: Single values: account, hub, cursor, playbook, counters.
setting = Table(
    "setting",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

queue = Table(
    "queue",
    metadata,
    #: The operation's number in this device's sequence.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False, unique=True),
    Column("item_id", ID, nullable=False, index=True),
    Column("body", Text, nullable=False),
    #: "pending" until the hub answered, "accepted" until a pull covers it.
    Column("state", String(16), nullable=False),
)

#: Operations that the hub did and that the rows show, kept for some days: a hub that was restored
#: from a backup has forgotten them.
sent = Table(
    "sent",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("item_id", ID, nullable=False, index=True),
    Column("body", Text, nullable=False),
    Column("covered_at", BigInteger, nullable=False, index=True),
)

#: Operations that the hub rejected or that conflict: they wait for the person.
inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("item_id", ID, nullable=False, index=True),
    Column("body", Text, nullable=False),
    Column("result", String(16), nullable=False),
    Column("code", String(64), nullable=False),
    Column("args", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("theirs", Text, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    #: Who put "theirs" there and when, by field.
    Column("changed", Text, nullable=False, server_default="{}"),
)

#: The hub's row under each row that a waiting operation changed; empty body = no such row there.
base_row = Table(
    "base_row",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("body", Text),
)

#: Pages of a pull that are not applied yet.
staged = Table(
    "staged",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)

#: What a person has typed and not sent yet, by item and form.
draft = Table(
    "draft",
    metadata,
    Column("item_id", String(64), primary_key=True),
    Column("form", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    Index("draft_saved", "saved_at"),
)

#: What was done with personal data here and is not at the hub yet (``desk.domain.journal.Access``
#: as JSON): ids, names of fields and codes, chained by HMAC under the vault's journal key.
journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
)

#: People who are erased, by how far this desk is with it (``desk.services.erasure``).
erasure = Table(
    "erasure",
    metadata,
    Column("subject_id", ID, primary_key=True),
    Column("state", String(16), nullable=False),
)
