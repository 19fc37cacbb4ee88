"""What a subject agreed to, took back or demands, and what that ends.

A consent taken back ends at once whatever its purpose says it ``stops``; a demand of erasure ends
all work with the person. His cards may then only be closed.
"""

import hashlib
from collections.abc import Mapping
from typing import Literal

from desk.domain.clean import clean
from desk.domain.effects import (
    ConsentGiven,
    ConsentWithdrawn,
    Effect,
    Noted,
    Requested,
    SubjectMoved,
    TaskClosed,
)
from desk.domain.ids import derive_id
from desk.domain.model import Actor, Consent, Entry, Item, Subject, SubjectRequest
from desk.domain.operations import (
    CloseTask,
    Comment,
    EditFields,
    EditSubject,
    GiveConsent,
    Intent,
    Move,
    Operation,
    RequestErasure,
    WithdrawConsent,
)
from desk.domain.playbook import (
    CreateLinked,
    Kind,
    MoveLinked,
    PlanTask,
    Playbook,
    Purpose,
    Stops,
    Transition,
)
from desk.domain.refusals import N_, Refusal
from desk.domain.scene import Scene

#: How a subject may say that he agrees, takes it back, or demands something.
CHANNELS: Mapping[str, str] = {
    "site": N_("Form on the site"),
    "phone": N_("Phone call"),
    "email": N_("E-mail"),
    "messenger": N_("Messenger"),
    "paper": N_("Paper"),
    "other": N_("Otherwise"),
}
#: The longest evidence or note that is kept, characters.
EVIDENCE_LIMIT = 1000
#: The version of an objection: nothing was ever agreed to that could be taken back.
OBJECTION = 0

#: How long ago a desk may have been told what it tells now, ms.
BELIEVED = 7 * 24 * 3_600_000

#: The rows an operation creates are numbered; these are the numbers of these ones.
_ROW_ID, _ENTRY_ID, _REQUEST_ID = 0, 1, 2


def text_hash(purpose: Purpose) -> str:
    """SHA-256 of a purpose's text in both languages, in hexadecimal digits."""
    text = f"{purpose.text.ru}\0{purpose.text.en}"
    return hashlib.sha256(text.encode()).hexdigest()


def processing_stopped(playbook: Playbook, subject: Subject | None) -> bool:
    """Whether nothing may be done with the person's cards any more but to close them."""
    if subject is None:
        return False
    return subject.stage != "active" or _taken_back(playbook, subject, "processing")


def may_contact(
    playbook: Playbook, subject: Subject, by: Literal["calls", "mailings"]
) -> Refusal | None:
    """Why the person may not be contacted so, or None where he may be.

    A call by a colleague needs no consent of its own, but is refused once one was taken back or
    objected to. A mailing needs one that stands. It is the one gate for both.
    """
    if processing_stopped(playbook, subject):
        return Refusal("processing_stopped")
    if _taken_back(playbook, subject, by):
        return Refusal("do_not_call" if by == "calls" else "do_not_mail")
    if by == "mailings" and not _stands(playbook, subject, by):
        return Refusal("do_not_mail")
    return None


def stopped(scene: Scene, intent: Intent, playbook: Playbook) -> Refusal | None:
    """Why an edit or a note is refused on a card whose person must be left alone."""
    item = scene.item
    subject = scene.subject_of(item) if item else None
    if item and subject and subject.stage == "erased" and _tells(intent, playbook.kind(item.kind)):
        return Refusal("erased")
    if item is None or not isinstance(intent, EditFields | EditSubject | Comment):
        return None
    if processing_stopped(playbook, scene.subject_of(item)):
        return Refusal("processing_stopped")
    return None


def _tells(intent: Intent, kind: Kind | None) -> bool:
    """Whether an intent brings something that may speak of the person."""
    match intent:
        case Move():
            fields = kind.fields if kind else {}
            named = [fields[name] for name in intent.fields if name in fields]
            return bool(intent.comment) or any(field.is_personal for field in named)
        case CloseTask():
            return bool(intent.comment)
        case _:
            return True


