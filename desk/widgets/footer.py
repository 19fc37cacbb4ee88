"""The keys that are most useful right now, from the live bindings."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.screen import Screen

from desk.widgets.actions import ACTIONS, ActionApp, Live, live
from desk.widgets.bar import Bar, Piece, width_of
from desk.widgets.keynames import show_key
from desk.widgets.safe import clean

_ORDER = {action.id: number for number, action in enumerate(ACTIONS)}
_HELP = "app.help"
# What a playbook offers on this card comes right after the first action of the table.
_OFFERED = 0.5


class KeyFooter(Bar):
    """Keys with the titles of their actions; help is always among them.

    What is not possible now is dimmed and says why when it is pressed or clicked. The footer
    follows `refresh_bindings` and the focus, never a key press.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "footer--key",
        "footer--title",
        "footer--key-off",
        "footer--title-off",
    }
    DEFAULT_CSS = """
    KeyFooter {
        background: $footer-background;
        & > .footer--key { color: $footer-key-foreground; text-style: bold; }
        & > .footer--title { color: $footer-description-foreground; }
        & > .footer--key-off { color: $text-disabled; text-style: strike; }
        & > .footer--title-off { color: $text-disabled; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[range, Live]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        if screen is self.screen:
            self.renew()

    def pieces(self, width: int) -> tuple[list[Piece], list[Piece]]:
        """As many actions as there is room for, the table's order; help at the right."""
        offered = [one for one in live(self.screen) if one.footer]
        help_ = [one for one in offered if one.id == _HELP]
        right = _pieces(help_[0]) if help_ else []
        room = width - width_of(right)
        left: list[Piece] = []
        self._places = []
        x = 0
        for one in sorted((one for one in offered if one.id != _HELP), key=_order):
            pieces = _pieces(one)
            wide = width_of(pieces)
            if x + wide > room:
                break
            left += pieces
            self._places.append((range(x, x + wide), one))
            x += wide
        if help_:
            self._places.append((range(width - width_of(right), width), help_[0]))
        return left, right

    async def on_click(self, event: events.Click) -> None:
        """Do what is under the mouse."""
        event.stop()
        for place, one in self._places:
            if event.x in place:
                app = self.app
                if one.reason and isinstance(app, ActionApp):
                    app.say_why(one.reason)
                else:
                    await app.run_action(one.action, one.node)


def _order(one: Live) -> float:
    return _ORDER.get(one.id or "", _OFFERED)


def _pieces(one: Live) -> list[Piece]:
    off = "-off" if one.reason else ""
    # A space of its own on each side keeps the strike-through off the neighbours.
    return [
        Piece(" ", ""),
        Piece(show_key(one.keys[0]), f"footer--key{off}"),
        Piece(" ", ""),
        Piece(clean(one.title), f"footer--title{off}"),
        Piece(" ", ""),
    ]
