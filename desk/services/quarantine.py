"""Noticing that the local copy is not the one that was written, and beginning it anew.

Asked when a desk is opened and before each exchange; all rows of people are gone through once, in
the background, after the opening.
"""

from __future__ import annotations

from desk.services import mishaps, recovery, vault_state
from desk.services.context import Context
from desk.services.errors import AlteredCopy


def look(context: Context) -> None:
    """Begin anew if the file is older than its anchor or a record did not open.

    Raises ``AlteredCopy`` then, so that the person is told; what he did is kept.
    """
    if context.store.sealer.suspects or vault_state.is_old(context.store):
        _begin_anew(context)


def seems_sound(context: Context) -> bool:
    """Whether all rows of people are those that were written."""
    return vault_state.is_sound(context.store)


def look_through(context: Context) -> None:
    """The same, after a look at all rows of people."""
    if not vault_state.is_sound(context.store):
        _begin_anew(context)


def _begin_anew(context: Context) -> None:
    store = context.store
    recovery.begin_anew(context)
    store.sealer.suspects = False
    with store.write(durable=True) as connection:
        mishaps.note(connection, AlteredCopy(), context.clock())
    raise AlteredCopy
