"""`desk` alone: the application; `desk keys`: its keys on paper."""

from __future__ import annotations

from argparse import Namespace

from desk.commands import output
from desk.commands.failure import DONE, USAGE
from desk.commands.session import known_passphrase, profile_of


def run(options: Namespace) -> int:
    """Open the application on the profile; it asks for what it needs itself."""
    from desk.app import is_locked
    from desk.app import run as run_application

    folder = profile_of(options)
    # What a locked desk must not take must not come into its memory, either.
    passphrase = None if is_locked() else known_passphrase(folder)
    return run_application(folder, passphrase=passphrase, lang=options.lang)


def keys(options: Namespace) -> int:
    """The cheat-sheet in Markdown, with the keys of the profile's `keys.toml`.

    JSON: array of action, group, keys, title, help.
    """
    from desk.text import _
    from desk.widgets.action_table import ACTIONS
    from desk.widgets.cheatsheet import cheatsheet
    from desk.widgets.keynames import keys_of, read_keys

    keymap, problem = read_keys(profile_of(options) / "keys.toml")
    if problem:
        output.tell(problem)
    if options.json:
        output.put_json(
            [
                {
                    "action": action.id,
                    "group": action.group,
                    "keys": list(keys_of(action, keymap)),
                    "title": _(action.title),
                    "help": _(action.help),
                }
                for action in ACTIONS
            ]
        )
    else:
        output.put(cheatsheet(keymap).rstrip())
    return USAGE if problem else DONE
