"""The board: the cards of one kind by stage, and what is done with them from there."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, get_args

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from desk.domain.playbook import Kind
from desk.screens.board_line import BoardLine, Told, loaded
from desk.screens.board_news import Others
from desk.screens.shell import DeskScreen
from desk.screens.transitions import perform, shift
from desk.screens.words import person_name
from desk.services.errors import DeskError
from desk.text import N_, _, language
from desk.widgets.actions import bind, bindings
from desk.widgets.board import BoardView
from desk.widgets.board_model import Names

if TYPE_CHECKING:
    from desk.services.board import Board, Sort

SORTS: dict[str, str] = {
    "urgent": N_("urgent first"),
    "new": N_("newest first"),
    "old": N_("oldest first"),
    "score": N_("highest score first"),
}
_MINE = "responsible = me"
#: Above this many changed cards one reading is cheaper than following each.
_MANY = 400


class BoardScreen(DeskScreen[None]):
    """A skeleton until the desk is open, then the board of the role's first kind."""

    ACTION_GROUPS = ("board",)
    BINDINGS = bindings("board")
    AUTO_FOCUS = "BoardView"

    def __init__(self) -> None:
        super().__init__()
        self.kind = ""
        self.sort: Sort = "urgent"
        self.filter = ""
        self.mine = False
        self.board: Board | None = None
        #: Set when what was read first, or why it could not be, is painted.
        self.read_once = asyncio.Event()
        self._reading = False
        self._stale = False
        #: What is being read, and will be shown.
        self._coming: Board | None = None
        self._asked = asyncio.Event()
        self._others = Others()
        #: Whether the first load had not ended when it was last looked at, and what is said of it.
        self._loading = False
        self._loaded: tuple[str, ...] = ()
        self._counts: dict[str, int] = {}
        self._sources: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield BoardLine()
        yield BoardView(Names(self._source, self._person), now=self.shell.now)
        yield from self.shell.frame()

    def _source(self, source: str | None) -> str:
        return self._sources.get(source or "", source or "")

    def _person(self, user: str | None) -> str:
        return person_name(self.shell.people, user) if user and self.shell.is_open else ""

    @property
    def view(self) -> BoardView:
        return self.query_one(BoardView)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds with a board that the person may see at all."""
        desk = self.desk
        role = desk.playbook.roles.get(desk.me.role)
        return tuple(
            kind
            for kind in desk.playbook.board_kinds
            if role is None or not role.sees or kind.id in role.sees
        )

    def on_mount(self) -> None:
        if self.shell.is_open:
            self.opened()

    def opened(self) -> None:
        """The desk is open: show the first board."""
        kinds = self.kinds
        if not kinds:
            self.query_one(BoardLine).update(Content(_("Your role has no boards.")))
            return
        role = self.desk.playbook.roles.get(self.desk.me.role)
        known = {kind.id for kind in kinds}
        self._bind_kinds()
        if self.kind not in known:
            start = role.start if role else ""
            self.kind = start if start in known else kinds[0].id
            self.filter = ""
            self.board = None
        self._loading = not self.desk.status().cursor
        self.reload()

    def _bind_kinds(self) -> None:
        for number in range(1, 10):
            self._bindings.key_to_bindings.pop(str(number), None)
        for number, kind in enumerate(self.kinds[:9], start=1):
            title, help_ = kind.titles.get(language()), _("Go to this board.")
            bind(self, str(number), f"kind('{kind.id}')", title, help_, footer=False)

    def reload(self) -> None:
        """Read the board anew, beside the keyboard."""
        self._learn_sources()
        self._entitle()
        self._asked.set()
        self._read_anew()

    def _read_anew(self) -> None:
        if self._reading:
            self._stale = True
            return
        self._reading = True
        self.shell.go(self._load())

    def _learn_sources(self) -> None:
        field = self.desk.playbook.fields(self.kind).get("source")
        choices = field.choices if field else ()
        self._sources = {one.id: one.title.get(language()) for one in choices}

    async def _load(self) -> None:
        try:
            while True:
                self._stale = False
                self._asked.clear()
                began = time.monotonic()
                await self._read()
                if not self._stale:
                    break
                # Where rows come without an end, half of the time is left to the keyboard.
                await self._pause(time.monotonic() - began)
        except DeskError as error:
            self.shell.warn(error)
            self._coming = None
            if self.filter:
                # New rules do not know what it names.
                self.filter = ""
                self.call_later(self.reload)
        finally:
            self._reading = False
            self.call_after_refresh(self.read_once.set)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), seconds)

    async def _read(self) -> None:
        from desk.services.board import Board

        question = self._question
        board = Board(self.desk, self.kind, self.sort, self._condition())
        filtered = bool(self.filter or self.mine)
        if self.board is None or self.board.kind != self.kind:
            self.view.show_loading(board)
        self._coming = board
        await asyncio.to_thread(board.load)
        counts = await asyncio.to_thread(self.desk.count, by="kind")
        if question != self._question:
            return
        self._coming = None
        self.board = board
        self._counts = counts
        self.view.forget_looks()
        self.view.show(board, filtered=filtered)
        self._entitle()
        self.refresh_bindings()

    @property
    def _question(self) -> tuple[object, ...]:
        return self.desk.playbook, self.kind, self.sort, self.filter, self.mine

    def _condition(self) -> str | None:
        parts = [part for part in (self.filter, _MINE if self.mine else "") if part]
        return (
            " and ".join(f"({part})" for part in parts)
            if len(parts) > 1
            else "".join(parts) or None
        )

    def _entitle(self) -> None:
        self.query_one(BoardLine).tell(
            Told(
                self.kinds,
                self.kind,
                self._counts,
                _(SORTS[self.sort]),
                self.mine,
                self.filter,
                self._loaded,
            )
        )

    def on_resize(self) -> None:
        """What the line has room for is another now."""
        if self.shell.is_open and self.kind:
            self._entitle()

    def relabel(self) -> None:
        """The language changed: say everything anew."""
        self._bind_kinds()
        self._learn_sources()
        self.view.forget_looks()
        self._entitle()

    def help_here(self) -> str:
        """What the playbook says of the stage under the cursor."""
        if self.board is None:
            return ""
        stage = self.board.columns[self.view.cursor[0]].stage
        hint = stage.hint.get(language()) if stage.hint else ""
        return f"{stage.title.get(language())}. {hint}" if hint else ""

    # Following changes

    def rows_changed(self, ids: frozenset[str] | None) -> None:
        """Follow changed items; when nearly all changed, read anew."""
        if not self.kind:
            return
        if ids is None:
            # Role and playbook may be others, too.
            self.opened()
            return
        if self._coming is not None:
            self._coming.update(ids)
        first, self._loading = self._loading, not self.desk.status().cursor
        if self.board is None:
            return
        if len(ids) > _MANY:
            self._read_anew()
            return
        columns, theirs = self._others.follow(self.board, ids)
        for item_id in ids:
            if self.board.where(item_id) is None:
                self.view.seen(item_id)
        self.view.changed(columns, () if first else theirs)
        self.run_worker(self._count(), group="count", exclusive=True)

    def status_changed(self) -> None:
        """Say how much of the first load is here."""
        told = loaded(self.desk.status(), sum(self._counts.values()))
        if told != self._loaded:
            self._loaded = told
            self._entitle()

    async def _count(self) -> None:
        # Beside the keyboard: it grows with the board, and the cards do not wait for it.
        self._counts = await asyncio.to_thread(self.desk.count, by="kind")
        self._entitle()

    # Cards

    @on(BoardView.Opened)
    def _open(self, event: BoardView.Opened) -> None:
        self.open_card(event.id)

    def open_card(self, item_id: str) -> None:
        """Show a card over the board."""
        self.view.seen(item_id)
        from desk.screens.card import CardScreen

        try:
            card = self.desk.card(item_id)
        except DeskError as error:
            self.shell.warn(error)
            return
        screen = CardScreen(card, self._beside)
        self.app.push_screen(screen, lambda _: self.view.seen(screen.item.id))

    def _beside(self, item_id: str, away: int) -> str | None:
        place = self.board.where(item_id) if self.board else None
        if self.board is None or place is None:
            return None
        ids = self.board.columns[place[0]].ids
        row = place[1] + away
        if not 0 <= row < len(ids):
            return None
        return ids[row]

    @on(BoardView.MoveAsked)
    def _move(self, event: BoardView.MoveAsked) -> None:
        place = self.board.where(event.id) if self.board else None
        if self.board is None or place is None:
            return
        column = place[0] + event.direction
        if not 0 <= column < len(self.board.columns):
            self.notify(_("There is no stage further on."), severity="warning")
            return
        stage = self.board.columns[column].stage.id
        self.shell.go(shift(self.shell, event.id, stage))

    def action_act(self) -> None:
        """Choose what to do with the card under the cursor."""
        from desk.screens.menu import menu_of

        item_id = self.view.selected_id
        if item_id is None:
            return
        try:
            card = self.desk.card(item_id)
        except DeskError as error:
            self.shell.warn(error)
            return

        def chosen(transition: str | None) -> None:
            if transition:
                self.shell.go(perform(self.shell, item_id, transition))

        self.app.push_screen(menu_of(card, self.shell.playbook), chosen)

    def action_new(self) -> None:
        """Create a card of this kind; works without the hub."""
        from desk.screens.new_item import NewItem

        kind = self.desk.playbook.kinds[self._creatable()]
        draft = self.desk.draft("", f"new:{kind.id}")
        self.app.push_screen(NewItem(kind, self.desk, self.shell.people, draft), self._created)

    def _creatable(self) -> str:
        role = self.desk.playbook.roles.get(self.desk.me.role)
        creates = role.creates if role else ()
        return self.kind if self.kind in creates else next(iter(creates), "")

    def _created(self, item_id: str | None) -> None:
        if item_id:
            self.notify(_("Created."))
            self.view.select(item_id)

    # What is shown

    def action_kind(self, kind: str) -> None:
        """Go to the board of a kind."""
        if kind == self.kind:
            return
        self.kind = kind
        self.filter = ""
        self.reload()

    def action_next_board(self) -> None:
        """Go to the board of the next kind."""
        ids = [kind.id for kind in self.kinds]
        if ids:
            # A role taken away a moment ago may have taken this board with it.
            here = ids.index(self.kind) if self.kind in ids else -1
            self.action_kind(ids[(here + 1) % len(ids)])

    def action_sort(self) -> None:
        """Change the order of the cards."""
        sorts = get_args(_sort_type())
        self.sort = sorts[(sorts.index(self.sort) + 1) % len(sorts)]
        self.reload()
        self.notify(_(SORTS[self.sort]))

    def action_mine(self) -> None:
        """Show only one's own cards, or all again."""
        self.mine = not self.mine
        self.reload()

    def action_filter(self) -> None:
        """Ask for a condition."""
        from desk.screens.filter import FilterPrompt

        prompt = FilterPrompt(self.desk, self.kind, self.filter, self._filter)
        self.app.push_screen(prompt)

    def _filter(self, condition: str) -> None:
        self.filter = condition
        self.reload()

    def action_hint(self) -> None:
        """Explain the stage under the cursor."""
        if self.board is None:
            return
        stage = self.board.columns[self.view.cursor[0]].stage
        hint = stage.hint.get(language()) if stage.hint else _("This stage has no hint.")
        self.notify(hint, title=stage.title.get(language()), timeout=10)

    def why_not(self, action: str) -> str | None:
        """Why an action of the board is not possible now."""
        if not self.shell.is_open or self.board is None:
            return _("The board is being read; a moment.")
        if action == "board.act" and self.view.selected_id is None:
            return _("There is no card under the cursor")
        if action == "board.new" and not self._creatable():
            return _("Your role may not create cards.")
        return None


def _sort_type() -> object:
    from desk.services import board

    return board.Sort
