"""The officer's place: people, consents, requests, incidents, documents and the journal.

All of it is on the hub: each section is asked for when it is opened, page by page as one scrolls,
and says what to do where the hub is away.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from desk.screens import pd_acts
from desk.screens.pd_form import FormDialog
from desk.screens.pd_journal import JournalEntries
from desk.screens.pd_pages import Fetched, IncidentsPage, Page, Words, pages
from desk.screens.pd_tabs import Tabs
from desk.screens.shell import DeskScreen
from desk.services.errors import DeskError, HubUnreachable, OfflineByChoice
from desk.text import _, format_number
from desk.widgets.actions import bindings
from desk.widgets.ledger import Ledger
from desk.widgets.safe import plain


class OfficeScreen(DeskScreen[None]):
    """One section at a time, with what is said of the line under the cursor below it."""

    DEFAULT_CSS = """
    OfficeScreen #office-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
    OfficeScreen #office-filter { height: 1; padding: 0 1; color: $text-muted; }
    OfficeScreen #office-state { height: 1fr; padding: 1 2; display: none; }
    OfficeScreen.-said #office-state { display: block; }
    OfficeScreen.-said Ledger { display: none; }
    OfficeScreen #office-about {
        height: auto; min-height: 2; max-height: 5; padding: 0 1; border-top: solid $panel;
    }
    OfficeScreen.-said #office-about { display: none; }
    """
    ACTION_GROUPS = ("office",)
    BINDINGS = bindings("office")
    AUTO_FOCUS = "Ledger"

    def __init__(self, subject_id: str = "") -> None:
        """``subject_id`` opens the journal of one person at once."""
        super().__init__()
        self._pages = pages()
        self._page: Page[Any] = self._pages[0]
        self._lines: dict[str, Any] = {}
        self._more = ""
        self._total: int | None = None
        self._loading = False
        if subject_id:
            journal = self._pages[-1]
            assert isinstance(journal, JournalEntries)
            journal.of_subject(subject_id)
            self._page = journal

    def compose(self) -> ComposeResult:
        yield Static(id="office-title", markup=False)
        yield Tabs([page.tab for page in self._pages], self._pages.index(self._page))
        yield Static(id="office-filter", markup=False)
        yield Static(id="office-state", markup=False)
        yield Ledger()
        yield Static(id="office-about", markup=False)
        yield from self.shell.frame()

    def on_mount(self) -> None:
        self.reload()

    @property
    def words(self) -> Words:
        """What lines are told with."""
        return Words(self.shell.playbook, self.shell.people, self.shell.now())

    @property
    def line(self) -> Any:
        """What is under the cursor."""
        row = self.query_one(Ledger).chosen
        return self._lines.get(row.id) if row else None

    # Asking the hub

    def reload(self) -> None:
        """Ask for the section anew."""
        self._more, self._total = "", None
        self._head()
        if not self._lines:
            self._say(_("Asking the hub…"))
        self._ask("")

    def _ask(self, after: str) -> None:
        self._loading = True
        # Exclusive: the answer to an earlier section or filter is not waited for.
        self.run_worker(self._fetch(self._page, after), group="office", exclusive=True)

    async def _fetch(self, page: Page[Any], after: str) -> None:
        officer = self.desk.officer
        try:
            fetched = await asyncio.to_thread(page.fetch, officer, after)
        except DeskError as error:
            self._failed(error, after)
            return
        finally:
            self._loading = False
        self._show(fetched, after)

    def _failed(self, error: DeskError, after: str) -> None:
        sentence = self.shell.explain(error)
        if isinstance(error, HubUnreachable):
            sentence = _("The hub does not answer. Check the network.")
        if after:
            # What is here stays; the next scroll asks once more.
            self.notify(sentence, severity="warning")
            return
        self._lines = {}
        offline = isinstance(error, HubUnreachable | OfflineByChoice)
        why = _("All of this is kept on the hub, so it is seen only with the network.")
        again = _("F9 switches the network on. R asks the hub anew.")
        if not isinstance(error, OfflineByChoice):
            again = _("R asks the hub anew.")
        self._say("\n".join([f"‼ {sentence}", *([why] if offline else []), again]))

    def _show(self, fetched: Fetched[Any], after: str) -> None:
        words, table = self.words, self.query_one(Ledger)
        rows = [self._page.row(line, words) for line in fetched.lines]
        lines = dict(zip((row.id for row in rows), fetched.lines, strict=True))
        self._more = fetched.more
        if fetched.total is not None:
            self._total = fetched.total
        if after:
            self._lines |= lines
            table.extend(rows)
        else:
            self._lines = lines
            table.show(self._page.columns(), rows)
        self._say("" if self._lines else self._nothing())
        self._head()

    def _nothing(self) -> str:
        if self._page.filtered(self.words):
            return _("Nothing matches the filter. F changes it.")
        return _(self._page.nothing)

    def _say(self, sentence: str) -> None:
        """Say something in the place of the lines; "" shows the lines."""
        self.query_one("#office-state", Static).update(plain(sentence))
        self.set_class(bool(sentence), "-said")
        if not sentence:
            self.query_one(Ledger).focus()
        self.refresh_bindings()

    def _head(self) -> None:
        n = self._total if self._total is not None else len(self._lines)
        count = format_number(n) + ("+" if self._total is None and self._more else "")
        title = Content.assemble(_(self._page.title), (f"  {count}" if n else "", "$text-muted"))
        self.query_one("#office-title", Static).update(title)
        filtered = self._page.filtered(self.words)
        said = _("Filter: {what}").format(what=filtered)
        if not filtered:
            can = bool(self._page.asked(self.words))
            said = _("No filter: everything is shown") if can else ""
        self.query_one("#office-filter", Static).update(plain(said, lines=False))

    @on(Ledger.NearEnd)
    def _near_end(self) -> None:
        if self._more and not self._loading:
            self._ask(self._more)

    @on(Ledger.Pointed)
    def _pointed(self) -> None:
        line = self.line
        about = self._page.about(line, self.words) if line is not None else ""
        self.query_one("#office-about", Static).update(plain(about))
        self.refresh_bindings()

    # Actions

    def why_not(self, action: str) -> str | None:
        """Why an action of the officer is not possible now."""
        if action == "office.filter" and not self._page.asked(self.words):
            return _("This section has no filter.")
        if action == "office.new" and not isinstance(self._page, IncidentsPage):
            return _("New incidents are written down in the section “Incidents”.")
        if action == "office.act" and self.line is None:
            return _("There is no line to do something with.")
        return None

    @on(Tabs.Turned)
    def _turned(self, event: Tabs.Turned) -> None:
        self.turn(event.number)

    def turn(self, number: int) -> None:
        """Go to the section of that number."""
        self._page = self._pages[number % len(self._pages)]
        self.query_one(Tabs).choose(self._pages.index(self._page))
        self._lines = {}
        self.query_one(Ledger).show(self._page.columns(), [])
        self.reload()

    def action_next_page(self) -> None:
        """The next section."""
        self.turn(self._pages.index(self._page) + 1)

    def action_previous_page(self) -> None:
        """The previous section."""
        self.turn(self._pages.index(self._page) - 1)

    def action_filter(self) -> None:
        """Choose what is shown."""
        page = self._page

        async def use(values: Any) -> str:
            try:
                page.use(values)
            except msgspec.ValidationError:
                return _("An id has Latin letters, digits and hyphens alone. Correct it.")
            return ""

        def filtered(done: bool | None) -> None:
            if done:
                self._lines = {}
                self.reload()

        about = _("Which lines to show? Leave it empty to see all.")
        asked = page.asked(self.words)
        self.app.push_screen(FormDialog(_("Filter"), about, _("Show"), asked, use), filtered)

    def action_reload(self) -> None:
        """Ask the hub anew."""
        self.reload()

    def action_new(self) -> None:
        """Write an incident down."""
        pd_acts.new_incident(self, self.reload)

    def action_act(self) -> None:
        """Choose what to do with the line."""
        line = self.line
        if line is not None:
            pd_acts.act(self, line, self._page.subject_of(line), self.reload)

    @on(Ledger.Chosen)
    def _chosen(self) -> None:
        """Open the person; of an incident, what can be done with it."""
        from desk.screens.pd_person import PersonScreen

        line = self.line
        if line is None:
            return
        subject_id = self._page.subject_of(line)
        if subject_id:
            self.app.push_screen(PersonScreen(subject_id), lambda __: self.reload())
        else:
            self.action_act()

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
