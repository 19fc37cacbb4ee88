"""Administering a hub: `hub user role`, `hub token revoke`, `hub devices`, `hub log`,
`hub playbook install`, `hub epoch`."""

from __future__ import annotations

from argparse import Namespace

from desk.commands import output
from desk.commands.failure import DONE
from desk.commands.hub import chosen_playbook, problems
from desk.text import _, format_datetime, ngettext


def role(options: Namespace) -> int:
    """Give a user another role. JSON: user, role, was."""
    with problems():
        from desk.hub import administration as hub
        from desk.hub.setup import milliseconds

        with hub.opened(options.db) as database:
            now = hub.change_role(database, options.name, options.role, milliseconds())
    if options.json:
        output.put_json(now)
    elif now.role == now.was:
        output.put(_("{user} has the role {role} already.").format(user=now.user, role=now.role))
    else:
        output.put(
            _(
                "{user} is {role} now, and was {was}. The desk follows with its next exchange."
            ).format(user=now.user, role=now.role, was=now.was)
        )
    return DONE


def revoke(options: Namespace) -> int:
    """End the sessions of a user or of one device. JSON: user, devices (array of ids)."""
    with problems():
        from desk.hub import administration as hub
        from desk.hub.setup import milliseconds

        with hub.opened(options.db) as database:
            gone = hub.revoke(database, options.holder, milliseconds())
    if options.json:
        output.put_json(gone)
        return DONE
    for device in gone.devices:
        output.put(device)
    count = len(gone.devices)
    output.tell(
        ngettext("{n} session of {user} ended.", "{n} sessions of {user} ended.", count).format(
            n=count, user=gone.user
        )
    )
    return DONE


def devices(options: Namespace) -> int:
    """The devices people work on. JSON: array of id, user, name, last_op, signed_in, seen_at."""
    with problems():
        from desk.hub import administration as hub
        from desk.hub.setup import milliseconds

        with hub.opened(options.db) as database:
            found = hub.devices(database, options.user, milliseconds())
    if options.json:
        output.put_json(found)
        return DONE
    output.put_table(
        ("ID", _("User"), _("Name"), _("Operations"), _("Signed in"), _("Last seen")),
        [
            (
                one.id,
                one.user,
                one.name,
                str(one.last_op),
                _("yes") if one.signed_in else _("no"),
                format_datetime(one.seen_at),
            )
            for one in found
        ],
        right=(3,),
    )
    return DONE


def wipe_device(options: Namespace) -> int:
    """Order a desk to remove everything. JSON: device, user, ordered_at, wiped_at."""
    with problems():
        import os

        from desk.hub import administration as hub
        from desk.hub import leases
        from desk.hub.setup import milliseconds

        with hub.opened(options.db) as database:
            ordered = leases.order_wipe(database, options.device, milliseconds(), os.urandom)
    if options.json:
        output.put_json(ordered)
    elif ordered.wiped_at is not None:
        output.put(
            _("The desk of {user} removed everything on {moment}.").format(
                user=ordered.user, moment=format_datetime(ordered.wiped_at)
            )
        )
    else:
        output.put(
            _(
                "The desk of {user} is to remove everything; it obeys with its next exchange."
            ).format(user=ordered.user)
        )
    return DONE


def log(options: Namespace) -> int:
    """What changed after a number of the change log, in ids alone.

    JSON: array of seq, kind, id, item, op, version, who, at. Where more follows, the number to go
    on from is that of the last line, and stderr says so.
    """
    with problems():
        from desk.hub import administration as hub

        with hub.opened(options.db) as database:
            piece = hub.log(database, options.since, options.limit or hub.LOG_LIMIT)
    if options.json:
        output.put_json(piece.lines)
    else:
        output.put_table(
            ("#", _("When"), _("Who"), _("Kind"), "ID", _("What"), _("Version")),
            [
                (
                    str(line.seq),
                    format_datetime(line.at),
                    line.who or "—",
                    line.kind,
                    line.id,
                    line.op,
                    str(line.version),
                )
                for line in piece.lines
            ],
            right=(0, 6),
        )
    if options.since < piece.floor:
        output.tell(_("The log is kept after number {floor} only.").format(floor=piece.floor))
    if piece.next is not None:
        output.tell(_("More follows: --since {next}").format(next=piece.next))
    return DONE


def install_playbook(options: Namespace) -> int:
    """Put a changed playbook in force. JSON: version, was."""
    source, name = chosen_playbook(options)
    with problems():
        from desk.hub import administration as hub
        from desk.hub.setup import milliseconds

        with hub.opened(options.db) as database:
            now = hub.install_playbook(database, source, name, milliseconds())
    if options.json:
        output.put_json(now)
    elif now.version == now.was:
        output.put(_("This playbook is in force already, as version {n}.").format(n=now.version))
    else:
        output.put(
            _(
                "The playbook is in force as version {n}. Desks follow with their next exchange."
            ).format(n=now.version)
        )
    return DONE


def epoch(options: Namespace) -> int:
    """Begin a new epoch after a backup was restored. JSON: epoch, was."""
    with problems():
        from desk.hub import administration as hub
        from desk.hub.setup import milliseconds

        with hub.opened(options.db) as database:
            now = hub.new_epoch(database, milliseconds())
    if options.json:
        output.put_json(now)
    else:
        output.put(
            _(
                "Epoch {epoch} has begun. Each desk compares its cards with its next exchange."
            ).format(epoch=now.epoch)
        )
    return DONE
