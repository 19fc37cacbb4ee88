"""Signing in with whatever the hub asks for beside the password."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from desk.commands import asking, output
from desk.text import _

if TYPE_CHECKING:
    from desk.domain.model import Person
    from desk.protocol.messages import SecondFactor
    from desk.services.desk import Desk


def sign_in(desk: Desk, hub: str, user: str, password: str, options: Namespace) -> Person:
    """Sign in; codes come from files that the options name, or are asked for when they are needed.

    A second factor that the person's role needs is set up on the way.
    """
    from desk.services.errors import CodeNeeded, SecondFactorNeeded

    enrolment, code = _from_file(options.enrolment_file), _from_file(options.code_file)
    authority = asking.text_of_file(options.ca_file) if options.ca_file else ""
    while True:
        try:
            return desk.sign_in(
                hub, user, password, enrolment=enrolment, code=code, authority=authority
            )
        except CodeNeeded as needed:
            if needed.enrolment:
                enrolment = asking.ask_code(_("Code for this device: "), "--enrolment-file")
            if needed.totp:
                code = asking.ask_code(_("Code of the authenticator: "), "--code-file")
        except SecondFactorNeeded:
            code = set_up(desk, hub, user, password, enrolment, authority)


def set_up(
    desk: Desk, hub: str, user: str, password: str, enrolment: str = "", authority: str = ""
) -> str:
    """Show a new secret and its recovery codes; the first code, which puts them in force."""
    begun = desk.begin_second_factor(hub, user, password, enrolment=enrolment, authority=authority)
    _show(begun)
    return asking.ask_code(_("Code of the authenticator: "), "--code-file")


def _show(begun: SecondFactor) -> None:
    """On the terminal alone: what is printed as a result may be kept in a file."""
    import segno

    output.tell(_("Scan this with the authenticator, or type the key into it."))
    segno.make(begun.uri, error="l").terminal(out=sys.stderr, compact=True, border=2)
    output.tell(_("Key: {key}").format(key=begun.secret))
    output.tell(_("Keep these codes: each lets you in once when the authenticator is lost."))
    for code in begun.recovery:
        output.tell(f"  {code}")


def _from_file(path: str | None) -> str:
    return asking.secret_from_file(path) if path else ""
