"""A card: its fields, personal data as the role may see it, what can be done, and its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from desk.domain.model import Entry, Item, Task
from desk.domain.operations import CloseTask, Comment
from desk.domain.playbook import Kind
from desk.screens.facts import Fact, facts_of, widget_of
from desk.screens.form import FORM
from desk.screens.prompt import Prompt
from desk.screens.shell import DeskScreen
from desk.screens.transitions import perform
from desk.screens.words import (
    NOTHING,
    briefly,
    event_title,
    moment,
    person_name,
    stage_title,
    task_title,
    title_of,
)
from desk.services.errors import DeskError
from desk.services.views import Card
from desk.text import _, format_age, language
from desk.widgets.actions import bind, bindings
from desk.widgets.safe import plain

#: The item a step away in the column of the board, if there is one.
Step = Callable[[str, int], "str | None"]


class CardScreen(DeskScreen[None]):
    """One item and all that belongs to it; it follows changes as they come."""

    DEFAULT_CSS = """
    CardScreen #card-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    CardScreen #card-line { height: 1; padding: 0 1; color: $text-muted; }
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
        self._step = step
        self._bound: set[str] = set()
        self._shown_facts: list[Fact] = []

    @property
    def item(self) -> Item:
        return self.card.item

    @property
    def kind(self) -> Kind:
        return self.shell.playbook.kinds[self.item.kind]

    def compose(self) -> ComposeResult:
        yield Static(id="card-title", markup=False)
        yield Static(id="card-line", markup=False)
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

    def _show(self) -> None:
        now = self.shell.now()
        self.query_one("#card-title", Static).update(self._headline())
        self.query_one("#card-line", Static).update(self._subline(now))
        self.query_one("#steps", Static).update(self._steps())
        self._list_links(now)
        self.query_one("#entries", Static).update(self._history())
        self._show_facts()
        self._bind_steps()
        self.refresh_bindings()

    def _headline(self) -> Content:
        draft = self.desk.draft(self.item.id, FORM)
        marks: list[tuple[str, str]] = []
        if self.card.pending:
            marks.append(("  ● " + _("not sent yet"), "$text-warning"))
        if draft:
            marks.append(("  " + _("draft"), "$text-warning"))
        return Content.assemble(plain(self.item.title, lines=False), *marks)

    def _subline(self, now: int) -> Content:
        item = self.item
        parts = [
            title_of(self.kind),
            stage_title(self.shell.playbook, item.kind, item.stage),
            person_name(self.shell.people, item.responsible)
            if item.responsible
            else _("nobody yet"),
        ]
        if item.round:
            parts.append(_("round {number}").format(number=item.round))
        parts.append(_("{score} points").format(score=item.score))
        parts.append(format_age(item.created_at, now))
        return plain(" · ".join(parts), lines=False)

    # Fields

    def _show_facts(self) -> None:
        """Lay the fields out anew only when they differ: nothing flickers for a comment."""
        facts = facts_of(self.card, self.shell.playbook, self.desk.me.role, self.shell.people)
        if facts == self._shown_facts:
            return
        self._shown_facts = facts
        pane = self.query_one("#facts", VerticalScroll)
        place = pane.scroll_y
        # Not awaited: whoever hands changes on must not wait for the layout.
        pane.remove_children()
        pane.mount_all([widget_of(fact) for fact in facts])
        pane.call_after_refresh(pane.scroll_to, y=place, animate=False)

    # What can be done

    def _steps(self) -> Content:
        lines: list[Content] = [Content.styled(_("What to do"), "bold $text-primary")]
        refused: dict[str, list[str]] = {}
        for one in self.card.possible:
            key, title = one.transition.hotkey or " ", title_of(one.transition)
            if one.refusal is None:
                lines.append(Content.assemble((f"{key} ", "$text-accent bold"), title))
            elif one.refusal.code != "role_may_not":
                reason = briefly(one.refusal, self.shell.playbook, self.item.kind)
                refused.setdefault(reason, []).append(f"{key} {title}".strip())
        if len(lines) == 1:
            lines.append(Content.styled(_("Nothing now."), "$text-muted"))
        for reason, titles in refused.items():
            lines.append(Content.styled(f"✗ {reason}: {', '.join(titles)}", "$text-disabled"))
        return Content("\n").join(lines)

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
        place = links.highlighted
        options = [*self._task_options(now), *self._linked_options()]
        links.clear_options()
        links.add_options(options)
        links.set_class(not options, "-empty")
        if options and place is not None:
            links.highlighted = min(place, len(options) - 1)

    def _task_options(self, now: int) -> Iterable[Option]:
        for task in self.card.tasks:
            if task.closed_at is None:
                late = task.due_at < now
                due = format_age(task.due_at, now)
                text = Content.assemble(
                    ("! " if late else "◷ ", "$text-error" if late else "$text-accent"),
                    plain(task_title(self.shell.playbook, task), lines=False),
                    (f" · {due}", "$text-error" if late else "$text-muted"),
                )
                yield Option(text, f"task:{task.id}")

    def _linked_options(self) -> Iterable[Option]:
        playbook = self.shell.playbook
        for item in self.card.linked:
            kind = playbook.kind(item.kind)
            text = Content.assemble(
                ("→ ", "$text-accent"),
                title_of(kind) if kind else item.kind,
                (f" · {stage_title(playbook, item.kind, item.stage)}", "$text-muted"),
            )
            yield Option(text, f"item:{item.id}")

    # History

    def _history(self) -> Content:
        blocks = [self._entry(entry) for entry in reversed(self.card.entries)]
        return Content("\n").join(blocks) if blocks else Content(NOTHING)

    def _entry(self, entry: Entry) -> Content:
        playbook, kind = self.shell.playbook, self.item.kind
        who = person_name(self.shell.people, entry.who) if entry.who else _("the hub")
        moved = (
            f" → {stage_title(playbook, kind, entry.to_stage)}"
            if entry.to_stage and entry.to_stage != entry.from_stage
            else ""
        )
        lines = [
            Content.styled(f"{moment(entry.at)} ", "$text-muted"),
            Content.styled(event_title(playbook, kind, entry), "bold"),
            plain(f"{moved} · {who}", lines=False),
        ]
        if entry.comment:
            lines.append(Content.assemble("\n", plain(f"«{entry.comment}»")))
        return Content.assemble(*lines)

    # Actions

    def action_step(self, transition: str) -> None:
        """Carry out a transition by its hotkey."""
        self.shell.go(perform(self.shell, self.item.id, transition))

    def action_act(self) -> None:
        """Choose among what can be done."""
        from desk.screens.menu import steps

        self.app.push_screen(
            steps(self.card, self.shell.playbook),
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
        if action == "card.linked" and not self.card.linked:
            return _("No other card belongs with this one.")
        if action in ("card.next", "card.previous"):
            away = 1 if action == "card.next" else -1
            if self._step is None or self._step(self.item.id, away) is None:
                return _("There is no further card in this stage.")
        if action == "card.edit" and not self.kind.form:
            return _("Cards of this kind have no form.")
        return None

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
        if other:
            self._reload(other)
            self.query_one("#facts").scroll_to(y=0, animate=False)

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

    def _reload(self, item_id: str | None = None) -> None:
        try:
            self.card = self.desk.card(item_id or self.item.id)
        except DeskError:
            self.notify(_("This card is not yours to see any more."), severity="warning")
            if self.is_current:
                self.dismiss(None)
            return
        self._show()
