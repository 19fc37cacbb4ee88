"""The freight exchange's month: who works there, what is asked, and how each request fares."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from desk.domain.ids import make_id
from desk.domain.model import Person, Subject
from desk.domain.playbook import Playbook
from desk.hub.demo.arrivals import arrivals
from desk.hub.demo.family import Family
from desk.hub.demo.freight_life import CONSULTANT, OPERATORS, Life
from desk.hub.demo.freight_request import Request, make_request
from desk.hub.demo.people import make_human
from desk.hub.demo.rows import Gathering
from desk.hub.intake import Batch

_BATCH = 1000
_STAFF = (
    ("marketer", 3),
    ("sales", 4),
    ("operator", 2),
    ("consultant", 1),
    ("head", 0),
    ("director", 0),
    ("admin", 0),
    ("pd_officer", 0),
)
#: Where somebody answers, and writes the request down himself.
_SPOKEN = frozenset({"phone", "whatsapp", "trade_show"})


def staff() -> list[Person]:
    """The people of the company, the same in every demo; ``role`` + number is the user's name."""
    chance = Random("staff")  # noqa: S311 - invented people, not secrets
    people: list[Person] = []
    for role, count in _STAFF:
        for number in range(1, max(count, 1) + 1):
            human = make_human(chance)
            user = f"{role}{number}" if count else role
            # Whom the second desk will be of is at work before it opens, so that what the first
            # one hands off is there.
            people.append(Person(id=user, name=human.short, role=role, present=user == "sales1"))
    return people


def history(playbook: Playbook, seed: int, now: int, leads: int) -> Iterator[Batch]:
    """``leads`` requests before ``now`` with all that came of them, in batches, oldest first."""
    chance = Random(f"freight {seed}")  # noqa: S311
    known: list[Request] = []
    gathering = Gathering()
    for number, at in enumerate(arrivals(chance, now, leads), start=1):
        again = known and chance.random() < 0.04
        request = make_request(chance, at, chance.choice(known) if again else None)
        if len(known) < 400:
            known.append(request)
        subject = _subject(chance, at, request)
        family = Family(playbook, chance, subject.id)
        _arrive(family, chance, at, request)
        Life(family, chance, now, request).run(at)
        gathering.subjects.append(subject)
        family.finish(gathering)
        if number % _BATCH == 0:
            yield gathering.batch()
            gathering = Gathering()
    if gathering.items:
        yield gathering.batch()


def _subject(chance: Random, at: int, request: Request) -> Subject:
    return Subject(
        id=make_id(at, chance.randbytes),
        fields=request.personal,
        field_versions=dict.fromkeys(request.personal, 1),
    )


def _arrive(family: Family, chance: Random, at: int, request: Request) -> None:
    author = None
    if request.fields["source"] in _SPOKEN:
        author = chance.choice((*OPERATORS, CONSULTANT))
    family.create(at, author, request.title, request.fields)
