"""What the officer does with a line or a person: each a dialog that ends in one call to the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeAlias, cast

from desk.domain.consents import CHANNELS
from desk.domain.model import Value
from desk.protocol.personal import (
    DocumentLine,
    Export,
    IncidentLine,
    NewIncident,
    NewRequest,
    RequestKind,
    RequestLine,
)
from desk.screens import pd_words as pd
from desk.screens.menu import Line, Menu
from desk.screens.notice import Question
from desk.screens.pd_files import SaveFile
from desk.screens.pd_form import Asked, FormDialog, begin_of, chosen, day_of, field
from desk.screens.pd_pages import devices_told, translated
from desk.screens.prompt import Prompt
from desk.screens.shell import DeskScreen, Shell
from desk.services.errors import DeskError
from desk.text import _, language

_P = ParamSpec("_P")
#: What an officer may give as the ground of a demand.
Ground: TypeAlias = Literal["request", "unlawful", "purpose_reached"]
#: Called when the hub has done something.
Then = Callable[[], None]
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that can be done; with a ``reason`` it cannot be done now."""

    id: str
    title: str
    key: str
    do: Callable[[], None]
    hint: str = ""
    reason: str = ""


def choose(screen: DeskScreen[Any], about: str, deeds: Sequence[Deed]) -> None:
    """Let one be chosen, and do it."""
    by_id = {one.id: one for one in deeds}
    lines = [Line(one.id, one.title, one.key, one.hint, one.reason) for one in deeds]

    def picked(identifier: str | None) -> None:
        if identifier:
            by_id[identifier].do()

    screen.app.push_screen(Menu(_("What to do"), about, lines), picked)


def act(screen: DeskScreen[Any], line: Any, subject_id: str, then: Then) -> None:
    """Choose what to do with a line of the officer's place."""
    if isinstance(line, IncidentLine):
        choose(screen, line.title, of_incident(screen, line, then))
    elif isinstance(line, RequestLine):
        deeds = [*of_request(screen, line, then), *of_person(screen, subject_id, then)]
        choose(screen, line.name, deeds)
    elif isinstance(line, DocumentLine):
        choose(screen, line.name, [save_of(screen, line)])
    elif subject_id:
        choose(screen, getattr(line, "name", ""), of_person(screen, subject_id, then))
    else:
        screen.notify(_("This entry is not about one person."), severity="warning")


# A person


def of_person(screen: DeskScreen[Any], subject_id: str, then: Then) -> list[Deed]:
    """What can be done with anybody's data."""

    def export(form: Literal["json", "pdf"]) -> Callable[[], None]:
        return lambda: save(
            screen,
            lambda: screen.desk.officer.export(subject_id, form, _tongue()),
        )

    return [
        Deed(
            "request",
            _("Write down a demand"),
            "n",
            lambda: new_request(screen, subject_id, then),
            _("The person wrote or called: the deadline counts from the day it came."),
        ),
        Deed(
            "pdf",
            _("Save a copy to read (PDF)"),
            "p",
            export("pdf"),
            _("All that is kept of the person, for himself."),
        ),
        Deed(
            "json",
            _("Save a copy for programs (JSON)"),
            "s",
            export("json"),
            _("All that is kept of the person, machine-readable."),
        ),
        Deed(
            "extract",
            _("Make an extract of the journal"),
            "x",
            lambda: make_extract(screen, subject_id, then),
            _("Who saw and changed this person’s data; it is kept with the documents."),
        ),
    ]


