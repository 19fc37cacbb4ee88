"""One's own sessions, password and second factor: `sessions`, `password`, `second-factor`."""

from __future__ import annotations

from argparse import Namespace

from desk.commands import asking, entering, output
from desk.commands.failure import DONE
from desk.commands.session import open_desk
from desk.services.errors import NotSignedIn
from desk.text import _, format_datetime


def sessions(options: Namespace) -> int:
    """One's sessions at the hub. JSON: array of id, device, device_name, created_at, renewed_at,
    current."""
    with open_desk(options) as desk:
        found = desk.sessions()
    if options.json:
        output.put_json(found)
        return DONE
    output.put_table(
        ("ID", _("Device"), _("Signed in"), _("Last seen"), ""),
        [
            (
                one.id,
                output.shown(one.device_name),
                format_datetime(one.created_at),
                format_datetime(one.renewed_at),
                _("this one") if one.current else "",
            )
            for one in found
        ],
    )
    return DONE


def revoke(options: Namespace) -> int:
    """End one of one's sessions, by its id or its beginning. JSON: id."""
    from desk.services.errors import NoSuchSession

    with open_desk(options) as desk:
        found = [one.id for one in desk.sessions() if one.id.startswith(options.id)]
        if len(found) != 1:
            raise NoSuchSession
        desk.end_session(found[0])
    if options.json:
        output.put_json({"id": found[0]})
    else:
        output.put(_("The session is ended."))
    return DONE


def password(options: Namespace) -> int:
    """Change one's password; one's other sessions end. JSON: user."""
    with open_desk(options) as desk:
        if not desk.signed_in:
            raise NotSignedIn
        user = desk.person.id
        current = (
            asking.secret_from_file(options.password_file)
            if options.password_file
            else asking.ask_password(user)
        )
        new = (
            asking.secret_from_file(options.new_password_file)
            if options.new_password_file
            else asking.ask_new_password(user, "--new-password-file")
        )
        desk.change_password(current, new)
    if options.json:
        output.put_json({"user": user})
    else:
        output.put(_("The password is changed. Your other sessions are ended."))
    return DONE


def second_factor(options: Namespace) -> int:
    """Set up an authenticator: key and recovery codes are shown on the terminal. JSON: user."""
    with open_desk(options) as desk:
        hub = desk.status().hub
        if not desk.signed_in or hub is None:
            raise NotSignedIn
        user = desk.person.id
        secret = (
            asking.secret_from_file(options.password_file)
            if options.password_file
            else asking.ask_password(user)
        )
        code = entering.set_up(desk, hub, user, secret)
        desk.sign_in(hub, user, secret, code=code)
    if options.json:
        output.put_json({"user": user})
    else:
        output.put(_("The second factor is in force from your next sign-in on."))
    return DONE
