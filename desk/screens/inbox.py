"""The inbox: what was asked for and not carried out, and what to do about it."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from desk.domain.model import Value
from desk.domain.operations import (
    CloseTask,
    Comment,
    Create,
    EditFields,
    EditSubject,
    Intent,
    Move,
)
from desk.domain.refusals import Refusal
from desk.screens.fields import typed
from desk.screens.form import FORM
from desk.screens.shell import DeskScreen
from desk.screens.words import find_field, said, shown, title_of
from desk.services.errors import DeskError
from desk.services.views import InboxEntry
from desk.text import _, format_datetime
from desk.widgets.actions import bindings
from desk.widgets.safe import plain

_COMMENT = "comment"
_RESULTS = {"conflict": "≠", "rejected": "✗", "quarantined": "!", "blocked": "…"}


class InboxScreen(DeskScreen[None]):
    """Entries on the left, the chosen one in plain words on the right."""

    DEFAULT_CSS = """
    InboxScreen #inbox-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    InboxScreen #inbox { height: 1fr; }
    InboxScreen OptionList { width: 34; height: 1fr; padding: 0; }
    InboxScreen OptionList, InboxScreen OptionList:focus { border: none; }
    InboxScreen OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    InboxScreen #entry { border-left: solid $panel; }
    InboxScreen #entry { width: 1fr; padding: 0 2; }
    InboxScreen #entry Static { height: auto; }
    """
    ACTION_GROUPS = ("list",)
    BINDINGS = bindings("list")
    AUTO_FOCUS = "OptionList"

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[InboxEntry] = []
        self._titles: dict[str, tuple[str, str]] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="inbox-title", markup=False)
        with Horizontal(id="inbox"):
            yield OptionList()
            with VerticalScroll(id="entry", can_focus=False):
                yield Static(id="entry-text", markup=False)
        yield from self.shell.frame()

    def on_mount(self) -> None:
        self._read()

    def _read(self) -> None:
        self._entries = self.desk.inbox()
        title = _("Inbox: what the hub did not carry out")
        self.query_one("#inbox-title", Static).update(Content(title))
        listing = self.query_one(OptionList)
        place = listing.highlighted or 0
        listing.clear_options()
        listing.add_options([Option(self._line(entry), entry.id) for entry in self._entries])
        if self._entries:
            listing.highlighted = min(place, len(self._entries) - 1)
        self._tell()
        self.refresh_bindings()

    @property
    def chosen(self) -> InboxEntry | None:
        """The entry under the cursor."""
        number = self.query_one(OptionList).highlighted
        return self._entries[number] if number is not None and self._entries else None

    def _line(self, entry: InboxEntry) -> Content:
        mark = (f"{_RESULTS[entry.result]} ", "$text-warning")
        title, __ = self._item(entry.item_id)
        return Content.assemble(
            mark, plain(self._what(entry), lines=False), "\n  ", plain(title, lines=False)
        )

    def _item(self, item_id: str) -> tuple[str, str]:
        """The item's title and kind, empty where it is gone."""
        if item_id not in self._titles:
            try:
                item = self.desk.card(item_id).item
            except DeskError:
                return _("(a card you no longer see)"), ""
            self._titles[item_id] = item.title, item.kind
        return self._titles[item_id]

    def _what(self, entry: InboxEntry) -> str:
        intent = entry.intent
        kind = self.shell.playbook.kind(self._item(entry.item_id)[1])
        if isinstance(intent, Move):
            transition = kind.transitions.get(intent.transition) if kind else None
            return title_of(transition) if transition else intent.transition
        words: dict[type[Intent], str] = {
            Create: _("New card"),
            EditFields: _("Change of fields"),
            EditSubject: _("Change of personal data"),
            Comment: _("Comment"),
            CloseTask: _("Task done"),
        }
        return words[type(intent)]

    @on(OptionList.OptionHighlighted)
    def _pointed(self) -> None:
        self._tell()
        self.refresh_bindings()

    def _tell(self) -> None:
        entry = self.chosen
        text = self._story(entry) if entry else Content(_("Nothing waits for you here."))
        self.query_one("#entry-text", Static).update(text)

    def _story(self, entry: InboxEntry) -> Content:
        title, kind = self._item(entry.item_id)
        reason = said(Refusal(entry.code, entry.args), self.shell.playbook, kind or None)
        parts: list[Content | tuple[str, str] | str] = [
            (f"{self._what(entry)}\n", "bold"),
            plain(f"{title}\n", lines=True),
            (f"{format_datetime(entry.at)}\n\n", "$text-muted"),
            (_("Why not") + "\n", "bold $text-primary"),
            plain(f"{reason}\n\n"),
        ]
        text = _text_of(entry.intent)
        if text:
            parts += [(_("You wrote") + "\n", "bold $text-primary"), plain(f"«{text}»\n\n")]
        for name in entry.mine:
            if name == _COMMENT:
                continue
            parts += self._field(entry, kind, name)
        return Content.assemble(*parts)

    def _field(
        self, entry: InboxEntry, kind: str, name: str
    ) -> list[Content | tuple[str, str] | str]:
        field = find_field(self.shell.playbook, kind or None, name)
        lines: list[Content | tuple[str, str] | str] = [
            (f"{title_of(field) if field else name}\n", "bold $text-primary")
        ]
        for title, values in (
            (_("you wanted"), entry.mine),
            (_("on the hub"), entry.theirs),
            (_("it was"), entry.base),
        ):
            value: Value = values.get(name)
            text = shown(field, value, self.shell.people) if field else str(value)
            lines += [(f"  {title:<12}", "$text-muted"), plain(f"{text}\n", lines=True)]
        return [*lines, "\n"]

    # Actions

    def why_not(self, action: str) -> str | None:
        """Without an entry there is nothing to do with it."""
        entry = self.chosen
        if action == "list.close":
            return None
        if entry is None:
            return _("Nothing waits for you here.")
        if action == "list.copy" and _draft_of(entry, self.shell.playbook) is None:
            return _("There is no text in this entry.")
        return None

    def action_open(self) -> None:
        """Open the card the entry is about."""
        from desk.screens.card import CardScreen

        entry = self.chosen
        if entry is None:
            return
        try:
            card = self.desk.card(entry.item_id)
        except DeskError as error:
            self.shell.warn(error)
            return
        self.app.push_screen(CardScreen(card))

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_open()

    def action_retry(self) -> None:
        """Ask for it anew, on top of what stands now."""
        entry = self.chosen
        if entry:
            self.shell.go(self._retry(entry))

    async def _retry(self, entry: InboxEntry) -> None:
        try:
            await self.shell.write(self.desk.retry, entry.id)
        except DeskError as error:
            self.shell.warn(error, self._item(entry.item_id)[1] or None)
            return
        self.notify(_("Asked for anew."))
        self._read()

    def action_discard(self) -> None:
        """Take the entry out of the list."""
        entry = self.chosen
        if entry:
            self.shell.go(self._discard(entry))

    async def _discard(self, entry: InboxEntry) -> None:
        try:
            await self.shell.write(self.desk.discard, entry.id)
        except DeskError as error:
            self.shell.warn(error)
        self._read()

    def action_copy(self) -> None:
        """Keep the text as a draft of the card."""
        entry = self.chosen
        if entry:
            self.shell.go(self._copy(entry))

    async def _copy(self, entry: InboxEntry) -> None:
        draft = _draft_of(entry, self.shell.playbook)
        if draft is None:
            return
        form, values = draft
        kept = {**self.desk.draft(entry.item_id, form), **values}
        self.shell.keep_draft(entry.item_id, form, kept)
        self.notify(_("Your text is in a draft of the card now: it is there when you open it."))

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)

    def status_changed(self) -> None:
        """Entries came or went."""
        if [entry.id for entry in self.desk.inbox()] != [entry.id for entry in self._entries]:
            self._read()


def _text_of(intent: Intent) -> str:
    if isinstance(intent, Comment):
        return intent.text
    return intent.comment if isinstance(intent, Move | CloseTask) else ""


def _draft_of(entry: InboxEntry, playbook: object) -> tuple[str, dict[str, str]] | None:
    """The form and the texts under which what was asked for can be sent anew."""
    from desk.domain.playbook import Playbook

    assert isinstance(playbook, Playbook)
    intent = entry.intent
    if isinstance(intent, Comment):
        return "comment", {"text": intent.text}
    if isinstance(intent, CloseTask):
        return (f"task:{intent.task_id}", {"text": intent.comment}) if intent.comment else None
    if isinstance(intent, Create):
        return None
    prefix = "subject." if isinstance(intent, EditSubject) else ""
    texts: dict[str, str] = {}
    for name, value in intent.fields.items():
        field = find_field(playbook, None, name)
        if field:
            texts[f"{prefix}{name}"] = typed(field, value)
    if isinstance(intent, Move):
        texts |= {"comment": intent.comment} if intent.comment else {}
        return (f"transition:{intent.transition}", texts) if texts else None
    return FORM, texts
