"""Carrying out a transition from wherever a card is shown: at once, by a dialog, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.domain.operations import Move
from desk.domain.refusals import Refusal
from desk.screens.words import said, stage_title, title_of
from desk.services.errors import DeskError
from desk.text import _

if TYPE_CHECKING:
    from desk.domain.playbook import Kind, Transition
    from desk.screens.shell import Shell
    from desk.services.views import Card


async def perform(shell: Shell, item_id: str, transition_id: str) -> None:
    """Do the transition `transition_id` of an item, asking for what it needs."""
    try:
        card = shell.desk.card(item_id)
    except DeskError as error:
        shell.warn(error)
        return
    kind = shell.playbook.kinds[card.item.kind]
    transition = kind.transitions.get(transition_id)
    refusal = refusal_of(card, transition_id)
    if transition is None or refusal is not None:
        refusal = refusal or Refusal("unknown_transition", {"transition": transition_id})
        shell.notify(said(refusal, shell.playbook, kind.id), severity="warning")
        return
    await _begin(shell, card, kind, transition)


async def _begin(shell: Shell, card: Card, kind: Kind, transition: Transition) -> None:
    from desk.screens.transition_dialog import TransitionDialog, asks

    if not asks(kind, transition):
        await _at_once(shell, card, transition)
        return
    draft = shell.desk.draft(card.item.id, f"transition:{transition.id}")
    dialog = TransitionDialog(card, kind, transition, shell.people, draft)
    await shell.push_screen(dialog, lambda done: _tell(shell, card, transition) if done else None)


async def _at_once(shell: Shell, card: Card, transition: Transition) -> None:
    item = card.item
    move = Move(item_id=item.id, transition=transition.id, seen_stage=item.stage)
    try:
        await shell.do(move)
    except DeskError as error:
        shell.warn(error, item.kind)
        return
    _tell(shell, card, transition)


def _tell(shell: Shell, card: Card, transition: Transition) -> None:
    status = shell.desk.status()
    later = "" if status.online else " " + _("It will be sent when the network is back.")
    shell.notify(f"{title_of(transition)}: {card.item.title}.{later}")


def refusal_of(card: Card, transition_id: str) -> Refusal | None:
    """Why the transition is not possible now; none where it is."""
    for possible in card.possible:
        if possible.transition.id == transition_id:
            return possible.refusal
    return Refusal("unknown_transition", {"transition": transition_id, "possible": ""})


async def shift(shell: Shell, item_id: str, to_stage: str) -> None:
    """Move the card to a stage, by whichever transition leads there."""
    try:
        card = shell.desk.card(item_id)
    except DeskError as error:
        shell.warn(error)
        return
    kind = shell.playbook.kinds[card.item.kind]
    leading = [one for one in card.possible if _leads(kind, one.transition, to_stage)]
    able = next((one for one in leading if one.refusal is None), None)
    if able is not None:
        await _begin(shell, card, kind, able.transition)
        return
    refusal = leading[0].refusal if leading else None
    if refusal is not None:
        shell.notify(said(refusal, shell.playbook, kind.id), severity="warning")
        return
    offered = [title_of(one.transition) for one in card.possible if one.refusal is None]
    target = stage_title(shell.playbook, kind.id, to_stage)
    sentence = _("No step leads from here to “{stage}”.").format(stage=target)
    if offered:
        sentence += " " + _("Possible now: {steps}.").format(steps=", ".join(offered))
    shell.notify(sentence, severity="warning")


def _leads(kind: Kind, transition: Transition, stage: str) -> bool:
    if transition.target:
        return transition.target == stage
    field = kind.fields.get(transition.target_from)
    return field is not None and field.choice(stage) is not None
