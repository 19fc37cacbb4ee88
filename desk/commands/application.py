"""`desk` alone: the application."""

from __future__ import annotations

from argparse import Namespace

from desk.commands.session import known_passphrase, profile_of


def run(options: Namespace) -> int:
    """Open the application on the profile; it asks for what it needs itself."""
    from desk.app import run as run_application

    folder = profile_of(options)
    return run_application(folder, passphrase=known_passphrase(folder), lang=options.lang)