def new_request(screen: DeskScreen[Any], subject_id: str, then: Then) -> None:
    """Write down what a person demands."""
    shell = screen.shell
    today = day_of(shell.now())

    async def send(values: Mapping[str, Value]) -> str:
        day = values["received"]
        request = NewRequest(
            subject_id=subject_id,
            kind=cast("RequestKind", chosen(values["kind"])),
            ground=cast("Ground", chosen(values["ground"]) or "request"),
            channel=chosen(values["channel"]),
            note=chosen(values["note"]),
            # Of today it is this very moment.
            received_at=begin_of(day) if day and day != today else None,
        )
        return await call(shell, screen.desk.officer.open_request, request)

    grounds = {one: words for one, words in translated(pd.GROUNDS).items() if one != "withdrawal"}
    asked = (
        Asked(field("kind", _("What is demanded"), "choice", choices=translated(pd.KINDS), hint=_(
            "“Stop” ends every consent; “erase” also blocks the person’s cards at once."
        )), required=True),
        Asked(field("ground", _("Ground"), "choice", choices=grounds), "request"),
        Asked(field("channel", _("Channel"), "choice", choices=translated(CHANNELS)),
              required=True),
        Asked(field("received", _("Received"), "date"), today, required=True),
        Asked(field("note", _("Words of the person"), "long", max_length=1000)),
    )  # fmt: skip
    _push(screen, FormDialog(_("Demand of a person"), "", _("Write down"), asked, send), then)


def make_extract(screen: DeskScreen[Any], subject_id: str, then: Then) -> None:
    """Have an extract made and kept."""

    async def make() -> None:
        wrong = await call(screen.shell, screen.desk.officer.extract, subject_id)
        if wrong:
            screen.notify(wrong, severity="warning")
            return
        screen.notify(_("The extract is made: it is in the section “Acts”."))
        if screen.is_attached:
            then()

    screen.shell.go(make())


# A request


def of_request(screen: DeskScreen[Any], line: RequestLine, then: Then) -> list[Deed]:
    """What can be done about a demand."""
    closed = "" if line.state == "open" else _("This request is closed already.")
    extended = _("The term was extended already; that is possible once.")
    not_erasure = _("This request is not about erasure. Answer it instead.")
    deeds = [
        Deed(
            "answer",
            _("Answer"),
            "a",
            lambda: _reason(
                screen, line, _("Answer"), _("What was answered"), screen.desk.officer.answer, then
            ),
            _("The demand was met, or answered in another way."),
            closed,
        ),
        Deed(
            "extend",
            _("Extend by 5 working days"),
            "e",
            lambda: _reason(
                screen, line, _("Extend"), _("Why more time is needed"),
                screen.desk.officer.extend, then,
            ),
            _("Once; the person has to be told why."),
            closed or (extended if line.extended_at is not None else ""),
        ),
        Deed(
            "reject",
            _("Reject"),
            "r",
            lambda: _reason(
                screen, line, _("Reject"), _("Why it is rejected"), screen.desk.officer.reject, then
            ),
            _("The person’s cards are free again."),
            closed,
        ),
    ]  # fmt: skip
    erase = Deed(
        "erase",
        _("Erase for good"),
        "d",
        lambda: erase_person(screen, line, then),
        _("You see what will happen before it does."),
        closed or ("" if line.kind == "erase" else not_erasure),
    )
    return [erase, *deeds] if line.kind == "erase" else [*deeds, erase]


def _reason(
    screen: DeskScreen[Any],
    line: RequestLine,
    heading: str,
    label: str,
    decide: Callable[[str, str], Any],
    then: Then,
) -> None:
    async def send(text: str) -> str:
        return await call(screen.shell, decide, line.id, text)

    about = f"{line.name} · {pd.word(pd.KINDS, line.kind)}"
    dialog = Prompt(heading, about, send=send, verb=heading, label=label, lines=True)
    screen.app.push_screen(dialog, lambda text: then() if text is not None else None)


def erase_person(screen: DeskScreen[Any], line: RequestLine, then: Then) -> None:
    """Say what will happen, and do it."""

    def answered(yes: bool | None) -> None:
        if yes:
            screen.shell.go(_erase(screen, line, then))

    about = _(
        "{name}: name, phones, addresses and notes, titles, texts and comments of the cards, and"
        " what proves the consents are erased on the hub, in its search and on every desk.\n"
        "The person’s key is destroyed, so a backup cannot bring them back.\n"
        "The cards stay, without the person; the act and the journal extract are made and kept"
        " for three years.\n\n"
        "This cannot be taken back."
    ).format(name=line.name)
    screen.app.push_screen(Question(_("Erase for good?"), about, _("Erase")), answered)


