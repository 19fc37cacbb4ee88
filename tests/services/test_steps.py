"""What is told of an exchange while it goes on."""

from __future__ import annotations

from itertools import count

import msgspec

from desk.domain.model import Subject
from desk.protocol.messages import (
    Compared,
    Digest,
    Forget,
    Handshake,
    Page,
    PlaybookSource,
    Presence,
    Pushed,
    Result,
)
from desk.services.steps import Steps
from desk.services.views import Step


def told(*messages: msgspec.Struct | None, waiting: int = 0) -> list[tuple[str, dict[str, int]]]:
    steps: list[Step] = []
    seconds = count()
    listening = Steps(steps.append, waiting, lambda: float(next(seconds)))
    for message in messages:
        if message is None:
            listening.end()
        else:
            listening.hear(message)
    return [(step.name, step.counts) for step in steps]


def answered(*numbers: int) -> Pushed:
    results = [Result(number=number, id=f"{number}", result="applied") for number in numbers]
    return Pushed(results=results, last_op=numbers[-1])


def page(**rows: object) -> Page:
    return Page(cursor="e:1", last_op=0, playbook_version=1, **rows)  # pyright: ignore[reportArgumentType]


def test_each_message_of_the_hub_is_a_step_with_counts_alone() -> None:
    subject = Subject(id="s", fields={"name": "Анна Ким"})
    said = told(
        Handshake(product="desk", hub="h", protocol_min=1, protocol_max=2, now=5),
        PlaybookSource(version=7, source="тайна"),
        page(subjects=[subject], forget=[Forget(kind="item", id="i")]),
        page(reset=True),
        Compared(cursor="e:1", digests=[{"item": Digest(1, "ff")}, {}]),
        None,
    )
    assert said == [
        ("greeted", {"low": 1, "high": 2}),
        ("playbook", {"version": 7}),
        ("page", {"rows": 1, "forget": 1}),
        ("reset", {}),
        ("compared", {"ranges": 2}),
        ("written", {"rows": 1, "forgotten": 1, "ms": 6000}),
    ]


def test_operations_are_counted_on_and_what_was_queued_meanwhile_as_well() -> None:
    assert told(answered(1, 2), answered(3, 4), waiting=3) == [
        ("sent", {"sent": 2, "of": 3}),
        ("sent", {"sent": 4, "of": 4}),
    ]


def test_what_is_no_step_is_not_told() -> None:
    assert told(Presence(presence="auto")) == []
