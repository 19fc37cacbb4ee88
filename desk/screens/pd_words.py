"""What the officer's place says of consents, requests, deadlines, incidents and the journal."""

from __future__ import annotations

from collections.abc import Mapping

from desk.domain.consents import CHANNELS, OBJECTION
from desk.domain.journal import Access
from desk.domain.model import Consent, Standing
from desk.domain.playbook import Playbook
from desk.protocol.personal import RequestLine
from desk.screens.words import NOTHING, find_field, moment, title_of
from desk.text import N_, _, format_date, language, local_time, ngettext
from desk.widgets.ledger import Tone

#: A deadline is near when so many working days are left.
NEAR = 2
_HOUR = 3_600_000
_NEAR_HOURS = 6 * _HOUR
#: From so many hours on minutes are of no interest.
_HOURS_ALONE = 10

STAGES: Mapping[str, str] = {
    "active": N_("Active"),
    "erasure_requested": N_("Erasure of PD requested"),
    "erased": N_("Erased"),
}
KINDS: Mapping[str, str] = {
    "access": N_("Wants to know what is kept"),
    "rectify": N_("Wants it corrected"),
    "stop": N_("Wants processing to stop"),
    "erase": N_("Wants it erased"),
}
GROUNDS: Mapping[str, str] = {
    "request": N_("the person asked for it"),
    "withdrawal": N_("the consent was withdrawn"),
    "unlawful": N_("it was processed unlawfully"),
    "purpose_reached": N_("it is not needed any more"),
}
STATES: Mapping[str, str] = {
    "open": N_("open"),
    "answered": N_("answered"),
    "rejected": N_("rejected"),
    "executed": N_("erased"),
    "void": N_("not needed any more"),
}
DOCUMENTS: Mapping[str, str] = {"act": N_("Act of erasure"), "extract": N_("Journal extract")}
#: What the hub empties for an erased person.
CATEGORIES: Mapping[str, str] = {
    "subject": N_("fields of the person"),
    "titles": N_("titles of cards"),
    "fields": N_("personal fields of cards"),
    "comments": N_("comments"),
    "lookup": N_("index of phones and e-mails"),
    "evidence": N_("evidence of consents"),
    "keys": N_("the person’s key"),
}
EVENTS: Mapping[str, str] = {
    "deliver": N_("Sent to a desk"),
    "read": N_("Opened"),
    "reveal": N_("Revealed"),
    "call": N_("Called"),
    "find": N_("Looked up on the hub"),
    "search": N_("Searched on a desk"),
    "export": N_("Exported"),
    "print": N_("Printed"),
    "copy": N_("Copied"),
    "screenshot": N_("Took a picture"),
    "rights": N_("Rights changed"),
    "consent": N_("Consent"),
    "request": N_("Request"),
    "erase": N_("Erased"),
    "incident": N_("Incident"),
    "sign_in": N_("Signed in"),
    "lease": N_("Desk let in"),
    "wipe": N_("Desk wiped"),
    "journal_broken": N_("A desk’s journal is broken"),
    "unknown": N_("Something else"),
}


def word(words: Mapping[str, str], code: str) -> str:
    """The word for a code, or the code where there is none."""
    known = words.get(code)
    return _(known) if known else code or NOTHING


def channel(code: str) -> str:
    """How somebody said it."""
    return word(CHANNELS, code)


def channel_told(code: str) -> str:
    """How somebody said it, within a sentence."""
    told = channel(code)
    return told[:1].lower() + told[1:]


def purpose_title(playbook: Playbook, purpose: str) -> str:
    """A purpose's title; its id where the playbook has it no more."""
    known = playbook.purposes.get(purpose)
    return known.title.get(language()) if known else purpose or NOTHING


def day(ms: int | None) -> str:
    """A day in at most twelve cells."""
    return format_date(ms) if ms is not None else NOTHING


def minute(ms: int | None) -> str:
    """A moment in at most eighteen cells."""
    return f"{format_date(ms)} {local_time(ms):%H:%M}" if ms is not None else NOTHING


