"""The application: a skeleton of the board at once, the desk behind it as soon as it is open."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.screen import Screen
from textual.widget import Widget

from desk import text as words
from desk.screens import leaks, preferences, terminal
from desk.screens.board import BoardScreen
from desk.screens.leaving import Leaving
from desk.screens.shell import RowsArrived, StatusArrived
from desk.services import operators
from desk.services.errors import (
    ClockSetBack,
    CodeNeeded,
    DeskError,
    HubNeeded,
    LeaseOver,
    Locked,
    PassphraseNeeded,
    SecondFactorNeeded,
    WipeOrdered,
    WrongCode,
    WrongPassphrase,
)
from desk.text import _
from desk.widgets.actions import bindings
from desk.widgets.footer import KeyFooter
from desk.widgets.status_line import StatusLine
from desk.widgets.theming import DARK, other_theme, use_themes

if TYPE_CHECKING:
    from desk.screens.sentry import Clocks
    from desk.screens.sign_in import Credentials, Wrong
    from desk.services.desk import Desk
    from desk.services.views import Event

#: Where to sign in at once: the hub's URL, the user and the password.
Account = tuple[str, str, str]
#: Tells the process that follows a locked one why it is locked: it takes no known passphrase.
_RELOCKED = "DESK_RELOCKED"
#: Tells it whose desk was open.
_WORKED_AS = "DESK_WORKED_AS"
_CRASHED = 1


class DeskApp(Leaving):
    """One person's desk on the screen."""

    TITLE = "Desk"
    ENABLE_COMMAND_PALETTE = False
    COMMANDS: ClassVar[set[Any]] = set()
    ACTION_GROUPS = ("app",)
    BINDINGS = bindings("app")
    CSS = """
    ToastRack { margin-bottom: 2; }
    Toast { max-width: 70; padding: 0 1; margin-top: 0; }
    """

    def __init__(
        self,
        profile: Path,
        *,
        passphrase: str | None = None,
        sign_in: Account | None = None,
        locked_for: str = "",
        clocks: Clocks | None = None,
        home: Path | None = None,
    ) -> None:
        """``locked_for`` says why the application before this one locked, where it did."""
        super().__init__(profile, clocks)
        #: Where the vaults of this workstation's operators are.
        self.home = home or profile
        self._newcomer = ""
        self._was_locked_for = locked_for
        self._passphrase = passphrase
        self._account = sign_in
        self._chosen = preferences.load(profile)
        self._guard = threading.Lock()
        self._changed: set[str] | None = set()
        self._board = BoardScreen()
        self._told_to_sign_in = False
        self._loading = False
        use_themes(self, self._chosen.theme or DARK)

    # Opening

    def get_default_screen(self) -> Screen[None]:
        """The board, empty until the desk is open."""
        return self._board

    @property
    def board_screen(self) -> BoardScreen:
        """The screen under all others."""
        return self._board

    def frame(self) -> Iterable[Widget]:
        """The status line and the keys."""
        line = StatusLine()
        if self.is_open and self._board.kind:
            line.show(self.desk.status(), self.people, self._role())
        yield line
        yield KeyFooter()

    def _role(self) -> str:
        role = self.playbook.roles.get(self.desk.me.role)
        return role.title.get(words.language()) if role else ""

    def on_mount(self) -> None:
        self.use_keys(self.profile / "keys.toml")
        # After the first painting: the skeleton is on the screen before the heavy imports begin.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if len(operators.list(self.home)) > 1 and not self._was_locked_for:
            self.choose_operator()
        else:
            self.go(self._open())

    def choose_operator(self) -> None:
        """Ask who works here, where the workstation has several vaults or is to have one more."""
        from desk.screens.operators import chooser, newcomer, picked

        known = operators.list(self.home)

        def chosen(answer: str | None) -> None:
            folder = picked(known, answer)
            if folder is not None:
                self._work_as(folder)
            elif answer:
                self.push_screen(newcomer(self.home, self._work_as), again)
            else:
                self.exit()

        def again(name: str | None) -> None:
            if name is None:
                self.choose_operator()

        self.push_screen(chooser(known), chosen)

    def _work_as(self, folder: Path, name: str = "") -> None:
        """Open the vault of another operator; what the one before chose is not his."""
        self.profile = folder
        self._passphrase = None
        self._was_locked_for = ""
        self._chosen = preferences.load(folder)
        self._account = None
        self._newcomer = name
        self.theme = self._chosen.theme or self.theme
        self.use_keys(folder / "keys.toml")
        self.go(self._open_or_ask())

    async def _open(self) -> None:
        if self._was_locked_for:
            self._ask_passphrase()
            return
        await self._open_or_ask()

    async def _open_or_ask(self) -> None:
        wrong = await self._try_open(self._passphrase)
        if wrong is None:
            await self._opened()
        elif isinstance(wrong, Locked | WrongPassphrase):
            self._ask_passphrase()
        elif isinstance(wrong, HubNeeded | LeaseOver | ClockSetBack):
            # What is missing may come: the person sees what it is, and tries again.
            self._ask_passphrase(self.explain(wrong))
        elif isinstance(wrong, PassphraseNeeded):
            self._ask_sign_in(passphrase=True)
        else:
            self._give_up(wrong)

    async def _try_open(self, passphrase: str | None) -> DeskError | None:
        """Open the vault beside the keyboard; the answer is what hindered it."""
        try:
            self._desk = await asyncio.to_thread(self.open_desk, passphrase)
        except DeskError as error:
            return error
        self.stand_guard()
        return None

    def open_desk(self, passphrase: str | None) -> Desk:
        """Open the vault; runs in a thread, because what it needs takes long to import."""
        from desk.services.desk import Desk

        return Desk.open(self.profile, passphrase)

    def start_network(self) -> None:
        """Begin to send and fetch in the background."""
        self.desk.start()

    async def _opened(self) -> None:
        if not self.desk.signed_in:
            if self._account is None:
                self._ask_sign_in()
                return
            from desk.screens.sign_in import Credentials

            wrong = await self._try_sign_in(Credentials(*self._account))
            if wrong:
                self._ask_sign_in(wrong=wrong.sentence)
                return
        self._show_desk()

    def _show_desk(self) -> None:
        self.desk.listen(self._heard)
        self._board.opened()
        self.post_message(StatusArrived())
        self.go(self._start())

    async def _start(self) -> None:
        # What the network imports would take the interpreter from the first reading of the cards.
        await self._board.read_once.wait()
        await asyncio.to_thread(self.start_network)
        await asyncio.to_thread(_warm_up)

    def _ask_passphrase(self, wrong: str = "") -> None:
        from desk.screens.unlock import Unlock

        async def attempt(passphrase: str | None) -> str:
            wrong = await self._try_open(passphrase)
            return self.explain(wrong) if wrong else ""

        secret = preferences.has_passphrase(self.profile)
        self.push_screen(
            Unlock(
                attempt,
                secret=secret,
                locked_for=self._was_locked_for,
                wrong=wrong,
                who=operators.name_in(self.profile),
                other=self.choose_operator,
            ),
            self._unlocked,
        )

    def _unlocked(self, __: None) -> None:
        if self.is_open:
            self.go(self._opened())

    def _ask_sign_in(self, *, passphrase: bool = False, wrong: str = "") -> None:
        from desk.screens.sign_in import SignIn

        hub, user, __ = self._account or ("", self._newcomer, "")
        signed_in = self.is_open and self.desk.signed_in
        if signed_in:
            status = self.desk.status()
            hub, user = status.hub or hub, status.user or user
        self.push_screen(
            SignIn(
                self._attempt,
                hub=hub,
                user=user,
                passphrase=passphrase,
                wrong=wrong,
                leave=not signed_in,
            ),
            self._signed_in,
        )

    async def _attempt(self, typed: Credentials) -> Wrong | None:
        from desk.screens.sign_in import Wrong

        if not self.is_open:
            wrong = await self._try_open(typed.passphrase)
            if wrong:
                return Wrong(self.explain(wrong))
        return await self._try_sign_in(typed)

    async def _try_sign_in(self, typed: Credentials) -> Wrong | None:
        from desk.screens.sign_in import Wrong

        account = (typed.hub, typed.user, typed.password)
        codes = {"enrolment": typed.enrolment, "code": typed.code}
        try:
            try:
                await asyncio.to_thread(self.desk.sign_in, *account, **codes)
            except SecondFactorNeeded:
                codes["code"] = await self._set_up_second_factor(typed)
                await asyncio.to_thread(self.desk.sign_in, *account, **codes)
        except CodeNeeded as needed:
            return Wrong(self.explain(needed), enrolment=needed.enrolment, code=needed.totp)
        except WrongCode as error:
            which = error.values.get("which")
            return Wrong(self.explain(error), enrolment=which == "enrolment", code=which == "totp")
        except DeskError as error:
            return Wrong(self.explain(error))
        self._told_to_sign_in = False
        return None

    async def _set_up_second_factor(self, typed: Credentials) -> str:
        """Show a new secret and take its first code; raises ``SecondFactorNeeded`` without one."""
        from desk.screens.second_factor import SetUpSecondFactor

        begun = await asyncio.to_thread(
            self.desk.begin_second_factor,
            typed.hub,
            typed.user,
            typed.password,
            enrolment=typed.enrolment,
        )
        code = await self.push_screen_wait(SetUpSecondFactor(begun))
        if code is None:
            raise SecondFactorNeeded
        return code

    def action_sessions(self) -> None:
        """One's sessions at the hub and one's password."""
        from desk.screens.sessions import SessionsDialog

        self.push_screen(SessionsDialog())

    def _signed_in(self, __: None) -> None:
        if not self.is_open or not self.desk.signed_in:
            return
        if self._board.kind:
            self.exchange()
        else:
            self._show_desk()

    def _give_up(self, error: DeskError) -> None:
        from desk.screens.notice import Notice

        def leave(__: None) -> None:
            self.exit(return_code=error.exit_code)

        self.push_screen(Notice(_("Desk cannot be opened"), self.explain(error)), leave)

    # What comes from other threads

    def _heard(self, event: Event) -> None:
        """Called in whichever thread; what to show is decided in handlers on the main one."""
        from desk.services.views import RowsChanged

        if isinstance(event, RowsChanged):
            with self._guard:
                if event.ids is None or self._changed is None:
                    self._changed = None
                else:
                    self._changed |= event.ids
            self.post_message(RowsArrived())
        else:
            self.post_message(StatusArrived())

    def on_rows_arrived(self) -> None:
        """Hand the changed rows to every screen that shows some."""
        with self._guard:
            changed = None if self._changed is None else frozenset(self._changed)
            self._changed = set()
        if changed is not None and not changed:
            return
        for screen in self.screen_stack:
            follow = getattr(screen, "rows_changed", None)
            if follow is not None:
                follow(changed)

    def on_status_arrived(self) -> None:
        """Tell the status lines, and once that the hub wants a new sign-in."""
        if not self.is_open:
            return
        status = self.desk.status()
        self._loading = status.syncing is not None
        role = self._role() if self.desk.signed_in else ""
        for screen in self.screen_stack:
            for line in screen.query(StatusLine):
                line.show(status, self.people, role)
            follow = getattr(screen, "status_changed", None)
            if follow is not None:
                follow()
        if status.last_error == WipeOrdered.code:
            # Nothing is left here, and what is still on the screen must not stay.
            line = Text(_(WipeOrdered.template))
            self._exit_renderables.append(line)
            self.exit(return_code=WipeOrdered.exit_code)
            return
        if status.last_error == "not_signed_in" and not self._told_to_sign_in:
            self._told_to_sign_in = True
            self.notify(
                _("The hub asks you to sign in again (F5). What waits to be sent is kept."),
                severity="warning",
                timeout=15,
            )

    # Actions

    def why_not(self, action: str) -> str | None:
        """Why an action that works everywhere is not possible now."""
        if action in ("app.quit", "app.help", "app.theme", "app.palette"):
            return None
        if not self.is_open or not self._board.kind:
            return _("The desk is not open yet.")
        if action == "app.lock" and not preferences.has_passphrase(self.profile):
            return _("This desk opens with the key of your system session: lock the session.")
        if action == "app.stop" and not self._loading:
            return _("Nothing is being loaded now.")
        if action == "app.language" and len(self.screen_stack) > 1:
            return _("Go back to the board to change the language.")
        return None

    def open_card(self, item_id: str) -> None:
        """Show a card, as the board does."""
        self._board.open_card(item_id)

    def ask_sign_in(self) -> None:
        """Ask for the password again: the hub has ended the session."""
        self._ask_sign_in()

    def action_theme(self) -> None:
        """The other theme."""
        self.theme = other_theme(self.theme)
        self._chosen.theme = self.theme
        preferences.save(self.profile, self._chosen)

    def action_language(self) -> None:
        """The other language."""
        other = "en" if words.language() == "ru" else "ru"
        self._chosen.language = words.use(other)
        preferences.save(self.profile, self._chosen)
        self._board.relabel()
        self.screen.refresh_bindings()
        self.post_message(StatusArrived())

    def copy_to_clipboard(self, text: str) -> None:
        """Copy within the application alone: the terminal's clipboard would carry data out."""
        self._clipboard = text
        card = getattr(self.screen, "card", None)
        if card is not None and self.is_open:
            self.journal(lambda: self.desk.note_copy(card))

    # The end

    def close(self) -> None:
        """End the work that was begun and close the desk."""
        self._writing.shutdown(wait=True)
        if self._desk is not None:
            self._desk.close()
            self._desk = None

    def _handle_exception(self, error: Exception) -> None:
        """Stop with one line; Textual's report would print the values of variables."""
        from desk.screens import crash

        self._return_code = _CRASHED
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            line = crash.sentence(crash.record(error, self.profile))
            self._exit_renderables.append(Text(line))
        self._close_messages_no_wait()

    def panic(self, *renderables: object) -> None:
        """Stop without printing what Textual would."""
        del renderables
        self._handle_exception(RuntimeError())


