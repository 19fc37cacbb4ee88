"""A look at what is masked on a card, and a call: asked for by a key, shown for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Digits

from desk.domain.model import Value
from desk.domain.playbook import Playbook
from desk.screens import preferences
from desk.screens.dialog import Dialog
from desk.screens.menu import Line, Menu
from desk.screens.shell import DeskScreen
from desk.screens.words import phone, title_of
from desk.services import looks
from desk.services.errors import DeskError
from desk.services.views import Card
from desk.text import _

#: How long something is shown that is masked otherwise, s.
SHOWN = 30.0


class Looking(DeskScreen[None]):
    """What a screen of a card does of it. What was looked at is on this screen alone."""

    card: Card

    def __init__(self) -> None:
        super().__init__()
        #: Masked fields that are shown in full for a moment.
        self.revealed: dict[str, Value] = {}
        self._hiding: Timer | None = None

    def show_facts(self) -> None:
        """Show the fields as they are now."""
        raise NotImplementedError

    def why_no_look(self, action: str) -> str | None:
        """Why there is nothing to look at, or nobody to call."""
        playbook, role = self.shell.playbook, self.desk.me.role
        if action == "card.look" and not looks.to_look_at(playbook, role, self.card):
            return _("Nothing on this card is masked that your role may look at.")
        if action == "card.call" and not looks.to_call(playbook, role, self.card):
            return _("There is no number on this card that your role may call.")
        return None

    def action_look(self) -> None:
        """Choose what to look at, and for which purpose."""
        names = looks.to_look_at(self.shell.playbook, self.desk.me.role, self.card)
        lines = [Line(name, _title(self.shell.playbook, name)) for name in names]
        if len(lines) == 1:
            self._ask_purpose(lines[0].id)
        else:
            self._choose(_("Show masked data"), lines, self._ask_purpose)

    def _ask_purpose(self, name: str) -> None:
        playbook = self.shell.playbook
        role = playbook.roles.get(self.desk.me.role)
        own = role.purpose if role else ""
        purposes = sorted(playbook.purposes.values(), key=lambda one: one.id != own)
        lines = [
            Line(one.id, title_of(one), hint=_("The look is journaled with this purpose."))
            for one in purposes
        ]
        item_id = self.card.item.id
        # Even of one purpose the person is asked: he says what he looks for.
        self._choose(
            _("What do you need “{field}” for?").format(field=_title(playbook, name)),
            lines,
            lambda purpose: self.shell.go(self._look(item_id, name, purpose)),
        )

    async def _look(self, item_id: str, name: str, purpose: str) -> None:
        try:
            values = await asyncio.to_thread(self.desk.reveal, item_id, [name], purpose)
        except DeskError as error:
            self.shell.warn(error)
            return
        if self.card.item.id != item_id or not self.is_current:
            return
        if not values:
            self.notify(_("There is nothing in this field any more."))
            return
        self.revealed.update(values)
        if self._hiding is not None:
            self._hiding.stop()
        self._hiding = self.set_timer(SHOWN, self.hide)
        self.show_facts()

    def hide(self) -> None:
        """Mask again what was looked at."""
        if self._hiding is not None:
            self._hiding.stop()
            self._hiding = None
        if self.revealed:
            self.revealed.clear()
            self.show_facts()

    def on_screen_suspend(self) -> None:
        """Whoever goes on to something else looks no longer."""
        self.hide()

    def action_call(self) -> None:
        """Call the person; of several numbers, choose one."""
        playbook = self.shell.playbook
        numbers = looks.to_call(playbook, self.desk.me.role, self.card)
        lines = [
            Line(f"{name}:{place}", f"{_title(playbook, name)}: {phone(number)}")
            for name, place, number in numbers
        ]

        def chosen(line: str) -> None:
            name, __, place = line.rpartition(":")
            self.shell.go(self._call(self.card.item.id, name, int(place)))

        if len(lines) == 1:
            chosen(lines[0].id)
        else:
            self._choose(_("Call"), lines, chosen)

    async def _call(self, item_id: str, name: str, place: int) -> None:
        dialer = preferences.load(self.desk.profile_dir).dial
        try:
            calling = await asyncio.to_thread(self.desk.call, dialer, item_id, name, place)
        except DeskError as error:
            self.shell.warn(error, self.card.item.kind)
            return
        if not calling.number:
            self.notify(_("Calling…"))
        elif self.is_current:
            self.app.push_screen(NumberShown(calling.number))

    def _choose(self, heading: str, lines: Sequence[Line], done: Callable[[str], None]) -> None:
        def chosen(line: str | None) -> None:
            if line is not None:
                done(line)

        self.app.push_screen(Menu(heading, self.card.item.title, lines), chosen)


class NumberShown(Dialog[None]):
    """A number, large, for whoever dials by hand."""

    DEFAULT_CSS = """
    NumberShown Digits { width: 1fr; text-align: center; }
    """

    def __init__(self, number: str) -> None:
        super().__init__()
        self.heading = _("Call")
        self.about = phone(number)
        self.verb = _("Close")
        self._digits = number

    def body(self) -> list[Widget]:
        return [Digits(self._digits)]

    def begin(self) -> None:
        super().begin()
        self.query_one("#no").display = False

    def action_accept(self) -> None:
        """It was dialled."""
        self.dismiss(None)


def _title(playbook: Playbook, name: str) -> str:
    owner, __, field = name.partition(".")
    return title_of(playbook.fields(owner)[field])
