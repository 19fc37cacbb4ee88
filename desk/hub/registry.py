"""The registry of consents and requests as operations leave it, in their own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from desk.domain.consents import OBJECTION, text_hash
from desk.domain.effects import ConsentWithdrawn, Outcome
from desk.domain.journal import Access, Event
from desk.domain.model import Actor, Consent, SubjectRequest
from desk.domain.playbook import Playbook, Purpose
from desk.hub import texts
from desk.hub.database import insert_missing
from desk.hub.errors import SetupError
from desk.hub.playbooks import current
from desk.hub.workdays import Workdays
from desk.schema import hub_tables as t


def says_something(outcome: Outcome) -> bool:
    """Whether the registry has to be told of it."""
    return bool(outcome.consents or outcome.withdrawals or outcome.requests)


def write(connection: Connection, outcomes: Iterable[Outcome]) -> None:
    """Write what operations said of consents and requests, in their order."""
    told = [outcome for outcome in outcomes if says_something(outcome)]
    if not told:
        return
    playbook = current(connection).playbook
    for outcome in told:
        for withdrawal in outcome.withdrawals:
            _end(connection, withdrawal)
        for consent in outcome.consents:
            _give(connection, playbook, consent)
        for request in outcome.requests:
            _open(connection, playbook, request)


def accesses(
    actor: Actor, device: str, item_id: str | None, outcome: Outcome, now: int
) -> list[Access]:
    """What the journal says of it: ids and codes."""

    def said(event: Event, subject_id: str, purpose: str, **detail: str) -> Access:
        return Access(
            at=now,
            who=actor.id,
            role=actor.role,
            device=device,
            event=event,
            subject_id=subject_id,
            item_id=item_id,
            purpose=purpose,
            detail=detail,
        )

    entries = [
        said("consent", one.subject_id, one.purpose, **_how(one)) for one in outcome.consents
    ]
    entries += [
        said("consent", one.subject_id, one.purpose, did="withdrawn", channel=one.channel)
        for one in outcome.withdrawals
    ]
    entries += [
        said("request", one.subject_id, one.purpose, did="received", request=one.id, kind=one.kind)
        for one in outcome.requests
    ]
    return entries


def keep_texts(connection: Connection, playbook: Playbook, now: int) -> None:
    """Keep the texts of a playbook for good.

    Raises `SetupError` ``text_changed`` where one has changed and its version has not.
    """
    kept = {
        (row.purpose, row.version): row.hash
        for row in connection.execute(
            select(t.consent_text.c.purpose, t.consent_text.c.version, t.consent_text.c.hash)
        )
    }
    for purpose in playbook.purposes.values():
        known = kept.get((purpose.id, purpose.version))
        if known is None:
            _keep_text(connection, purpose, now)
        elif known != text_hash(purpose):
            args = {"purpose": purpose.id, "version": str(purpose.version)}
            raise SetupError("text_changed", args)


def forget(connection: Connection, subject_id: str, closed_by: str | None, now: int) -> None:
    """Empty what the registry holds of an erased subject in free text, and end his requests.

    That he agreed and took it back stays: it proves that the processing was lawful.
    """
    mine = t.consent.c.subject_id == subject_id
    connection.execute(update(t.consent).where(mine).values(texts.emptied(t.consent)))
    about = t.pd_request.c.subject_id == subject_id
    connection.execute(update(t.pd_request).where(about).values(texts.emptied(t.pd_request)))
    open_yet = update(t.pd_request).where(about, t.pd_request.c.state == "open")
    connection.execute(open_yet.values(state="void", closed_at=now, closed_by=closed_by))


def request_row(
    request: SubjectRequest, workdays: Workdays, *, blocked_at: int | None
) -> dict[str, Any]:
    """A new request with its deadline."""
    return {
        **msgspec.structs.asdict(request),
        "due_at": workdays.due(request.received_at, request.kind, request.ground),
        "blocked_at": blocked_at,
        "extended_at": None,
        "extension": "",
        "state": "open",
        "closed_at": None,
        "closed_by": None,
        "answer": "",
    }


def prune_documents(connection: Connection, now: int) -> int:
    """Drop the documents whose years are over; how many there were."""
    old = t.document.c.keep_until < now
    return connection.execute(delete(t.document).where(old)).rowcount


def _how(consent: Consent) -> dict[str, str]:
    did = "objected" if consent.text_version == OBJECTION else "given"
    return {"did": did, "channel": consent.channel, "text": str(consent.text_version)}


def _end(connection: Connection, withdrawal: ConsentWithdrawn) -> None:
    connection.execute(
        update(t.consent)
        .where(
            t.consent.c.subject_id == withdrawal.subject_id,
            t.consent.c.purpose == withdrawal.purpose,
            t.consent.c.withdrawn_at.is_(None),
        )
        .values(
            withdrawn_at=withdrawal.at,
            withdrawn_by=withdrawal.by,
            withdrawn_channel=withdrawal.channel,
        )
    )


def _give(connection: Connection, playbook: Playbook, consent: Consent) -> None:
    purpose = playbook.purposes.get(consent.purpose)
    digest = consent.text_hash
    if purpose and digest:
        _keep_text(connection, purpose, consent.given_at)
    elif consent.text_version != OBJECTION:
        digest = _hash_of(connection, consent)
    row = {**msgspec.structs.asdict(consent), "text_hash": digest}
    connection.execute(insert(t.consent), texts.stored(connection, t.consent, [row]))
    if consent.withdrawn_at is None:
        _void(connection, consent)


def _hash_of(connection: Connection, consent: Consent) -> str:
    """The hash of an older text; "" where it was never known here."""
    text = t.consent_text.c
    query = select(text.hash).where(
        text.purpose == consent.purpose, text.version == consent.text_version
    )
    return connection.execute(query).scalar_one_or_none() or ""


def _void(connection: Connection, consent: Consent) -> None:
    """A new consent: nothing has to be destroyed any more for want of one."""
    request = t.pd_request.c
    connection.execute(
        update(t.pd_request)
        .where(
            request.subject_id == consent.subject_id,
            request.purpose == consent.purpose,
            request.ground == "withdrawal",
            request.state == "open",
        )
        .values(state="void", closed_at=consent.given_at, closed_by=consent.given_by)
    )


def _open(connection: Connection, playbook: Playbook, request: SubjectRequest) -> None:
    blocks = request.kind in ("erase", "stop")
    row = request_row(
        request,
        Workdays(playbook.terms),
        blocked_at=request.received_at if blocks else None,
    )
    connection.execute(insert(t.pd_request), texts.stored(connection, t.pd_request, [row]))


def _keep_text(connection: Connection, purpose: Purpose, now: int) -> None:
    insert_missing(
        connection,
        t.consent_text,
        {
            "hash": text_hash(purpose),
            "purpose": purpose.id,
            "version": purpose.version,
            "ru": purpose.text.ru,
            "en": purpose.text.en,
            "since": now,
        },
    )