def second(ms: int) -> str:
    """A moment to the second, as journals are read, in at most 21 cells."""
    return f"{format_date(ms)} {local_time(ms):%H:%M:%S}"


# Consents


def standing(one: Standing | Consent) -> str:
    """How a consent stands, with a sign: colour is never the only one."""
    if one.withdrawn_at is None:
        return "✓ " + _("given")
    if one.text_version == OBJECTION:
        return "✗ " + _("objected")
    return "✗ " + _("withdrawn")


def standings(consents: Mapping[str, Standing]) -> str:
    """How many consents stand and how many were taken back."""
    given = sum(one.withdrawn_at is None for one in consents.values())
    taken = len(consents) - given
    parts = [f"✓ {given}"] * bool(given) + [f"✗ {taken}"] * bool(taken)
    return "  ".join(parts) or NOTHING


def standings_by_name(playbook: Playbook, consents: Mapping[str, Standing]) -> str:
    """Each purpose with its sign."""
    return "  ".join(
        f"{'✓' if one.withdrawn_at is None else '✗'} {purpose_title(playbook, purpose)}"
        for purpose, one in consents.items()
    )


# Deadlines


def deadline(line: RequestLine) -> str:
    """When a request has to be answered, and how near that is."""
    if line.state != "open":
        return f"  {day(line.due_at)}"
    if line.days_left < 0:
        return f"‼ {day(line.due_at)}, " + _("overdue")
    if line.days_left == 0:
        return f"! {day(line.due_at)}, " + _("today")
    sign = "!" if line.days_left <= NEAR else " "
    return f"{sign} {day(line.due_at)}, " + working_days(line.days_left)


def working_days(n: int) -> str:
    """So many working days, short."""
    return ngettext("{n} w. day", "{n} w. days", n).format(n=n)


def days_told(line: RequestLine) -> str:
    """A whole sentence about what is left."""
    if line.state != "open":
        return _("Closed {day}: {state}.").format(
            day=day(line.closed_at), state=word(STATES, line.state)
        )
    left = line.days_left
    if left < 0:
        text = ngettext(
            "Overdue by {n} working day: answer at once.",
            "Overdue by {n} working days: answer at once.",
            -left,
        )
        return "‼ " + text.format(n=-left)
    if left == 0:
        return "! " + _("Today is the last day.")
    text = ngettext("{n} working day is left.", "{n} working days are left.", left)
    return text.format(n=left)


def tone_of(line: RequestLine) -> Tone:
    """How loud a request is shown."""
    if line.state != "open":
        return "muted"
    if line.days_left < 0:
        return "error"
    return "warning" if line.days_left <= NEAR else ""


def clock(due: int, done: int | None, now: int) -> str:
    """One of an incident's two clocks."""
    if done is not None:
        return ("✓ " if done <= due else "‼ ") + moment(done)
    if now > due:
        return "‼ " + _("overdue {span}").format(span=_span(now - due))
    sign = "! " if due - now <= _NEAR_HOURS else "  "
    return sign + _("{span} left").format(span=_span(due - now))


def clock_tone(due: int, done: int | None, now: int) -> Tone:
    """How loud it is."""
    if done is not None:
        return "muted"
    if now > due:
        return "error"
    return "warning" if due - now <= _NEAR_HOURS else ""


def _span(ms: int) -> str:
    hours, minutes = divmod(ms // 60_000, 60)
    if hours >= _HOURS_ALONE:
        return _("{n} h").format(n=hours)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


# The journal


def fields_told(playbook: Playbook, names: tuple[str, ...]) -> str:
    """Names of fields ("subject.phone") in words."""
    return ", ".join(_field(playbook, name) for name in names)


def _field(playbook: Playbook, name: str) -> str:
    owner, dot, identifier = name.partition(".")
    found = find_field(playbook, owner if dot else None, identifier if dot else name)
    return title_of(found) if found else name


def event(access: Access) -> str:
    """What was done, and with how many people where it were several."""
    told = word(EVENTS, access.event)
    return f"{told} ({access.count})" if access.count > 1 else told
