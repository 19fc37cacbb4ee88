"""A hub's answers to the officer for personal data: invented people, fixed clock, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from desk.domain.journal import Access
from desk.domain.model import Consent, Standing, Subject
from desk.protocol import personal as p
from desk.protocol.journal import JournalLine, JournalPage, JournalQuery
from desk.services.errors import DeskError
from tests.screens.desks import DAY, HOUR, NOW, identifier

NAMES = (
    "Белов Антон Сергеевич",
    "Константинопольская-Преображенская Александра Владимировна",
    "Ли Ян",
    "Дроздов Пётр",
    "Гаврилова Нина",
)


def _consent(number: int) -> Consent:
    withdrawn = number % 3 == 2
    return Consent(
        id=identifier(5000 + number),
        subject_id=identifier(1000 + number),
        purpose=("processing", "calls", "mailing")[number % 3],
        text_version=1,
        text_hash="ab" * 32,
        channel=("site", "phone", "paper")[number % 3],
        evidence="Форма «Рассчитать перевозку», строка 1204",
        given_at=NOW - (40 + number) * DAY,
        given_by="marketer1",
        withdrawn_at=NOW - 2 * DAY if withdrawn else None,
        withdrawn_by="marketer1" if withdrawn else None,
        withdrawn_channel="email" if withdrawn else "",
    )


def _request(number: int, days_left: int, kind: str = "erase", **more: Any) -> p.RequestLine:
    line = p.RequestLine(
        id=identifier(6000 + number),
        subject_id=identifier(1000 + number),
        name=NAMES[number % len(NAMES)],
        kind=kind,  # type: ignore[arg-type]
        ground="request",
        received_at=NOW - 9 * DAY,
        by="marketer1",
        channel="email",
        note="Прошу удалить все мои данные и больше не звонить.",
        due_at=NOW + days_left * DAY,
        days_left=days_left,
        state="open",
        blocked_at=NOW - 9 * DAY,
    )
    return msgspec.structs.replace(line, **more)


def _standing(withdrawn: bool = False) -> Standing:
    return Standing(
        given_at=NOW - 40 * DAY,
        text_version=1,
        channel="site",
        withdrawn_at=NOW - 2 * DAY if withdrawn else None,
    )


@dataclass
class FakeOfficer:
    """Answers at once; `problem` is raised instead where there is one. It notes what was asked."""

    people: int = 5
    problem: DeskError | None = None
    asked: list[Any] = field(default_factory=list)
    page: int = 100
    open_requests: list[p.RequestLine] = field(
        default_factory=lambda: [
            _request(1, -2),
            _request(2, 0, "access"),
            _request(3, 2, "rectify"),
            _request(4, 8, "stop", extended_at=NOW - DAY, extension="Данные в архиве"),
        ]
    )

    def _hear(self, query: Any) -> None:
        self.asked.append(query)
        if self.problem is not None:
            raise self.problem

    def _paged(self, lines: Sequence[Any], after: str) -> tuple[list[Any], str]:
        first = int(after.partition(":")[0] or 0) if after else 0
        last = first + self.page
        more = f"{last}:{identifier(1)}" if last < len(lines) else ""
        return list(lines[first:last]), more

    def cards(self, query: p.CardsQuery) -> p.CardsPage:
        self._hear(query)
        blocked = query.stage == "erasure_requested"
        everybody = [
            p.CardLine(
                subject_id=identifier(1000 + n),
                name=f"{NAMES[n % len(NAMES)]}" + (f" {n}" if self.people > 10 else ""),
                stage=query.stage or "active",
                consents={"processing": _standing(blocked), "calls": _standing(n % 2 == 1)},
                open_requests=1 if blocked else 0,
                due_at=NOW + (n - 1) * DAY if blocked else None,
            )
            for n in range(2 if blocked else self.people)
        ]
        if query.contact:
            everybody = everybody[:1]
        lines, more = self._paged(everybody, query.after)
        return p.CardsPage(lines=lines, more=more, total=len(everybody))

    def registry(self, query: p.RegistryQuery) -> p.RegistryPage:
        self._hear(query)
        found = [
            p.RegistryLine(consent=_consent(n), name=NAMES[n % len(NAMES)], stage="active")
            for n in range(self.people)
        ]
        lines, more = self._paged(found, query.after)
        return p.RegistryPage(lines=lines, more=more, total=len(found))

    def requests(self, query: p.RequestsQuery) -> p.RequestsPage:
        self._hear(query)
        return p.RequestsPage(lines=self.open_requests if query.state == "open" else [])

    def incidents(self) -> list[p.IncidentLine]:
        self._hear("incidents")
        made = {"found_at": NOW - 20 * HOUR, "opened_by": "officer", "people": 40}
        made |= {"notice_due": NOW + 4 * HOUR, "result_due": NOW + 52 * HOUR}
        first = p.IncidentLine(
            id=identifier(7001), title="Украден ноутбук менеджера", description="", **made
        )
        second = msgspec.structs.replace(
            first,
            id=identifier(7002),
            title="Письмо с базой ушло не тому адресату, адресат ответил, что удалил его",
            description="Таблица из ста строк.",
            found_at=NOW - 100 * HOUR,
            notice_due=NOW - 76 * HOUR,
            result_due=NOW - 28 * HOUR,
            notified_at=NOW - 80 * HOUR,
            notified_by="officer",
            notice="Номер 118-24",
        )
        return [first, second]

    def documents(self) -> list[p.DocumentLine]:
        self._hear("documents")
        return [
            p.DocumentLine(
                id=identifier(8000 + n),
                kind="act" if n == 0 else "extract",
                format="pdf",
                subject_id=identifier(1001),
                request_id=None,
                name=f"act-{n}.pdf",
                made_at=NOW,
                made_by="officer",
                keep_until=NOW + 3 * 365 * DAY,
                size=20_000,
                sha256="cd" * 32,
            )
            for n in range(2)
        ]

    def document(self, document_id: str) -> p.Export:
        self._hear(document_id)
        return p.Export(name="../../act-0.pdf", media_type="application/pdf", content=b"%PDF-1")

    def export(self, subject_id: str, form: str, language: str, purpose: str = "") -> p.Export:
        self._hear((subject_id, form, language, purpose))
        return p.Export(name=f"data.{form}", media_type="application/json", content=b"{}")

    def extract(self, subject_id: str) -> list[p.DocumentLine]:
        self._hear(("extract", subject_id))
        return self.documents()

    def subject(self, subject_id: str, purpose: str = "") -> p.SubjectCard:
        self._hear((subject_id, purpose))
        number = int(subject_id[-4:], 16) % len(NAMES)
        fields: dict[str, Any] = {
            "name": NAMES[number],
            "phone": "+79120000100",
            "email": "person@example.com",
        }
        return p.SubjectCard(
            subject=Subject(id=subject_id, fields=fields, stage="erasure_requested"),
            consents=[p.GivenConsent(consent=_consent(n)) for n in range(3)],
            requests=self.open_requests[:1],
            items=[
                p.ItemLine(
                    id=identifier(31),
                    kind="lead",
                    stage="in_work",
                    title="ООО «Зерно Юга», зерновоз, Ростов-на-Дону — Новороссийск",
                    responsible="marketer1",
                    updated_at=NOW,
                )
            ],
            documents=self.documents()[:1],
        )

    def open_request(self, request: p.NewRequest) -> p.RequestLine:
        self._hear(request)
        return self.open_requests[0]

    def _decided(self, what: str, request_id: str, reason: str) -> p.RequestLine:
        self._hear((what, request_id, reason))
        done = next(one for one in self.open_requests if one.id == request_id)
        self.open_requests = [one for one in self.open_requests if one is not done]
        return msgspec.structs.replace(done, state="executed", outstanding=2)

    def answer(self, request_id: str, answer: str) -> p.RequestLine:
        return self._decided("answer", request_id, answer)

    def extend(self, request_id: str, reason: str) -> p.RequestLine:
        return self._decided("extend", request_id, reason)

    def reject(self, request_id: str, reason: str) -> p.RequestLine:
        return self._decided("reject", request_id, reason)

    def erase(self, request_id: str) -> p.RequestLine:
        return self._decided("erase", request_id, "")

    def open_incident(self, incident: p.NewIncident) -> p.IncidentLine:
        self._hear(incident)
        return self.incidents()[0]

    def notify_incident(self, incident_id: str, note: str) -> p.IncidentLine:
        self._hear(("notify", incident_id, note))
        return self.incidents()[0]

    def resolve_incident(self, incident_id: str, note: str) -> p.IncidentLine:
        self._hear(("resolve", incident_id, note))
        return self.incidents()[0]

    def journal(self, query: JournalQuery) -> JournalPage:
        self._hear(query)
        events = ("read", "reveal", "call", "deliver", "journal_broken", "export")
        entries = [
            JournalLine(
                stream="hub" if n % 2 else identifier(9999),
                seq=1000 - n,
                access=Access(
                    id=identifier(9000 + n),
                    at=NOW - n * HOUR,
                    who=("marketer1", "sales1", None)[n % 3],
                    role="marketer",
                    device="" if n % 2 else identifier(9999),
                    event=events[n % len(events)],  # type: ignore[arg-type]
                    purpose="processing",
                    subject_id=identifier(1001) if n % 4 else None,
                    item_id=identifier(31),
                    fields=("subject.name", "subject.phone", "subject.email"),
                    offline=n % 5 == 0,
                    count=128 if events[n % len(events)] == "deliver" else 1,
                ),
            )
            for n in range(30)
        ]
        return JournalPage(lines=entries)
