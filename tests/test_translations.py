"""Every word a person can read is there in Russian, and says the same thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
RUSSIAN = ROOT / "desk" / "locale" / "ru" / "LC_MESSAGES" / "desk.po"

PLACEHOLDER = re.compile(r"\{[^{}]*\}|%\([a-z_]+\)[a-z]|%[sd]")

MessageId = str | tuple[str, ...]


@cache
def russian() -> Catalog:
    with RUSSIAN.open("rb") as stream:
        return read_po(stream, locale="ru", abort_invalid=True)


@cache
def messages_in_the_code() -> dict[MessageId, str]:
    """Each message id and where it is used first."""
    found = extract_from_dir(ROOT / "desk", method_map=[("**.py", "python")])
    return {message: f"desk/{name}:{line}" for name, line, message, _comments, _context in found}


def words(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """All the forms of a message or of its translation."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def translated() -> list[Message]:
    return [message for message in russian() if message.id and all(words(message.string))]


def test_every_message_of_the_code_has_a_russian_translation() -> None:
    missing = {}
    for message_id, place in messages_in_the_code().items():
        message = russian().get(words(message_id)[0])
        if message is None or not all(words(message.string)):
            missing[message_id] = place
    assert missing == {}


def test_a_message_with_a_number_is_translated_in_every_plural_form() -> None:
    plural = {words(key)[0] for key in messages_in_the_code() if not isinstance(key, str)}
    assert {
        message_id
        for message_id in plural
        if (message := russian().get(message_id)) is not None
        and len(words(message.string)) != russian().num_plurals
    } == set()


def test_nothing_in_the_catalogue_is_a_guess_or_a_leftover() -> None:
    used = {words(message_id)[0] for message_id in messages_in_the_code()}
    entries = [message for message in russian() if message.id]
    assert [message.id for message in entries if message.fuzzy] == []
    assert [message.id for message in entries if words(message.id)[0] not in used] == []
    assert dict(russian().obsolete) == {}


def test_a_translation_has_the_placeholders_of_its_message() -> None:
    def placeholders(text: str) -> set[str]:
        # A playbook's own sentence comes in both languages, and the catalogue picks one.
        return set(PLACEHOLDER.findall(text.replace("{ru}", "{en}")))

    differing = [
        message.id
        for message in translated()
        for string in words(message.string)
        if placeholders(string) != placeholders(words(message.id)[-1])
    ]
    assert differing == []


def test_a_translation_begins_and_ends_with_the_space_of_its_message() -> None:
    def edges(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    assert [
        message.id
        for message in translated()
        for string in words(message.string)
        if edges(string) != edges(words(message.id)[0])
    ] == []


def test_no_message_hides_in_an_f_string() -> None:
    """Before Python 3.12 the collector does not look into them, so such a message stays English."""
    hidden = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted((ROOT / "desk").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("_", "ngettext", "N_")
        and any(isinstance(argument, ast.Constant) for argument in call.args)
    ]
    assert hidden == []
