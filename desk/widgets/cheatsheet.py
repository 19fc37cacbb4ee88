"""The cheat-sheet of keys as Markdown, from the registry of actions; `desk keys` prints it."""

from __future__ import annotations

from collections.abc import Mapping

from desk.text import _
from desk.widgets.action_table import ACTIONS, GROUPS
from desk.widgets.keynames import keys_of, show_key


def cheatsheet(keymap: Mapping[str, str] | None = None) -> str:
    """Every action by group, with its keys as `keymap` has them, in the language in use."""
    # Not within the f-strings: messages there are not collected for translation.
    title, key, action_head, help_head = _("Keys"), _("Key"), _("Action"), _("What it does")
    lines = [f"# {title}", ""]
    for group, heading in GROUPS.items():
        lines += [
            f"## {_(heading)}",
            "",
            f"| {key} | {action_head} | {help_head} |",
            "|---|---|---|",
        ]
        for action in ACTIONS:
            if action.group == group:
                keys = ", ".join(_code(show_key(one)) for one in keys_of(action, keymap or {}))
                lines.append(f"| {keys} | {_(action.title)} | {_(action.help)} |")
        lines.append("")
    return "\n".join(lines)


def _code(key: str) -> str:
    return f"`{key}`" if key != "|" else "`\\|`"
