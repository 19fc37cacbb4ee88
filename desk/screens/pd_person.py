"""All that is kept of one person, as the officer for personal data may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from desk.domain.forms import is_empty
from desk.protocol.personal import ErasureLine, SubjectCard
from desk.screens import pd_acts
from desk.screens import pd_words as pd
from desk.screens.facts import Fact, widget_of
from desk.screens.pd_pages import Words, consent_told, devices_told, request_told
from desk.screens.shell import DeskScreen
from desk.screens.words import person_name, shown, stage_title, title_of
from desk.services.errors import DeskError, HubUnreachable, OfflineByChoice
from desk.text import _
from desk.widgets.actions import bindings
from desk.widgets.safe import plain


class PersonScreen(DeskScreen[None]):
    """His data and consents at the left; demands, cards, documents and desks at the right."""

    DEFAULT_CSS = """
    PersonScreen #person-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    PersonScreen #person-line { height: 1; padding: 0 1; color: $text-muted; }
    PersonScreen #person-line.-loud { color: $text-warning; text-style: bold; }
    PersonScreen #person-state { height: 1fr; padding: 1 2; display: none; }
    PersonScreen.-said #person-state { display: block; }
    PersonScreen.-said #person { display: none; }
    PersonScreen #person { height: 1fr; layout: vertical; padding: 0 1; overflow-y: auto; }
    PersonScreen #person { scrollbar-size-vertical: 1; }
    PersonScreen .pane { height: auto; padding: 0; }
    PersonScreen .section { color: $text-primary; text-style: bold; height: auto; }
    PersonScreen .section.-later { margin-top: 1; }
    PersonScreen .pane .section.-later:first-child { margin-top: 0; }
    PersonScreen #other { margin-top: 1; }
    PersonScreen .fact { height: auto; }
    PersonScreen .fact-title { width: 26; padding-right: 1; color: $text-muted; }
    PersonScreen .fact-value { width: 1fr; height: auto; }
    PersonScreen .fact.-wanted .fact-value { color: $text-warning; }
    PersonScreen.-wide #person { layout: horizontal; overflow-y: hidden; padding: 0; }
    PersonScreen.-wide .pane { width: 1fr; height: 1fr; padding: 0 1; overflow-y: auto; }
    PersonScreen.-wide .pane { scrollbar-size-vertical: 1; }
    PersonScreen.-wide #other { margin-top: 0; border-left: solid $panel; }
    """
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (110, "-wide")]
    ACTION_GROUPS = ("person",)
    BINDINGS = bindings("person")
    AUTO_FOCUS = ""

    def __init__(self, subject_id: str) -> None:
        super().__init__()
        self._subject_id = subject_id
        self._card: SubjectCard | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="person-title", markup=False)
        yield Static(id="person-line", markup=False)
        yield Static(id="person-state", markup=False)
        with VerticalScroll(id="person"):
            yield VerticalScroll(id="own", classes="pane", can_focus=False)
            yield VerticalScroll(id="other", classes="pane", can_focus=False)
        yield from self.shell.frame()

    def on_mount(self) -> None:
        self.query_one("#person").focus()
        self.reload()

    def reload(self) -> None:
        """Ask the hub anew; the reading is written into the journal."""
        if self._card is None:
            self._say(_("Asking the hub…"))
        self.run_worker(self._fetch(), group="person", exclusive=True)

    async def _fetch(self) -> None:
        officer = self.desk.officer
        try:
            card = await asyncio.to_thread(officer.subject, self._subject_id)
        except DeskError as error:
            self._failed(error)
            return
        self._card = card
        self._say("")
        await self._show(card)

    def _failed(self, error: DeskError) -> None:
        sentence = self.shell.explain(error)
        if isinstance(error, HubUnreachable):
            sentence = _("The hub does not answer. Check the network.")
        if self._card is not None:
            self.notify(sentence, severity="warning")
            return
        again = (
            _("F9 switches the network on. R asks the hub anew.")
            if isinstance(error, OfflineByChoice)
            else _("R asks the hub anew.")
        )
        self._say(f"‼ {sentence}\n{again}")

    def _say(self, sentence: str) -> None:
        self.query_one("#person-state", Static).update(plain(sentence))
        self.set_class(bool(sentence), "-said")
        self.refresh_bindings()

    async def _show(self, card: SubjectCard) -> None:
        self.query_one("#person-title", Static).update(self._headline(card))
        line = self.query_one("#person-line", Static)
        line.update(plain(self._subline(card), lines=False))
        line.set_class(card.subject.stage != "active", "-loud")
        for pane, facts in (("#own", self._own(card)), ("#other", self._others(card))):
            place = self.query_one(pane)
            await place.remove_children()
            await place.mount_all([widget_of(fact) for fact in facts])
        self.refresh_bindings()

    def _headline(self, card: SubjectCard) -> Content:
        return plain(self._called(card) or _("A person"), lines=False)

    def _called(self, card: SubjectCard) -> str:
        first = next(iter(self.shell.playbook.subject_fields), "")
        value = card.subject.fields.get(first)
        return value if isinstance(value, str) else ""

    def _subline(self, card: SubjectCard) -> str:
        stage = card.subject.stage
        sign = {"active": "", "erasure_requested": "‼ ", "erased": "∅ "}[stage]
        word = pd.word(pd.STAGES, stage)
        open_ones = [one for one in card.requests if one.state == "open"]
        due = f" · {pd.days_told(open_ones[0])}" if open_ones else ""
        return f"{sign}{word}{due}"

    # What is kept

    @property
    def _words(self) -> Words:
        return Words(self.shell.playbook, self.shell.people, self.shell.now())

    def _own(self, card: SubjectCard) -> Iterable[Fact]:
        yield Fact(_("Personal data"), "", "heading")
        kept = 0
        for name, declared in self.shell.playbook.subject_fields.items():
            value = card.subject.fields.get(name)
            if not is_empty(value):
                kept += 1
                yield Fact(title_of(declared), shown(declared, value, self.shell.people))
        if not kept:
            yield Fact(_("Nothing is kept."), "")
        yield Fact(_("Number of the person"), self._subject_id)
        yield Fact(_("Consents"), "", "heading")
        for given in card.consents:
            title = pd.purpose_title(self.shell.playbook, given.consent.purpose)
            told = f"{pd.standing(given.consent)}\n{consent_told(given.consent, self._words)}"
            withdrawn = given.consent.withdrawn_at is not None
            yield Fact(title, told, "wanted" if withdrawn else "")
        if not card.consents:
            yield Fact(_("None was ever given."), "")

    def _others(self, card: SubjectCard) -> Iterable[Fact]:
        yield Fact(_("Demands"), "", "heading")
        for line in card.requests:
            title = pd.word(pd.KINDS, line.kind)
            loud = line.state == "open" and pd.tone_of(line)
            yield Fact(title, request_told(line, self._words), "wanted" if loud else "")
        if not card.requests:
            yield Fact(_("None."), "")
        if card.erasure is not None:
            yield from self._erasure(card.erasure)
        yield Fact(_("Cards"), "", "heading")
        for item in card.items:
            kind = self.shell.playbook.kind(item.kind)
            stage = stage_title(self.shell.playbook, item.kind, item.stage)
            whose = person_name(self.shell.people, item.responsible)
            about = " · ".join(part for part in (item.title, stage, whose) if part)
            yield Fact(title_of(kind) if kind else item.kind, about)
        if not card.items:
            yield Fact(_("None."), "")
        if card.documents:
            yield Fact(_("Documents"), "", "heading")
        for one in card.documents:
            about = _("{name}, made {day}, kept until {until}").format(
                name=one.name, day=pd.minute(one.made_at), until=pd.day(one.keep_until)
            )
            yield Fact(f"{pd.word(pd.DOCUMENTS, one.kind)}, {one.format.upper()}", about)

    def _erasure(self, erasure: ErasureLine) -> Iterable[Fact]:
        yield Fact(_("Erasure"), "", "heading")
        who = person_name(self.shell.people, erasure.by)
        emptied = ", ".join(pd.word(pd.CATEGORIES, one) for one in erasure.categories)
        told = f"{pd.minute(erasure.at)} · {who}\n{emptied}"
        yield Fact(_("Erased"), told)
        waiting = [one for one in erasure.devices if one.acked_at is None]
        if waiting:
            yield Fact(_("Not confirmed yet"), devices_told(len(waiting)), "wanted")
        for one in erasure.devices:
            user = person_name(self.shell.people, one.user)
            if one.acked_at is not None:
                state = "✓ " + _("erased {day}").format(day=pd.minute(one.acked_at))
            elif one.lease_until is not None:
                state = "◷ " + _("opens no more after {day}").format(day=pd.minute(one.lease_until))
            else:
                state = "◷ " + _("not seen since")
            tone = "" if one.acked_at is not None else "wanted"
            yield Fact(f"{user}, {one.device_name}", state, tone)

    # Actions

    def why_not(self, action: str) -> str | None:
        """Why an action is not possible now."""
        if action == "person.act" and self._card is None:
            return _("The person’s data has not come from the hub yet.")
        return None

    def action_act(self) -> None:
        """Choose what to do."""
        card = self._card
        if card is None:
            return
        deeds: list[pd_acts.Deed] = []
        open_ones = [one for one in card.requests if one.state == "open"]
        if open_ones:
            # The nearest deadline is the one to work on.
            deeds += pd_acts.of_request(self, open_ones[0], self.reload)
        deeds += pd_acts.of_person(self, self._subject_id, self.reload)
        deeds.append(
            pd_acts.Deed("journal", _("Show the journal of this person"), "j", self._journal)
        )
        deeds += [
            pd_acts.Deed(
                f"save:{one.id}",
                _("Save {name}").format(name=one.name),
                "",
                pd_acts.save_of(self, one).do,
            )
            for one in card.documents
        ]
        pd_acts.choose(self, self._called(card), deeds)

    def _journal(self) -> None:
        from desk.screens.pd_office import OfficeScreen

        self.app.push_screen(OfficeScreen(self._subject_id))

    def action_reload(self) -> None:
        """Ask the hub anew."""
        self.reload()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
