"""Under which masks the rows here were shown, and forgetting what another mask hides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, true

from desk.domain.operations import Operation
from desk.domain.rights import mask_print
from desk.schema.desk_tables import sent
from desk.services import drafts, inbox, overlay, queue, settings
from desk.services.context import Rulebook

_decoder = msgspec.json.Decoder(dict[str, str])


def masks(rulebook: Rulebook) -> dict[str, str]:
    """The print of the mask of each kind and of subjects (``desk.domain.rights.mask_print``)."""
    playbook, role = rulebook.playbook, rulebook.actor.role
    return {owner: mask_print(playbook, role, owner) for owner in (*playbook.kinds, "subject")}


def known_masks(connection: Connection) -> Mapping[str, str] | None:
    """Those under which the rows here came; none where no row has come yet."""
    raw = settings.get(connection, settings.MASKS)
    return _decoder.decode(raw) if raw is not None else None


def settle(connection: Connection, rulebook: Rulebook) -> None:
    """The rows here are shown by these rules now: what they hide is forgotten elsewhere, too.

    Inbox, drafts and what is kept of sent operations hold values of the hub beside the rows.
    What the person typed himself stays in inbox and drafts.
    """
    known, now = known_masks(connection), masks(rulebook)
    if known == now:
        return
    settings.put(connection, settings.MASKS, msgspec.json.encode(now).decode())
    inbox.forget_hidden(connection, rulebook)
    drafts.forget_seen(connection, true())
    queue.forget_sent(connection)


def keep_shown(connection: Connection, rulebook: Rulebook, covered: Iterable[Operation]) -> None:
    """Of what is kept of operations that were just ``covered``, drop what these rules hide.

    The rights may have become others after the hub did them.
    """
    hidden = [
        one.id
        for one in covered
        if overlay.hub_item(connection, queue.item_of(one)) is None
        or inbox.shown(connection, rulebook, one) != one
    ]
    if hidden:
        queue.forget_sent(connection, sent.c.id.in_(hidden))
