"""Invented consents, withdrawals and requests of the newest people, and one incident."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from desk.domain.consents import text_hash
from desk.domain.deadlines import clocks
from desk.domain.ids import make_id
from desk.domain.model import Consent, Standing, SubjectRequest
from desk.domain.playbook import Playbook
from desk.hub import registry, texts
from desk.hub.database import Database
from desk.hub.workdays import Workdays
from desk.schema import hub_tables as t

#: So many of the newest people agreed to something.
_PEOPLE = 400
_HOUR = 3_600_000
_DAY = 24 * _HOUR
_CHANNELS = ("site", "site", "site", "phone", "email", "messenger", "paper")
#: How many of a hundred agree to each purpose; of others, half.
_AGREE = {"processing": 92, "calls": 55, "mailing": 40}
#: How many of a hundred take back what they agreed to.
_TAKE_BACK = {"processing": 1, "calls": 4, "mailing": 9}
#: How long ago erasure was demanded: some of the deadlines are near.
_DEMANDED = (15 * _DAY, 13 * _DAY, 9 * _DAY, 2 * _DAY)
_EVIDENCE = {
    "site": "форма заявки на сайте",
    "phone": "запись разговора",
    "email": "письмо",
    "messenger": "переписка",
    "paper": "подписанный бланк",
}


def invent(database: Database, playbook: Playbook, seed: int, now: int) -> None:
    """Write them for a demo that nobody has opened yet; the same for the same rows and ``now``."""
    chance = Random(f"consents {seed}")  # noqa: S311 - invented people, not secrets
    if not playbook.purposes:
        return
    with database.write() as connection:
        registry.keep_texts(connection, playbook, now)
        newest = _people(connection, now, _PEOPLE)
        for subject, since in newest:
            _agree(connection, playbook, chance, subject, since, now)
        for number, ago in enumerate(_DEMANDED, start=1):
            # A small demo does not go back so far.
            found = _people(connection, now - ago, 1) or newest[-number:]
            for subject, since in found[:1]:
                _demand(connection, playbook, chance, subject, max(since, now - ago))
        _lose(connection, playbook, chance, now - 20 * _HOUR)


def _people(connection: Connection, before: int, count: int) -> list[tuple[str, int]]:
    """The newest people of that moment, with when a card of theirs was made."""
    item = t.item.c
    query = select(item.subject_id, item.created_at).where(
        item.subject_id.is_not(None), item.parent_id.is_(None), item.created_at < before
    )
    rows = connection.execute(query.order_by(item.id.desc()).limit(count))
    return list({row.subject_id: row.created_at for row in rows}.items())


def _agree(
    connection: Connection, playbook: Playbook, chance: Random, subject: str, since: int, now: int
) -> None:
    rows: list[dict[str, Any]] = []
    standings: dict[str, Any] = {}
    for purpose in playbook.purposes.values():
        if chance.randrange(100) >= _AGREE.get(purpose.id, 50):
            continue
        channel = chance.choice(_CHANNELS)
        given_at = min(now, since + chance.randrange(_HOUR))
        takes_back = chance.randrange(100) < _TAKE_BACK.get(purpose.id, 3)
        ended = min(now, given_at + chance.randrange(_DAY, 5 * _DAY)) if takes_back else None
        consent = Consent(
            id=make_id(given_at, chance.randbytes),
            subject_id=subject,
            purpose=purpose.id,
            text_version=purpose.version,
            text_hash=text_hash(purpose),
            channel=channel,
            evidence=_EVIDENCE[channel],
            given_at=given_at,
            withdrawn_at=ended,
            withdrawn_channel="phone" if takes_back else "",
        )
        rows.append(msgspec.structs.asdict(consent))
        standing = Standing(
            given_at=given_at, text_version=purpose.version, channel=channel, withdrawn_at=ended
        )
        standings[purpose.id] = msgspec.to_builtins(standing)
        if ended is not None and "processing" in purpose.stops:
            _request(
                connection, playbook, chance, subject, ended, ground="withdrawal",
                purpose=purpose.id,
            )  # fmt: skip
    if rows:
        connection.execute(insert(t.consent), texts.stored(connection, t.consent, rows))
        mine = t.subject.c.id == subject
        connection.execute(update(t.subject).where(mine).values(consents=standings))


def _demand(
    connection: Connection, playbook: Playbook, chance: Random, subject: str, at: int
) -> None:
    mine = t.subject.c.id == subject
    connection.execute(update(t.subject).where(mine).values(stage="erasure_requested"))
    _request(connection, playbook, chance, subject, at, note="просит удалить все данные")


def _request(
    connection: Connection, playbook: Playbook, chance: Random, subject: str, at: int, **more: Any
) -> None:
    request = SubjectRequest(
        id=make_id(at, chance.randbytes),
        subject_id=subject,
        kind="erase",
        received_at=at,
        by=None,
        channel="email",
        **more,
    )
    row = registry.request_row(request, Workdays(playbook.terms), blocked_at=at)
    connection.execute(insert(t.pd_request), texts.stored(connection, t.pd_request, [row]))


def _lose(connection: Connection, playbook: Playbook, chance: Random, at: int) -> None:
    told = clocks(at, playbook.terms)
    row: dict[str, Any] = {
        "id": make_id(at, chance.randbytes),
        "found_at": at,
        "opened_by": "pd_officer",
        "title": "Письмо с выгрузкой ушло не тому адресату",
        "description": "Адресат подтвердил, что удалил письмо. Список людей уточняется.",
        "people": 37,
        "notice_due": told.notice_due,
        "result_due": told.result_due,
        "notice": "",
        "result": "",
    }
    connection.execute(insert(t.incident), texts.stored(connection, t.incident, [row]))
