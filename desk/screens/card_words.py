"""What a card says beside its fields: its state, the steps, tasks and linked cards, its history."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.widgets.option_list import Option

from desk.domain.model import Entry, Item, Person, Task
from desk.domain.playbook import Kind, Playbook
from desk.screens.words import (
    NOTHING,
    briefly,
    event_title,
    moment,
    person_name,
    stage_title,
    task_title,
    title_of,
)
from desk.services.views import Card
from desk.text import _, format_age
from desk.widgets.safe import plain


def subline(
    item: Item, kind: Kind, playbook: Playbook, people: Mapping[str, Person], now: int
) -> Content:
    """Kind, stage, whose it is, and the figures."""
    parts = [
        title_of(kind),
        stage_title(playbook, item.kind, item.stage),
        person_name(people, item.responsible) if item.responsible else _("nobody yet"),
    ]
    if item.round:
        parts.append(_("round {number}").format(number=item.round))
    parts.append(_("{score} points").format(score=item.score))
    parts.append(format_age(item.created_at, now))
    return plain(" · ".join(parts), lines=False)


def steps(card: Card, playbook: Playbook) -> Content:
    """What can be done, with the keys, and below it what cannot and why."""
    lines: list[Content] = [Content.styled(_("What to do"), "bold $text-primary")]
    refused: dict[str, list[str]] = {}
    for one in card.possible:
        key, title = one.transition.hotkey or " ", title_of(one.transition)
        if one.refusal is None:
            lines.append(Content.assemble((f"{key} ", "$text-accent bold"), title))
        elif one.refusal.code != "role_may_not":
            reason = briefly(one.refusal, playbook, card.item.kind)
            refused.setdefault(reason, []).append(f"{key} {title}".strip())
    if len(lines) == 1:
        lines.append(Content.styled(_("Nothing now."), "$text-muted"))
    for reason, titles in refused.items():
        lines.append(Content.styled(f"✗ {reason}: {', '.join(titles)}", "$text-disabled"))
    return Content("\n").join(lines)


def links_of(card: Card, playbook: Playbook, now: int) -> list[Option]:
    """The open tasks and the cards of its family, `task:ID` and `item:ID`."""
    tasks = [_task(task, playbook, now) for task in card.tasks if task.closed_at is None]
    return [*tasks, *(_linked(item, playbook) for item in card.linked)]


def _task(task: Task, playbook: Playbook, now: int) -> Option:
    late = task.due_at < now
    due = format_age(task.due_at, now)
    text = Content.assemble(
        ("! " if late else "◷ ", "$text-error" if late else "$text-accent"),
        plain(task_title(playbook, task), lines=False),
        (f" · {due}", "$text-error" if late else "$text-muted"),
    )
    return Option(text, f"task:{task.id}")


def _linked(item: Item, playbook: Playbook) -> Option:
    kind = playbook.kind(item.kind)
    text = Content.assemble(
        ("→ ", "$text-accent"),
        title_of(kind) if kind else item.kind,
        (f" · {stage_title(playbook, item.kind, item.stage)}", "$text-muted"),
    )
    return Option(text, f"item:{item.id}")


def history(card: Card, playbook: Playbook, people: Mapping[str, Person]) -> Content:
    """The timeline, the newest line on top."""
    kind = card.item.kind
    blocks = [_entry(entry, kind, playbook, people) for entry in reversed(card.entries)]
    return Content("\n").join(blocks) if blocks else Content(NOTHING)


def _entry(entry: Entry, kind: str, playbook: Playbook, people: Mapping[str, Person]) -> Content:
    who = person_name(people, entry.who) if entry.who else _("the hub")
    moved = (
        f" → {stage_title(playbook, kind, entry.to_stage)}"
        if entry.to_stage and entry.to_stage != entry.from_stage
        else ""
    )
    lines = [
        Content.styled(f"{moment(entry.at)} ", "$text-muted"),
        Content.styled(event_title(playbook, kind, entry), "bold"),
        plain(f"{moved} · {who}", lines=False),
    ]
    if entry.comment:
        lines.append(Content.assemble("\n", plain(f"«{entry.comment}»")))
    return Content.assemble(*lines)
