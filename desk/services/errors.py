"""What can go wrong on a desk: a code, arguments and an English sentence that says what to do.

Sentences are msgids; whoever shows an error translates it: ``_(error.template)`` filled with
``error.values`` (``error.text(_)`` does both). Values never carry personal data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from desk.text import N_

if TYPE_CHECKING:
    from desk.domain.condition import ConditionError
    from desk.domain.refusals import Conflict, Refusal
    from desk.protocol.leases import Order

#: What a command ends with (the contract of the command line).
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_LOCKED = 4
EXIT_UNREACHABLE = 5


class DeskError(Exception):
    """Any error a person is told of: ``code``, ``values`` and the sentence ``template``."""

    code: ClassVar[str] = "desk_error"
    template: str = N_("Something went wrong. Try again.")
    exit_code: ClassVar[int] = EXIT_REFUSED

    def __init__(self, **values: str) -> None:
        super().__init__(self.code)
        self.values = values

    def text(self, translate: Callable[[str], str]) -> str:
        """The sentence, translated by ``translate`` and filled in."""
        template = translate(self.template)
        try:
            return template.format(**self.values)
        except (KeyError, IndexError):
            return template

    def __str__(self) -> str:
        return self.text(lambda sentence: sentence)


class Refused(DeskError):
    """The rules say no; nothing was changed. ``refusal`` has the reason."""

    code = "refused"

    def __init__(self, refusal: Refusal | Conflict) -> None:
        from desk.domain.refusals import SENTENCES, Refusal

        super().__init__(**refusal.args)
        self.refusal: Refusal = Refusal(refusal.code, refusal.args)
        self.template = SENTENCES.get(refusal.code, refusal.code)


class BadCondition(DeskError):
    """A filter that cannot be read; ``condition`` says what, where, and how to put it right."""

    code = "bad_condition"
    template = N_("The filter cannot be read at character {position}: {message}. {mend}")
    exit_code = EXIT_USAGE

    def __init__(self, condition: ConditionError) -> None:
        super().__init__(position=str(condition.position + 1))
        self.condition = condition

    def text(self, translate: Callable[[str], str]) -> str:
        """The sentence with what is wrong and what to write instead, all translated."""
        fill = self.condition.args
        message = translate(self.condition.message).format(**fill)
        mend = translate(self.condition.mend).format(**fill) if self.condition.mend else ""
        position = self.values["position"]
        template = translate(self.template)
        return template.format(position=position, message=message, mend=mend).strip()


class UnknownColumn(DeskError):
    """Sorting or counting by something that is not there."""

    code = "unknown_column"
    template = N_("There is no field “{field}” to sort or count by. Known: {known}.")
    exit_code = EXIT_USAGE


class UnknownKind(DeskError):
    """A kind of card the playbook does not have."""

    code = "unknown_kind"
    template = N_("This company has no cards of the kind “{kind}”. Known: {known}.")
    exit_code = EXIT_USAGE


class BadHubAddress(DeskError):
    """The hub's address is not an http or https URL."""

    code = "bad_hub_address"
    template = N_("The hub's address “{hub}” is not like https://desk.example.com. Correct it.")
    exit_code = EXIT_USAGE


class InsecureHub(DeskError):
    """The hub's address is not encrypted, and not this machine's own."""

    code = "insecure_hub"
    template = N_(
        "The address “{hub}” is not encrypted. Use https://; http:// is for this machine alone."
    )
    exit_code = EXIT_USAGE


class UntrustedHub(DeskError):
    """The hub's certificate is not one to trust."""

    code = "untrusted_hub"
    template = N_(
        "The certificate of {hub} is not trusted. Ask the administrator; a company's own authority "
        "is named by desk login --ca-file."
    )
    exit_code = EXIT_UNREACHABLE


class NoSuchEntry(DeskError):
    """An entry of the inbox that is not there (any more)."""

    code = "no_such_entry"
    template = N_("This entry is not in the inbox any more. Open the inbox again.")


class BadOperatorName(DeskError):
    """A name that no user of a hub can have."""

    code = "bad_operator_name"
    template = N_(
        "An operator's name is Latin letters, digits, dot, hyphen and underscore, as at the hub. "
        "Correct it."
    )
    exit_code = EXIT_USAGE


