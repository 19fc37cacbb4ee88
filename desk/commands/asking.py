"""Secrets and names from files or from the terminal; stdout stays free for results."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from desk.commands.failure import LOCKED, USAGE, Failure
from desk.text import _

PASSPHRASE_FILE = "DESK_PASSPHRASE_FILE"  # noqa: S105 - a variable's name


def secret_from_file(path: str | Path) -> str:
    """The first line of a file, without its end."""
    try:
        with Path(path).open(encoding="utf-8-sig") as stream:
            secret = stream.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            USAGE, _("The file {file} cannot be read. Check the path.").format(file=path)
        ) from error
    if not secret:
        raise Failure(
            USAGE,
            _("The file {file} is empty. Write the secret in its first line.").format(file=path),
        )
    return secret


def text_of_file(path: str | Path) -> str:
    """A whole text file."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            USAGE, _("The file {file} cannot be read. Check the path.").format(file=path)
        ) from error


def passphrase_of_environment() -> str | None:
    """The passphrase that `DESK_PASSPHRASE_FILE` names, if it does."""
    path = os.environ.get(PASSPHRASE_FILE)
    return secret_from_file(path) if path else None


def ask_passphrase() -> str:
    """The passphrase of a vault that is there."""
    return _ask_secret(
        _("Passphrase of the desk: "),
        _("The desk is locked. Name a file with its passphrase in DESK_PASSPHRASE_FILE."),
    )


def ask_new_passphrase() -> str:
    """A passphrase for a new vault, typed twice."""
    missing = _(
        "This machine has no keyring, so a new desk needs a passphrase. Name a file with it in"
        " DESK_PASSPHRASE_FILE."
    )
    while True:
        first = _ask_secret(_("Choose a passphrase for this desk: "), missing)
        if first and first == _ask_secret(_("Once more: "), missing):
            return first
        print(_("The two differ or are empty. Once again."), file=sys.stderr)


def ask_password(user: str) -> str:
    """A user's password at the hub."""
    return _ask_secret(
        _("Password of {user}: ").format(user=user),
        _("A password is needed. Name a file with it by --password-file."),
    )


def ask_new_password(user: str, option: str = "--password-file") -> str:
    """A new password for a user, typed twice; ``option`` names a file with it."""
    missing = _("A new password is needed. Name a file with it by {option}.").format(option=option)
    while True:
        first = _ask_secret(_("Choose a password for {user}: ").format(user=user), missing)
        if first and first == _ask_secret(_("Once more: "), missing):
            return first
        print(_("The two differ or are empty. Once again."), file=sys.stderr)


def ask_code(prompt: str, option: str) -> str:
    """A code that lets in once; ``option`` names a file with it where there is no terminal."""
    missing = _("A code is needed. Name a file with it by {option}.").format(option=option)
    if not sys.stdin.isatty():
        raise Failure(LOCKED, missing)
    return ask_line(prompt, missing)


def ask_line(prompt: str, missing: str) -> str:
    """A line from the terminal; ``missing`` is said where there is none."""
    if not sys.stdin.isatty():
        raise Failure(USAGE, missing)
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _ask_secret(prompt: str, missing: str) -> str:
    # getpass opens the terminal itself; without one it would fall back to reading stdin aloud.
    if not sys.stdin.isatty():
        raise Failure(LOCKED, missing)
    try:
        return getpass.getpass(prompt, stream=sys.stderr)
    except EOFError as error:
        raise Failure(LOCKED, missing) from error
