"""Applications that tests run in a real terminal: `python -m tests.widgets.terminal_app NAME`."""

from __future__ import annotations

import sys
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import (
    Button,
    Checkbox,
    DataTable,
    Header,
    Input,
    Label,
    OptionList,
    Select,
    SelectionList,
    Static,
    Tab,
    Tabs,
    TextArea,
)
from textual.widgets.option_list import Option

from desk.domain.model import Person
from desk.services.views import Status
from desk.widgets.actions import ActionApp
from desk.widgets.board import BoardView
from desk.widgets.footer import KeyFooter
from desk.widgets.keyboard import PositionalApp
from desk.widgets.safe import GuardedApp
from desk.widgets.status_line import StatusLine
from desk.widgets.theming import use_themes
from tests.widgets.boards import NOW, MemoryBoard, card
from tests.widgets.hostile import HOSTILE

LONG = ("combining", "wide", "long")
ALL = " ".join(text for name, text in HOSTILE.items() if name not in LONG)


class CarelessApp(GuardedApp, PositionalApp, ActionApp):
    """Every widget in use, filled with foreign text that nobody cleaned."""

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "nothing", ALL),
        Binding("t", "tell", "Tell"),
        Binding("q", "quit", "Quit"),
    ]
    CSS = """
    Screen { overflow: hidden; }
    #framed { border: solid red; height: 3; }
    TextArea, OptionList, SelectionList, DataTable { height: 4; }
    BoardView { height: 6; }
    """

    def compose(self) -> ComposeResult:
        yield Header()
        yield Label(ALL, markup=False, id="hint")
        yield Static(Content(ALL))
        yield Static(ALL, markup=False, id="framed")
        yield Input(ALL.replace("\n", " "), placeholder=ALL)
        yield TextArea(ALL.replace("\x0b", ""))
        yield OptionList(Option(Content(ALL)))
        yield Select([(Content(ALL), 1)], value=1)
        yield SelectionList((Content(ALL), 1))
        yield DataTable()
        yield Button(Content(ALL))
        yield Checkbox(Content(ALL))
        yield Tabs(Tab(Content(ALL), id="one"))
        yield BoardView(now=lambda: NOW)
        yield StatusLine()
        yield KeyFooter()
        yield Static("ready to be attacked", id="ready")

    def on_mount(self) -> None:
        use_themes(self)
        self.title = ALL
        framed = self.query_one("#framed")
        framed.border_title = Content(ALL)
        framed.border_subtitle = Content(ALL)
        self.query_one("#hint").tooltip = Content("tooltip " + ALL)
        table = self.query_one(DataTable)
        table.add_column(Text(ALL))
        table.add_row(Text(ALL), label=Text(ALL))
        board = MemoryBoard((0,))
        board.put(card("0-0000", title=ALL, source=ALL, responsible=ALL), 0)
        self.query_one(BoardView).show(board)
        person = Person(id="user", name=ALL, role="head")
        self.query_one(StatusLine).show(_STATUS, {"user": person}, ALL)

    def action_nothing(self) -> None:
        """Never done."""

    def action_tell(self) -> None:
        # Past `GuardedApp.notify`, as code that does not know it would go.
        super(GuardedApp, self).notify(ALL, title=ALL + " told", markup=False)


_STATUS = Status(
    user="user",
    role="head",
    hub="http://" + ALL,
    online=True,
    offline_by_choice=False,
    pending=1,
    conflicts=1,
    cursor="",
    syncing=None,
    last_error="",
)


class KeysApp(GuardedApp, PositionalApp, ActionApp):
    """Shows which bindings fired and what was typed."""

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"note('{key}')") for key in ("j", "J", "left_square_bracket")),
        *(Binding(key, f"note('{key}')", priority=True) for key in ("ctrl+s", "alt+a")),
        Binding("i", "type"),
    ]

    def compose(self) -> ComposeResult:
        yield Static("ready for keys", id="noted")
        yield Input()

    def action_note(self, what: str) -> None:
        self.query_one("#noted", Static).update(f"fired {what}.")

    def action_type(self) -> None:
        self.query_one(Input).focus()
        self.query_one("#noted", Static).update("type now")

    def on_input_changed(self, event: Input.Changed) -> None:
        self.query_one("#noted", Static).update(f"typed {event.value}.")

    def on_key(self, event: events.Key) -> None:
        """Keys nothing is bound to change nothing."""


if __name__ == "__main__":
    {"careless": CarelessApp, "keys": KeysApp}[sys.argv[1]]().run()
