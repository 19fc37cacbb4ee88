"""The registry of consents, requests of subjects, incidents, and documents kept as proof.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
_USER = sa.String(64)


def upgrade() -> None:
    """Make the tables."""
    _consents()
    _requests()
    _incidents()
    _documents()


def downgrade() -> None:
    """Drop them."""
    for table in ("document", "incident", "pd_request", "consent_text", "consent"):
        op.drop_table(table)


def _consents() -> None:
    op.create_table(
        "consent",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=False),
        sa.Column("text_hash", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("evidence", sa.String(2000), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("given_by", _USER),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("withdrawn_by", _USER),
        sa.Column("withdrawn_channel", sa.String(32), nullable=False),
    )
    op.create_index("consent_given", "consent", ["given_at", "id"])
    op.create_index("consent_subject", "consent", ["subject_id", "purpose"])
    op.create_table(
        "consent_text",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ru", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )
    op.create_index("consent_text_version", "consent_text", ["purpose", "version"], unique=True)


def _requests() -> None:
    op.create_table(
        "pd_request",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("ground", sa.String(16), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("by", _USER),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("note", sa.String(8000), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("blocked_at", sa.BigInteger()),
        sa.Column("extended_at", sa.BigInteger()),
        sa.Column("extension", sa.String(8000), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("closed_by", _USER),
        sa.Column("answer", sa.String(8000), nullable=False),
    )
    op.create_index("ix_pd_request_subject_id", "pd_request", ["subject_id"])
    op.create_index("pd_request_due", "pd_request", ["state", "due_at", "id"])
    op.create_index("pd_request_received", "pd_request", ["received_at", "id"])


def _incidents() -> None:
    op.create_table(
        "incident",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", _USER),
        sa.Column("title", sa.String(400), nullable=False),
        sa.Column("description", sa.String(8000), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("notice_due", sa.BigInteger(), nullable=False),
        sa.Column("result_due", sa.BigInteger(), nullable=False),
        sa.Column("notified_at", sa.BigInteger()),
        sa.Column("notified_by", _USER),
        sa.Column("notice", sa.String(8000), nullable=False),
        sa.Column("resolved_at", sa.BigInteger()),
        sa.Column("resolved_by", _USER),
        sa.Column("result", sa.String(8000), nullable=False),
    )
    op.create_index("incident_found", "incident", ["found_at"])


def _documents() -> None:
    op.create_table(
        "document",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("request_id", _ID),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", _USER),
        sa.Column("keep_until", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_document_subject_id", "document", ["subject_id"])
    op.create_index("ix_document_keep_until", "document", ["keep_until"])
