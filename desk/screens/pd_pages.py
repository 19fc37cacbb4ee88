"""The sections of the officer's place: what each asks of the hub, and how its lines look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from desk.domain.consents import CHANNELS
from desk.domain.model import SubjectStage, Value
from desk.protocol.personal import (
    CardLine,
    CardsQuery,
    DocumentLine,
    IncidentLine,
    RegistryLine,
    RegistryQuery,
    RequestLine,
    RequestsQuery,
)
from desk.screens import pd_words as pd
from desk.screens.pd_form import Asked, begin_of, chosen, day_of, end_of, field
from desk.screens.words import NOTHING, moment, person_name
from desk.text import N_, _, language, ngettext
from desk.widgets.ledger import Column, Row, Tone

if TYPE_CHECKING:
    from desk.domain.model import Person
    from desk.domain.playbook import Playbook
    from desk.services.officer import Officer

L = TypeVar("L")
_WIDE = 110
_BY_LOUDNESS: tuple[Tone, ...] = ("error", "warning", "", "muted")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[L]):
    """A page of lines, where to go on, and how many there are in all, where that is known."""

    lines: Sequence[L]
    more: str = ""
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What lines are told with."""

    playbook: Playbook
    people: Mapping[str, Person]
    now: int


class Page(Generic[L]):
    """One section; its filter lasts while the officer's place is open."""

    id: ClassVar[str]
    #: The heading, and what stands on the tab (msgids).
    title: ClassVar[str]
    tab: ClassVar[str]
    #: What is said where there is nothing (msgid).
    nothing: ClassVar[str]

    def fetch(self, officer: Officer, after: str) -> Fetched[L]:
        """Ask the hub; runs in a worker."""
        raise NotImplementedError

    def columns(self) -> Sequence[Column]:
        """The headings."""
        raise NotImplementedError

    def row(self, line: L, words: Words) -> Row:
        """How a line looks."""
        raise NotImplementedError

    def about(self, line: L, words: Words) -> str:
        """What is said of the line under the cursor, in whole sentences."""
        raise NotImplementedError

    def subject_of(self, line: L) -> str:
        """Whose data the line is about; "" where it is nobody's."""
        del line
        return ""

    def asked(self, words: Words) -> Sequence[Asked]:
        """The fields of the filter; none where there is no filter."""
        del words
        return ()

    def use(self, values: Mapping[str, Value]) -> None:
        """Take a filter that was filled in."""

    def filtered(self, words: Words) -> str:
        """What the filter leaves, in short; "" where it is empty."""
        del words
        return ""


def _somebody(name: str, stage: SubjectStage) -> str:
    if stage == "erased":
        return "∅ " + _("erased")
    return name or _("without a name")


def _contact(value: Value) -> Asked:
    hint = _("A whole number or address: the hub cannot search by a part of it.")
    return Asked(field("contact", _("Phone or e-mail"), hint=hint, max_length=200), value)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


class _Cards(Page[CardLine]):
    stage: ClassVar[SubjectStage]
    nothing = N_("Nobody is here.")

    def __init__(self) -> None:
        self._contact = ""

    def fetch(self, officer: Officer, after: str) -> Fetched[CardLine]:
        query = CardsQuery(stage=self.stage, contact=self._contact, after=after)
        page = officer.cards(query)
        return Fetched(page.lines, page.more, page.total)

    def columns(self) -> Sequence[Column]:
        return (
            Column(_("Person"), 24, 2),
            Column(_("Consents"), 12),
            Column(_("To what"), 20, 3, from_width=_WIDE),
            Column(_("Requests"), 9),
            Column("  " + _("Next deadline"), 16),
        )

    def row(self, line: CardLine, words: Words) -> Row:
        late = line.due_at is not None and line.due_at < words.now
        cells = (
            _somebody(line.name, line.stage),
            pd.standings(line.consents),
            pd.standings_by_name(words.playbook, line.consents) or NOTHING,
            str(line.open_requests or NOTHING),
            f"{'‼ ' if late else '  '}{pd.day(line.due_at)}" if line.due_at else f"  {NOTHING}",
        )
        return Row(line.subject_id, cells, "error" if late else "")

    def about(self, line: CardLine, words: Words) -> str:
        said = pd.standings_by_name(words.playbook, line.consents)
        return said or _("This person was never asked for a consent.")

    def subject_of(self, line: CardLine) -> str:
        return line.subject_id

    def asked(self, words: Words) -> Sequence[Asked]:
        del words
        return (_contact(self._contact),)

    def use(self, values: Mapping[str, Value]) -> None:
        self._contact = chosen(values["contact"])

    def filtered(self, words: Words) -> str:
        del words
        return self._contact


