"""The vault: `lock`, `vault …`, `wipe`."""

from __future__ import annotations

import sys
from argparse import Namespace

from desk.commands import asking, output
from desk.commands.failure import DONE, REFUSED, USAGE, Failure
from desk.commands.session import known_passphrase, open_desk, profile_of
from desk.text import N_, _, format_datetime, ngettext

_FACTORS = {
    "keyring": N_("system keyring"),
    "passphrase": N_("passphrase"),
    "lease": N_("the hub's share"),
}


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


def status(options: Namespace) -> int:
    """How the vault stands. JSON: format, backend, factors, lease, lease_until, subjects, epoch,
    wrapping_epoch, aside.
    """
    with open_desk(options) as desk:
        state = desk.vault
    if options.json:
        output.put_json(state)
        return DONE
    until = format_datetime(state.lease_until) if state.lease_until is not None else ""
    lease = {
        "none": _("none yet"),
        "good": _("until {moment}"),
        "over": _("over since {moment}"),
        "clock_back": _("in doubt: the clock was set back"),
    }[state.lease]
    output.put_pairs(
        [
            (_("Format"), str(state.format)),
            (_("Opened by"), ", ".join(_(_FACTORS[factor]) for factor in state.factors)),
            (_("Keys kept in"), state.backend),
            (_("Works without the hub"), lease.format(moment=until)),
            (_("People"), str(state.subjects)),
            (_("Epoch"), "—" if state.epoch is None else str(state.epoch)),
            (_("Wrapping key"), str(state.wrapping_epoch)),
            *((_("Put aside"), name) for name in state.aside),
        ]
    )
    return DONE


def rotate(options: Namespace) -> int:
    """Wrap the vault's keys anew, under another passphrase if one is named or asked for.

    JSON: factors, wrapping_epoch.
    """
    with open_desk(options) as desk:
        passphrase = None
        if options.new_passphrase_file:
            passphrase = asking.secret_from_file(options.new_passphrase_file)
        elif options.new_passphrase:
            passphrase = asking.ask_new_passphrase()
        if passphrase and "passphrase" not in desk.vault.factors:
            raise Failure(
                REFUSED,
                _("This desk opens with the system keyring alone; it has no passphrase to change."),
            )
        desk.renew_keys(passphrase)
        state = desk.vault
    if options.json:
        output.put_json({"factors": state.factors, "wrapping_epoch": state.wrapping_epoch})
    else:
        output.put(_("The keys of this desk were renewed."))
        if passphrase:
            output.put(_("The new passphrase counts from now on."))
    return DONE


def recover(options: Namespace) -> int:
    """Save what a person did from a damaged file; the rest comes with the next exchange.

    JSON: kept (rows by table), unreadable, aside.
    """
    from desk.services.desk import Desk
    from desk.services.errors import Locked

    folder = profile_of(options)
    try:
        saved = Desk.recover(folder, known_passphrase(folder))
    except Locked:
        saved = Desk.recover(folder, asking.ask_passphrase())
    aside = saved.aside.name if saved.aside else None
    if options.json:
        output.put_json({"kept": saved.kept, "unreadable": saved.unreadable, "aside": aside})
        return DONE
    count = saved.kept.get("queue", 0)
    output.put(
        ngettext("{n} unsent action was saved.", "{n} unsent actions were saved.", count).format(
            n=count
        )
    )
    drafts = saved.kept.get("draft", 0)
    output.put(ngettext("{n} draft was saved.", "{n} drafts were saved.", drafts).format(n=drafts))
    if aside:
        output.put(
            _("Not everything could be read: the old file is kept as {file}.").format(file=aside)
        )
    output.put(_("Fetch the cards: desk sync"))
    return DONE


def wipe(options: Namespace) -> int:
    """Remove everything this desk holds. JSON: wiped, unsent."""
    from desk.services import wipe as service
    from desk.services.errors import AlreadyOpen, DeskError, WipeUnfinished
    from desk.services.profile import Profile

    folder = profile_of(options)
    unsent = None
    try:
        desk = open_desk(options)
    except AlreadyOpen:
        raise
    except (DeskError, Failure) as locked:
        # Whoever cannot open it may remove it, too.
        _confirm(options, _("The desk cannot be opened: {why}").format(why=_reason(locked)))
        profile = Profile.own(folder)
        try:
            if not service.run_locked(folder):
                raise WipeUnfinished(profile=str(folder)) from None
        finally:
            profile.release()
    else:
        unsent = desk.status().pending
        try:
            _confirm(
                options,
                ngettext(
                    "{n} action was not sent yet and will be lost.",
                    "{n} actions were not sent yet and will be lost.",
                    unsent,
                ).format(n=unsent)
                if unsent
                else "",
            )
        except BaseException:
            desk.close()
            raise
        desk.wipe()
    if options.json:
        output.put_json({"wiped": True, "unsent": unsent})
    else:
        output.put(_("Everything this desk held is removed."))
    return DONE


def _confirm(options: Namespace, warning: str) -> None:
    """Go on only where the person says so in words."""
    if options.yes:
        return
    word = _("remove")
    if warning:
        output.tell(warning)
    if not sys.stdin.isatty():
        raise Failure(USAGE, _("This removes everything. Confirm it by --yes."))
    said = asking.ask_line(_("Type “{word}” to remove everything: ").format(word=word), "")
    if said != word:
        raise Failure(REFUSED, _("Nothing was removed."))


def _reason(error: Exception) -> str:
    text = getattr(error, "text", None)
    return text(_) if text is not None else str(getattr(error, "line", ""))
