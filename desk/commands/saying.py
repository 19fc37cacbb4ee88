"""What the command line says of cards: as the screens do, with ids where they have to be typed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from desk.commands import output
from desk.commands.failure import REFUSED, Failure
from desk.domain.refusals import SENTENCES
from desk.screens import words
from desk.text import _, language

if TYPE_CHECKING:
    from desk.domain.operations import Intent
    from desk.domain.playbook import Playbook


def refusal(book: Playbook, kind: str | None, code: str, args: Mapping[str, str]) -> str:
    """Why something was refused. Fields bear title and id; transitions their id alone."""
    sentence = _(SENTENCES.get(code, code))
    try:
        line = sentence.format(
            **{name: _named(book, kind, name, value) for name, value in args.items()}
        )
    except (KeyError, IndexError):
        line = sentence
    return output.shown(line)


@contextmanager
def refusals(book: Playbook, kind: str | None) -> Generator[None]:
    """Say a refusal in the words of the kind it is about."""
    from desk.services.errors import Refused

    try:
        yield
    except Refused as error:
        reason = error.refusal
        raise Failure(REFUSED, refusal(book, kind, reason.code, reason.args)) from error


def intent(book: Playbook, kind: str | None, asked: Intent) -> str:
    """What was asked for, in a word or two."""
    from desk.domain import operations

    match asked:
        case operations.Move():
            known = book.kind(kind) if kind else None
            # Of a card that is gone, the kind that has such a step.
            kinds = [known] if known else book.kinds.values()
            found = (one.transitions.get(asked.transition) for one in kinds)
            transition = next((one for one in found if one), None)
            return words.title_of(transition) if transition else asked.transition
        case operations.Create():
            return _("New card")
        case operations.EditFields():
            return _("Change of fields")
        case operations.EditSubject():
            return _("Change of personal data")
        case operations.Comment():
            return _("Comment")
        case operations.CloseTask():
            return _("Task done")
        case operations.GiveConsent():
            return _("Consent given")
        case operations.WithdrawConsent():
            return _("Consent withdrawn")
        case operations.RequestErasure():
            return _("Erasure of personal data asked for")


def _named(book: Playbook, kind: str | None, name: str, value: str) -> str:
    match name:
        case "stage":
            return words.stage_title(book, kind or "", value)
        case "field" | "fields":
            return ", ".join(_field(book, kind, one.strip()) for one in value.split(","))
        case "kind":
            found = book.kind(value)
            return found.title.get(language()) if found else value
        case _:
            return value


def _field(book: Playbook, kind: str | None, identifier: str) -> str:
    found = words.find_field(book, kind, identifier)
    return f"{words.title_of(found)} ({identifier})" if found else identifier
