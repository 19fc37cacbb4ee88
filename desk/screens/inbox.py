"""The inbox: what was asked for and not carried out, and what to do about it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from desk.domain.operations import Create, Intent
from desk.screens.comparison import Comparison
from desk.screens.inbox_words import RESULTS, Placed, Teller, arranged, words_of
from desk.screens.news import gone
from desk.screens.notice import Question
from desk.screens.shell import DeskScreen
from desk.services.errors import DeskError
from desk.services.views import InboxEntry
from desk.text import _, format_datetime, ngettext, titled
from desk.widgets.actions import bindings
from desk.widgets.safe import plain

_WIDE = 110


class InboxScreen(DeskScreen[None]):
    """The entries, and the chosen one in plain words: below them, or beside them where it fits."""

    DEFAULT_CSS = """
    InboxScreen #inbox-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    InboxScreen #inbox { height: 1fr; }
    InboxScreen OptionList { height: auto; max-height: 6; padding: 0; }
    InboxScreen OptionList, InboxScreen OptionList:focus { border: none; }
    InboxScreen OptionList { text-wrap: nowrap; text-overflow: ellipsis; }
    InboxScreen #entry { height: 1fr; padding: 0 1; border-top: solid $panel; }
    InboxScreen #entry { scrollbar-size-vertical: 1; }
    InboxScreen #entry:focus { background-tint: $foreground 3%; }
    InboxScreen .told { height: auto; padding: 0 1; margin-bottom: 1; }
    InboxScreen.-narrow .told:first-child { margin-bottom: 0; }
    InboxScreen.-narrow Comparison .head { border-bottom: none; height: 1; }
    InboxScreen.-wide #inbox { layout: horizontal; }
    InboxScreen.-wide OptionList { width: 46; height: 1fr; max-height: 100%; }
    InboxScreen.-wide #entry { border-top: none; border-left: solid $panel; padding: 0 2; }
    InboxScreen.-wide Comparison .title { width: 26; }
    """
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (_WIDE, "-wide")]
    ACTION_GROUPS = ("list",)
    BINDINGS = bindings("list")
    AUTO_FOCUS = "OptionList"

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Placed] = []
        self._read_as: list[InboxEntry] = []
        self._items: dict[str, tuple[str, str]] = {}
        self._told: object = None
        self._wide = False

    def compose(self) -> ComposeResult:
        yield Static(id="inbox-title", markup=False)
        with Container(id="inbox"):
            yield OptionList()
            yield VerticalScroll(id="entry")
        yield from self.shell.frame()

    def on_mount(self) -> None:
        self._wide = self.size.width >= _WIDE
        self._read()

    def on_resize(self, event: Resize) -> None:
        """A line of the list has room for less, or for more."""
        if self._wide != (event.size.width >= _WIDE):
            self._wide = not self._wide
            self._read()

    @property
    def teller(self) -> Teller:
        """Who puts entries into words."""
        return Teller(self.shell.playbook, self.shell.people)

    def _read(self) -> None:
        """List what waits now; the cursor stays on its entry, else at its line."""
        before = self.chosen
        self._read_as = self.desk.inbox()
        self._entries = arranged(self._read_as)
        title = _("Inbox: what the hub did not carry out")
        self.query_one("#inbox-title", Static).update(Content(title))
        listing = self.query_one(OptionList)
        place = listing.highlighted or 0
        ids = [one.entry.id for one in self._entries]
        if before and before.entry.id in ids:
            place = ids.index(before.entry.id)
        with self.prevent(OptionList.OptionHighlighted):
            listing.clear_options()
            listing.add_options([Option(self._line(one), one.entry.id) for one in self._entries])
            if self._entries:
                listing.highlighted = min(place, len(self._entries) - 1)
        self._tell()
        self.refresh_bindings()

    @property
    def chosen(self) -> Placed | None:
        """The entry under the cursor."""
        number = self.query_one(OptionList).highlighted
        return self._entries[number] if number is not None and self._entries else None

    def _line(self, placed: Placed) -> Content:
        entry = placed.entry
        title, kind = self._item(entry)
        branch = "  " * (placed.depth - 1) + "└ " if placed.depth else ""
        sign = RESULTS[entry.result][0]
        # No colours of its own: the cursor's would make them unreadable.
        lead = Content.styled(f"{branch}{sign} {self.teller.what(entry, kind)}", "bold")
        about = plain(title or gone(), lines=False)
        if not self._wide:
            return Content.assemble(lead, " · ", about)
        return Content.assemble(lead, "\n  " + " " * len(branch), about)

    def _item(self, entry: InboxEntry) -> tuple[str, str]:
        """The card's title and kind; both are empty where it is gone."""
        if isinstance(entry.intent, Create):
            return entry.intent.title, entry.intent.kind
        if entry.item_id not in self._items:
            try:
                item = self.desk.card(entry.item_id).item
            except DeskError:
                self._items[entry.item_id] = "", ""
            else:
                self._items[entry.item_id] = titled(item.title), item.kind
        return self._items[entry.item_id]

    @on(OptionList.OptionHighlighted)
    def _pointed(self) -> None:
        self._tell()
        self.refresh_bindings()

    def _tell(self) -> None:
        """Show the chosen entry; what is shown already is not laid out anew."""
        placed = self.chosen
        told = (placed, self._item(placed.entry), self._wide) if placed else None
        if told == self._told and told is not None:
            return
        self._told = told
        pane = self.query_one("#entry", VerticalScroll)
        pane.remove_children()
        pane.mount_all(self._story(placed) if placed else [Static(_nothing(), classes="told")])
        pane.scroll_to(y=0, animate=False)

    def _story(self, placed: Placed) -> list[Widget]:
        entry, teller = placed.entry, self.teller
        title, kind = self._item(entry)
        sign, result = RESULTS[entry.result]
        head = Content.assemble(
            (teller.what(entry, kind), "bold"),
            " · ",
            plain(title) if title else gone(),
            "\n",
            (f"{sign} {_(result)}", "$text-warning"),
            (f" · {format_datetime(entry.at)}", "$text-muted"),
        )
        widgets: list[Widget] = [Static(head, classes="told")]
        reasons = Content("\n").join(map(plain, self._reasons(placed, kind)))
        widgets.append(Static(reasons, classes="told"))
        words = words_of(entry.intent)
        if words:
            wrote = Content.assemble((_("You wrote") + "\n", "$text-muted"), plain(f"«{words}»"))
            widgets.append(Static(wrote, classes="told"))
        rows = teller.compared(entry, kind)
        return [*widgets, Comparison(rows)] if rows else widgets

    def _reasons(self, placed: Placed, kind: str) -> list[str]:
        entry = placed.entry
        if entry.result != "blocked":
            reasons = [self.teller.why(entry, kind)]
        elif placed.held:
            reasons = [self._held(entry)]
        else:
            reasons = [
                _("It built on an action that is not here any more. Repeat it or discard it.")
            ]
        if placed.above:
            n = placed.above
            sentence = ngettext(
                "{n} more of your actions builds on this one: repeat this one, and it goes along.",
                "{n} more of your actions build on this one: repeat this one, and they go along.",
                n,
            )
            reasons.append(sentence.format(n=n))
        return reasons

    def _held(self, entry: InboxEntry) -> str:
        first = next(one.entry for one in self._entries if one.entry.id == entry.after)
        what = self.teller.what(first, self._item(first)[1])
        sentence = _("It builds on “{action}” above. Decide about that one first: this goes along.")
        return sentence.format(action=what)

    # Actions

    def why_not(self, action: str) -> str | None:
        """Why nothing can be done with the entry under the cursor, in this way."""
        placed = self.chosen
        if action == "list.close":
            return None
        if placed is None:
            return _nothing()
        if action == "list.open" and isinstance(placed.entry.intent, Create):
            return _("The card was not created.")
        if action == "list.open" and not self._item(placed.entry)[1]:
            return _("This card is not yours to see any more.")
        if action == "list.retry" and placed.held:
            return self._held(placed.entry)
        if action == "list.copy" and not self._is_copied(placed.entry):
            return _("There is no text in this entry.")
        return None

    def _is_copied(self, entry: InboxEntry) -> bool:
        return self.teller.draft_of(entry) is not None or bool(self.teller.text_of(entry))

    def action_open(self) -> None:
        """Open the card the entry is about."""
        from desk.screens.card import CardScreen

        placed = self.chosen
        if placed is None:
            return
        try:
            card = self.desk.card(placed.entry.item_id)
        except DeskError as error:
            self.shell.warn(error)
            return
        self.app.push_screen(CardScreen(card))

    @on(OptionList.OptionSelected)
    async def _selected(self) -> None:
        await self.run_action("open")

    def action_retry(self) -> None:
        """Ask for it anew, on top of what stands now."""
        placed = self.chosen
        if placed:
            self.shell.go(self._retry(placed))

    async def _retry(self, placed: Placed) -> None:
        try:
            await self.shell.retry(placed.entry.id, self._with(placed))
        except DeskError as error:
            self.shell.warn(error, self._item(placed.entry)[1] or None)
            return
        n = placed.above
        along = ngettext(
            "Asked for anew, and {n} action that builds on it.",
            "Asked for anew, and {n} actions that build on it.",
            n,
        )
        self.notify(along.format(n=n) if n else _("Asked for anew."))
        self._read()

    def _with(self, placed: Placed) -> list[Intent]:
        first = self._entries.index(placed)
        return [one.entry.intent for one in self._entries[first : first + placed.above + 1]]

    def action_discard(self) -> None:
        """Take the entry out of the list; where others build on it, ask first."""
        placed = self.chosen
        if placed is None:
            return
        if not placed.above:
            self.shell.go(self._discard(placed.entry))
            return
        n = placed.above
        sentence = ngettext(
            "{n} more of your actions builds on it. It stays here; repeat or discard it by itself.",
            "{n} more of your actions build on it. They stay here; repeat or discard them one by "
            "one.",
            n,
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.shell.go(self._discard(placed.entry))

        what = self.teller.what(placed.entry, self._item(placed.entry)[1])
        heading = _("Discard “{action}”?").format(action=what)
        self.app.push_screen(Question(heading, sentence.format(n=n), _("Discard")), answered)

    async def _discard(self, entry: InboxEntry) -> None:
        try:
            await self.shell.write(self.desk.discard, entry.id)
        except DeskError as error:
            self.shell.warn(error)
        self._read()

    def action_copy(self) -> None:
        """Keep the text as a draft of the card; where there is no card, to be pasted."""
        placed = self.chosen
        if placed is None:
            return
        entry = placed.entry
        draft = self.teller.draft_of(entry)
        if draft is None or not self._item(entry)[1]:
            self.app.copy_to_clipboard(self.teller.text_of(entry))
            self.notify(_("Your text is copied: Ctrl+V puts it into any field of Desk."))
            return
        form, values = draft
        kept = {**self.desk.draft(entry.item_id, form), **values}
        self.shell.keep_draft(entry.item_id, form, kept)
        self.notify(_("Your text is in a draft of the card now: it is there when you open it."))

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)

    # Following changes

    def status_changed(self) -> None:
        """Entries came or went, or the hub's values in them left sight."""
        if self.desk.inbox() != self._read_as:
            self._follow()

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """A card of an entry changed its title, or came or left sight."""
        if ids is None or any(one.entry.item_id in ids for one in self._entries):
            self._follow()

    def _follow(self) -> None:
        self._items.clear()
        self._read()


def _nothing() -> str:
    return _("Nothing waits for you here.")