class Active(_Cards):
    """People whose data is in use."""

    id, stage = "active", "active"
    title, tab = N_("People whose data is in use"), N_("Active")


class ToErase(_Cards):
    """People who demand erasure."""

    id, stage = "to_erase", "erasure_requested"
    title, tab = N_("People who want their data erased"), N_("Erasure of PD requested")
    nothing = N_("Nobody waits for erasure.")


class Consents(Page[RegistryLine]):
    """The registry of consents."""

    id = "consents"
    title, tab = N_("Registry of consents"), N_("Consents")
    nothing = N_("There is no such consent.")

    def __init__(self) -> None:
        self._query = RegistryQuery()

    def fetch(self, officer: Officer, after: str) -> Fetched[RegistryLine]:
        page = officer.registry(msgspec.structs.replace(self._query, after=after))
        return Fetched(page.lines, page.more, page.total)

    def columns(self) -> Sequence[Column]:
        return (
            Column(_("Person"), 15, 2),
            Column(_("Purpose"), 17, 2),
            Column(_("Standing"), 12),
            Column(_("Given"), 12),
            Column(_("Withdrawn"), 12),
            Column(_("Text"), 5, from_width=_WIDE),
            Column(_("Channel"), 16, from_width=_WIDE),
        )

    def row(self, line: RegistryLine, words: Words) -> Row:
        one = line.consent
        cells = (
            _somebody(line.name, line.stage),
            pd.purpose_title(words.playbook, one.purpose),
            pd.standing(one),
            pd.day(one.given_at),
            pd.day(one.withdrawn_at),
            _("v. {number}").format(number=one.text_version) if one.text_version else NOTHING,
            pd.channel(one.withdrawn_channel or one.channel),
        )
        return Row(one.id, cells, "" if one.withdrawn_at is None else "muted")

    def about(self, line: RegistryLine, words: Words) -> str:
        return consent_told(line.consent, words)

    def subject_of(self, line: RegistryLine) -> str:
        return line.consent.subject_id

    def asked(self, words: Words) -> Sequence[Asked]:
        query = self._query
        purposes = {one.id: one.title.get(language()) for one in words.playbook.purposes.values()}
        return (
            Asked(field("purpose", _("Purpose"), "choice", choices=purposes), query.purpose),
            Asked(field("standing", _("Standing"), "choice", choices={
                "given": "✓ " + _("given"), "withdrawn": "✗ " + _("withdrawn"),
            }), query.standing),
            Asked(field("channel", _("Channel"), "choice", choices=translated(CHANNELS)),
                  query.channel),
            Asked(field("stage", _("Stage of the person"), "choice",
                        choices=translated(pd.STAGES)), query.stage),
            Asked(field("since", _("Given since"), "date"), day_of(query.since)),
            Asked(field("until", _("Given until"), "date"), day_of(query.until)),
            _contact(query.contact),
        )  # fmt: skip

    def use(self, values: Mapping[str, Value]) -> None:
        names = ("purpose", "standing", "channel", "stage", "contact")
        self._query = msgspec.convert(
            {
                **{name: chosen(values[name]) for name in names},
                "since": begin_of(values["since"]),
                "until": end_of(values["until"]),
            },
            RegistryQuery,
        )

    def filtered(self, words: Words) -> str:
        query = self._query
        span = f"{pd.day(query.since)} – {pd.day(query.until)}"
        return _joined(
            pd.purpose_title(words.playbook, query.purpose) if query.purpose else "",
            {"given": _("given"), "withdrawn": _("withdrawn")}.get(query.standing, ""),
            pd.channel(query.channel) if query.channel else "",
            pd.word(pd.STAGES, query.stage) if query.stage else "",
            span if query.since or query.until else "",
            query.contact,
        )