def closes(playbook: Playbook, kind: Kind, transition: Transition) -> bool:
    """Whether a transition only ends the work with a card: it is allowed whatever was taken back.

    It leads to a final stage and neither makes nor plans nor reopens anything.
    """
    if transition.undoes:
        return False
    if transition.target_from:
        field = kind.fields.get(transition.target_from)
        targets = [choice.id for choice in field.choices] if field else []
    else:
        targets = [transition.target] if transition.target else []
    ends = bool(targets) and all(kind.is_final(target) for target in targets)
    return ends and not any(
        isinstance(one, CreateLinked | PlanTask) or _reopens(playbook, one)
        for one in transition.effects
    )


def decide_give(
    scene: Scene, operation: Operation, intent: GiveConsent, actor: Actor, playbook: Playbook,
    now: int,
) -> list[Effect] | Refusal:  # fmt: skip
    """A consent to one purpose; it restores what taking the last one back had stopped."""
    found = _subject(scene)
    if isinstance(found, Refusal):
        return found
    (item, subject), said = found, _said_at(operation, now)
    purpose = playbook.purposes.get(intent.purpose)
    if purpose is None:
        return Refusal("unknown_purpose", {"purpose": intent.purpose})
    if not OBJECTION < intent.text_version <= purpose.version:
        return Refusal("unknown_text", {"purpose": purpose.id})
    if subject.stage == "erasure_requested":
        return Refusal("erasure_requested")
    before = subject.consents.get(purpose.id)
    if before and before.withdrawn_at is not None and said < before.withdrawn_at:
        return Refusal("withdrawn_since", {"purpose": purpose.id})
    evidence = _evidence(intent.channel, intent.evidence)
    if isinstance(evidence, Refusal):
        return evidence
    is_newest = intent.text_version == purpose.version
    consent = Consent(
        id=derive_id(operation.id, _ROW_ID),
        subject_id=subject.id,
        purpose=purpose.id,
        text_version=intent.text_version,
        # Of an older text the hub knows the hash.
        text_hash=text_hash(purpose) if is_newest else "",
        channel=intent.channel,
        evidence=evidence,
        given_at=said,
        given_by=actor.id,
    )
    return [
        ConsentGiven(consent=consent),
        _noted(operation, item, actor, now, f"consent.{purpose.id}"),
    ]


def decide_withdraw(
    scene: Scene, operation: Operation, intent: WithdrawConsent, actor: Actor, playbook: Playbook,
    now: int,
) -> list[Effect] | Refusal:  # fmt: skip
    """A consent is taken back; where there was none, the person objects to the purpose."""
    found = _subject(scene)
    if isinstance(found, Refusal):
        return found
    (item, subject), said = found, _said_at(operation, now)
    purpose = playbook.purposes.get(intent.purpose)
    standing = subject.consents.get(intent.purpose)
    if purpose is None and standing is None:
        return Refusal("unknown_purpose", {"purpose": intent.purpose})
    if standing is not None and standing.withdrawn_at is not None:
        return Refusal("withdrawn_already", {"purpose": intent.purpose})
    evidence = _evidence(intent.channel, intent.evidence)
    if isinstance(evidence, Refusal):
        return evidence
    effects = withdrawal(subject, intent.purpose, operation.id, actor, intent.channel, said)
    effects.append(_noted(operation, item, actor, now, f"withdrawn.{intent.purpose}"))
    if purpose and "processing" in purpose.stops and subject.stage == "active":
        request = SubjectRequest(
            id=derive_id(operation.id, _REQUEST_ID),
            subject_id=subject.id,
            kind="erase",
            ground="withdrawal",
            purpose=purpose.id,
            received_at=said,
            by=actor.id,
            channel=intent.channel,
            note=evidence,
        )
        effects += [Requested(request=request), *_drop_plans(scene, subject, actor)]
    return effects