class Locked(DeskError):
    """The vault needs its passphrase."""

    code = "locked"
    template = N_("The desk is locked. Enter its passphrase (or name a DESK_PASSPHRASE_FILE).")
    exit_code = EXIT_LOCKED


class PassphraseNeeded(DeskError):
    """A new vault on a machine without a keyring needs a passphrase."""

    code = "passphrase_needed"
    template = N_(
        "This machine has no keyring to keep the desk's key in. Choose a passphrase for the desk."
    )
    exit_code = EXIT_LOCKED


class WrongPassphrase(DeskError):
    """The passphrase does not open the vault; nothing was changed."""

    code = "wrong_passphrase"
    template = N_("The passphrase is wrong. Nothing was changed; try again.")
    exit_code = EXIT_LOCKED


class KeyLost(DeskError):
    """The key should be in the machine's keyring and is not."""

    code = "key_lost"
    template = N_(
        "The key of this desk is not in the system keyring, or the keyring is closed. Unlock the "
        "keyring and try again; if the key is gone for good, move {file} aside and sign in again."
    )
    exit_code = EXIT_LOCKED


class OtherKeyring(DeskError):
    """The keyring holds another key under this vault's name: it was replaced."""

    code = "other_keyring"
    template = N_(
        "The system keyring holds another key than the one {file} was made with. Put the keyring "
        "back from a copy; if it is gone for good, move {file} aside and sign in again."
    )
    exit_code = EXIT_LOCKED


class MissingKeyFile(DeskError):
    """There is a database, but the file with its wrapped key is gone."""

    code = "missing_key_file"
    template = N_(
        "{key_file} is missing, and {file} cannot be read without it. Put it back, or move {file} "
        "aside and sign in again."
    )
    exit_code = EXIT_LOCKED


class DamagedKeyFile(DeskError):
    """The file with the wrapped key cannot be read."""

    code = "damaged_key_file"
    template = N_(
        "{key_file} is damaged. Put it back from a copy, or move it and {file} aside and sign in "
        "again."
    )
    exit_code = EXIT_LOCKED


class DamagedFile(DeskError):
    """The database is this vault's, but its contents are damaged."""

    code = "damaged_file"
    template = N_(
        "{file} is damaged. It was left as it is: “desk vault recover” saves what you did and "
        "fetches the cards anew."
    )
    exit_code = EXIT_LOCKED


class AlteredCopy(DeskError):
    """The rows of people are not those that were written: something was changed, or is old."""

    code = "altered_copy"
    template = N_(
        "The local copy was changed from outside, or an old one was put back. Its cards are "
        "fetched anew; what you did and typed is kept."
    )


class ForeignFile(DeskError):
    """The database is not one this vault has made."""

    code = "foreign_file"
    template = N_(
        "{file} was not made by this desk. It was left as it is: move it aside and sign in again, "
        "or choose another profile."
    )
    exit_code = EXIT_LOCKED


class NewerFile(DeskError):
    """The database was written by a newer version of the application."""

    code = "newer_file"
    template = N_("{file} was written by a newer version of Desk. Update Desk.")
    exit_code = EXIT_LOCKED


class AlreadyOpen(DeskError):
    """Another process owns the profile."""

    code = "already_open"
    template = N_(
        "Desk is running with the profile {profile} already. Close it or choose another profile."
    )
    exit_code = EXIT_LOCKED


class UnusableProfile(DeskError):
    """The profile's folder cannot be made or written."""

    code = "unusable_profile"
    template = N_("The folder {profile} cannot be written. Check its rights or choose another.")
    exit_code = EXIT_LOCKED


class LeaseOver(DeskError):
    """The time this desk may work without the hub is over; everything in it is kept."""

    code = "lease_over"
    template = N_(
        "This desk has been without the hub for too long. Connect it to {hub} and open it again; "
        "your unsent work is kept."
    )
    exit_code = EXIT_LOCKED


class ClockSetBack(DeskError):
    """The machine's clock shows less than it did before."""

    code = "clock_set_back"
    template = N_(
        "The computer's clock was set back. Set it right, or connect to {hub} and open the desk "
        "again; your unsent work is kept."
    )
    exit_code = EXIT_LOCKED


class HubNeeded(DeskError):
    """This role's desk opens with the hub's share of the key alone."""

    code = "hub_needed"
    template = N_(
        "This desk opens only while {hub} answers. Check the network and try again; your unsent "
        "work is kept."
    )
    exit_code = EXIT_UNREACHABLE