class Requests(Page[RequestLine]):
    """What people demand, and by when they must be answered."""

    id = "requests"
    title, tab = N_("Requests and their deadlines"), N_("Requests")
    nothing = N_("No request is open.")

    def __init__(self) -> None:
        self._query = RequestsQuery()

    def fetch(self, officer: Officer, after: str) -> Fetched[RequestLine]:
        page = officer.requests(msgspec.structs.replace(self._query, after=after))
        return Fetched(page.lines, page.more)

    def columns(self) -> Sequence[Column]:
        return (
            Column("  " + _("Deadline"), 26),
            Column(_("Person"), 15, 2),
            Column(_("What is demanded"), 26, 2),
            Column(_("Received"), 12, from_width=_WIDE),
            Column(_("Channel"), 16, from_width=_WIDE),
            Column(_("State"), 14, from_width=_WIDE),
        )

    def row(self, line: RequestLine, words: Words) -> Row:
        del words
        cells = (
            pd.deadline(line),
            line.name or NOTHING,
            pd.word(pd.KINDS, line.kind),
            pd.day(line.received_at),
            pd.channel(line.channel),
            pd.word(pd.STATES, line.state),
        )
        return Row(line.id, cells, pd.tone_of(line))

    def about(self, line: RequestLine, words: Words) -> str:
        return request_told(line, words)

    def subject_of(self, line: RequestLine) -> str:
        return line.subject_id

    def asked(self, words: Words) -> Sequence[Asked]:
        del words
        states = {"open": _("not closed yet"), "closed": _("closed already")}
        return (
            Asked(field("state", _("State"), "choice", choices=states), self._query.state),
            Asked(field("kind", _("What is demanded"), "choice", choices=translated(pd.KINDS)),
                  self._query.kind),
        )  # fmt: skip

    def use(self, values: Mapping[str, Value]) -> None:
        self._query = msgspec.convert(
            {"state": chosen(values["state"]) or "open", "kind": chosen(values["kind"])},
            RequestsQuery,
        )

    def filtered(self, words: Words) -> str:
        del words
        return _joined(
            _("closed already") if self._query.state == "closed" else "",
            pd.word(pd.KINDS, self._query.kind) if self._query.kind else "",
        )


class IncidentsPage(Page[IncidentLine]):
    """Leaks and losses, with the clocks of 24 and 72 hours."""

    id = "incidents"
    title, tab = N_("Incidents: notice in 24 hours, result in 72"), N_("Incidents")
    nothing = N_("No incident was written down. N writes one down.")

    def fetch(self, officer: Officer, after: str) -> Fetched[IncidentLine]:
        del after
        return Fetched(officer.incidents())

    def columns(self) -> Sequence[Column]:
        return (
            Column(_("What happened"), 16, 1),
            Column(_("Found"), 12),
            Column("  " + _("Notice, 24 h"), 20),
            Column("  " + _("Result, 72 h"), 20),
            Column(_("People"), 7, from_width=_WIDE),
        )

    def row(self, line: IncidentLine, words: Words) -> Row:
        cells = (
            line.title,
            moment(line.found_at),
            pd.clock(line.notice_due, line.notified_at, words.now),
            pd.clock(line.result_due, line.resolved_at, words.now),
            str(line.people or NOTHING),
        )
        tones: list[Tone] = [
            pd.clock_tone(line.notice_due, line.notified_at, words.now),
            pd.clock_tone(line.result_due, line.resolved_at, words.now),
        ]
        loudest: Tone = min(tones, key=_BY_LOUDNESS.index)
        return Row(line.id, cells, loudest)

    def about(self, line: IncidentLine, words: Words) -> str:
        return incident_told(line, words)


