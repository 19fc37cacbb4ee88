"""The hub's database: the mirrored tables and what only the hub keeps."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from desk.schema.tables import ID, USER, mirrored

Json: JSON[Any] = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData()
_rows = mirrored(metadata, Json)
item, task, entry, subject, person = (
    _rows[kind] for kind in ("item", "task", "entry", "subject", "person")
)

# Personal data lies sealed beside the columns it would stand in, which are empty then
# (``desk.hub.sealing``).
for _table in (item, entry, subject):
    _table.append_column(Column("sealed", LargeBinary))

#: Subjects by phone and e-mail; no more than keyed digests of them (``desk.hub.lookup``).
subject_lookup = Table(
    "subject_lookup",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("digest", LargeBinary(16), primary_key=True),
    Column("subject_id", ID, primary_key=True),
    Index("subject_lookup_subject", "subject_id"),
)

#: Acts of erasure: who was erased, when, by whom, and what of him. Kept for good.
erasure = Table(
    "erasure",
    metadata,
    Column("subject_id", ID, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Column("by", USER),
    Column("reason", Text, nullable=False),
    Column("categories", Json, nullable=False),
)

#: The devices that may have held an erased person, and whether they confirmed that he is gone.
erasure_ack = Table(
    "erasure_ack",
    metadata,
    Column("subject_id", ID, primary_key=True),
    Column("device_id", ID, primary_key=True),
    Column("state", String(16), nullable=False),
    #: After this moment the device opens nothing any more; none where it is not known.
    Column("lease_until", BigInteger),
    Column("acked_at", BigInteger),
    Index("erasure_ack_device", "device_id", "acked_at"),
)

# What a new desk gets first; most items have no deadline.
_has_deadline = item.c.due_at.is_not(None)
Index(
    "item_due",
    item.c.due_at,
    item.c.id,
    sqlite_where=_has_deadline,
    postgresql_where=_has_deadline,
)

#: Who this hub is, for good: one row.
hub = Table(
    "hub",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    #: Since when personal data is sealed and the keys to it must be there; none: of an older hub.
    Column("sealed_at", BigInteger),
    #: What a new device needs beside the password: nothing ("open") or a "code".
    Column("enrolment", String(8), nullable=False, server_default="open"),
    #: Roles that need a second factor, separated by commas; "all" is all of them.
    Column("totp", Text, nullable=False, server_default=""),
    CheckConstraint("one = 1", name="hub_only_one"),
)

account = Table(
    "account",
    metadata,
    Column("user_id", USER, primary_key=True),
    Column("password_hash", String(200), nullable=False),
    #: True for the accounts of a demo, which are refused anywhere but on loopback.
    Column("loopback_only", Boolean, nullable=False, default=False),
    #: "auto" follows the heartbeat; "present" and "away" were said by the person.
    Column("presence", String(8), nullable=False, default="auto"),
    Column("seen_at", BigInteger),
    #: Bumped when role, team or mask change: desks must then reconcile.
    Column("policy_version", Integer, nullable=False, default=1),
)

device = Table(
    "device",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", USER, nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    #: Number of the last operation of this device that was answered.
    Column("last_op", BigInteger, nullable=False, default=0),
    #: Its public Ed25519 key; none until a desk that has one signs in.
    Column("public_key", LargeBinary(32)),
)

#: A sign-in and the tokens that followed from it, of which no more than hashes are stored.
session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("user_id", USER, nullable=False, index=True),
    Column("device_id", ID, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
    #: When it ends unless its tokens are renewed.
    Column("expires_at", BigInteger, nullable=False),
    #: SHA-256 of the refresh token in force, and of the one before.
    Column("refresh_hash", LargeBinary(32), nullable=False),
    Column("spent_hash", LargeBinary(32)),
    #: What the tokens in force were derived with from the spent one, and under which retry.
    Column("salt", LargeBinary(32)),
    Column("retry_hash", LargeBinary(32)),
    #: Until when the spent one may ask for the same answer again; none once that answer was used.
    Column("retry_until", BigInteger),
)

#: Access tokens.
token = Table(
    "token",
    metadata,
    #: SHA-256 of the opaque token; the token itself is never stored.
    Column("hash", LargeBinary(32), primary_key=True),
    Column("session_id", ID, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

#: Nonces of proofs that the hub has taken, so that none is taken twice.
proof_nonce = Table(
    "proof_nonce",
    metadata,
    #: SHA-256 of device and nonce.
    Column("hash", LargeBinary(32), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)

#: A code for the next new device of a user, hashed as a password.
enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("user_id", USER, primary_key=True),
    Column("hash", String(200), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

#: Secrets of authenticators, sealed: the one in force, and one that waits for its first code.
second_factor = Table(
    "second_factor",
    metadata,
    Column("user_id", USER, primary_key=True),
    Column("secret", LargeBinary),
    Column("begun", LargeBinary),
    #: The time of the last code that was taken, in steps of 30 s.
    Column("last_step", BigInteger, nullable=False),
)

#: What lets in once in place of a lost authenticator.
recovery_code = Table(
    "recovery_code",
    metadata,
    #: SHA-256 of user and code.
    Column("hash", LargeBinary(32), primary_key=True),
    Column("user_id", USER, nullable=False, index=True),
)

#: What each device may do without the hub, and what the hub knows of its vault.
lease = Table(
    "lease",
    metadata,
    Column("device_id", ID, primary_key=True),
    #: The device's share of its vault's key, made once; sealed.
    Column("share", LargeBinary, nullable=False),
    #: The last lease that was given; 0 before the first.
    Column("issued_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    #: The state of its subjects as the desk told last: an older one is a copy that was put back.
    Column("epoch", BigInteger),
    Column("subjects", BigInteger),
    Column("mac", LargeBinary),
    #: The order to remove everything, and when the device said that it has.
    Column("wipe_id", ID),
    Column("wipe_at", BigInteger),
    Column("wiped_at", BigInteger),
)

#: Failures by what was guessed at and from where, so that guessing is slowed down in every process.
failed_sign_in = Table(
    "failed_sign_in",
    metadata,
    #: SHA-256 of the kind of failure and whose it is, which is not stored.
    Column("hash", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

#: How often an operation that has no answer yet crashed the hub.
crash = Table(
    "crash",
    metadata,
    Column("device_id", ID, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("crashes", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

operation = Table(
    "operation",
    metadata,
    Column("id", ID, primary_key=True),
    Column("device_id", ID, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("user_id", USER, nullable=False),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
    Index("operation_number", "device_id", "number", unique=True),
)

change = Table(
    "change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("row_version", Integer, nullable=False),
    Column("op", String(8), nullable=False),
    #: The item the row belongs to; for an item, itself; none for people.
    Column("item_id", ID),
    Column("before_scope", Json),
    Column("after_scope", Json),
    #: Who asked for it (nobody: a robot's round, an import), and when the hub did it.
    Column("who", USER),
    Column("at", BigInteger, nullable=False),
    Index("change_row", "kind", "id", "seq"),
)

sync_head = Table(
    "sync_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("epoch", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    #: The log is kept from the number after this one on: older cursors must reconcile.
    Column("floor", BigInteger, nullable=False, default=0),
    CheckConstraint("one = 1", name="sync_head_only_one"),
)

tally = Table(
    "tally",
    metadata,
    Column("id", ID, primary_key=True),
    Column("item_id", ID, nullable=False, index=True),
    Column("event", String(32), nullable=False),
    Column("owner", USER),
    Column("campaign", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sign", Integer, nullable=False),
    Index("tally_owner", "owner", "at"),
)

playbook = Table(
    "playbook",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("installed_at", BigInteger, nullable=False),
)

#: Who did what with whose personal data: chains of entries, a stream for each device and "hub".
#: Ids, names of fields and codes; no personal data (see ``desk.domain.journal``).
journal = Table(
    "journal",
    metadata,
    Column("stream", ID, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", ID, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger),
    Column("who", USER),
    Column("role", String(80), nullable=False),
    Column("device", String(80), nullable=False),
    Column("event", String(32), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("subject_id", ID),
    Column("item_id", ID),
    Column("fields", Json, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("count", Integer, nullable=False),
    Column("detail", Json, nullable=False),
    #: Packed ids of several subjects, and the first and the last of them.
    Column("subjects", LargeBinary, nullable=False),
    Column("first_subject", ID),
    Column("last_subject", ID),
    #: HMAC over the MAC before it and this entry.
    Column("mac", LargeBinary(32), nullable=False),
    Index("journal_entry", "stream", "id", unique=True),
    Index("journal_at", "at", "stream", "seq"),
    Index("journal_subject", "subject_id", "at"),
    Index("journal_item", "item_id", "at"),
    Index("journal_who", "who", "event", "at"),
    Index("journal_packed", "first_subject", "last_subject"),
)

#: Where each chain ends.
journal_head = Table(
    "journal_head",
    metadata,
    Column("stream", ID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
)

#: How far each desk's own journal has come in; its MACs are the desk's, and opaque here.
journal_upload = Table(
    "journal_upload",
    metadata,
    Column("device_id", ID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("mac", LargeBinary(32), nullable=False),
)

#: The registry of consents: a row is one subject, one purpose, one text. Never deleted: it proves
#: what was agreed to and when it ended; of an erased subject its free text is emptied.
consent = Table(
    "consent",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subject_id", ID, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("text_version", Integer, nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("evidence", String(2000), nullable=False),
    Column("given_at", BigInteger, nullable=False),
    Column("given_by", USER),
    Column("withdrawn_at", BigInteger),
    Column("withdrawn_by", USER),
    Column("withdrawn_channel", String(32), nullable=False),
    #: The evidence.
    Column("sealed", LargeBinary),
    Index("consent_given", "given_at", "id"),
    Index("consent_subject", "subject_id", "purpose"),
)

#: Every text that people were asked to agree to; it stays whatever the playbook says later.
consent_text = Table(
    "consent_text",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("purpose", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("ru", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Index("consent_text_version", "purpose", "version", unique=True),
)

#: What subjects demand as to their data, and what else has to be done about it by a deadline.
pd_request = Table(
    "pd_request",
    metadata,
    Column("id", ID, primary_key=True),
    Column("subject_id", ID, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("ground", String(16), nullable=False),
    #: The purpose whose consent was taken back: a new consent to it ends the request.
    Column("purpose", String(32), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("by", USER),
    Column("channel", String(32), nullable=False),
    Column("note", String(8000), nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("blocked_at", BigInteger),
    Column("extended_at", BigInteger),
    Column("extension", String(8000), nullable=False),
    Column("state", String(16), nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_by", USER),
    Column("answer", String(8000), nullable=False),
    #: The note, the extension and the answer.
    Column("sealed", LargeBinary),
    Index("pd_request_due", "state", "due_at", "id"),
    Index("pd_request_received", "received_at", "id"),
)

#: Leaks and losses of personal data, with what the authority was told.
incident = Table(
    "incident",
    metadata,
    Column("id", ID, primary_key=True),
    Column("found_at", BigInteger, nullable=False),
    Column("opened_by", USER),
    Column("title", String(400), nullable=False),
    Column("description", String(8000), nullable=False),
    Column("people", Integer, nullable=False),
    Column("notice_due", BigInteger, nullable=False),
    Column("result_due", BigInteger, nullable=False),
    Column("notified_at", BigInteger),
    Column("notified_by", USER),
    Column("notice", String(8000), nullable=False),
    Column("resolved_at", BigInteger),
    Column("resolved_by", USER),
    Column("result", String(8000), nullable=False),
    #: The title, the description, the notice and the result.
    Column("sealed", LargeBinary),
    Index("incident_found", "found_at"),
)

#: Acts of destruction and extracts of the journal: ids and codes, no personal data.
document = Table(
    "document",
    metadata,
    Column("id", ID, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("format", String(8), nullable=False),
    Column("subject_id", ID, nullable=False, index=True),
    Column("request_id", ID),
    Column("name", String(200), nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", USER),
    Column("keep_until", BigInteger, nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
)