class LeaseRefused(DeskError):
    """The hub does not let this desk open."""

    code = "lease_refused"
    template = N_(
        "The hub does not let this desk open any more. Talk to your administrator; your unsent "
        "work is kept."
    )
    exit_code = EXIT_LOCKED


class ForeignLease(DeskError):
    """A lease or an order that is not this hub's, or not for this device: it counts for nothing."""

    code = "foreign_lease"
    template = N_(
        "What was to be the hub's permission is not signed by this desk's hub. Check the hub's "
        "address and tell the administrator."
    )
    exit_code = EXIT_LOCKED


class WipeOrdered(DeskError):
    """The hub has ordered this desk to remove everything it holds."""

    code = "wipe_ordered"
    template = N_(
        "The company has ordered this desk to remove its data, and it was removed. Talk to your "
        "administrator."
    )
    exit_code = EXIT_LOCKED

    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order


class WipeUnfinished(DeskError):
    """The data of this profile is being removed, and something cannot be removed yet."""

    code = "wipe_unfinished"
    template = N_(
        "The data of this desk is being removed, and a file or the keyring is still in use. Close "
        "what uses {profile} and try again."
    )
    exit_code = EXIT_LOCKED


class DiskFull(DeskError):
    """No space is left for the database; the last thing was not saved."""

    code = "disk_full"
    template = N_("The disk is full: this was not saved. Make room and try again.")


class NotSignedIn(DeskError):
    """Nobody is signed in on this desk, or the hub ended the session."""

    code = "not_signed_in"
    template = N_(
        "You are not signed in. Sign in, or run desk login; what waits to be sent is kept."
    )
    exit_code = EXIT_LOCKED


class WrongPassword(DeskError):
    """The hub does not know this user with this password."""

    code = "wrong_password"
    template = N_("Wrong user name or password. Check both and try again.")
    exit_code = EXIT_LOCKED


class CodeNeeded(DeskError):
    """The password was right; ``enrolment`` (a code for this new device) or ``totp`` is missing."""

    code = "code_needed"
    exit_code = EXIT_LOCKED

    def __init__(self, *, enrolment: bool, totp: bool) -> None:
        super().__init__()
        self.enrolment = enrolment
        self.totp = totp
        self.template = (
            N_("The hub asks for a code for this device. The administrator gives it to you.")
            if enrolment
            else N_("The hub asks for the code of your authenticator, or a recovery code.")
        )


class WrongCode(DeskError):
    """The code for a new device or of the authenticator was not taken (``which``)."""

    code = "wrong_code"
    template = N_("The code is wrong, was used already or has expired. Try another one.")
    exit_code = EXIT_LOCKED


class SecondFactorNeeded(DeskError):
    """The person's role needs a second factor, and he has none yet."""

    code = "totp_needed"
    template = N_("Your role needs a second factor. Set one up: desk second-factor")
    exit_code = EXIT_LOCKED


class HasSecondFactor(DeskError):
    """There is a second factor, which the administrator alone can take away."""

    code = "totp_set_up"
    template = N_("You have a second factor already. The administrator can reset it.")


class WeakPassword(DeskError):
    """The hub does not take this password; ``why`` is its reason's code."""

    code = "weak_password"

    def __init__(self, why: str) -> None:
        super().__init__(why=why)
        self.template = _WEAK.get(why, _WEAK["common"])


_WEAK = {
    "short": N_("The password is shorter than 10 characters. Choose a longer one."),
    "long": N_("The password is longer than 1024 characters. Choose a shorter one."),
    "name": N_("Your name stands in the password. Choose another one."),
    "common": N_("This password is one of the most common. Choose another one."),
    "same": N_("This is the password you have. Choose another one."),
}


class NoSuchSession(DeskError):
    """A session that has ended already, or never was one's own."""

    code = "no_such_session"
    template = N_("There is no such session any more. List them again: desk sessions")


class TooManyAttempts(DeskError):
    """The hub asks to wait before the next attempt to sign in."""

    code = "too_many_attempts"
    template = N_("Too many attempts. Wait {seconds} seconds and try again.")
    exit_code = EXIT_LOCKED


