"""The journal of personal data as the officer reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from desk.domain.model import Value
from desk.protocol.journal import JournalLine, JournalQuery
from desk.screens import pd_words as pd
from desk.screens.pd_form import Asked, begin_of, chosen, day_of, end_of, field
from desk.screens.pd_pages import Fetched, Page, Words, translated
from desk.screens.words import NOTHING, person_name
from desk.text import N_, _
from desk.widgets.ledger import Column, Row, Tone

if TYPE_CHECKING:
    from desk.services.officer import Officer

_WIDE = 110


class JournalEntries(Page[JournalLine]):
    """Who did what with whose data, the newest first."""

    id = "journal"
    title, tab = N_("Journal of personal data"), N_("Journal")
    nothing = N_("There is no such entry.")

    def __init__(self) -> None:
        self._query = JournalQuery()

    def fetch(self, officer: Officer, after: str) -> Fetched[JournalLine]:
        page = officer.journal(msgspec.structs.replace(self._query, after=after))
        return Fetched(page.lines, page.more)

    def columns(self) -> Sequence[Column]:
        return (
            Column(_("When"), 21),
            Column(_("Who"), 13, 1),
            Column(_("What"), 16, 2),
            Column(_("Whose data"), 14, from_width=_WIDE),
            Column(_("Fields"), 14, 2),
            Column(_("Purpose"), 18, 2, from_width=_WIDE),
        )

    def row(self, line: JournalLine, words: Words) -> Row:
        one = line.access
        tone: Tone = "error" if one.event == "journal_broken" else ""
        sign = {"journal_broken": "‼ "}.get(one.event, "")
        cells = (
            pd.second(one.at),
            person_name(words.people, one.who) if one.who else _("the hub"),
            sign + pd.event(one),
            _short(one.subject_id),
            pd.fields_told(words.playbook, one.fields) or NOTHING,
            pd.purpose_title(words.playbook, one.purpose),
        )
        return Row(f"{line.stream}:{line.seq}", cells, tone)

    def about(self, line: JournalLine, words: Words) -> str:
        one = line.access
        place = _("device {device}").format(device=one.device) if one.device else _("the hub")
        where = _("without the hub, on {place}") if one.offline else _("on {place}")
        parts = [
            where.format(place=place),
            _("entry {number} of {stream}").format(number=line.seq, stream=line.stream),
        ]
        if one.subject_id:
            parts.append(_("person {id}").format(id=one.subject_id))
        if one.item_id:
            parts.append(_("card {id}").format(id=one.item_id))
        parts += [f"{name}: {code}" for name, code in one.detail.items()]
        fields = pd.fields_told(words.playbook, one.fields)
        return " · ".join(parts) + (f"\n{fields}" if fields else "")

    def subject_of(self, line: JournalLine) -> str:
        return line.access.subject_id or ""

    def of_subject(self, subject_id: str) -> None:
        """Show what was done with one person's data."""
        self._query = JournalQuery(subject_id=subject_id)

    def asked(self, words: Words) -> Sequence[Asked]:
        query = self._query
        people = {one.id: one.name for one in words.people.values()}
        offline = "" if query.offline is None else "yes" if query.offline else "no"
        return (
            Asked(field("who", _("Who"), "choice", choices=people), query.who),
            Asked(field("event", _("What"), "choice", choices=translated(pd.EVENTS)), query.event),
            Asked(field("since", _("Since"), "date"), day_of(query.since)),
            Asked(field("until", _("Until"), "date"), day_of(query.until)),
            Asked(field("offline", _("Without the hub"), "choice",
                        choices={"yes": _("yes"), "no": _("no")}), offline),
            Asked(field("subject_id", _("Person (id)"), max_length=36), query.subject_id),
            Asked(field("item_id", _("Card (id)"), max_length=36), query.item_id),
        )  # fmt: skip

    def use(self, values: Mapping[str, Value]) -> None:
        names = ("who", "event", "subject_id", "item_id")
        self._query = msgspec.convert(
            {
                **{name: chosen(values[name]) or None for name in names},
                "offline": {"yes": True, "no": False}.get(chosen(values["offline"])),
                "since": begin_of(values["since"]),
                "until": end_of(values["until"]),
            },
            JournalQuery,
        )

    def filtered(self, words: Words) -> str:
        query = self._query
        parts = [
            person_name(words.people, query.who) if query.who else "",
            pd.word(pd.EVENTS, query.event) if query.event else "",
            _("without the hub") if query.offline else "",
            _("with the hub") if query.offline is False else "",
            f"{pd.day(query.since)} – {pd.day(query.until)}" if query.since or query.until else "",
            _("person {id}").format(id=_short(query.subject_id)) if query.subject_id else "",
            _("card {id}").format(id=_short(query.item_id)) if query.item_id else "",
        ]
        return " · ".join(part for part in parts if part)


def _short(identifier: str | None) -> str:
    """The end of an id, which tells neighbours apart."""
    return f"…{identifier[-12:]}" if identifier else NOTHING
