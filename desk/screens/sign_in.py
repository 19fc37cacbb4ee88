"""Signing in at a hub; the first time it also makes the passphrase where there is no keyring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from desk.screens.dialog import Dialog
from desk.text import _
from desk.widgets.safe import plain

_SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was typed; `passphrase` is `None` where none is asked for, and a code is empty."""

    hub: str
    user: str
    password: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)
    enrolment: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why one is not let in, and the fields that the hub asks for."""

    sentence: str
    enrolment: bool = False
    code: bool = False


#: Tries to sign in; answers what is wrong, or nothing.
Try = Callable[[Credentials], Awaitable[Wrong | None]]
#: The fields that are there only where the hub asks for them.
_ASKED = ("enrolment", "code")


class Line(Horizontal):
    """A title and an input beside it."""

    DEFAULT_CSS = """
    Line { height: 1; margin-bottom: 1; }
    Line .line-title { width: 22; color: $text-muted; }
    Line Input { width: 1fr; background: $surface; }
    """

    def __init__(self, title: str, name: str, value: str = "", *, secret: bool = False) -> None:
        super().__init__()
        self._title = title
        self._input = Input(value, password=secret, compact=True, id=name, select_on_focus=False)

    def compose(self) -> ComposeResult:
        yield Static(plain(self._title), classes="line-title")
        yield self._input


class SignIn(Dialog[None]):
    """Stays until the hub lets the person in, or the person leaves the application."""

    DEFAULT_CSS = """
    SignIn #dialog { width: 66; }
    """

    def __init__(
        self,
        attempt: Try,
        *,
        hub: str = "",
        user: str = "",
        passphrase: bool = False,
        wrong: str = "",
        leave: bool = True,
    ) -> None:
        """`passphrase` asks for a new one; `leave` says that Esc ends the application."""
        super().__init__()
        self.heading = _("Sign in")
        self.about = (
            _(
                "This machine has no keyring. Choose a passphrase: it locks your desk, and nobody"
                " can restore it."
            )
            if passphrase
            else _("Your hub’s address, and the name and password you were given.")
        )
        self.verb = _("Sign in")
        self._attempt = attempt
        self._hub = hub
        self._user = user
        self._with_passphrase = passphrase
        self._wrong = wrong
        self._leave = leave
        self._trying = False

    def body(self) -> Iterable[Widget]:
        yield Line(_("Hub"), "hub", self._hub or "https://")
        yield Line(_("User"), "user", self._user)
        yield Line(_("Password"), "password", secret=True)
        yield Line(_("Code for this device"), "enrolment")
        yield Line(_("Authenticator’s code"), "code")
        if self._with_passphrase:
            yield Line(_("New passphrase"), "passphrase", secret=True)
            yield Line(_("Once more"), "again", secret=True)

    def begin(self) -> None:
        for name in _ASKED:
            self._line(name).display = False
        inputs = self._inputs()
        empty = [one for one in inputs if one.value in ("", "https://")]
        (empty or inputs)[0].focus()
        if self._wrong:
            self.complain(self._wrong)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.hint("")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        inputs = self._inputs()
        number = inputs.index(event.input)
        if number + 1 < len(inputs):
            inputs[number + 1].focus()
        else:
            self.action_accept()

    def _inputs(self) -> list[Input]:
        return [one for one in self.query(Input) if one.parent is not None and one.parent.display]

    def _line(self, name: str) -> Line:
        line = self.query_one(f"#{name}", Input).parent
        assert isinstance(line, Line)
        return line

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    def action_accept(self) -> None:
        """Try to sign in."""
        if self._trying:
            return
        wrong = self._unready()
        if wrong:
            sentence, name = wrong
            self.complain(sentence)
            self.query_one(f"#{name}", Input).focus()
            return
        self.complain("")
        self.hint(_("Signing in…"))
        self._trying = True
        credentials = Credentials(
            self._text("hub").strip(),
            self._text("user").strip(),
            self._text("password"),
            self._text("passphrase") if self._with_passphrase else None,
            self._text("enrolment").strip(),
            self._text("code").strip(),
        )
        self.shell.go(self._try(credentials))

    def _unready(self) -> tuple[str, str] | None:
        for name, sentence in (
            ("hub", _("Write the hub’s address.")),
            ("user", _("Write your user name.")),
            ("password", _("Write your password.")),
        ):
            if self._text(name).strip() in ("", "https://"):
                return sentence, name
        if not self._with_passphrase:
            return None
        if len(self._text("passphrase")) < _SHORTEST:
            text = _("A passphrase has at least {number} characters.").format(number=_SHORTEST)
            return text, "passphrase"
        if self._text("passphrase") != self._text("again"):
            return _("The two passphrases are not the same."), "again"
        return None

    async def _try(self, credentials: Credentials) -> None:
        wrong = await self._attempt(credentials)
        if wrong is None:
            self.dismiss(None)
            return
        self._trying = False
        self.hint("")
        self.complain(wrong.sentence)
        asked = {"enrolment": wrong.enrolment, "code": wrong.code}
        for name in (name for name in _ASKED if asked[name]):
            self._line(name).display = True
            self.query_one(f"#{name}", Input).value = ""
        shown = [name for name in _ASKED if asked[name]]
        self.query_one(f"#{shown[0] if shown else 'password'}", Input).focus()

    def action_cancel(self) -> None:
        """Leave the application, or go back to the board where there is one."""
        if self._leave:
            self.app.exit()
        else:
            self.dismiss(None)
