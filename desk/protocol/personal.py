"""The messages of whoever answers for personal data: registry, requests, acts, incidents.

========  ========================  =================================================
method    path                      request → answer
========  ========================  =================================================
POST      /v1/pd/registry           RegistryQuery → RegistryPage (consents)
POST      /v1/pd/cards              CardsQuery → CardsPage (subjects by stage)
POST      /v1/pd/subject            AskSubject → SubjectCard
POST      /v1/pd/export             AskExport → Export
GET       /v1/pd/texts              → TextVersions
POST      /v1/pd/requests           RequestsQuery → RequestsPage
POST      /v1/pd/request            NewRequest → RequestLine
POST      /v1/pd/request/answer     DecideRequest → RequestLine
POST      /v1/pd/request/extend     DecideRequest → RequestLine
POST      /v1/pd/request/reject     DecideRequest → RequestLine
POST      /v1/pd/request/execute    DecideRequest → RequestLine (the subject is erased)
GET       /v1/pd/incidents          → Incidents
POST      /v1/pd/incident           NewIncident → IncidentLine
POST      /v1/pd/incident/notify    DecideIncident → IncidentLine
POST      /v1/pd/incident/resolve   DecideIncident → IncidentLine
GET       /v1/pd/documents          → Documents
POST      /v1/pd/document           AskDocument → Export (an act or an extract that is kept)
POST      /v1/pd/extract            AskExtract → Documents (made of the journal now)
POST      /v1/pd/find               FindPerson → array of FoundPerson
POST      /v1/pd/erased             ErasedHere → nothing
========  ========================  =================================================

All but the last two are for roles with ``officer``; others get ``not_officer``. What is read is
written into the journal. Moments are UTC ms. Phones and addresses stand in bodies, never in URLs.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec

from desk.domain.model import Consent, Standing, Subject, SubjectStage, Unspoken

#: Why the hub says no to an officer, of ``desk.protocol.problems``.
REASONS = frozenset(
    {
        "not_officer",
        "no_subject",
        "no_purpose",
        "no_request",
        "no_incident",
        "no_document",
        "request_closed",
        "extended_already",
        "not_to_erase",
        "not_to_answer",
        "open_already",
        "reason_needed",
        "wrong_moment",
        "bad_contact",
    }
)

#: The most lines of one page.
PAGE_LIMIT = 200

#: An id or a code, a moment (ms), words of a person, and where a page said to go on.
Code: TypeAlias = Annotated[str, msgspec.Meta(max_length=80, pattern="^[A-Za-z0-9_.:-]*$")]
Moment: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Words: TypeAlias = Annotated[str, msgspec.Meta(max_length=4000)]
Contact: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)]
Place: TypeAlias = Annotated[str, msgspec.Meta(pattern="^([0-9]{1,16}:[0-9a-f-]{36})?$")]
Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)]

RequestKind: TypeAlias = Literal["access", "rectify", "stop", "erase"]
#: Why the data has to be seen to: the subject asked for it, took the consent back that it was
#: processed under, it was processed unlawfully, or it is not needed any more.
Ground: TypeAlias = Literal["request", "withdrawal", "unlawful", "purpose_reached"]
#: ``void``: nothing is to be done any more, because a new consent was given or the data is gone.
RequestState: TypeAlias = Literal["open", "answered", "rejected", "executed", "void"]
DocumentKind: TypeAlias = Literal["act", "extract"]
Format: TypeAlias = Literal["pdf", "csv", "json"]


class ConsentText(msgspec.Struct, frozen=True, kw_only=True):
    """The very text that was agreed to, in both languages. ``since`` is when the hub got it."""

    hash: str
    purpose: str
    version: int
    ru: str
    en: str
    since: int


class TextVersions(msgspec.Struct, frozen=True, kw_only=True):
    """Every text people were ever asked to agree to, the newest version of a purpose first."""

    texts: list[ConsentText]


class RegistryQuery(Unspoken, frozen=True, kw_only=True):
    """Which consents are asked for; what is empty does not matter.

    ``since`` and ``until`` bound when it was given; ``contact`` is a whole phone or e-mail of the
    subject. ``after`` is the ``more`` of the page before.
    """

    purpose: Code = ""
    standing: Literal["", "given", "withdrawn"] = ""
    channel: Code = ""
    since: Moment | None = None
    until: Moment | None = None
    stage: Literal["", "active", "erasure_requested", "erased"] = ""
    contact: Contact = ""
    after: Place = ""
    limit: Limit = 100


class RegistryLine(Unspoken, frozen=True, kw_only=True):
    """One consent, and whose it is: ``name`` is "" where nothing of it may be read any more."""

    consent: Consent
    name: str
    stage: SubjectStage


class RegistryPage(Unspoken, frozen=True, kw_only=True):
    """Consents, the last given first; ``more`` is where to go on, "" where there are no more.

    ``total`` counts all that are asked for, on the first page only.
    """

    lines: list[RegistryLine]
    more: str = ""
    total: int | None = None


class CardsQuery(Unspoken, frozen=True, kw_only=True):
    """Which subjects are asked for: by stage, or by a whole phone or e-mail."""

    stage: Literal["", "active", "erasure_requested", "erased"] = ""
    contact: Contact = ""
    after: Place = ""
    limit: Limit = 100


class CardLine(Unspoken, frozen=True, kw_only=True):
    """One subject in short. ``due_at`` is the next deadline of his open requests."""

    subject_id: str
    name: str
    stage: SubjectStage
    consents: dict[str, Standing]
    open_requests: int = 0
    due_at: int | None = None


class CardsPage(Unspoken, frozen=True, kw_only=True):
    """Subjects, the newest first; ``more`` and ``total`` as in `RegistryPage`."""

    lines: list[CardLine]
    more: str = ""
    total: int | None = None


class AskSubject(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for all that is kept of a subject; ``purpose`` is the id of one of the playbook's.

    Without one the journal says what the role's ordinary reading stands under.
    """

    subject_id: Code
    purpose: Code = ""