def _warm_up() -> None:
    """Load what the first opened card needs, so that it opens at once."""
    import desk.screens.card
    import desk.screens.transition_dialog  # noqa: F401


def run(
    profile: Path,
    *,
    passphrase: str | None = None,
    sign_in: Account | None = None,
    lang: str | None = None,
) -> int:
    """Open the application on a profile; the answer is the exit code.

    `passphrase` opens the vault without asking; `sign_in` signs in where nobody is yet; `lang` was
    asked for on the command line and goes before the language chosen in the application.
    """
    leaks.close()
    chosen = preferences.load(profile).language
    if lang is None and chosen:
        words.use(chosen)
    locked_for = os.environ.pop(_RELOCKED, "")
    worked_as = os.environ.pop(_WORKED_AS, "")
    app = DeskApp(
        Path(worked_as) if worked_as else profile,
        home=profile,
        passphrase=None if locked_for else passphrase,
        sign_in=sign_in,
        locked_for=locked_for,
    )
    with terminal.watched(app.hang_up):
        try:
            app.run()
        finally:
            app.close()
    if app.hung_up:
        return terminal.HUNG_UP
    if app.locked_for:
        os.environ[_WORKED_AS] = str(app.profile)
        return _start_anew(app.locked_for)
    return app.return_code or 0


def is_locked() -> bool:
    """Whether this process follows one that locked."""
    return _RELOCKED in os.environ


def _start_anew(locked_for: str) -> int:
    """The same command in a new process: nothing of this one stays in memory."""
    os.environ[_RELOCKED] = locked_for
    command = [sys.executable, *sys.orig_argv[1:]]
    if sys.platform == "win32":
        import subprocess

        # Windows has no exec that keeps the terminal; this process waits with its keys dropped.
        return subprocess.call(command)  # noqa: S603 - the command this process was started with
    return os.execv(sys.executable, command)  # noqa: S606 - the command this process was started with
