"""What a person, a robot or the API may ask for: small named intents, never row dumps."""

from typing import TypeAlias

import msgspec

from desk.domain.model import Value


class _Intent(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", omit_defaults=True):
    pass


class Create(_Intent, frozen=True, kw_only=True, tag="create"):
    """A new item of ``kind``, its maker responsible; its id is the operation's."""

    kind: str
    title: str
    fields: dict[str, Value] = {}
    subject: dict[str, Value] = {}


class Move(_Intent, frozen=True, kw_only=True, tag="move"):
    """One transition of one item. ``seen_stage`` is the stage the person saw (compare and set)."""

    item_id: str
    transition: str
    seen_stage: str | None = None
    fields: dict[str, Value] = {}
    comment: str = ""
    to: str | None = None


class EditFields(_Intent, frozen=True, kw_only=True, tag="edit_fields"):
    """New values of an item's fields.

    ``base`` is the item's version and ``was`` the value that the person saw, by field: somebody
    else's later change of the same field is a conflict, one's own earlier one is not.
    """

    item_id: str
    fields: dict[str, Value]
    base: dict[str, int] = {}
    was: dict[str, Value] = {}


class EditSubject(_Intent, frozen=True, kw_only=True, tag="edit_subject"):
    """New values of a subject's personal data, reached through one of its items.

    ``base`` and ``was`` as for ``EditFields``, of the subject.
    """

    item_id: str
    fields: dict[str, Value]
    base: dict[str, int] = {}
    was: dict[str, Value] = {}


class Comment(_Intent, frozen=True, kw_only=True, tag="comment"):
    """A note on an item's timeline."""

    item_id: str
    text: str


class CloseTask(_Intent, frozen=True, kw_only=True, tag="close_task"):
    """A task is done, with what came of it."""

    item_id: str
    task_id: str
    comment: str = ""


class GiveConsent(_Intent, frozen=True, kw_only=True, tag="give_consent"):
    """The subject of an item agrees to a purpose, to its text of ``text_version``.

    ``channel`` is how he said it (``desk.domain.consents.CHANNELS``), ``evidence`` what proves it.
    """

    item_id: str
    purpose: str
    text_version: int
    channel: str
    evidence: str = ""


class WithdrawConsent(_Intent, frozen=True, kw_only=True, tag="withdraw_consent"):
    """The subject of an item takes his consent to a purpose back."""

    item_id: str
    purpose: str
    channel: str
    evidence: str = ""


class RequestErasure(_Intent, frozen=True, kw_only=True, tag="request_erasure"):
    """The subject of an item demands erasure; nothing is done with his data until then."""

    item_id: str
    channel: str
    note: str = ""


Intent: TypeAlias = (
    Create
    | Move
    | EditFields
    | EditSubject
    | Comment
    | CloseTask
    | GiveConsent
    | WithdrawConsent
    | RequestErasure
)


#: The form of operations that this build writes; the hub brings older ones up to it.
SCHEMA = 3


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An intent as it was asked for: ``at`` is the asker's clock, for the journal only.

    ``after`` names earlier operations of the same device that this one builds on: where one of
    them was not carried out, neither is this one.
    """

    id: str
    at: int
    intent: Intent
    after: tuple[str, ...] = ()
    schema: int = SCHEMA
