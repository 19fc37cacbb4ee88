"""What the command line says of cards: as the screens do, with ids where they have to be typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from desk.commands import output
from desk.domain.refusals import SENTENCES
from desk.screens import words
from desk.text import _, language

if TYPE_CHECKING:
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