async def _erase(screen: DeskScreen[Any], line: RequestLine, then: Then) -> None:
    screen.notify(_("Erasing…"))
    try:
        done = await asyncio.to_thread(screen.desk.officer.erase, line.id)
    except DeskError as error:
        screen.shell.warn(error)
        return
    left = f" {devices_told(done.outstanding)}" if done.outstanding else ""
    screen.notify(_("Erased. The act is in the section “Acts”.") + left, timeout=15)
    if screen.is_attached:
        then()


# An incident


def of_incident(screen: DeskScreen[Any], line: IncidentLine, then: Then) -> list[Deed]:
    """What can be done about an incident."""
    officer = screen.desk.officer

    def note(heading: str, label: str, decide: Callable[[str, str], Any]) -> Callable[[], None]:
        async def send(text: str) -> str:
            return await call(screen.shell, decide, line.id, text)

        dialog = Prompt(heading, line.title, send=send, label=label, verb=heading, lines=True)

        def ask() -> None:
            screen.app.push_screen(dialog, lambda text: then() if text is not None else None)

        return ask

    told = _("The authority was told already.") if line.notified_at is not None else ""
    resolved = _("The inquiry has ended already.") if line.resolved_at is not None else ""
    return [
        Deed(
            "notify",
            _("The authority was told"),
            "a",
            note(_("The authority was told"), _("What was told, number of the notice"),
                 officer.notify_incident),
            _("The notice is due 24 hours after the incident was found."),
            told,
        ),
        Deed(
            "resolve",
            _("The inquiry has ended"),
            "r",
            note(_("The inquiry has ended"), _("What it found and what was done"),
                 officer.resolve_incident),
            _("The result is due 72 hours after the incident was found."),
            resolved,
        ),
    ]  # fmt: skip


def new_incident(screen: DeskScreen[Any], then: Then) -> None:
    """Write an incident down: its clocks run from when it was found."""
    shell = screen.shell

    async def send(values: Mapping[str, Value]) -> str:
        people, hours = values["people"], values["hours"]
        ago = round(float(hours) * _HOUR) if isinstance(hours, int | float) else 0
        incident = NewIncident(
            title=chosen(values["title"]),
            description=chosen(values["description"]),
            people=int(people) if isinstance(people, int | float) else 0,
            found_at=shell.now() - ago if ago > 0 else None,
        )
        return await call(shell, screen.desk.officer.open_incident, incident)

    asked = (
        Asked(field("title", _("What happened"), max_length=200,
                    hint=_("Name no person in it.")), required=True),
        Asked(field("description", _("In detail"), "long", max_length=4000)),
        Asked(field("people", _("How many people"), "number",
                    hint=_("About how many people’s data is concerned."))),
        Asked(field("hours", _("Found, hours ago"), "number",
                    hint=_("Empty: just now. The clocks of 24 and 72 hours run from then."))),
    )  # fmt: skip
    _push(screen, FormDialog(_("New incident"), "", _("Write down"), asked, send), then)


# Files


def save_of(screen: DeskScreen[Any], line: DocumentLine) -> Deed:
    """Save a document that is kept."""
    return Deed(
        "save",
        _("Save to a file"),
        "s",
        lambda: save(screen, lambda: screen.desk.officer.document(line.id)),
        line.name,
    )


def save(screen: DeskScreen[Any], fetch: Callable[[], Export]) -> None:
    """Fetch a file of the hub, and ask where to put it."""

    async def get() -> None:
        screen.notify(_("Asking the hub…"), timeout=2)
        try:
            export = await asyncio.to_thread(fetch)
        except DeskError as error:
            screen.shell.warn(error)
            return
        screen.app.push_screen(SaveFile(export.name, export.content))

    screen.shell.go(get())


# The hub


async def call(
    shell: Shell, work: Callable[_P, object], *args: _P.args, **kwargs: _P.kwargs
) -> str:
    """Ask the hub in a worker; answers what is wrong, or nothing."""
    try:
        await asyncio.to_thread(work, *args, **kwargs)
    except DeskError as error:
        return shell.explain(error)
    return ""


def _push(screen: DeskScreen[Any], dialog: FormDialog, then: Then) -> None:
    screen.app.push_screen(dialog, lambda done: then() if done else None)


def _tongue() -> Literal["ru", "en"]:
    return "ru" if language() == "ru" else "en"
