"""What works on every screen: help, palette, search, inbox, exchange with the hub."""

from __future__ import annotations

import asyncio

from desk.screens.shell import Shell, StatusArrived
from desk.services.errors import DeskError
from desk.text import _, format_number, ngettext
from desk.widgets.actions import Live, live


class Everywhere(Shell):
    """The actions of the application that need no more than an open desk."""

    def open_card(self, item_id: str) -> None:
        """Show a card over what is there."""
        raise NotImplementedError

    def ask_sign_in(self) -> None:
        """Ask for name and password again."""
        raise NotImplementedError

    def _reachable(self) -> list[Live]:
        """What the keys do here, without what an input does by itself."""
        ours = ("step(", "kind(")
        return [one for one in live(self.screen) if one.id or one.action.startswith(ours)]

    def action_help(self) -> None:
        """Explain this place and its keys."""
        from desk.screens.help import Help

        here = getattr(self.screen, "help_here", None)
        self.push_screen(Help(here() if here else "", self._reachable()))

    def action_palette(self) -> None:
        """Find an action by its name."""
        from desk.screens.palette import Palette

        async def chosen(one: Live | None) -> None:
            if one:
                await self.run_action(one.action, one.node)

        self.push_screen(Palette(self._reachable()), chosen)

    def action_search(self) -> None:
        """Find a card."""
        from desk.screens.search import Search

        self.push_screen(Search(), lambda item_id: self.open_card(item_id) if item_id else None)

    def action_inbox(self) -> None:
        """Open the inbox."""
        from desk.screens.inbox import InboxScreen

        if not isinstance(self.screen, InboxScreen):
            self.push_screen(InboxScreen())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The officer's place is there for the officer alone: others do not see the key."""
        if action == "officer" and not self.is_officer:
            return False
        return super().check_action(action, parameters)

    @property
    def is_officer(self) -> bool:
        """Whether the person answers for personal data here."""
        if not self.is_open or not self.desk.signed_in:
            return False
        role = self.playbook.roles.get(self.desk.me.role)
        return role is not None and role.officer

    def action_officer(self) -> None:
        """Open the officer's place."""
        from desk.screens.pd_office import OfficeScreen

        if not isinstance(self.screen, OfficeScreen):
            self.push_screen(OfficeScreen())

    def action_sync(self) -> None:
        """Exchange changes with the hub now; where it wants a sign-in, ask for it."""
        if self.desk.status().last_error == "not_signed_in":
            self.ask_sign_in()
        else:
            self.exchange()

    def exchange(self) -> None:
        """Send and fetch now, beside the keyboard, and say what came of it."""
        self.go(self._synchronise())

    async def _synchronise(self) -> None:
        try:
            report = await asyncio.to_thread(self.desk.sync_once)
        except DeskError as error:
            self.warn(error)
            return
        sent = ngettext("{n} action sent", "{n} actions sent", report.pushed)
        came = ngettext("{n} change received", "{n} changes received", report.pulled)
        self.notify(f"{sent.format(n=report.pushed)}, {came.format(n=report.pulled)}.")

    def action_checkup(self) -> None:
        """Show how the exchange with the hub stands, and do what is chosen about it."""
        from desk.screens.checkup import CheckupDialog

        self.push_screen(CheckupDialog(), self._repair)

    def _repair(self, code: str | None) -> None:
        repairs = {
            "sign_in": self.ask_sign_in,
            "go_online": self.action_offline,
            "sync": self.exchange,
            "reconcile": self._compare,
            "inbox": self.action_inbox,
        }
        if code in repairs:
            repairs[code]()

    def _compare(self) -> None:
        self.go(self._verify())

    async def _verify(self) -> None:
        self.notify(_("Comparing with the hub; you can go on working."))
        try:
            verdict = await asyncio.to_thread(self.desk.verify, repair=True)
        except DeskError as error:
            self.warn(error)
            return
        if verdict.same:
            self.notify(_("All cards are the same as on the hub."))
            return
        n = verdict.differing
        mended = ngettext(
            "{n} card differed and was mended.", "{n} cards differed and were mended.", n
        )
        left = _("Some cards still differ from the hub. Tell the administrator.")
        self.notify(
            mended.format(n=format_number(n)) if verdict.repaired else left,
            severity="information" if verdict.repaired else "warning",
        )

    def action_stop(self) -> None:
        """Stop a long load; what has come stays, and the next exchange goes on from there."""
        self.go(self._stop())

    async def _stop(self) -> None:
        await asyncio.to_thread(self.desk.cancel_sync)
        self.notify(_("Loading is stopped. F5 goes on from here."))

    def action_offline(self) -> None:
        """Switch the network off, or on again."""
        offline = not self.desk.status().offline_by_choice
        self.go(self._go_offline(offline))

    async def _go_offline(self, offline: bool) -> None:
        await asyncio.to_thread(self.desk.go_offline, offline)
        self.notify(
            _("The network is off. Go on working; everything is sent later.")
            if offline
            else _("The network is on again.")
        )
        self.post_message(StatusArrived())
