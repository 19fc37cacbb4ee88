"""Writing down on a card what its person agrees to, takes back or demands; works offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from desk.domain.consents import CHANNELS, EVIDENCE_LIMIT
from desk.domain.model import Subject, Value
from desk.domain.operations import GiveConsent, Intent, RequestErasure, WithdrawConsent
from desk.domain.playbook import Purpose
from desk.screens.consent_words import stands
from desk.screens.menu import Line, Menu
from desk.screens.pd_form import Asked, FormDialog, chosen, field
from desk.screens.shell import Shell
from desk.services.errors import DeskError
from desk.services.views import Card
from desk.text import _, language

_ERASE = "erase"


def choose(shell: Shell, card: Card) -> None:
    """Offer what can be written down about the card's person, and ask for it."""
    subject = card.subject
    assert subject is not None
    lines: list[Line] = []
    forms: dict[str, Callable[[], FormDialog]] = {}
    for number, purpose in enumerate(shell.playbook.purposes.values(), start=1):
        line, form = _of_purpose(shell, card, subject, purpose)
        lines.append(replace(line, key=str(number) if number < 10 else ""))
        forms[line.id] = form
    for purpose in shell.playbook.purposes.values():
        if purpose.id not in subject.consents:
            lines.append(_objection(purpose))
            forms[lines[-1].id] = _withdrawing(shell, card, purpose)
    lines.append(_erasure_line(subject))
    forms[_ERASE] = lambda: _erase(shell, card)

    def picked(identifier: str | None) -> None:
        if identifier:
            shell.push_screen(forms[identifier]())

    shell.push_screen(Menu(_("Consents"), card.item.title, lines, card), picked)


def _of_purpose(
    shell: Shell, card: Card, subject: Subject, purpose: Purpose
) -> tuple[Line, Callable[[], FormDialog]]:
    title = purpose.title.get(language())
    one = subject.consents.get(purpose.id)
    blocked = (
        _("Erasure is requested: a new consent waits until the officer has decided.")
        if subject.stage == "erasure_requested"
        else ""
    )
    if stands(one):
        text = _("✗ Withdraw: {purpose}").format(purpose=title)
        hint = _("What it allows stops at once, here too.")
        return Line(f"withdraw:{purpose.id}", text, "", hint), _withdrawing(shell, card, purpose)
    text = _("✓ Give: {purpose}").format(purpose=title)
    hint = purpose.text.get(language())
    return Line(f"give:{purpose.id}", text, "", hint, blocked), lambda: _give(shell, card, purpose)


def _objection(purpose: Purpose) -> Line:
    text = _("✗ Objects: {purpose}").format(purpose=purpose.title.get(language()))
    hint = _("Nobody asked, but the person says no: it holds like a withdrawal.")
    return Line(f"withdraw:{purpose.id}", text, "", hint)


def _withdrawing(shell: Shell, card: Card, purpose: Purpose) -> Callable[[], FormDialog]:
    return lambda: _withdraw(shell, card, purpose)


def _erasure_line(subject: Subject) -> Line:
    asked = _("Erasure is requested already: the officer decides.")
    reason = asked if subject.stage == "erasure_requested" else ""
    hint = _("The cards of this person are blocked until the officer has decided.")
    return Line(_ERASE, _("‼ Request for erasure"), "d", hint, reason)


def _give(shell: Shell, card: Card, purpose: Purpose) -> FormDialog:
    def intent(channel: str, evidence: str) -> Intent:
        return GiveConsent(
            item_id=card.item.id,
            purpose=purpose.id,
            text_version=purpose.version,
            channel=channel,
            evidence=evidence,
        )

    heading = _("Consent: {purpose}").format(purpose=purpose.title.get(language()))
    about = _("“{text}” (version {number})").format(
        text=purpose.text.get(language()), number=purpose.version
    )
    return _form(shell, card, heading, about, f"give:{purpose.id}", intent)


def _withdraw(shell: Shell, card: Card, purpose: Purpose) -> FormDialog:
    def intent(channel: str, evidence: str) -> Intent:
        return WithdrawConsent(
            item_id=card.item.id, purpose=purpose.id, channel=channel, evidence=evidence
        )

    heading = _("Withdrawal: {purpose}").format(purpose=purpose.title.get(language()))
    return _form(shell, card, heading, _ends(purpose), f"withdraw:{purpose.id}", intent)


def _ends(purpose: Purpose) -> str:
    """What stops at once when the consent is taken back."""
    if "processing" in purpose.stops:
        return _(
            "All work with this person stops at once: the cards can only be closed, and the"
            " officer has the data erased in time."
        )
    told = {"calls": _("calls"), "mailings": _("mailings")}
    what = ", ".join(told[one] for one in purpose.stops if one in told)
    return _("Stops at once: {what}.").format(what=what) if what else ""


def _erase(shell: Shell, card: Card) -> FormDialog:
    def intent(channel: str, note: str) -> Intent:
        return RequestErasure(item_id=card.item.id, channel=channel, note=note)

    about = _(
        "Nothing is done with this person’s data any more, and planned calls are dropped. The"
        " officer for personal data erases it in time."
    )
    return _form(shell, card, _("Request for erasure"), about, _ERASE, intent)


def _form(
    shell: Shell,
    card: Card,
    heading: str,
    about: str,
    name: str,
    intent: Callable[[str, str], Intent],
) -> FormDialog:
    async def send(values: Mapping[str, Value]) -> str:
        try:
            await shell.do(intent(chosen(values["channel"]), chosen(values["evidence"])))
        except DeskError as error:
            return shell.explain(error, card.item.kind)
        return ""

    channels = {code: _(words) for code, words in CHANNELS.items()}
    hint = _("What proves it: the form’s address, the number of a letter, a record of the call.")
    asked = (
        Asked(field("channel", _("Channel"), "choice", choices=channels), required=True),
        Asked(field("evidence", _("Evidence"), "long", hint=hint, max_length=EVIDENCE_LIMIT)),
    )
    draft = (card.item.id, f"consent.{name}")
    return FormDialog(heading, about, _("Write down"), asked, send, card=card, draft=draft)
