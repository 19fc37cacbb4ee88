"""Why the hub does not answer a request, as a code with arguments (``messages.Problem``).

``PROBLEMS`` holds the English sentence of every code; whoever shows one translates it.
"""

from collections.abc import Mapping

from desk.domain.refusals import N_, SENTENCES

PROBLEMS: Mapping[str, str] = {
    "wrong_protocol": N_(
        "The hub speaks protocol {low} to {high}, this application {mine}. Update the older one."
    ),
    "tls_needed": N_("The hub answers over TLS only. Use its address with https://."),
    "not_signed_in": N_("You are not signed in. Sign in again; nothing queued is lost."),
    "wrong_password": N_("The name or the password is wrong. Check both and try again."),
    "code_needed": N_("A code is needed beside the password."),
    "wrong_code": N_("The code is wrong, was used already or has expired. Try another one."),
    "totp_needed": N_("Your role needs a second factor. Set one up: desk login does it."),
    "totp_set_up": N_("You have a second factor already. The administrator can reset it."),
    "weak_password": N_("This password is not taken ({why}). Choose another one."),
    "no_such_session": N_("There is no such session any more."),
    "throttled": N_("Too many failed attempts. Try again in {seconds} seconds."),
    "loopback_only": N_("This is a demo account: it works only on the machine of the hub."),
    "proof_missing": N_("The request is not signed by the device's key. Update the application."),
    "proof_stale": N_("The signature is of another time than now ({now}), or was used already."),
    "other_key": N_("The hub knows this device by another key. Use a new profile."),
    "device_of_another": N_("This device belongs to another user. Use a profile of your own."),
    "not_officer": N_("Only the officer for personal data may do this. Ask him."),
    "no_subject": N_("There is no such person here, or the data is erased."),
    "no_purpose": N_("The playbook has no such purpose. Choose one of its purposes."),
    "no_request": N_("There is no such request. Open the list again."),
    "no_incident": N_("There is no such incident. Open the list again."),
    "no_document": N_("There is no such document: documents are kept for three years."),
    "request_closed": N_("This request is closed already. Open the list again."),
    "extended_already": N_("The term was extended already; that is possible once."),
    "not_to_erase": N_("This request is not about erasure. Answer it instead."),
    "not_to_answer": N_("Erase the data or reject the request with a reason."),
    "open_already": N_("Such a request of this person is open already."),
    "reason_needed": N_("Write the reason, then repeat."),
    "wrong_moment": N_("This moment is in the future. Correct the date."),
    "bad_contact": N_("Give a whole phone number or a whole e-mail address."),
    "bad_request": N_("The hub cannot read this request. Update the application."),
    "too_large": N_("The request is larger than the hub takes."),
    "not_found": N_("The hub has nothing at this address."),
    "not_allowed": N_("Your role may not do this. Ask your head."),
    "no_item": SENTENCES["no_item"],
    "too_often": N_("You have done this too often of late. Go on in a few minutes."),
    "no_number": N_("There is no such number on this card any more."),
    "do_not_call": SENTENCES["do_not_call"],
    "processing_stopped": SENTENCES["processing_stopped"],
    "gap": N_("Operations are missing before number {given}: the hub expects {expected}."),
    "number_used": N_("Another operation had the number {given}: the hub expects {expected}."),
    "unavailable": N_("The hub cannot reach its database now. It will be tried again."),
    "failed": N_("The hub failed on this request. It will be tried again."),
}


def english_problem(code: str, args: Mapping[str, str]) -> str:
    """The sentence in English, for logs and for clients without a catalogue."""
    return PROBLEMS.get(code, code).format_map(_Given(args))


class _Given(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"