class GivenConsent(Unspoken, frozen=True, kw_only=True):
    """A consent with the text it was given to; none for an objection that nothing was agreed to
    before, or where the text is older than what the hub keeps."""

    consent: Consent
    text: ConsentText | None = None


class ItemLine(Unspoken, frozen=True, kw_only=True):
    """A card that speaks of the subject."""

    id: str
    kind: str
    stage: str
    title: str
    responsible: str | None
    updated_at: int


class FindPerson(Unspoken, frozen=True, kw_only=True):
    """Asks who has a whole phone number or e-mail: one of them."""

    phone: Contact = ""
    email: Contact = ""


class FoundPerson(Unspoken, frozen=True, kw_only=True):
    """A person and his cards, as far as the reader may see them."""

    subject: Subject
    items: list[ItemLine]


class ErasedHere(msgspec.Struct, frozen=True, kw_only=True):
    """The desk holds these erased persons no more."""

    subjects: Annotated[list[Code], msgspec.Meta(max_length=1000)]


class RequestLine(Unspoken, frozen=True, kw_only=True):
    """What has to be done about a subject's data, and by when.

    ``days_left`` counts the working days from now up to and with the last one: 0 on the last
    day itself, below 0 when it is past. ``blocked_at`` is when processing stopped for it.
    ``outstanding`` counts the devices that have not confirmed an erasure yet.
    """

    id: str
    subject_id: str
    name: str
    kind: RequestKind
    ground: Ground
    received_at: int
    by: str | None
    channel: str
    note: str
    due_at: int
    days_left: int
    state: RequestState
    blocked_at: int | None = None
    extended_at: int | None = None
    extension: str = ""
    closed_at: int | None = None
    closed_by: str | None = None
    answer: str = ""
    outstanding: int = 0


class DocumentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A document that is kept as proof, until ``keep_until``."""

    id: str
    kind: DocumentKind
    format: Format
    subject_id: str
    request_id: str | None
    name: str
    made_at: int
    made_by: str | None
    keep_until: int
    size: int
    sha256: str


class DeviceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A desk that may still hold an erased subject: until it confirms, or its lease ends."""

    device_id: str
    device_name: str
    user: str
    state: str
    lease_until: int | None = None
    acked_at: int | None = None


class ErasureLine(msgspec.Struct, frozen=True, kw_only=True):
    """When and by whom a subject was erased, what of him, and where it is not confirmed yet."""

    at: int
    by: str | None
    categories: tuple[str, ...]
    devices: list[DeviceLine]


class SubjectCard(Unspoken, frozen=True, kw_only=True):
    """All that is kept of one subject, as the officer may read it; his journal is asked for by
    ``/v1/pd/journal``."""

    subject: Subject
    consents: list[GivenConsent]
    requests: list[RequestLine]
    items: list[ItemLine]
    documents: list[DocumentLine]
    erasure: ErasureLine | None = None


class AskExport(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for a copy of a subject's data for himself; it is not kept on the hub."""

    subject_id: Code
    format: Literal["json", "pdf"] = "json"
    language: Literal["ru", "en"] = "ru"
    purpose: Code = ""


class Export(Unspoken, frozen=True, kw_only=True):
    """A file."""

    name: str
    media_type: str
    content: bytes


class RequestsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests are asked for. Open ones come by their deadline, all others the last received
    first."""

    state: Literal["open", "closed"] = "open"
    kind: Literal["", "access", "rectify", "stop", "erase"] = ""
    subject_id: Code = ""
    after: Place = ""
    limit: Limit = 100


class RequestsPage(Unspoken, frozen=True, kw_only=True):
    """Requests, and where to go on; "" where there are no more."""

    lines: list[RequestLine]
    more: str = ""


class NewRequest(Unspoken, frozen=True, kw_only=True):
    """A subject demanded something of the officer himself, or the data has to go without that.

    ``received_at`` is when it came, now where nothing is said; the deadline counts from it. One
    of kind "stop" ends every consent, one of kind "erase" blocks the subject.
    """

    subject_id: Code
    kind: RequestKind
    ground: Literal["request", "unlawful", "purpose_reached"] = "request"
    channel: Code = ""
    note: Words = ""
    received_at: Moment | None = None


class DecideRequest(Unspoken, frozen=True, kw_only=True):
    """What is done about an open request; ``reason`` is the answer, or why it is extended or
    rejected, and needed for all but an execution."""

    request_id: Code
    reason: Words = ""


class IncidentLine(Unspoken, frozen=True, kw_only=True):
    """A leak or loss of personal data. ``notice_due`` and ``result_due`` are when the authority
    must have heard of it, and of what the inquiry found."""

    id: str
    found_at: int
    opened_by: str | None
    title: str
    description: str
    people: int
    notice_due: int
    result_due: int
    notified_at: int | None = None
    notified_by: str | None = None
    notice: str = ""
    resolved_at: int | None = None
    resolved_by: str | None = None
    result: str = ""


class Incidents(Unspoken, frozen=True, kw_only=True):
    """The unresolved incidents, then the others; in each the last found first."""

    incidents: list[IncidentLine]


class NewIncident(Unspoken, frozen=True, kw_only=True):
    """Something happened; ``found_at`` is when it was noticed, now where nothing is said.

    ``people`` is about how many subjects are concerned. Name no person in it.
    """

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    description: Words = ""
    people: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    found_at: Moment | None = None


class DecideIncident(Unspoken, frozen=True, kw_only=True):
    """The authority was told, or what the inquiry found: ``note`` says it."""

    incident_id: Code
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Documents(msgspec.Struct, frozen=True, kw_only=True):
    """Documents that are kept, the last made first."""

    documents: list[DocumentLine]


class AskDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for the file of a document."""

    document_id: Code


class AskExtract(msgspec.Struct, frozen=True, kw_only=True):
    """Asks for an extract of the journal about a subject, to be made and kept as PDF and CSV."""

    subject_id: Code
