"""What whoever answers for personal data asks of the hub; all of it needs the network.

Every call raises what the hub makes it raise: ``OfficerProblem`` where the hub says no for a reason
of the officer's own work, ``HubUnreachable``, ``NotSignedIn``, ``OfflineByChoice``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from desk.protocol import personal as p
from desk.protocol.journal import JournalPage, JournalQuery
from desk.protocol.problems import PROBLEMS
from desk.services.errors import HubProblem, OfficerProblem

if TYPE_CHECKING:
    from desk.services.hub_client import HubClient

M = TypeVar("M", bound=msgspec.Struct)


class Officer:
    """The registry of consents, requests, erasure, incidents and documents at the hub."""

    def __init__(self, client: Callable[[], HubClient]) -> None:
        """``client`` gives the client of the session, or raises ``NotSignedIn``."""
        self._client = client

    # The registry and the cards

    def registry(self, query: p.RegistryQuery) -> p.RegistryPage:
        """Consents, the last given first."""
        return self._ask("/v1/pd/registry", query, p.RegistryPage)

    def cards(self, query: p.CardsQuery) -> p.CardsPage:
        """Subjects by stage, or by a whole phone or e-mail; the newest first."""
        return self._ask("/v1/pd/cards", query, p.CardsPage)

    def subject(self, subject_id: str, purpose: str = "") -> p.SubjectCard:
        """All that is kept of one subject; ``purpose`` is an id of the playbook's."""
        asked = p.AskSubject(subject_id=subject_id, purpose=purpose)
        return self._ask("/v1/pd/subject", asked, p.SubjectCard)

    def export(
        self,
        subject_id: str,
        form: Literal["json", "pdf"],
        language: Literal["ru", "en"],
        purpose: str = "",
    ) -> p.Export:
        """A copy of a subject's data for himself, machine-readable or readable."""
        asked = p.AskExport(subject_id=subject_id, format=form, language=language, purpose=purpose)
        return self._ask("/v1/pd/export", asked, p.Export)

    def texts(self) -> list[p.ConsentText]:
        """Every text people were asked to agree to."""
        return self._get("/v1/pd/texts", p.TextVersions).texts

    # Requests

    def requests(self, query: p.RequestsQuery) -> p.RequestsPage:
        """What has to be done, by deadline; or what was done."""
        return self._ask("/v1/pd/requests", query, p.RequestsPage)

    def open_request(self, request: p.NewRequest) -> p.RequestLine:
        """Write a demand down; one to erase blocks the subject at once."""
        return self._ask("/v1/pd/request", request, p.RequestLine)

    def answer(self, request_id: str, answer: str) -> p.RequestLine:
        """The demand was met, or answered."""
        return self._decide("answer", request_id, answer)

    def extend(self, request_id: str, reason: str) -> p.RequestLine:
        """Five more working days, once."""
        return self._decide("extend", request_id, reason)

    def reject(self, request_id: str, reason: str) -> p.RequestLine:
        """The demand is not met; a subject that it blocked is free again."""
        return self._decide("reject", request_id, reason)

    def erase(self, request_id: str) -> p.RequestLine:
        """Erase the subject of a request for good; the act and the extract are made with it."""
        return self._decide("execute", request_id, "")

    # Incidents

    def incidents(self) -> list[p.IncidentLine]:
        """The unresolved ones first."""
        return self._get("/v1/pd/incidents", p.Incidents).incidents

    def open_incident(self, incident: p.NewIncident) -> p.IncidentLine:
        """Something happened to personal data; its clocks run from now."""
        return self._ask("/v1/pd/incident", incident, p.IncidentLine)

    def notify_incident(self, incident_id: str, note: str) -> p.IncidentLine:
        """The authority was told."""
        asked = p.DecideIncident(incident_id=incident_id, note=note)
        return self._ask("/v1/pd/incident/notify", asked, p.IncidentLine)

    def resolve_incident(self, incident_id: str, note: str) -> p.IncidentLine:
        """The inquiry has ended with this result, and the authority was told of it."""
        asked = p.DecideIncident(incident_id=incident_id, note=note)
        return self._ask("/v1/pd/incident/resolve", asked, p.IncidentLine)

    # Documents

    def documents(self) -> list[p.DocumentLine]:
        """Acts and extracts that are kept, the last made first."""
        return self._get("/v1/pd/documents", p.Documents).documents

    def document(self, document_id: str) -> p.Export:
        """The file of a document."""
        return self._ask("/v1/pd/document", p.AskDocument(document_id=document_id), p.Export)

    def extract(self, subject_id: str) -> list[p.DocumentLine]:
        """Make an extract of the journal about a subject, as PDF and CSV; both are kept."""
        asked = p.AskExtract(subject_id=subject_id)
        return self._ask("/v1/pd/extract", asked, p.Documents).documents

    # The journal

    def journal(self, query: JournalQuery) -> JournalPage:
        """Who did what with whose data, the newest first; that one looked is an entry, too."""
        return self._ask("/v1/pd/journal", query, JournalPage)

    def _decide(self, what: str, request_id: str, reason: str) -> p.RequestLine:
        asked = p.DecideRequest(request_id=request_id, reason=reason)
        return self._ask(f"/v1/pd/request/{what}", asked, p.RequestLine)

    def _ask(self, path: str, message: msgspec.Struct, answer: type[M]) -> M:
        try:
            return self._client().ask(path, message, answer)
        except HubProblem as error:
            raise _said(error) from None

    def _get(self, path: str, answer: type[M]) -> M:
        try:
            return self._client().look(path, answer)
        except HubProblem as error:
            raise _said(error) from None


def _said(error: HubProblem) -> HubProblem | OfficerProblem:
    reason = error.values.get("reason", "")
    if reason not in p.REASONS:
        return error
    problem = OfficerProblem(reason=reason)
    problem.template = PROBLEMS[reason]
    return problem
