"""Why an operation is not carried out, as a code with arguments.

``SENTENCES`` holds the English sentence of every code, with what to do about it; whoever shows a
refusal translates it. Arguments never carry personal data.
"""

from collections.abc import Mapping

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """The rules say no. ``args`` fill the sentence; stage, field and role arguments are ids."""

    code: str
    args: dict[str, str] = {}


class Conflict(msgspec.Struct, frozen=True):
    """Somebody changed the same thing first. ``theirs`` is what stands there now."""

    code: str
    args: dict[str, str] = {}
    fields: tuple[str, ...] = ()


def N_(sentence: str) -> str:  # noqa: N802 - the gettext marker's usual name
    """Mark a sentence for the translation catalogue; the domain itself translates nothing."""
    return sentence


SENTENCES: Mapping[str, str] = {
    "no_item": N_("There is no such card, or it is not yours to see. Ask whoever has it now."),
    "unknown_kind": N_("This company has no cards of the kind “{kind}”."),
    "unknown_transition": N_("There is no action “{transition}” here. Possible now: {possible}."),
    "role_may_not": N_("Your role may not do “{transition}”. Ask the head of your department."),
    "role_may_not_create": N_("Your role may not create such cards."),
    "not_yours": N_("Another person is responsible for this card. Ask them or your head."),
    "wrong_stage": N_(
        "“{transition}” is not possible at the stage “{stage}”. Open the card to see what is."
    ),
    "stale": N_("Somebody moved this card to “{stage}” first. Look at it and decide again."),
    "field_conflict": N_("Somebody changed these fields first: {fields}. Compare and decide."),
    "comment_too_long": N_("The comment is longer than {limit} characters. Shorten it."),
    "comment_required": N_("Write the reason in a comment, then repeat."),
    "missing_fields": N_("Fill in first: {fields}."),
    "unknown_field": N_("There is no field “{field}” here."),
    "field_not_here": N_("The field “{field}” is not part of this action."),
    "field_hidden": N_(
        "Your role does not see “{fields}” in full, so cards cannot be chosen, sorted or counted "
        "by it. Use another field."
    ),
    "field_not_yours": N_("Your role may not change the field “{field}”."),
    "not_a_number": N_("“{field}” takes a number."),
    "not_a_choice": N_("“{field}” takes one of: {choices}."),
    "not_yes_no": N_("“{field}” takes yes or no."),
    "not_a_date": N_("“{field}” takes a date such as 2026-01-31."),
    "not_a_phone": N_("“{field}” takes a phone number such as +7 912 345-67-89."),
    "not_an_email": N_("“{field}” takes an e-mail address such as name@example.com."),
    "not_a_user": N_("“{field}” takes the name of a colleague."),
    "not_text": N_("“{field}” takes text."),
    "too_long": N_("“{field}” is longer than {limit} characters. Shorten it."),
    "too_many": N_("“{field}” takes at most {limit} values. Leave some out."),
    "number_range": N_("“{field}” must be between {low} and {high}."),
    "user_unknown": N_("There is no active colleague “{user}”. Choose another."),
    "user_wrong_role": N_("“{user}” cannot take this card. Choose one of: {roles}."),
    "nobody_present": N_(
        "Nobody who could take this card is at work now. Choose a colleague yourself or wait."
    ),
    "choose_user": N_("Choose a colleague."),
    "nobody_to_choose": N_("This action chooses no colleague. Repeat it without a name."),
    # A playbook's own sentence, in both languages; the Russian translation of this is "{ru}".
    "guard": N_("{en}"),
    "link_missing": N_("The linked card ({kind}) is missing or not yours to see."),
    "worked_on": N_("Somebody has already worked on what came of it, so it cannot be reopened."),
    "nothing_to_reopen": N_("This card has no earlier stage to go back to."),
    "no_task": N_("There is no such open task on this card."),
    "empty_text": N_("Write something first."),
    "empty_title": N_("A new card needs a title."),
    "no_subject": N_("This card has no personal data to change."),
    "exists_already": N_("This card exists already."),
    "processing_stopped": N_(
        "This person took the consent back or asked to be erased: the card may only be closed. A "
        "new consent makes it possible again."
    ),
    "do_not_call": N_("This person does not want calls. Do not call."),
    "do_not_mail": N_("This person has not agreed to mailings. Do not write."),
    "unknown_purpose": N_("This company has no purpose “{purpose}”. Choose one of its purposes."),
    "unknown_text": N_("The text of “{purpose}” is newer here. Update the desk and ask again."),
    "unknown_channel": N_("“{channel}” is no way to say it. Possible: {possible}."),
    "withdrawn_since": N_(
        "The person took the consent to “{purpose}” back after that. Ask again, then repeat."
    ),
    "withdrawn_already": N_("The consent to “{purpose}” is taken back already."),
    "erased": N_("This person is erased. Nothing can be written about him any more."),
    "erasure_requested": N_(
        "Erasure was requested for this person: the officer for personal data decides about it."
    ),
    "broken_operation": N_("This action cannot be read. Update the application."),
    "blocked": N_(
        "It builds on an earlier action of yours that was not carried out. Decide about that one "
        "first."
    ),
    "quarantined": N_("The hub could not process this action; the administrator was told."),
}


def english(code: str, args: Mapping[str, str]) -> str:
    """The sentence in English, for logs and for clients without a catalogue."""
    template = SENTENCES.get(code)
    if template is None:
        return code
    try:
        return template.format(**args)
    except KeyError:
        return template