class OtherAccount(DeskError):
    """Another user's unsent work waits in this profile."""

    code = "other_account"
    template = N_(
        "Unsent work of “{user}” waits in this profile. Sign in as “{user}” or choose another "
        "profile."
    )
    exit_code = EXIT_LOCKED


class TakenProfile(DeskError):
    """The hub knows this profile's device as another user's."""

    code = "taken_profile"
    template = N_("The hub knows this profile as another user's. Choose another profile.")
    exit_code = EXIT_LOCKED


class HubUnreachable(DeskError):
    """The hub does not answer. ``wait`` is how many seconds it asks to wait, if it does."""

    code = "hub_unreachable"
    template = N_(
        "The hub {hub} does not answer. Check the network; you can go on working, everything is "
        "sent later."
    )
    exit_code = EXIT_UNREACHABLE

    def __init__(self, *, wait: float = 0.0, **values: str) -> None:
        super().__init__(**values)
        self.wait = wait


class OfflineByChoice(DeskError):
    """The operator has switched the network off."""

    code = "offline_by_choice"
    template = N_("You have switched the network off. Switch it on and try again.")
    exit_code = EXIT_UNREACHABLE


class SyncCancelled(DeskError):
    """The person stopped the exchange; the next one goes on where it was."""

    code = "sync_cancelled"
    template = N_("Fetching was stopped. What has come is kept; the next sync goes on from there.")


class WrongProtocol(DeskError):
    """The hub speaks another version of the protocol."""

    code = "wrong_protocol"
    template = N_("The hub {hub} speaks another version of the protocol. Update Desk.")
    exit_code = EXIT_UNREACHABLE


class NotAHub(DeskError):
    """Something answers at the address, but not a hub."""

    code = "not_a_hub"
    template = N_("{hub} answers, but it is not a Desk hub. Check the address.")
    exit_code = EXIT_UNREACHABLE


class ClonedProfile(DeskError):
    """The hub has other operations under this device's numbers: the profile was copied."""

    code = "cloned_profile"
    template = N_(
        "This profile is a copy of one that has sent other work since. Nothing more is sent from "
        "it: sign in with a new profile and repeat what is missing there."
    )
    exit_code = EXIT_LOCKED


class HubProblem(DeskError):
    """The hub refused a request for a reason of its own (``reason`` is its code)."""

    code = "hub_problem"
    template = N_("The hub {hub} refused the request ({reason}). Tell the administrator.")
    exit_code = EXIT_UNREACHABLE


class LookRefused(DeskError):
    """The hub does not show or give what was asked for; ``reason`` is its code."""

    code = "look_refused"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"not_allowed", "no_item", "no_number", "do_not_call", "processing_stopped"}
    )


class TooOften(DeskError):
    """One has looked or called too often of late."""

    code = "too_often"
    template = N_("You have done this too often of late. Go on in a few minutes.")


class NeedsHub(DeskError):
    """Masked data is with the hub alone, and it does not answer."""

    code = "needs_hub"
    template = N_(
        "What is masked is shown and dialled by the hub alone, and it does not answer now. Check "
        "the network and try again."
    )
    exit_code = EXIT_UNREACHABLE


class NoDialer(DeskError):
    """The number is masked, and there is no program to give it to."""

    code = "no_dialer"
    template = N_(
        "No dialler is set, and the number is masked for you. Write your dialler into "
        'settings.toml of the profile: dial = ["program"].'
    )


class DialerFailed(DeskError):
    """The dialler could not be started."""

    code = "dialer_failed"
    template = N_("The dialler {program} cannot be started. Check dial in settings.toml.")


class NoSuchPerson(DeskError):
    """No person of that id is in the local copy, or several begin so."""

    code = "no_such_person"
    template = N_("There is no such person here, or several begin so. Give the whole id.")


class NoSuchPurpose(DeskError):
    """A purpose that the playbook does not have."""

    code = "no_such_purpose"
    template = N_("There is no such purpose. Possible: {possible}.")
    exit_code = EXIT_USAGE


class OfficerProblem(DeskError):
    """The hub says no to an officer's request; ``reason`` is its code, of
    ``desk.protocol.personal``."""

    code = "officer_problem"


class BrokenPlaybook(DeskError):
    """The playbook that came from the hub cannot be read by this version."""

    code = "broken_playbook"
    template = N_("The company's playbook cannot be read ({where}). Update Desk.")