class DocumentsPage(Page[DocumentLine]):
    """Acts and extracts, kept for three years."""

    id = "documents"
    title, tab = N_("Acts and extracts that are kept"), N_("Acts")
    nothing = N_("There are no documents yet: an erasure makes the first ones.")

    def fetch(self, officer: Officer, after: str) -> Fetched[DocumentLine]:
        del after
        return Fetched(officer.documents())

    def columns(self) -> Sequence[Column]:
        return (
            Column(_("Document"), 18, 1),
            Column(_("File"), 20, 2),
            Column(_("Made"), 18),
            Column(_("Kept until"), 12),
            Column(_("Made by"), 20, from_width=_WIDE),
        )

    def row(self, line: DocumentLine, words: Words) -> Row:
        cells = (
            f"{pd.word(pd.DOCUMENTS, line.kind)}, {line.format.upper()}",
            line.name,
            pd.minute(line.made_at),
            pd.day(line.keep_until),
            person_name(words.people, line.made_by),
        )
        return Row(line.id, cells)

    def about(self, line: DocumentLine, words: Words) -> str:
        del words
        return f"{line.name} · SHA-256 {line.sha256}"

    def subject_of(self, line: DocumentLine) -> str:
        return line.subject_id


def consent_told(one: Any, words: Words) -> str:
    """All that a row of the registry says, in a few sentences."""
    given = _("Given {day}, {channel}, text version {number}, written down by {who}.").format(
        day=pd.minute(one.given_at),
        channel=pd.channel_told(one.channel),
        number=one.text_version or NOTHING,
        who=person_name(words.people, one.given_by),
    )
    taken = ""
    if one.withdrawn_at is not None:
        taken = _("Withdrawn {day}, {channel}, written down by {who}.").format(
            day=pd.minute(one.withdrawn_at),
            channel=pd.channel_told(one.withdrawn_channel),
            who=person_name(words.people, one.withdrawn_by),
        )
    proof = _("Evidence: {text}").format(text=one.evidence) if one.evidence else ""
    return "\n".join(part for part in (given, taken, proof) if part)


def request_told(line: RequestLine, words: Words) -> str:
    """All that a request says, in a few sentences."""
    received = _("Received {day}, {channel}: {ground}.").format(
        day=pd.minute(line.received_at),
        channel=pd.channel_told(line.channel),
        ground=pd.word(pd.GROUNDS, line.ground),
    )
    parts = [pd.days_told(line), received]
    if line.extended_at is not None:
        extended = _("Extended {day}: {text}").format(
            day=pd.day(line.extended_at), text=line.extension
        )
        parts.append(extended)
    if line.outstanding:
        parts.append("! " + devices_told(line.outstanding))
    if line.note:
        parts.append(f"«{line.note}»")
    if line.answer:
        answer = _("Answer by {who}: {text}").format(
            who=person_name(words.people, line.closed_by), text=line.answer
        )
        parts.append(answer)
    return "\n".join((" ".join(parts[:2]), *parts[2:]))


def devices_told(n: int) -> str:
    """How many devices have not erased it yet."""
    text = ngettext(
        "{n} device has not confirmed the erasure yet.",
        "{n} devices have not confirmed the erasure yet.",
        n,
    )
    return text.format(n=n)


def incident_told(line: IncidentLine, words: Words) -> str:
    """All that an incident says, in a few sentences."""
    parts = [line.description] if line.description else []
    if line.notified_at is not None:
        told = _("The authority was told {day} by {who}: {text}").format(
            day=pd.minute(line.notified_at),
            who=person_name(words.people, line.notified_by),
            text=line.notice,
        )
        parts.append(told)
    else:
        parts.append(
            _("The authority must be told by {time}.").format(time=pd.minute(line.notice_due))
        )
    if line.resolved_at is not None:
        result = _("Result {day} by {who}: {text}").format(
            day=pd.minute(line.resolved_at),
            who=person_name(words.people, line.resolved_by),
            text=line.result,
        )
        parts.append(result)
    else:
        parts.append(
            _("The result of the inquiry is due by {time}.").format(time=pd.minute(line.result_due))
        )
    return "\n".join(parts)


def translated(words: Mapping[str, str]) -> dict[str, str]:
    """Codes with their words in the reader's language."""
    return {code: _(one) for code, one in words.items()}


def pages() -> list[Page[Any]]:
    """Every section, in the order of the tabs."""
    from desk.screens.pd_journal import JournalEntries

    return [
        Active(),
        ToErase(),
        Consents(),
        Requests(),
        IncidentsPage(),
        DocumentsPage(),
        JournalEntries(),
    ]
