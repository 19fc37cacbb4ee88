"""Seeing and calling: what a card shows of a person, a look at what is masked, and a call."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from desk.domain.consents import may_contact
from desk.domain.forms import is_empty
from desk.domain.refusals import Refusal
from desk.domain.rights import SUBJECT, may_call, may_reveal, numbers_in
from desk.protocol.journal import Call, Dial, Reveal, Revealed
from desk.protocol.problems import PROBLEMS
from desk.services import query
from desk.services.errors import (
    DialerFailed,
    HubProblem,
    HubUnreachable,
    LookRefused,
    NeedsHub,
    NoDialer,
    OfflineByChoice,
    Refused,
)
from desk.services.views import Calling

if TYPE_CHECKING:
    from desk.domain.model import Value
    from desk.domain.playbook import Playbook
    from desk.services.context import Context
    from desk.services.network import Network
    from desk.services.views import Card


def fields_shown(context: Context, card: Card) -> list[str]:
    """The names of the filled fields of personal data that the person sees in full on a card."""
    playbook, role = context.rulebook.playbook, context.rulebook.actor.role
    return [name for name, _ in _held(playbook, card) if _level(playbook, role, name) == "full"]


def to_look_at(playbook: Playbook, role: str, card: Card) -> list[str]:
    """The names of the filled fields that are masked here and may be looked at."""
    return [
        name
        for name, _ in _held(playbook, card)
        if may_reveal(playbook, role, name) and _level(playbook, role, name) != "full"
    ]


def to_call(playbook: Playbook, role: str, card: Card) -> list[tuple[str, int, str]]:
    """The numbers that may be called: the field, the place among its numbers, the number as it is
    shown here."""
    return [
        (name, place, number)
        for name, value in _held(playbook, card)
        if may_call(playbook, role, name)
        for place, number in enumerate(numbers_in(value))
    ]


def reveal(network: Network, item_id: str, fields: Sequence[str], purpose: str) -> dict[str, Value]:
    """Fields in full, from the hub; nothing of them is kept.

    Raises ``NeedsHub``, ``LookRefused``, ``NotSignedIn``, ``TooOften``.
    """
    asked = Reveal(item_id=item_id, fields=list(fields), purpose=purpose)
    try:
        return network.client().ask("/v1/pd/reveal", asked, Revealed).values
    except (HubUnreachable, OfflineByChoice):
        raise NeedsHub from None
    except HubProblem as error:
        raise _said(error) from None


def call(
    context: Context, network: Network, dialer: Sequence[str], item_id: str, field: str, place: int
) -> Calling:
    """Have a number dialled, or give it to be shown where there is no ``dialer`` and it is not
    masked.

    The hub is asked first; while it is away, the local copy answers for whoever sees the number.
    Raises ``NoDialer``, ``DialerFailed``, ``NeedsHub``, ``LookRefused``, ``Refused``,
    ``NotSignedIn``, ``TooOften``.
    """
    playbook, role = context.rulebook.playbook, context.rulebook.actor.role
    is_shown = _level(playbook, role, field) == "full"
    if not dialer and not is_shown:
        raise NoDialer
    try:
        asked = Call(item_id=item_id, field=field, place=place)
        number = network.client().ask("/v1/pd/call", asked, Dial).number
    except (HubUnreachable, OfflineByChoice):
        if not is_shown:
            raise NeedsHub from None
        number = _from_here(context, network, item_id, field, place)
    except HubProblem as error:
        raise _said(error) from None
    if dialer:
        _dial(dialer, number)
    return Calling(number=number if is_shown and not dialer else "")


def _from_here(context: Context, network: Network, item_id: str, field: str, place: int) -> str:
    """The number from the local copy, once it stands in the journal that it is called."""
    card = query.card(context, item_id)
    playbook = context.rulebook.playbook
    numbers = [
        number
        for name, at, number in to_call(playbook, context.rulebook.actor.role, card)
        if (name, at) == (field, place)
    ]
    if card.subject is None or not numbers:
        raise Refused(Refusal("no_subject"))
    refusal = may_contact(playbook, card.subject, "calls")
    if refusal is not None:
        raise Refused(refusal)
    network.journal.note(
        "call", item_id=item_id, subject_id=card.subject.id, fields=[field], via="card"
    )
    return numbers[0]


def _dial(dialer: Sequence[str], number: str) -> None:
    """Start the dialler and tell it the number on its standard input: what stands in a program's
    arguments, everybody on the machine may read."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the program the person himself has set
            list(dialer),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(f"{number}\n".encode())
    except OSError:
        raise DialerFailed(program=dialer[0]) from None
    # It goes on beside Desk for as long as it likes.
    threading.Thread(target=process.wait, daemon=True).start()


def _held(playbook: Playbook, card: Card) -> Iterable[tuple[str, Value]]:
    """The filled fields of personal data on a card, by name."""
    kind = card.item.kind
    personal = [name for name, field in playbook.fields(kind).items() if field.personal]
    subject = card.subject.fields if card.subject else {}
    held = {f"{SUBJECT}.{name}": value for name, value in subject.items()}
    held |= {f"{kind}.{name}": card.item.fields.get(name) for name in personal}
    return [(name, value) for name, value in held.items() if not is_empty(value)]


def _level(playbook: Playbook, role: str, name: str) -> str:
    owner, _, field = name.partition(".")
    return playbook.mask(role, owner, field)


def _said(error: HubProblem) -> HubProblem | LookRefused:
    reason = error.values.get("reason", "")
    if reason not in LookRefused.reasons:
        return error
    refused = LookRefused(reason=reason)
    refused.template = PROBLEMS[reason]
    return refused
