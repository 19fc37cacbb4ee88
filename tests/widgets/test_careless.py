"""Markup in foreign text neither acts nor breaks anything, in every widget in use."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import (
    Button,
    Checkbox,
    DataTable,
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

from desk.widgets.actions import ActionApp
from desk.widgets.board import BoardView
from desk.widgets.footer import KeyFooter
from desk.widgets.safe import GuardedApp, clean, plain
from tests.widgets.boards import NOW, MemoryBoard, card
from tests.widgets.hostile import HOSTILE

TOGETHER = " ".join(text for name, text in HOSTILE.items() if name not in ("combining", "wide"))
ACTING = "[@click=app.act]press[/] [/b] [link=x]"


def table(text: str) -> Widget:
    filled: DataTable[Text] = DataTable()
    filled.add_column(Text(clean(text)))
    filled.add_row(Text(clean(text)))
    return filled


def framed(text: str) -> Widget:
    widget = Static("framed")
    widget.border_title = plain(text, lines=False)
    widget.border_subtitle = plain(text, lines=False)
    widget.tooltip = plain(text)
    widget.styles.border = ("solid", "red")
    return widget


def board(text: str) -> Widget:
    class Filled(BoardView):
        def on_mount(self) -> None:
            model = MemoryBoard((0,))
            model.put(card("0-0000", title=text, source=text, responsible=text), 0)
            self.show(model)

    return Filled(now=lambda: NOW)


WIDGETS: dict[str, Callable[[str], Widget]] = {
    "static": lambda text: Static(plain(text)),
    "label": lambda text: Label(plain(text)),
    "input": lambda text: Input(clean(text), placeholder=clean(text)),
    "area": lambda text: TextArea(clean(text, lines=True)),
    "options": lambda text: OptionList(Option(plain(text))),
    "select": lambda text: Select([(plain(text), 1)], value=1),
    "selection": lambda text: SelectionList((plain(text), 1)),
    "button": lambda text: Button(plain(text, lines=False)),
    "checkbox": lambda text: Checkbox(plain(text, lines=False)),
    "tabs": lambda text: Tabs(Tab(plain(text, lines=False))),
    "table": table,
    "framed": framed,
    "board": board,
}


class WidgetsApp(GuardedApp, ActionApp):
    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen > * { height: 6; }"

    def __init__(self, text: str, *makers: Callable[[str], Widget]) -> None:
        super().__init__()
        self._text = text
        self._makers = makers
        self.acted = 0

    def compose(self) -> ComposeResult:
        yield from (make(self._text) for make in self._makers)
        yield KeyFooter()

    def action_act(self) -> None:
        self.acted += 1


@pytest.mark.parametrize("kind", WIDGETS)
async def test_an_action_written_into_a_text_is_not_carried_out(kind: str) -> None:
    app = WidgetsApp(ACTING, WIDGETS[kind])
    async with app.run_test(size=(60, 12)) as pilot:
        for x, y in ((1, 0), (3, 0), (4, 1), (5, 1), (4, 2), (9, 2)):
            await pilot.click(offset=(x, y))
        assert app.acted == 0
        assert any("[@click" in strip.text for strip in app.screen._compositor.render_strips())


async def test_an_action_in_markup_that_somebody_forgot_to_switch_off_is_not_obeyed() -> None:
    app = WidgetsApp("[@click=app.act]press here[/]", Static)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.click(offset=(3, 0))
        assert app.acted == 0


async def test_a_notice_is_never_markup() -> None:
    app = WidgetsApp("", Static)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.notify(ACTING + "\x1b[31m", title="[/b]\x07")
        await pilot.pause()
        (notice,) = app._notifications
        assert notice.markup is False
        assert notice.message == ACTING + "\ufffd[31m"
        assert notice.title == "[/b]\ufffd"


@pytest.mark.parametrize("text", [TOGETHER, HOSTILE["combining"], HOSTILE["wide"]])
async def test_hostile_text_breaks_no_widget(text: str) -> None:
    app = WidgetsApp(text, *WIDGETS.values())
    async with app.run_test(size=(100, 90), notifications=True) as pilot:
        app.notify(text, title=text)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        assert {strip.cell_length for strip in strips} == {100}
        assert not any("\x1b" in strip.text or "\x9b" in strip.text for strip in strips)


def test_content_made_here_has_no_markup() -> None:
    assert plain(ACTING) == Content(ACTING)
