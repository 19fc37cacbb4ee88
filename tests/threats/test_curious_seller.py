"""A sales manager looks for more than his work needs: with a decrypted file, filters, commands."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from desk.commands import cards
from desk.domain.operations import EditFields, Move
from desk.services.desk import Desk
from desk.services.errors import Refused
from tests.services.test_secrecy import decrypted
from tests.threats.plants import EMAIL, NAME, PHONE, Sit, found, plant

CAMPAIGN = "kampaniya-tayny"


@pytest.fixture
def seller(sit: Sit) -> Desk:
    """The desk of a sales manager who was handed a qualification."""
    lead = plant(sit)
    marketer = sit("marketer1")
    marketer.do(EditFields(item_id=lead, fields={"utm_campaign": CAMPAIGN}))
    card = next(one for one in marketer.card(lead).linked if one.kind == "qualification")
    fields = {"company": "ООО", "need": "есть", "monthly_volume": 7, "budget": 100}
    marketer.do(EditFields(item_id=card.id, fields=fields))
    marketer.do(Move(item_id=card.id, transition="hand_off", to="sales1"))
    report = marketer.sync_once()
    assert (report.rejected, report.conflicts) == (0, 0)
    desk = sit("sales1", place=f"seller {lead}")
    assert lead in {row.item.id for row in desk.rows()}
    return desk


def test_his_decrypted_file_holds_no_number_address_or_campaign(seller: Desk) -> None:
    content = decrypted(seller)
    assert found(content, (PHONE, EMAIL, CAMPAIGN)) == []
    assert found(content, ("+7••••••••21",)) or seller.find(NAME)


def test_no_filter_order_or_count_tells_what_he_may_not_see(seller: Desk) -> None:
    asks: list[Callable[[], object]] = [
        lambda: seller.rows(filter=f'utm_campaign = "{CAMPAIGN}"'),
        lambda: seller.count("lead", f'utm_campaign contains "{CAMPAIGN[:3]}"'),
        lambda: seller.count("lead", "utm_campaign is empty"),
        lambda: seller.rows(kind="lead", sort="-utm_campaign"),
        lambda: seller.count(by="utm_campaign"),
    ]
    for ask in asks:
        with pytest.raises(Refused) as raised:
            ask()
        assert raised.value.refusal.code == "field_hidden"
        assert CAMPAIGN not in str(raised.value)


def test_no_command_prints_it(
    seller: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def opened(_options: Namespace) -> Iterator[Desk]:
        yield seller

    monkeypatch.setattr(cards, "open_desk", opened)
    lead = next(row.item.id for row in seller.rows(kind="lead"))
    common = {"kind": None, "filter": None, "sort": None, "limit": None, "by": None}
    for is_json in (True, False):
        options = Namespace(**common, json=is_json, id=lead, text=NAME.split()[0])
        for command in (cards.list_cards, cards.find, cards.count, cards.show):
            assert command(options) == 0
        printed = capsys.readouterr().out
        assert found(printed.encode(), (PHONE, EMAIL, CAMPAIGN)) == []
    assert json.dumps(seller.card(lead).item.fields).count("utm_") == 0
