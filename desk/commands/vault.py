"""The vault: `lock`, `vault …`, `wipe`."""

from __future__ import annotations

from argparse import Namespace

from desk.commands import output
from desk.commands.failure import DONE, REFUSED, Failure
from desk.commands.session import profile_of
from desk.text import _


def lock(options: Namespace) -> int:
    """Let the application of this profile lock. JSON: locked, running."""
    from desk.services import keyfile, lockdown
    from desk.services.errors import AlreadyOpen, NotSignedIn
    from desk.services.profile import Profile

    folder = profile_of(options)
    try:
        kept = keyfile.read(folder / "local.key")
    except FileNotFoundError:
        raise NotSignedIn from None
    if kept is not None and "passphrase" not in kept.factors:
        raise Failure(
            REFUSED, _("This desk opens with the key of your system session: lock the session.")
        )
    try:
        # Whoever owns the profile now, nothing of it is open in another process.
        Profile.own(folder).release()
        running = False
    except AlreadyOpen:
        running = True
        lockdown.ask(folder)
        if not lockdown.is_answered(folder):
            raise Failure(
                REFUSED, _("The application does not answer. Close it, or lock it there (F1).")
            ) from None
    if options.json:
        output.put_json({"locked": True, "running": running})
    else:
        output.put(_("Locked.") if running else _("Nothing was open: the desk is locked."))
    return DONE
