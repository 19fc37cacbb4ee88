"""Who comes in at a hub, and how: `hub enroll`, `hub security`, `hub totp reset`,
`hub user password`, `hub user disable`, `hub user enable`."""

from __future__ import annotations

import os
from argparse import Namespace

from desk.commands import asking, output
from desk.commands.failure import DONE
from desk.commands.hub import problems
from desk.text import _, format_datetime, ngettext


def enroll(options: Namespace) -> int:
    """A code with which a user signs in on a new device. JSON: user, code, expires_at (ms)."""
    with problems():
        from desk.hub import administration, enrolment
        from desk.hub.setup import milliseconds

        with administration.opened(options.db) as database:
            given = enrolment.give(database, options.name, milliseconds(), os.urandom)
    if options.json:
        output.put_json({"user": given.user, "code": given.code, "expires_at": given.expires_at})
        return DONE
    output.put(given.code)
    output.tell(
        _("{user} types it at the next sign-in on a new device, until {when}.").format(
            user=output.shown(given.user), when=format_datetime(given.expires_at)
        )
    )
    return DONE


def security(options: Namespace) -> int:
    """What a sign-in needs beside the password. JSON: enrolment, totp (array of roles)."""
    with problems():
        from desk.hub import administration
        from desk.hub.sessions import demand

        roles = None if options.totp is None else options.totp.split(",")
        with administration.opened(options.db) as database:
            now = demand(database, options.enrolment, roles)
    if options.json:
        output.put_json({"enrolment": now.enrolment, "totp": now.totp})
        return DONE
    output.put_pairs(
        [
            (
                _("New device"),
                _("needs a code: desk hub enroll NAME --db URL")
                if now.enrolment == "code"
                else _("needs the password alone"),
            ),
            (_("Second factor"), ", ".join(now.totp) or _("for whoever wants one")),
        ]
    )
    return DONE


def totp_reset(options: Namespace) -> int:
    """Forget the second factor of a user who lost his authenticator. JSON: user, was (boolean)."""
    with problems():
        from desk.hub import administration, totp

        with administration.opened(options.db) as database:
            was = totp.reset(database, options.name)
    user = output.shown(options.name)
    if options.json:
        output.put_json({"user": options.name, "was": was})
    elif was:
        output.put(_("The second factor of {user} is forgotten.").format(user=user))
    else:
        output.put(_("{user} had no second factor.").format(user=user))
    return DONE


def password(options: Namespace) -> int:
    """Give a user another password; his sessions end. JSON: user, devices (array of ids)."""
    secret = (
        asking.secret_from_file(options.password_file)
        if options.password_file
        else asking.ask_new_password(options.name)
    )
    with problems():
        from desk.hub import administration, sessions

        with administration.opened(options.db) as database:
            ended = sessions.give_password(database, options.name, secret)
    if options.json:
        output.put_json({"user": options.name, "devices": ended})
    else:
        output.put(
            ngettext(
                "{user} has another password. {n} session ended.",
                "{user} has another password. {n} sessions ended.",
                len(ended),
            ).format(user=output.shown(options.name), n=len(ended))
        )
    return DONE


def disable(options: Namespace) -> int:
    """Keep a user out; his sessions end. JSON: user, active, changed."""
    return _let_in(options, active=False)


def enable(options: Namespace) -> int:
    """Let a user in again. JSON: user, active, changed."""
    return _let_in(options, active=True)


def _let_in(options: Namespace, *, active: bool) -> int:
    with problems():
        from desk.hub import administration, sessions
        from desk.hub.setup import milliseconds

        with administration.opened(options.db) as database:
            changed = sessions.let_in(database, options.name, active=active, now=milliseconds())
    if options.json:
        output.put_json({"user": options.name, "active": active, "changed": changed})
        return DONE
    line = _("{user} may sign in.") if active else _("{user} is kept out; his sessions are ended.")
    output.put(line.format(user=output.shown(options.name)))
    return DONE
