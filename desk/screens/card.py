"""A card: its fields, personal data as the role may see it, what can be done, and its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from desk.domain.model import Item, Task
from desk.domain.operations import CloseTask, Comment
from desk.domain.playbook import Kind
from desk.screens import consent_words
from desk.screens.card_words import history, links_of, steps, subline
from desk.screens.facts import Fact, facts_of, widget_of
from desk.screens.form import FORM
from desk.screens.looking import Looking
from desk.screens.news import MARK, Watch, emptied
from desk.screens.prompt import Prompt
from desk.screens.shell import card_in_sight
from desk.screens.transitions import perform
from desk.screens.words import task_title, title_of
from desk.services.errors import DeskError
from desk.services.views import Card
from desk.text import _, language, titled
from desk.widgets.actions import bind, bindings
from desk.widgets.safe import plain

#: The item a step away in the column of the board, if there is one.
Step = Callable[[str, int], "str | None"]


class CardScreen(Looking):
    """One item and all that belongs to it; it follows changes as they come."""

    DEFAULT_CSS = """
    CardScreen #card-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    CardScreen #card-line { height: 1; padding: 0 1; color: $text-muted; }
    CardScreen #card-news { height: auto; padding: 0 1; display: none; }
    CardScreen #card-news { color: $text-warning; text-style: bold; }
    CardScreen #card-news.-shown { display: block; }
    CardScreen #card-stopped { height: auto; padding: 0 1; display: none; }
    CardScreen #card-stopped { color: $text-error; text-style: bold; }
    CardScreen #card-stopped.-shown { display: block; }
    CardScreen #panes { height: 1fr; }
    CardScreen #facts { width: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    CardScreen #right { width: 38; border-left: solid $panel; }
    CardScreen #side { height: auto; max-height: 60%; padding: 0 1; scrollbar-size-vertical: 1; }
    CardScreen #history { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    CardScreen .section { color: $text-primary; text-style: bold; height: auto; }
    CardScreen #facts .section.-later { margin-top: 1; }
    CardScreen #facts .section.-later:first-child { margin-top: 0; }
    CardScreen .fact { height: auto; }
    CardScreen .fact-title { width: 20; padding-right: 1; color: $text-muted; }
    CardScreen .fact-value { width: 1fr; height: auto; }
    CardScreen .fact.-wanted .fact-value { color: $text-warning; }
    CardScreen .fact.-revealed .fact-value { color: $text-warning; text-style: bold; }
    CardScreen #links { height: auto; max-height: 8; padding: 0; background: $background; }
    CardScreen #links, CardScreen #links:focus { border: none; }
    CardScreen #links.-empty { display: none; }
    CardScreen #facts:focus, CardScreen #history:focus { background-tint: $foreground 3%; }
    CardScreen.-wide #facts { width: 5fr; }
    CardScreen.-wide #right { width: 6fr; layout: horizontal; }
    CardScreen.-wide #side { width: 34; height: 1fr; max-height: 100%; border-right: solid $panel; }
    CardScreen.-wide #history { width: 1fr; }
    """
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (110, "-wide")]
    ACTION_GROUPS = ("card",)
    BINDINGS = bindings("card")
    AUTO_FOCUS = "#facts"

    def __init__(self, card: Card, step: Step | None = None) -> None:
        super().__init__()
        self.card = card
        #: Whether the card left sight while it was open.
        self.gone = False
        self._watch = Watch(card, self.desk.me.id, self.shell.asked)
        self._kind = self.shell.playbook.kinds[card.item.kind]
        self._step = step
        self._bound: set[str] = set()
        self._shown_facts: list[Fact] = []

    @property
    def item(self) -> Item:
        return self.card.item

    @property
    def kind(self) -> Kind:
        """The card's kind; of a card whose kind the playbook gave up, as it was."""
        self._kind = self.shell.playbook.kind(self.item.kind) or self._kind
        return self._kind

    def compose(self) -> ComposeResult:
        yield Static(id="card-title", markup=False)
        yield Static(id="card-line", markup=False)
        yield Static(id="card-stopped", markup=False)
        yield Static(id="card-news", markup=False)
        with Horizontal(id="panes"):
            yield VerticalScroll(id="facts")
            with Vertical(id="right"):
                with VerticalScroll(id="side", can_focus=False):
                    yield Static(id="steps", markup=False)
                    yield OptionList(id="links")
                with VerticalScroll(id="history"):
                    yield Static(Content(_("History")), classes="section")
                    yield Static(id="entries", markup=False)
        yield from self.shell.frame()

    def on_mount(self) -> None:
        self._show()
        self._journal()

    def _journal(self) -> None:
        card = self.card
        self.shell.journal(lambda: self.desk.note_card(card))

    def _show(self) -> None:
        now = self.shell.now()
        self.query_one("#card-title", Static).update(self._headline())
        self.query_one("#card-line", Static).update(self._subline(now))
        self._show_news(now)
        self._show_stopped()
        self.query_one("#steps", Static).update(steps(self.card, self.shell.playbook))
        self._list_links(now)
        self._show_history()
        self.show_facts()
        self._bind_steps()
        self.refresh_bindings()

    def _show_news(self, now: int) -> None:
        shell = self.shell
        news = (
            _("This card is not yours to see any more.")
            if self.gone
            else self._watch.line(shell.playbook, self.item.kind, shell.people, now)
        )
        line = self.query_one("#card-news", Static)
        line.set_class(bool(news), "-shown")
        line.update(plain(f"{MARK} {news}"))

    def _show_stopped(self) -> None:
        """What may not be done with the person any more, plainly, above everything else."""
        stopped = consent_words.stopped(self.shell.playbook, self.card.item, self.card.subject)
        line = self.query_one("#card-stopped", Static)
        line.set_class(bool(stopped), "-shown")
        line.update(plain(stopped))

    def _headline(self) -> Content:
        draft = self.desk.draft(self.item.id, FORM)
        marks: list[tuple[str, str]] = []
        if self.card.pending:
            marks.append(("  ● " + _("not sent yet"), "$text-warning"))
        if draft:
            marks.append(("  " + _("draft"), "$text-warning"))
        return Content.assemble(plain(titled(self.item.title), lines=False), *marks)

    def _subline(self, now: int) -> Content:
        if self.gone:
            return Content(title_of(self.kind))
        return subline(self.item, self.kind, self.shell.playbook, self.shell.people, now)

    # Fields

    def show_facts(self) -> None:
        """Lay the fields out anew only when they differ: nothing flickers for a comment."""
        facts = [] if self.gone else self._facts()
        if facts == self._shown_facts:
            return
        self._shown_facts = facts
        pane = self.query_one("#facts", VerticalScroll)
        place = pane.scroll_y
        # Not awaited: whoever hands changes on must not wait for the layout.
        pane.remove_children()
        pane.mount_all([widget_of(fact) for fact in facts])
        pane.call_after_refresh(pane.scroll_to, y=place, animate=False)

    def _facts(self) -> list[Fact]:
        playbook = self.shell.playbook
        own = facts_of(self.card, playbook, self.desk.me.role, self.shell.people, self.revealed)
        return [*own, *consent_words.facts(playbook, self.card.subject)]

    # What can be done

    def _bind_steps(self) -> None:
        for key in self._bound:
            self._bindings.key_to_bindings.pop(key, None)
        self._bound.clear()
        for one in self.card.possible:
            key = one.transition.hotkey
            if key and key not in self._bindings.key_to_bindings:
                self._bound.add(key)
                hint = one.transition.hint.get(language()) if one.transition.hint else ""
                title = title_of(one.transition)
                bind(self, key, f"step('{one.transition.id}')", title, hint, footer=False)

    def _list_links(self, now: int) -> None:
        links = self.query_one("#links", OptionList)
        options = links_of(self.card, self.shell.playbook, now)
        before = links.highlighted
        chosen = links.get_option_at_index(before).id if before is not None else None
        ids = [one.id for one in options]
        links.clear_options()
        links.add_options(options)
        links.set_class(not options, "-empty")
        if options and before is not None:
            place = ids.index(chosen) if chosen in ids else min(before, len(options) - 1)
            links.highlighted = place

    # History

    def _show_history(self) -> None:
        """A line that comes on top leaves what is being read where it is."""
        pane = self.query_one("#history", VerticalScroll)
        place, height = pane.scroll_y, pane.virtual_size.height
        self.query_one("#entries", Static).update(
            history(self.card, self.shell.playbook, self.shell.people)
        )
        if place:
            pane.call_after_refresh(_keep_place, pane, place, height)

    # Actions

    def action_step(self, transition: str) -> None:
        """Carry out a transition by its hotkey."""
        self.shell.go(perform(self.shell, self.item.id, transition))

    def action_act(self) -> None:
        """Choose among what can be done."""
        from desk.screens.menu import menu_of

        self.app.push_screen(
            menu_of(self.card, self.shell.playbook),
            lambda chosen: self.action_step(chosen) if chosen else None,
        )

    def action_edit(self) -> None:
        """Open the form."""
        from desk.screens.form import FormScreen

        self.app.push_screen(FormScreen(self.card, self.desk.draft(self.item.id, FORM)), self._back)

    def _back(self, saved: bool | None) -> None:
        del saved
        self._reload()

    def action_comment(self) -> None:
        """Write a comment."""
        self.app.push_screen(
            Prompt(
                _("Comment"),
                self.item.title,
                verb=_("Write"),
                lines=True,
                draft=(self.item.id, "comment"),
                card=self.card,
                send=self._comment,
            )
        )

    async def _comment(self, text: str) -> str:
        return await self._do(Comment(item_id=self.item.id, text=text))

    async def _do(self, intent: Comment | CloseTask) -> str:
        try:
            await self.shell.do(intent)
        except DeskError as error:
            return self.shell.explain(error, self.item.kind)
        return ""

    @on(OptionList.OptionSelected, "#links")
    def _followed(self, event: OptionList.OptionSelected) -> None:
        what, __, identifier = (event.option_id or "").partition(":")
        if what == "item":
            self._open(identifier)
            return
        task = next((one for one in self.card.tasks if one.id == identifier), None)
        if task:
            self._close_task(task)

    def _close_task(self, task: Task) -> None:
        async def done(text: str) -> str:
            return await self._do(CloseTask(item_id=self.item.id, task_id=task.id, comment=text))

        self.app.push_screen(
            Prompt(
                _("Task done"),
                task_title(self.shell.playbook, task),
                verb=_("Done"),
                lines=True,
                label=_("What came of it"),
                may_be_empty=True,
                draft=(self.item.id, f"task:{task.id}"),
                card=self.card,
                send=done,
            )
        )

    def action_linked(self) -> None:
        """Open the card this one belongs with; with several, go to their list."""
        if len(self.card.linked) == 1:
            self._open(self.card.linked[0].id)
        elif self.card.linked:
            links = self.query_one("#links", OptionList)
            links.focus()
            links.highlighted = links.get_option_index(f"item:{self.card.linked[0].id}")

    def why_not(self, action: str) -> str | None:
        """Why an action of the card is not possible now."""
        if self.gone and action != "card.close":
            return _("This card is not yours to see any more.")
        if action == "card.linked" and not self.card.linked:
            return _("No other card belongs with this one.")
        if action in ("card.next", "card.previous"):
            away = 1 if action == "card.next" else -1
            if self._step is None or self._step(self.item.id, away) is None:
                return _("There is no further card in this stage.")
        if action in ("card.look", "card.call"):
            return self.why_no_look(action)
        if action == "card.consents":
            return self._why_no_consents()
        if action == "card.edit" and not self.kind.form:
            return _("Cards of this kind have no form.")
        return None

    def _why_no_consents(self) -> str | None:
        subject = self.card.subject
        if subject is None or subject.stage == "erased":
            return _("No person’s data stands on this card.")
        if not self.shell.playbook.purposes:
            return _("The playbook names no purposes to agree to.")
        return None

    def action_consents(self) -> None:
        """Write down what the person agrees to, takes back or demands."""
        from desk.screens import consents

        consents.choose(self.shell, self.card)

    def _open(self, item_id: str) -> None:
        try:
            card = self.desk.card(item_id)
        except DeskError as error:
            self.shell.warn(error)
            return
        self.app.push_screen(CardScreen(card))

    def action_next(self) -> None:
        """Show the next card of the stage."""
        self._go(1)

    def action_previous(self) -> None:
        """Show the card before."""
        self._go(-1)

    def _go(self, away: int) -> None:
        other = self._step(self.item.id, away) if self._step else None
        card = card_in_sight(self.shell, other) if other else None
        if card is not None:
            self.hide()
            self.card = card
            self._watch = Watch(card, self.desk.me.id, self.shell.asked)
            self._show()
            self.query_one("#facts").scroll_to(y=0, animate=False)
            self._journal()

    def action_hint(self) -> None:
        """Explain the stage the card is at."""
        stage = self.kind.stage(self.item.stage)
        hint = stage.hint.get(language()) if stage and stage.hint else _("This stage has no hint.")
        self.notify(hint, title=title_of(stage) if stage else "", timeout=10)

    def help_here(self) -> str:
        """What the playbook says of the stage."""
        stage = self.kind.stage(self.item.stage)
        hint = stage.hint.get(language()) if stage and stage.hint else ""
        return f"{title_of(stage)}. {hint}" if stage and hint else ""

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """Follow changes of this card and of what it belongs with."""
        family = {self.item.id, *(item.id for item in self.card.linked)}
        if ids is None or family & ids or self.item.root_id in ids:
            self._reload()

    def _reload(self) -> None:
        """Show the card as it is; one that left sight is emptied, and closed by the person."""
        card = card_in_sight(self.shell, self.item.id)
        self.gone = card is None
        if self.gone:
            self.hide()
        self.card = card or emptied(self.card)
        if card is not None:
            self._watch.look(card)
        self._show()


def _keep_place(pane: VerticalScroll, place: float, height: int) -> None:
    pane.scroll_to(y=place + pane.virtual_size.height - height, animate=False)
