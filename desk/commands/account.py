"""Who works here, and how the desk stands: `login`, `logout`, `status`."""

from __future__ import annotations

from argparse import Namespace

from desk.commands import asking, entering, output
from desk.commands.failure import DONE, LOCKED
from desk.commands.session import open_desk
from desk.text import _


def login(options: Namespace) -> int:
    """Sign in at the hub; a profile without a vault gets one. JSON: user, name, role, hub."""
    missing = _("Name the hub by --hub and the user by --user.")
    hub = options.hub or asking.ask_line(_("Hub (https://…): "), missing)
    user = options.user or asking.ask_line(_("User: "), missing)
    # The password first: who has none is told so before a vault is made.
    password = (
        asking.secret_from_file(options.password_file)
        if options.password_file
        else asking.ask_password(user)
    )
    with open_desk(options, new=True) as desk:
        person = entering.sign_in(desk, hub, user, password, options)
        address = desk.status().hub or hub
    if options.json:
        output.put_json(
            {"user": person.id, "name": person.name, "role": person.role, "hub": address}
        )
    else:
        output.put(
            _("Signed in as {user} ({name}). Fetch the cards: desk sync").format(
                user=person.id, name=output.shown(person.name)
            )
        )
    return DONE


def logout(options: Namespace) -> int:
    """End the session; cards and unsent work stay. JSON: pending."""
    with open_desk(options) as desk:
        pending = desk.status().pending
        desk.sign_out()
    if options.json:
        output.put_json({"pending": pending})
    else:
        output.put(_("Signed out. Unsent actions kept: {n}.").format(n=pending))
    return DONE


def status(options: Namespace) -> int:
    """The state of the desk. JSON: user, role, hub, online, pending, conflicts, cursor, items."""
    with open_desk(options) as desk:
        now = desk.status()
        items = desk.items()
    online = now.hub is not None and _answers(now.hub)
    if options.json:
        output.put_json(
            {
                "user": now.user,
                "role": now.role,
                "hub": now.hub,
                "online": online,
                "pending": now.pending,
                "conflicts": now.conflicts,
                "cursor": now.cursor,
                "items": items,
            }
        )
    else:
        output.put_pairs(
            [
                (_("User"), f"{now.user} ({now.role})" if now.user else _("nobody")),
                (_("Hub"), now.hub or "—"),
                (_("Network"), _("the hub answers") if online else _("no connection")),
                (_("Cards"), str(items)),
                (_("Unsent"), str(now.pending)),
                (_("To decide"), str(now.conflicts)),
            ]
        )
    if now.user is None:
        output.tell(_("Nobody is signed in. Sign in: desk login --hub URL --user NAME"))
        return LOCKED
    return DONE


def _answers(hub: str) -> bool:
    """Whether the hub can be reached now."""
    from desk.services.errors import DeskError
    from desk.services.hub_client import HubClient

    client = HubClient(hub)
    try:
        client.handshake()
    except DeskError:
        return False
    finally:
        client.close()
    return True
