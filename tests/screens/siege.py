"""Each screen over rows that attack the terminal.

`python -m tests.screens.siege` takes the profile, a file for the report, and the user.

It runs in a real terminal, and goes by itself from screen to screen: what it writes is for the test
to look at. The report says which screens were there, a line each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from textual.pilot import Pilot
from textual.screen import Screen

from desk.domain.model import Value
from desk.domain.operations import Comment, EditFields, Operation
from desk.protocol.messages import Result, SecondFactor
from desk.protocol.sessions import SessionInfo
from desk.screens.looking import NumberShown
from desk.screens.notice import Notice, Question
from desk.screens.pd_files import SaveFile
from desk.screens.second_factor import SetUpSecondFactor
from desk.screens.sign_in import SignIn
from desk.screens.unlock import Unlock
from desk.services import inbox
from desk.services.desk import Desk
from tests.screens.desks import ALL_ATTACKS, NOW, PASSPHRASE, StillApp, identifier
from tests.screens.officers import FakeOfficer
from tests.screens.steps import calm, press

#: Keys from the board on, or a screen that no key opens on a desk at peace.
Way: TypeAlias = tuple[str, ...] | Callable[[], Screen[Any]]


async def _nothing(*_typed: object) -> Any:
    return ALL_ATTACKS


#: How each screen is reached, by the user who goes there. A screen that is missing here fails a
#: test: add it.
WAYS: Mapping[str, Mapping[str, Way]] = {
    "marketer1": {
        "BoardScreen": ("down", "down", "down", "end", "right"),
        "CardScreen": ("enter",),
        "FormScreen": ("enter", "e", "down", "down", "pagedown"),
        "TransitionDialog": ("enter", "p"),
        "Prompt": ("enter", "c"),
        "Menu": ("space",),
        "Search": ("f3", "A", "A"),
        "Help": ("f1",),
        "Palette": ("f8",),
        "FilterPrompt": ("f",),
        "NewItem": ("n",),
        "InboxScreen": ("f6", "down"),
        "CheckupDialog": ("ctrl+t",),
        "Notice": lambda: Notice(ALL_ATTACKS, ALL_ATTACKS),
        "Question": lambda: Question(ALL_ATTACKS, ALL_ATTACKS, ALL_ATTACKS),
        "SignIn": lambda: SignIn(_nothing, hub=ALL_ATTACKS, user=ALL_ATTACKS, wrong=ALL_ATTACKS),
        "Unlock": lambda: Unlock(_nothing, locked_for=ALL_ATTACKS),
        "NumberShown": lambda: NumberShown(ALL_ATTACKS),
        "SessionsDialog": ("ctrl+b",),
        "PasswordDialog": ("ctrl+b", "enter"),
        "SetUpSecondFactor": lambda: SetUpSecondFactor(
            SecondFactor(secret=ALL_ATTACKS, uri=ALL_ATTACKS, recovery=[ALL_ATTACKS])
        ),
    },
    "officer": {
        "OfficeScreen": ("ctrl+o", *["right"] * 6),
        "PersonScreen": ("ctrl+o", "enter"),
        "FormDialog": ("ctrl+o", *["right"] * 4, "n"),
        "SaveFile": lambda: SaveFile(ALL_ATTACKS, b""),
    },
}
#: What people wrote, in the answers to the officer.
_TEXTS = {"name", "note", "answer", "title", "evidence", "extension", "about", "label"}


def _attacked(value: Any) -> Any:
    """An answer of the hub with an attack in each foreign text of it."""
    if isinstance(value, list | tuple):
        return type(value)(_attacked(one) for one in value)
    if isinstance(value, dict):
        return dict.fromkeys(value, ALL_ATTACKS) if _is_text(value) else value
    if not isinstance(value, msgspec.Struct):
        return value
    known = {name: getattr(value, name) for name in value.__struct_fields__}
    other = {
        name: ALL_ATTACKS if name in _TEXTS and isinstance(one, str) else _attacked(one)
        for name, one in known.items()
    }
    return msgspec.structs.replace(value, **other)


def _is_text(value: dict[Any, Any]) -> bool:
    return bool(value) and all(isinstance(one, str) for one in value.values())


def _sessions(_desk: Desk) -> list[SessionInfo]:
    """Sessions on a device that was named by an attacker."""
    one = SessionInfo(
        id="s", device="d", device_name=ALL_ATTACKS, created_at=NOW, renewed_at=NOW, current=False
    )
    return [one]


class HostileOfficer(FakeOfficer):
    """A hub whose registry people have filled with attacks."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found
        return lambda *asked, **more: _attacked(found(*asked, **more))


class Besieged(StillApp):
    """The application, with what the hub did not carry out in its inbox."""

    def open_desk(self, passphrase: str | None) -> Desk:
        desk = super().open_desk(passphrase)
        target = identifier(2)
        answers = (
            (
                EditFields(item_id=target, fields={"company": ALL_ATTACKS}),
                {"company": ALL_ATTACKS},
                {"fields": ALL_ATTACKS},
            ),
            (Comment(item_id=target, text=ALL_ATTACKS), {}, {"kind": ALL_ATTACKS}),
        )
        with desk.context.store.write() as connection:
            for number, (intent, theirs, args) in enumerate(answers, start=901):
                operation = Operation(id=identifier(number), at=NOW, intent=intent)
                result = Result(
                    number=number,
                    id=operation.id,
                    result="conflict" if theirs else "rejected",
                    code="field_conflict" if theirs else "unknown_kind",
                    args=args,
                    theirs=dict[str, Value](theirs),
                )
                inbox.add(connection, desk.context, operation, result)
        return desk


def _note(report: Path, reached: list[str]) -> None:
    report.write_text("\n".join(reached), encoding="utf-8")


async def _walk(pilot: Pilot[Any], report: Path, ways: Mapping[str, Way]) -> None:
    app = pilot.app
    assert isinstance(app, StillApp)
    await calm(pilot)
    while app._desk is None or app._board.board is None:
        await calm(pilot)
    reached: list[str] = []
    for way in ways.values():
        if callable(way):
            app.push_screen(way())
            await calm(pilot)
        else:
            await press(pilot, *way)
        if not reached:
            app.notify(ALL_ATTACKS, title=ALL_ATTACKS)
            await calm(pilot)
        reached.append(type(app.screen).__name__)
        _note(report, reached)
        while len(app.screen_stack) > 1:
            app.pop_screen()
        await calm(pilot)
    app.exit(return_code=0)


def main(profile: Path, report: Path, user: str) -> int:
    """Go through all that is the user's; the exit code is the application's."""
    officer = HostileOfficer()
    Desk.officer = property(lambda _desk: officer)  # type: ignore[assignment,misc]
    Desk.sessions = _sessions  # type: ignore[method-assign]
    app = Besieged(profile, passphrase=PASSPHRASE)
    app.animation_level = "none"
    app.run(auto_pilot=lambda pilot: _walk(pilot, report, WAYS[user]))
    app.close()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
