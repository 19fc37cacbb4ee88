"""Makes `docs/pictures/board.svg`: the board as the application itself paints it.

    .venv/bin/python docs/picture.py

The rows are the demo's, invented and the same each time; the clock stands still.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from desk import text
from desk.app import DeskApp
from desk.domain import rights
from desk.domain.model import Actor
from desk.domain.playbook_loader import load
from desk.hub.demo.build import Parameters, history, staff
from desk.protocol.messages import Page
from desk.resources import playbooks_dir
from desk.services import arrivals, settings
from desk.services.context import Account
from desk.services.desk import Desk
from desk.widgets.status_line import StatusLine

#: 22 November 2026, 12:00 in Moscow.
NOW = 1_795_348_800_000
SIZE = (120, 34)
_CASE = "freight"
_USER = "marketer1"
_LEADS = 3_000
_PASSPHRASE = "picture"  # noqa: S105 - the desk lives as long as the picture is made
_PICTURE = Path(__file__).resolve().parent / "pictures" / "board.svg"


class Still(DeskApp):
    """The application at one moment, without a network."""

    def now(self) -> int:
        return NOW

    def open_desk(self, passphrase: str | None) -> Desk:
        return Desk.open(self.profile, passphrase, clock=lambda: NOW)

    def start_network(self) -> None:
        """Nothing is sent for a picture."""


def furnish(profile: Path) -> None:
    """Fill a desk with what the hub of a demo would send."""
    source = (playbooks_dir() / f"{_CASE}.toml").read_text(encoding="utf-8")
    playbook = load(source, _CASE)
    people = staff(_CASE)
    person = next(one for one in people if one.id == _USER)
    account = Account(
        hub="https://hub.example", hub_id="picture", company="Грузовая биржа", person=person
    )
    with Desk.open(profile, _PASSPHRASE, clock=lambda: NOW) as desk:
        with desk.context.store.write() as connection:
            settings.put(connection, settings.ACCOUNT, msgspec.json.encode(account).decode())
            settings.put(connection, settings.TOKEN, "none")
            settings.put(connection, settings.PLAYBOOK, source)
            settings.put(connection, settings.PLAYBOOK_VERSION, "1")
            settings.put(connection, settings.CURSOR, "picture:1")
            arrivals.put(connection, _page(people=people))
        actor = Actor(person.id, person.role)
        for batch in history(playbook, Parameters(case=_CASE, leads=_LEADS), NOW):
            items = [
                item
                for item in batch.items
                if rights.sees(playbook, actor, rights.scope(item), NOW)
            ]
            ids = {item.id for item in items}
            page = _page(items=items, tasks=[one for one in batch.tasks if one.item_id in ids])
            with desk.context.store.write() as connection:
                arrivals.put(connection, page)


def _page(**rows: object) -> Page:
    return msgspec.convert(
        {"cursor": "picture:1", "last_op": 0, "playbook_version": 1, **rows},
        Page,
        from_attributes=True,
    )


async def paint(profile: Path) -> str:
    """The board as SVG."""
    app = Still(profile, passphrase=_PASSPHRASE)
    async with app.run_test(size=SIZE) as pilot:
        while not app.is_open or app.board_screen.board is None:
            await app.workers.wait_for_complete()
            await pilot.pause()
        await pilot.press("down")
        role = app.playbook.roles[app.desk.me.role].title.get(text.language())
        status = replace(app.desk.status(), online=True)
        app.screen.query_one(StatusLine).show(status, app.people, role)
        await pilot.pause()
        picture = app.export_screenshot(title="desk")
    app.close()
    return picture


def main() -> None:
    """Write the picture."""
    text.use("ru")
    text.use_zone("Europe/Moscow")
    with TemporaryDirectory() as folder:
        furnish(Path(folder))
        picture = asyncio.run(paint(Path(folder)))
    _PICTURE.parent.mkdir(exist_ok=True)
    _PICTURE.write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
