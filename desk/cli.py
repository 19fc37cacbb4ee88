"""The command `desk`: reads the command line, calls one command, turns errors into one line.

Start time matters: this file imports next to nothing, and a command's module only when it is
called. `desk` alone opens the application.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from desk import text
from desk.commands.failure import INTERRUPTED, USAGE
from desk.text import _

_CRASHED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    from desk.commands import grammar, output

    given = list(sys.argv[1:] if arguments is None else arguments)
    output.prepare()
    _speak(given)
    try:
        options = grammar.parse(_joined(given))
        module, _colon, name = options.handler.partition(":")
        return getattr(import_module(f"desk.commands.{module}"), name)(options)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    except KeyboardInterrupt:
        output.tell("")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us, `head` for one, has enough; nothing more may be flushed to him.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: a line instead of a traceback
        return _explain(error)


def _explain(error: Exception) -> int:
    """Say what went wrong in one line; an error nobody foresaw says no more than its kind."""
    from desk.commands import output
    from desk.commands.failure import Failure
    from desk.services.errors import DeskError

    if isinstance(error, Failure):
        output.tell(error.line)
        return error.exit_code
    if isinstance(error, DeskError):
        output.tell(output.shown(error.text(_)))
        return error.exit_code
    if os.environ.get("DESK_DEBUG") == "1":
        raise error
    # The text of a foreign error may hold personal data; its kind does not.
    output.tell(
        _("Desk has failed ({kind}). Run the command with DESK_DEBUG=1 and report it.").format(
            kind=type(error).__name__
        )
    )
    return _CRASHED


def _joined(arguments: Sequence[str]) -> list[str]:
    """The arguments, with ``--sort -score`` as one: argparse takes ``-score`` for an option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1] == "--sort":
            joined[-1] = f"--sort={word}"
        else:
            joined.append(word)
    return joined


def _speak(arguments: Sequence[str]) -> None:
    """Choose the language before the parser speaks; argparse asks gettext's own domain."""
    import gettext

    from desk.resources import locale_dir

    chosen = None
    for at, word in enumerate(arguments):
        if word == "--lang" and at + 1 < len(arguments):
            chosen = arguments[at + 1]
        elif word.startswith("--lang="):
            chosen = word.partition("=")[2]
    language = text.use(chosen if chosen in text.LANGUAGES else None)
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("desk", str(locale_dir()))
    gettext.textdomain("desk")


if __name__ == "__main__":
    sys.exit(main())
