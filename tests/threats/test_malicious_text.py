"""Somebody outside writes a lead that attacks whoever shows it; the screens are tested in
``tests/screens/test_hostile_text.py``."""

from __future__ import annotations

import unicodedata

import msgspec

from desk.domain.operations import Comment, Create
from desk.services.desk import Desk
from tests.threats.plants import Sit
from tests.widgets.hostile import HOSTILE

_FITS = 100
#: Those that fit into a field; a lone surrogate cannot be sent at all.
ATTACKS = [text for name, text in HOSTILE.items() if name != "surrogate" and len(text) < _FITS]


def test_what_the_hub_takes_in_can_neither_steer_nor_hide(sit: Sit) -> None:
    """By the way of operations, past the cleaning of the desk's own fields."""
    operator = sit("operator1", place="attacker")
    leads = [
        operator.do(
            Create(
                kind="lead",
                title=f"Обращение {text}",
                fields={"request": text, "company": text},
                subject={"name": f"Имя {text}", "position": text},
            )
        ).item_ids[0]
        for text in ATTACKS
    ]
    for lead, text in zip(leads, ATTACKS, strict=True):
        operator.do(Comment(item_id=lead, text=f"Сказал {text}"))
    report = operator.sync_once()
    assert report.rejected + report.conflicts == 0
    reader = sit("marketer1", place="attacked")
    for lead in leads:
        for text in _texts(reader, lead):
            assert _harmful(text) == set(), text[:80]


def _texts(desk: Desk, lead: str) -> list[str]:
    card = desk.card(lead)
    assert card.subject
    values = [card.item.title, *card.item.fields.values(), *card.subject.fields.values()]
    return [str(one) for one in values] + [entry.comment for entry in card.entries]


def _harmful(text: str) -> set[str]:
    joiner, newline = "\u200d", "\n"
    return {
        one
        for one in text
        if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and one not in (joiner, newline)
    }


def test_markup_arrives_as_it_was_written(sit: Sit) -> None:
    operator = sit("operator1", place="marker")
    title = "[@click=app.quit]нажми[/] [b]"
    lead = operator.do(Create(kind="lead", title=title)).item_ids[0]
    operator.sync_once()
    shown = sit("marketer1", place="marked").card(lead).item
    assert shown.title == title
    assert msgspec.json.encode(shown)
