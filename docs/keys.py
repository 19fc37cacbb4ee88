"""Write the tables of keys into the operator's guides: `python docs/keys.py`.

They come from the registry of actions, as the help does; a test compares them.
"""

from __future__ import annotations

import re
from pathlib import Path

from desk import text
from desk.text import _
from desk.widgets.action_table import ACTIONS, GROUPS
from desk.widgets.keynames import keys_of, show_key

_HEADS = {"ru": ("Клавиша", "Действие", "Что делает"), "en": ("Key", "Action", "What it does")}
_BLOCK = re.compile(r"(<!-- keys -->\n).*?(<!-- /keys -->)", re.DOTALL)


def tables(language: str) -> str:
    """The keys of every action by group, as Markdown in `language`."""
    text.use(language)
    key, action_title, what = _HEADS[language]
    lines: list[str] = []
    for group, title in GROUPS.items():
        lines += [f"### {_(title)}", "", f"| {key} | {action_title} | {what} |", "|---|---|---|"]
        for action in ACTIONS:
            if action.group == group:
                keys = ", ".join(f"`{show_key(one)}`" for one in keys_of(action, {}))
                lines.append(f"| {keys} | {_(action.title)} | {_(action.help)} |")
        lines.append("")
    return "\n".join(lines)


def with_tables(page: str, language: str) -> str:
    """`page` with its block of keys written anew."""
    return _BLOCK.sub(lambda block: block[1] + tables(language) + block[2], page)


def main() -> None:
    """Rewrite both guides."""
    for language in _HEADS:
        path = Path(__file__).with_name(f"operator.{language}.md")
        path.write_text(with_tables(path.read_text(encoding="utf-8"), language), encoding="utf-8")


if __name__ == "__main__":
    main()