def decide_erasure(
    scene: Scene, operation: Operation, intent: RequestErasure, actor: Actor, now: int
) -> list[Effect] | Refusal:
    """A demand of erasure: it blocks the person's data until the officer has decided."""
    found = _subject(scene)
    if isinstance(found, Refusal):
        return found
    item, subject = found
    if subject.stage == "erasure_requested":
        return Refusal("erasure_requested")
    note = _evidence(intent.channel, intent.note)
    if isinstance(note, Refusal):
        return note
    request = SubjectRequest(
        id=derive_id(operation.id, _REQUEST_ID),
        subject_id=subject.id,
        kind="erase",
        received_at=_said_at(operation, now),
        by=actor.id,
        channel=intent.channel,
        note=note,
    )
    return [
        Requested(request=request),
        *block(scene, subject, actor),
        _noted(operation, item, actor, now, "erasure_requested"),
    ]


def withdrawal(
    subject: Subject, purpose: str, origin: str, actor: Actor, channel: str, at: int
) -> list[Effect]:
    """Ends the consent to a purpose; an objection where there was none. ``origin`` gives its id."""
    if purpose in subject.consents:
        return [
            ConsentWithdrawn(
                subject_id=subject.id, purpose=purpose, at=at, by=actor.id, channel=channel
            )
        ]
    objection = Consent(
        id=derive_id(origin, _ROW_ID),
        subject_id=subject.id,
        purpose=purpose,
        text_version=OBJECTION,
        text_hash="",
        channel=channel,
        evidence="",
        given_at=at,
        given_by=actor.id,
        withdrawn_at=at,
        withdrawn_by=actor.id,
        withdrawn_channel=channel,
    )
    return [ConsentGiven(consent=objection)]


def block(scene: Scene, subject: Subject, actor: Actor) -> list[Effect]:
    """Nothing is done with the person's data any more, and what was planned is dropped."""
    moved = SubjectMoved(subject_id=subject.id, stage="erasure_requested")
    return [moved, *_drop_plans(scene, subject, actor)]


def _subject(scene: Scene) -> tuple[Item, Subject] | Refusal:
    item = scene.item
    subject = scene.subject_of(item) if item else None
    if item is None:
        return Refusal("no_item")
    if subject is None or subject.stage == "erased":
        return Refusal("no_subject")
    return item, subject


def _said_at(operation: Operation, now: int) -> int:
    """When the person said it: by the asker's clock, which may have been offline for a while, as
    far as it can be believed."""
    return max(min(operation.at, now), now - BELIEVED)


def _evidence(channel: str, text: str) -> str | Refusal:
    if channel not in CHANNELS:
        return Refusal("unknown_channel", {"channel": channel, "possible": ", ".join(CHANNELS)})
    kept = clean(text, EVIDENCE_LIMIT + 1, lines=True)
    if len(kept) > EVIDENCE_LIMIT:
        return Refusal("comment_too_long", {"limit": str(EVIDENCE_LIMIT)})
    return kept


def _drop_plans(scene: Scene, subject: Subject, actor: Actor) -> list[Effect]:
    about = {item.id for item in scene.items if item.subject_id == subject.id}
    return [
        TaskClosed(task_id=task.id, by=actor.id) for task in scene.tasks if task.item_id in about
    ]


def _reopens(playbook: Playbook, effect: object) -> bool:
    if not isinstance(effect, MoveLinked) or not effect.stage:
        return False
    kind = playbook.kind(effect.item)
    return kind is None or not kind.is_final(effect.stage)


def _taken_back(playbook: Playbook, subject: Subject, what: Stops) -> bool:
    return any(
        standing.withdrawn_at is not None and what in _stops(playbook, purpose)
        for purpose, standing in subject.consents.items()
    )


def _stands(playbook: Playbook, subject: Subject, what: Stops) -> bool:
    """Whether there is a consent to that very thing; one to all processing is none to mailings."""
    return any(
        standing.withdrawn_at is None
        and what in (stops := _stops(playbook, purpose))
        and "processing" not in stops
        for purpose, standing in subject.consents.items()
    )


def _stops(playbook: Playbook, purpose: str) -> tuple[Stops, ...]:
    known = playbook.purposes.get(purpose)
    return known.stops if known else ()


def _noted(operation: Operation, item: Item, actor: Actor, now: int, event: str) -> Noted:
    return Noted(
        entry=Entry(
            id=derive_id(operation.id, _ENTRY_ID),
            item_id=item.id,
            at=now,
            who=actor.id,
            event=event,
        )
    )
